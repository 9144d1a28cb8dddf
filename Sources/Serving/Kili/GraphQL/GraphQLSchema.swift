/// The types that a GraphQL service answers with.
package struct GraphQLSchema: Sendable {
  /// In the order that they are written in, the introspection's own last.
  let types: [TypeDefinition]
  private let places: [String: Int]

  static let (query, mutation) = ("Query", "Mutation")

  struct TypeDefinition: Sendable {
    var name: String
    var description: String?
    var kind: Kind

    enum Kind: Sendable {
      case scalar
      case object([Field])
      case input([InputField])
      /// An enumeration.
      case words([String])
    }

    var fields: [Field]? { if case .object(let fields) = kind { fields } else { nil } }
    var inputFields: [InputField]? { if case .input(let fields) = kind { fields } else { nil } }
  }

  struct Field: Sendable {
    var name: String
    var description: String?
    var arguments: [InputField]
    var type: GraphQLDocument.TypeReference
  }

  struct InputField: Sendable {
    var name: String
    var description: String?
    var type: GraphQLDocument.TypeReference
  }

  /// - Parameter text: in GraphQL's own language for types.
  /// - Throws: `GraphQLError`.
  package init(_ text: String) throws {
    var (own, introspection) = (try GraphQLParser(text), try GraphQLParser(Self.introspection))
    types = try own.schema() + introspection.schema()
    places = Dictionary(
      types.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { first, _ in first })
  }

  func type(_ name: String) -> TypeDefinition? { places[name].map { types[$0] } }

  /// What a type has under a name, introspection's among it; nil where it has none.
  func field(_ name: String, of type: String) -> Field? {
    if name == "__typename" {
      return Field(name: name, arguments: [], type: .required(.named("String")))
    }
    if type == Self.query, name == "__schema" {
      return Field(name: name, arguments: [], type: .required(.named("__Schema")))
    }
    if type == Self.query, name == "__type" {
      let argument = InputField(name: "name", type: .required(.named("String")))
      return Field(name: name, arguments: [argument], type: .named("__Type"))
    }
    return self.type(type)?.fields?.first { $0.name == name }
  }

  func isComposite(_ type: GraphQLDocument.TypeReference) -> Bool { self.type(type.name)?.fields != nil }

  func isInput(_ type: GraphQLDocument.TypeReference) -> Bool {
    self.type(type.name).map { $0.fields == nil } ?? false
  }

  /// GraphQL specification, October 2021, section 4.2.
  private static let introspection = """
    scalar String scalar Int scalar Float scalar Boolean scalar ID
    type __Schema {
      description: String types: [__Type!]! queryType: __Type! mutationType: __Type subscriptionType: __Type
      directives: [__Directive!]!
    }
    type __Type {
      kind: __TypeKind! name: String description: String specifiedByURL: String
      fields(includeDeprecated: Boolean): [__Field!] interfaces: [__Type!] possibleTypes: [__Type!]
      enumValues(includeDeprecated: Boolean): [__EnumValue!]
      inputFields(includeDeprecated: Boolean): [__InputValue!] ofType: __Type
    }
    type __Field {
      name: String! description: String args(includeDeprecated: Boolean): [__InputValue!]! type: __Type!
      isDeprecated: Boolean! deprecationReason: String
    }
    type __InputValue {
      name: String! description: String type: __Type! defaultValue: String isDeprecated: Boolean!
      deprecationReason: String
    }
    type __EnumValue { name: String! description: String isDeprecated: Boolean! deprecationReason: String }
    type __Directive {
      name: String! description: String isRepeatable: Boolean! locations: [__DirectiveLocation!]!
      args(includeDeprecated: Boolean): [__InputValue!]!
    }
    enum __TypeKind { SCALAR OBJECT INTERFACE UNION ENUM INPUT_OBJECT LIST NON_NULL }
    enum __DirectiveLocation {
      QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION FRAGMENT_SPREAD INLINE_FRAGMENT VARIABLE_DEFINITION
      SCHEMA SCALAR OBJECT FIELD_DEFINITION ARGUMENT_DEFINITION INTERFACE UNION ENUM ENUM_VALUE INPUT_OBJECT
      INPUT_FIELD_DEFINITION
    }
    """
}

// MARK: - Values

extension GraphQLSchema {
  typealias Literal = GraphQLDocument.Literal
  typealias TypeReference = GraphQLDocument.TypeReference

  /// A value as a type has it. A single value stands for a list of it.
  ///
  /// - Parameter name: what it is called in errors: `$where.project`.
  /// - Throws: `GraphQLError`.
  func coerce(_ value: GraphQLValue, to type: TypeReference, _ name: String, _ place: GraphQLPlace) throws
    -> GraphQLValue
  {
    func fail(_ reason: String) -> GraphQLError { .invalid("\(name) \(reason)", place) }
    switch type {
    case .required(let type):
      guard value != .null else { throw fail("must not be null; it is of the type \(type)!.") }
      return try coerce(value, to: type, name, place)
    case _ where value == .null: return .null
    case .list(let type):
      guard case .list(let values) = value else { return .list([try coerce(value, to: type, name, place)]) }
      return .list(
        try values.enumerated().map { try coerce($0.element, to: type, "\(name)[\($0.offset)]", place) })
    case .named(let typeName):
      guard let definition = self.type(typeName) else { throw fail("is of no type that is known.") }
      switch definition.kind {
      case .scalar: return try coerce(value, toScalar: typeName, fail)
      case .words(let words):
        guard case .string(let word) = value, words.contains(word) else {
          throw fail("is none of \(words.joined(separator: ", ")).")
        }
        return value
      case .object: throw fail("cannot be given: \(typeName) is answered with.")
      case .input(let fields):
        guard case .object(let members) = value else {
          throw fail("must be an object of the type \(typeName), not \(value.kind).")
        }
        if let unknown = members.keys.sorted().first(where: { key in !fields.contains { $0.name == key } }) {
          throw fail(
            "has a member \(unknown.excerpt()) that \(typeName) does not have here. It has "
              + fields.map(\.name).joined(separator: ", ") + ".")
        }
        var coerced: [String: GraphQLValue] = [:]
        for field in fields {
          if let member = members[field.name] {
            coerced[field.name] = try coerce(member, to: field.type, "\(name).\(field.name)", place)
          } else if case .required = field.type {
            throw fail("lacks \(field.name), which \(typeName) must have.")
          }
        }
        return .object(coerced)
      }
    }
  }

  private func coerce(_ value: GraphQLValue, toScalar scalar: String, _ fail: (String) -> GraphQLError) throws
    -> GraphQLValue
  {
    switch (scalar, value) {
    case ("Int", .int), ("PageSize", .int), ("Float", .int), ("Float", .double), ("String", .string),
      ("Date", .string), ("Boolean", .bool), ("ID", .string), ("JSON", _):
      value
    case ("Int", .double(let number)), ("PageSize", .double(let number)):
      if let whole = Int(exactly: number) { .int(whole) } else { throw fail("must be a whole number.") }
    case ("ID", .int(let number)): .string(String(number))
    default: throw fail("must be of the type \(scalar), not \(value.kind).")
    }
  }

  /// What is written in a document, as a type has it; nil for a variable that was not given.
  func coerce(
    _ literal: Literal, to type: TypeReference, _ variables: Variables, _ name: String, _ place: GraphQLPlace
  ) throws -> GraphQLValue? {
    switch (literal, type) {
    case (.variable(let variable), _):
      guard let declared = variables.declared[variable] else {
        throw GraphQLError.invalid("Variable \"$\(variable)\" is not defined.", place)
      }
      var usable = declared.type
      // One that has a value anyway may stand where one is needed.
      if let fallback = declared.fallback, fallback != .null, case .required = type {
        if case .required = usable {} else { usable = .required(usable) }
      }
      guard Self.fits(usable, type) else {
        throw GraphQLError.invalid(
          "Variable \"$\(variable)\" of type \"\(declared.type)\" used in position expecting type \"\(type)\".",
          place)
      }
      guard let value = variables.values[variable] else { return nil }
      return value
    case (_, .required(let inner)):
      let value = try coerce(literal, to: inner, variables, name, place)
      guard let value, value != .null else {
        throw GraphQLError.invalid("\(name) must not be null; it is of the type \(type).", place)
      }
      return value
    case (.list(let literals), .list(let inner)):
      return .list(
        try literals.enumerated().map {
          try coerce($0.element, to: inner, variables, "\(name)[\($0.offset)]", place) ?? .null
        })
    case (.word, .list(let inner)), (.object, .list(let inner)):
      return .list([try coerce(literal, to: inner, variables, name, place) ?? .null])
    case (.object(let members), .named(let typeName)) where self.type(typeName)?.inputFields != nil:
      let fields = self.type(typeName)?.inputFields ?? []
      var values: [String: GraphQLValue] = [:]
      for (key, member) in members {
        let field = fields.first { $0.name == key }
        // One that is not known is refused below.
        values[key] =
          try field.map { try coerce(member, to: $0.type, variables, "\(name).\(key)", place) } ?? .null
      }
      return try coerce(.object(values), to: type, name, place)
    case (.word(let word), .named(let typeName)):
      guard case .words? = self.type(typeName)?.kind else {
        throw GraphQLError.invalid("\(name) must be of the type \(typeName), not the word \(word).", place)
      }
      return try coerce(.string(word), to: type, name, place)
    default: return try coerce(try plain(literal, variables, place), to: type, name, place)
    }
  }

  /// A literal that no input type says the members of.
  private func plain(_ literal: Literal, _ variables: Variables, _ place: GraphQLPlace) throws -> GraphQLValue
  {
    switch literal {
    case .variable(let name):
      guard variables.declared[name] != nil else {
        throw GraphQLError.invalid("Variable \"$\(name)\" is not defined.", place)
      }
      return variables.values[name] ?? .null
    case .null: return .null
    case .bool(let value): return .bool(value)
    case .int(let value): return .int(value)
    case .float(let value): return .double(value)
    case .string(let value), .word(let value): return .string(value)
    case .list(let values): return .list(try values.map { try plain($0, variables, place) })
    case .object(let members): return .object(try members.mapValues { try plain($0, variables, place) })
    }
  }

  /// Whether what is of one type may stand where another is asked for.
  private static func fits(_ given: TypeReference, _ wanted: TypeReference) -> Bool {
    switch (given, wanted) {
    case (.required(let given), .required(let wanted)): fits(given, wanted)
    case (.required(let given), _): fits(given, wanted)
    case (_, .required): false
    case (.list(let given), .list(let wanted)): fits(given, wanted)
    case (.named(let given), .named(let wanted)): given == wanted
    default: false
    }
  }

  struct Variables: Sendable {
    var declared: [String: GraphQLDocument.Variable] = [:]
    var values: [String: GraphQLValue] = [:]
  }

  /// The arguments of a field or a directive.
  func arguments(
    _ given: [GraphQLDocument.Argument], of owner: String, _ known: [InputField], _ variables: Variables,
    _ place: GraphQLPlace
  ) throws -> [String: GraphQLValue] {
    if let unknown = given.first(where: { argument in !known.contains { $0.name == argument.name } }) {
      throw GraphQLError.invalid(
        "Unknown argument \"\(unknown.name)\" on \(owner)."
          + (known.isEmpty ? "" : " It has \(known.map(\.name).joined(separator: ", "))."), unknown.place)
    }
    var arguments: [String: GraphQLValue] = [:]
    for field in known {
      let name = "Argument \"\(field.name)\" of \(owner)"
      if let argument = given.first(where: { $0.name == field.name }) {
        arguments[field.name] = try coerce(argument.value, to: field.type, variables, name, argument.place)
      } else if case .required = field.type {
        throw GraphQLError.invalid("\(name) of type \"\(field.type)\" is required.", place)
      }
    }
    return arguments
  }
}
