import Basics
import Foundation

/// What is given to a GraphQL field, and what it answers with: a JSON value.
package enum GraphQLValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(String)
  case list([GraphQLValue])
  case object([String: GraphQLValue])
}

extension GraphQLValue: Decodable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int.self) {
      self = .int(value)
    } else if let value = try? container.decode(Double.self) {
      self = .double(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([GraphQLValue].self) {
      self = .list(value)
    } else {
      self = .object(try container.decode([String: GraphQLValue].self))
    }
  }
}

extension GraphQLValue {
  /// As JSON; objects sorted by their keys.
  var json: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .int(let value): String(value)
    case .double(let value): value.isFinite ? String(value) : "null"
    case .string(let value): value.jsonQuoted
    case .list(let values): "[\(values.map(\.json).joined(separator: ","))]"
    case .object(let members):
      "{\(members.sorted { $0.key < $1.key }.map { "\($0.key.jsonQuoted):\($0.value.json)" }.joined(separator: ","))}"
    }
  }

  /// What it is, for an error.
  var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a Boolean"
    case .int, .double: "a number"
    case .string: "a text"
    case .list: "a list"
    case .object: "an object"
    }
  }
}

/// Why a document is not answered, in the form that GraphQL has for it.
package struct GraphQLError: Error, Equatable {
  package var message: String
  /// A stable word, for programs.
  package var code: String
  /// Where in the document.
  package var place: GraphQLPlace?
  /// Which of the answer's fields.
  var path: [GraphQLValue] = []

  package init(_ message: String, code: String = "BAD_USER_INPUT", place: GraphQLPlace? = nil) {
    (self.message, self.code, self.place) = (message, code, place)
  }

  static func syntax(_ message: String, _ place: GraphQLPlace) -> GraphQLError {
    GraphQLError("Syntax Error: \(message)", code: "GRAPHQL_PARSE_FAILED", place: place)
  }

  static func invalid(_ message: String, _ place: GraphQLPlace?) -> GraphQLError {
    GraphQLError(message, code: "GRAPHQL_VALIDATION_FAILED", place: place)
  }

  static func notFound(_ message: String) -> GraphQLError { GraphQLError(message, code: "NOT_FOUND") }

  /// Kili's client reads `extensions` of every error, and loses the message where there are none.
  var json: String {
    var members = ["\"message\":\(message.jsonQuoted)"]
    if let place { members.append(#""locations":[{"line":\#(place.line),"column":\#(place.column)}]"#) }
    if !path.isEmpty { members.append("\"path\":\(GraphQLValue.list(path).json)") }
    members.append(#""extensions":{"code":\#(code.jsonQuoted)}"#)
    return "{\"errors\":[{\(members.joined(separator: ","))}]}"
  }

  var response: ServerResponse { .bytes(Data(json.utf8), type: "application/json") }
}

/// A place in a document, both numbers from 1.
package struct GraphQLPlace: Equatable, Sendable {
  package var line: Int
  /// In Unicode scalars.
  package var column: Int

  package init(line: Int, column: Int) { (self.line, self.column) = (line, column) }
}
