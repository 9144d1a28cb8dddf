/// A GraphQL document that can be executed: operations, and the fragments that they share.
package struct GraphQLDocument: Equatable, Sendable {
  var operations: [Operation] = []
  var fragments: [String: Fragment] = [:]

  struct Operation: Equatable, Sendable {
    var kind: Kind
    var name: String?
    var variables: [Variable] = []
    var directives: [Directive] = []
    var selections: [Selection]
    var place: GraphQLPlace

    enum Kind: String, Sendable { case query, mutation, subscription }
  }

  struct Variable: Equatable, Sendable {
    var name: String
    var type: TypeReference
    var fallback: Literal?
    var place: GraphQLPlace
  }

  struct Fragment: Equatable, Sendable {
    var name: String
    var type: String
    var directives: [Directive]
    var selections: [Selection]
    var place: GraphQLPlace
  }

  indirect enum Selection: Equatable, Sendable {
    case field(Field)
    case spread(String, [Directive], GraphQLPlace)
    /// A type that it is for; nil for any.
    case inline(String?, [Directive], [Selection], GraphQLPlace)
  }

  struct Field: Equatable, Sendable {
    var alias: String?
    var name: String
    var arguments: [Argument]
    var directives: [Directive]
    /// Empty for a field without a selection set, which no set can be.
    var selections: [Selection]
    var place: GraphQLPlace

    /// What it is called in the answer.
    var key: String { alias ?? name }
  }

  struct Argument: Equatable, Sendable {
    var name: String
    var value: Literal
    var place: GraphQLPlace
  }

  struct Directive: Equatable, Sendable {
    var name: String
    var arguments: [Argument]
    var place: GraphQLPlace
  }

  /// A value as it is written.
  indirect enum Literal: Equatable, Sendable {
    case variable(String)
    case null
    case bool(Bool)
    case int(Int)
    case float(Double)
    case string(String)
    /// A word of an enumeration.
    case word(String)
    case list([Literal])
    case object([String: Literal])
  }

  /// `[String!]!`
  indirect enum TypeReference: Equatable, Sendable, CustomStringConvertible {
    case named(String)
    case list(TypeReference)
    case required(TypeReference)

    var description: String {
      switch self {
      case .named(let name): name
      case .list(let type): "[\(type)]"
      case .required(let type): "\(type)!"
      }
    }

    /// What it is of, whatever the lists.
    var name: String {
      switch self {
      case .named(let name): name
      case .list(let type), .required(let type): type.name
      }
    }
  }
}
