import Basics

/// An object that GraphQL selects fields of.
package protocol GraphQLObject {
  /// Its type's name in the schema.
  var graphQLType: String { get }
  /// - Parameter field: one that its type has.
  func value(of field: String, _ arguments: [String: GraphQLValue]) throws -> GraphQLResult
}

package enum GraphQLResult {
  case leaf(GraphQLValue)
  case object(any GraphQLObject)
  case list([GraphQLResult])

  static var null: GraphQLResult { .leaf(.null) }
  static func string(_ value: String?) -> GraphQLResult { .leaf(value.map(GraphQLValue.string) ?? .null) }
  static func int(_ value: Int?) -> GraphQLResult { .leaf(value.map(GraphQLValue.int) ?? .null) }
  static func double(_ value: Double?) -> GraphQLResult { .leaf(value.map(GraphQLValue.double) ?? .null) }
  static func bool(_ value: Bool?) -> GraphQLResult { .leaf(value.map(GraphQLValue.bool) ?? .null) }
  static func object(_ value: (any GraphQLObject)?) -> GraphQLResult {
    value.map { .object($0) } ?? .null
  }
  static func objects(_ values: [some GraphQLObject]) -> GraphQLResult { .list(values.map { .object($0) }) }
}

/// A document that was found to be right by the schema, with its variables.
package struct GraphQLRequest: Sendable {
  private let schema: GraphQLSchema
  private let document: GraphQLDocument
  private let operation: GraphQLDocument.Operation
  private let variables: GraphQLSchema.Variables

  package var isMutation: Bool { operation.kind == .mutation }
  private var root: String { isMutation ? GraphQLSchema.mutation : GraphQLSchema.query }

  typealias Field = GraphQLDocument.Field
  typealias Selection = GraphQLDocument.Selection
  typealias Directive = GraphQLDocument.Directive

  /// - Parameter name: of the operation; nil where there is but one.
  /// - Throws: `GraphQLError`.
  package init(
    _ text: String, operation name: String? = nil, variables given: [String: GraphQLValue] = [:],
    _ schema: GraphQLSchema
  ) throws {
    var parser = try GraphQLParser(text)
    document = try parser.document()
    self.schema = schema
    let named = document.operations.filter { name == nil || $0.name == name }
    guard let operation = named.first else {
      throw GraphQLError.invalid(
        name.map { "Unknown operation named \"\($0.excerpt())\"." } ?? "The document has no operation.", nil)
    }
    guard named.count == 1 else {
      throw GraphQLError.invalid("Must provide operation name if query contains multiple operations.", nil)
    }
    guard operation.kind != .subscription else {
      throw GraphQLError.invalid("Subscriptions are not served here.", operation.place)
    }
    self.operation = operation
    var variables = GraphQLSchema.Variables()
    for variable in operation.variables {
      let shown = "Variable \"$\(variable.name)\""
      guard variables.declared.updateValue(variable, forKey: variable.name) == nil else {
        throw GraphQLError.invalid(
          "There can be only one variable named \"$\(variable.name)\".", variable.place)
      }
      guard schema.isInput(variable.type) else {
        throw GraphQLError.invalid(
          "\(shown) has the type \"\(variable.type)\", which is no type of input here.", variable.place)
      }
      let fallback = try variable.fallback.flatMap {
        try schema.coerce($0, to: variable.type, .init(), shown, variable.place)
      }
      if let value = given[variable.name] {
        variables.values[variable.name] = try schema.coerce(value, to: variable.type, shown, variable.place)
      } else if let fallback {
        variables.values[variable.name] = fallback
      } else if case .required = variable.type {
        throw GraphQLError.invalid(
          "\(shown) of required type \"\(variable.type)\" was not provided.", variable.place)
      }
    }
    self.variables = variables
    var check = Check(request: self)
    _ = try isIncluded(operation.directives)
    try check.walk(operation.selections, of: root)
  }

  /// The answer, `{"data": {…}}` in JSON: the fields that were selected, in their order, and no others.
  ///
  /// - Throws: `GraphQLError`, and what the objects throw.
  package func answer(_ root: any GraphQLObject) throws -> String {
    var execution = Execution(request: self, root: root)
    try execution.write(root, try execution.collect([operation.selections], of: self.root))
    return "{\"data\":\(execution.json)}"
  }

  // MARK: -

  /// Fragments within fragments are deeper than any document looks.
  private static let deepest = 60

  private static func check(depth: Int, _ place: GraphQLPlace) throws {
    guard depth <= deepest else {
      throw GraphQLError.invalid("The selections are nested deeper than \(deepest) levels.", place)
    }
  }

  /// - Throws: `GraphQLError` for a directive that is none.
  private func isIncluded(_ directives: [Directive]) throws -> Bool {
    var isIncluded = true
    for directive in directives {
      guard ["include", "skip"].contains(directive.name) else {
        throw GraphQLError.invalid("Unknown directive \"@\(directive.name)\".", directive.place)
      }
      let known = [GraphQLSchema.InputField(name: "if", type: .required(.named("Boolean")))]
      let given = try schema.arguments(
        directive.arguments, of: "directive \"@\(directive.name)\"", known, variables, directive.place)
      if given["if"] == .bool(directive.name == "skip") { isIncluded = false }
    }
    return isIncluded
  }

  private func arguments(of field: Field, _ definition: GraphQLSchema.Field) throws -> [String: GraphQLValue]
  {
    try schema.arguments(
      field.arguments, of: "field \"\(field.name)\"", definition.arguments, variables, field.place)
  }

  /// Everything that is selected, whether or not an object will be there to select it of.
  private struct Check {
    let request: GraphQLRequest
    private var seen: Set<String> = []
    private var path: [String] = []
    private var depth = 0

    init(request: GraphQLRequest) { self.request = request }

    mutating func walk(_ selections: [Selection], of type: String) throws {
      depth += 1
      defer { depth -= 1 }
      for selection in selections {
        switch selection {
        case .field(let field): try walk(field, of: type)
        case .inline(let condition, let directives, let selections, let place):
          _ = try request.isIncluded(directives)
          try check(condition ?? type, on: type, place)
          try walk(selections, of: type)
        case .spread(let name, let directives, let place):
          _ = try request.isIncluded(directives)
          guard let fragment = request.document.fragments[name] else {
            throw GraphQLError.invalid("Unknown fragment \"\(name)\".", place)
          }
          guard !path.contains(name) else {
            throw GraphQLError.invalid("Cannot spread fragment \"\(name)\" within itself.", place)
          }
          try check(fragment.type, on: type, place)
          try GraphQLRequest.check(depth: depth, place)
          // Once is enough: its type is its own.
          guard seen.insert(name).inserted else { continue }
          path.append(name)
          _ = try request.isIncluded(fragment.directives)
          try walk(fragment.selections, of: type)
          path.removeLast()
        }
      }
    }

    private func check(_ condition: String, on type: String, _ place: GraphQLPlace) throws {
      guard request.schema.type(condition)?.fields != nil else {
        throw GraphQLError.invalid("Unknown type \"\(condition)\".", place)
      }
      guard condition == type else {
        throw GraphQLError.invalid(
          "A fragment on \"\(condition)\" cannot be spread here: objects are of type \"\(type)\".", place)
      }
    }

    private mutating func walk(_ field: Field, of type: String) throws {
      try GraphQLRequest.check(depth: depth, field.place)
      let schema = request.schema
      guard let definition = schema.field(field.name, of: type) else {
        let known = schema.type(type)?.fields?.map(\.name).joined(separator: ", ") ?? ""
        throw GraphQLError.invalid(
          "Cannot query field \"\(field.name)\" on type \"\(type)\". fettle serves a part of the platform, whose \(type) has \(known).",
          field.place)
      }
      _ = try request.isIncluded(field.directives)
      _ = try request.arguments(of: field, definition)
      guard schema.isComposite(definition.type) != field.selections.isEmpty else {
        throw GraphQLError.invalid(
          field.selections.isEmpty
            ? "Field \"\(field.name)\" of type \"\(definition.type)\" must have a selection of subfields."
            : "Field \"\(field.name)\" must not have a selection since type \"\(definition.type)\" has no subfields.",
          field.place)
      }
      try walk(field.selections, of: definition.type.name)
    }
  }

  /// The writing of one answer.
  private struct Execution {
    let request: GraphQLRequest
    let root: any GraphQLObject
    var json = ""
    private var path: [GraphQLValue] = []
    private var steps = 0
    private var depth = 0

    /// A document of a few lines can ask for more than any machine holds.
    private static let mostSteps = 500_000
    private static let mostBytes = 64 << 20

    init(request: GraphQLRequest, root: any GraphQLObject) { (self.request, self.root) = (request, root) }

    /// A field of the answer, from all places that ask for it.
    struct Selected {
      var field: Field
      var selections: [[Selection]]
      var definition: GraphQLSchema.Field
      var arguments: [String: GraphQLValue]
    }

    private mutating func step(_ place: GraphQLPlace) throws {
      try GraphQLRequest.check(depth: depth, place)
      steps += 1
      guard steps <= Self.mostSteps, json.utf8.count <= Self.mostBytes else {
        throw GraphQLError(
          "The document asks for more than is answered at once. Ask for fewer fields, or smaller pages.",
          code: "ANSWER_TOO_LARGE", place: place)
      }
    }

    mutating func collect(_ lists: [[Selection]], of type: String) throws -> [Selected] {
      var found: [Selected] = []
      var places: [String: Int] = [:]
      var seen: Set<String> = []
      for selections in lists { try collect(selections, of: type, &found, &places, &seen) }
      return found
    }

    private mutating func collect(
      _ selections: [Selection], of type: String, _ found: inout [Selected], _ places: inout [String: Int],
      _ seen: inout Set<String>
    ) throws {
      depth += 1
      defer { depth -= 1 }
      for selection in selections {
        switch selection {
        case .field(let field):
          try step(field.place)
          guard try request.isIncluded(field.directives) else { continue }
          if let place = places[field.key] {
            let other = found[place].field
            guard other.name == field.name, Self.isSame(other.arguments, field.arguments) else {
              throw GraphQLError.invalid(
                "Fields \"\(field.key)\" conflict: they are different fields, or have different arguments. Give one an alias.",
                field.place)
            }
            found[place].selections.append(field.selections)
            continue
          }
          guard let definition = request.schema.field(field.name, of: type) else { continue }
          places[field.key] = found.count
          found.append(
            Selected(
              field: field, selections: [field.selections], definition: definition,
              arguments: try request.arguments(of: field, definition)))
        case .inline(_, let directives, let selections, let place):
          try step(place)
          guard try request.isIncluded(directives) else { continue }
          try collect(selections, of: type, &found, &places, &seen)
        case .spread(let name, let directives, let place):
          try step(place)
          guard try request.isIncluded(directives), seen.insert(name).inserted,
            let fragment = request.document.fragments[name], try request.isIncluded(fragment.directives)
          else { continue }
          try collect(fragment.selections, of: type, &found, &places, &seen)
        }
      }
    }

    private static func isSame(_ one: [GraphQLDocument.Argument], _ other: [GraphQLDocument.Argument]) -> Bool
    {
      one.count == other.count
        && one.allSatisfy { argument in
          other.contains { $0.name == argument.name && $0.value == argument.value }
        }
    }

    mutating func write(_ object: any GraphQLObject, _ selected: [Selected]) throws {
      depth += 1
      defer { depth -= 1 }
      json += "{"
      for (index, item) in selected.enumerated() {
        try step(item.field.place)
        json += index > 0 ? "," : ""
        json += item.field.key.jsonQuoted + ":"
        path.append(.string(item.field.key))
        do {
          try write(try value(item, of: object), item.definition.type, item)
        } catch var error as GraphQLError {
          if error.path.isEmpty { error.path = path }
          error.place = error.place ?? item.field.place
          throw error
        }
        path.removeLast()
      }
      json += "}"
    }

    private func value(_ item: Selected, of object: any GraphQLObject) throws -> GraphQLResult {
      switch item.field.name {
      case "__typename": .string(object.graphQLType)
      case "__schema": .object(IntrospectedSchema(schema: request.schema))
      case "__type":
        if case .string(let name)? = item.arguments["name"], request.schema.type(name) != nil {
          .object(IntrospectedType(.named(name), request.schema))
        } else {
          .null
        }
      default: try object.value(of: item.field.name, item.arguments)
      }
    }

    private mutating func write(
      _ result: GraphQLResult, _ type: GraphQLDocument.TypeReference, _ item: Selected
    ) throws {
      var selected: [Selected]?
      try write(result, type, item, &selected)
    }

    /// - Parameter selected: what is collected once for a whole list.
    private mutating func write(
      _ result: GraphQLResult, _ type: GraphQLDocument.TypeReference, _ item: Selected,
      _ selected: inout [Selected]?
    ) throws {
      switch (result, type) {
      case (.leaf(.null), .required):
        throw GraphQLError(
          "\(item.field.name) has no value, and its type \(item.definition.type) says that it has one.",
          code: "INTERNAL_SERVER_ERROR")
      case (_, .required(let type)): try write(result, type, item, &selected)
      case (.leaf(let value), _): json += value.json
      case (.list(let results), _):
        let inner = if case .list(let inner) = type { inner } else { type }
        json += "["
        for (index, result) in results.enumerated() {
          try step(item.field.place)
          json += index > 0 ? "," : ""
          path.append(.int(index))
          try write(result, inner, item, &selected)
          path.removeLast()
        }
        json += "]"
      case (.object(let object), _):
        let fields = try selected ?? collect(item.selections, of: type.name)
        selected = fields
        try write(object, fields)
      }
    }
  }
}

// MARK: - Introspection

private struct IntrospectedSchema: GraphQLObject {
  let schema: GraphQLSchema
  let graphQLType = "__Schema"

  func value(of field: String, _ arguments: [String: GraphQLValue]) -> GraphQLResult {
    func type(_ name: String) -> GraphQLResult {
      .object(schema.type(name).map { IntrospectedType(.named($0.name), schema) })
    }
    switch field {
    case "types": return .objects(schema.types.map { IntrospectedType(.named($0.name), schema) })
    case "queryType": return type(GraphQLSchema.query)
    case "mutationType": return type(GraphQLSchema.mutation)
    case "directives":
      return .objects(["include", "skip"].map { IntrospectedDirective(name: $0, schema: schema) })
    default: return .null
    }
  }
}

private struct IntrospectedType: GraphQLObject {
  let type: GraphQLDocument.TypeReference
  let schema: GraphQLSchema
  let graphQLType = "__Type"

  init(_ type: GraphQLDocument.TypeReference, _ schema: GraphQLSchema) {
    (self.type, self.schema) = (type, schema)
  }

  func value(of field: String, _ arguments: [String: GraphQLValue]) -> GraphQLResult {
    let definition: GraphQLSchema.TypeDefinition?
    switch type {
    case .named(let name): definition = schema.type(name)
    case .list(let inner), .required(let inner):
      let isList = if case .list = type { true } else { false }
      switch field {
      case "kind": return .string(isList ? "LIST" : "NON_NULL")
      case "ofType": return .object(IntrospectedType(inner, schema))
      default: return .null
      }
    }
    switch (field, definition?.kind) {
    case ("kind", .scalar?): return .string("SCALAR")
    case ("kind", .object?): return .string("OBJECT")
    case ("kind", .input?): return .string("INPUT_OBJECT")
    case ("kind", .words?): return .string("ENUM")
    case ("name", _): return .string(definition?.name)
    case ("description", _): return .string(definition?.description)
    case ("fields", .object(let fields)?):
      return .objects(fields.map { IntrospectedField(field: $0, schema: schema) })
    case ("interfaces", .object?): return .list([])
    case ("inputFields", .input(let fields)?):
      return .objects(fields.map { IntrospectedInput(field: $0, schema: schema) })
    case ("enumValues", .words(let words)?): return .objects(words.map(IntrospectedWord.init))
    default: return .null
    }
  }
}

private struct IntrospectedField: GraphQLObject {
  let field: GraphQLSchema.Field
  let schema: GraphQLSchema
  let graphQLType = "__Field"

  func value(of name: String, _ arguments: [String: GraphQLValue]) -> GraphQLResult {
    switch name {
    case "name": .string(field.name)
    case "description": .string(field.description)
    case "args": .objects(field.arguments.map { IntrospectedInput(field: $0, schema: schema) })
    case "type": .object(IntrospectedType(field.type, schema))
    case "isDeprecated": .bool(false)
    default: .null
    }
  }
}

private struct IntrospectedInput: GraphQLObject {
  let field: GraphQLSchema.InputField
  let schema: GraphQLSchema
  let graphQLType = "__InputValue"

  func value(of name: String, _ arguments: [String: GraphQLValue]) -> GraphQLResult {
    switch name {
    case "name": .string(field.name)
    case "description": .string(field.description)
    case "type": .object(IntrospectedType(field.type, schema))
    case "isDeprecated": .bool(false)
    default: .null
    }
  }
}

private struct IntrospectedWord: GraphQLObject {
  let word: String
  let graphQLType = "__EnumValue"

  func value(of name: String, _ arguments: [String: GraphQLValue]) -> GraphQLResult {
    switch name {
    case "name": .string(word)
    case "isDeprecated": .bool(false)
    default: .null
    }
  }
}

private struct IntrospectedDirective: GraphQLObject {
  let name: String
  let schema: GraphQLSchema
  let graphQLType = "__Directive"

  func value(of field: String, _ arguments: [String: GraphQLValue]) -> GraphQLResult {
    switch field {
    case "name": .string(name)
    case "isRepeatable": .bool(false)
    case "locations": .list(["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"].map { .string($0) })
    case "args":
      .objects([
        IntrospectedInput(
          field: GraphQLSchema.InputField(name: "if", type: .required(.named("Boolean"))), schema: schema)
      ])
    default: .null
    }
  }
}
