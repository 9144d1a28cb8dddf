/// Reads documents by the grammar of the GraphQL specification (October 2021, appendix B).
struct GraphQLParser {
  private var lexer: GraphQLLexer
  private var token: GraphQLLexer.Token = .end
  private var place = GraphQLPlace(line: 1, column: 1)
  private var depth = 0

  /// Deeper documents are refused, so that none exhausts the stack.
  static let deepest = 40
  /// Bytes of a document.
  static let longest = 256 << 10

  typealias Document = GraphQLDocument

  init(_ text: String) throws {
    guard text.utf8.count <= Self.longest else {
      throw GraphQLError.syntax("the document is longer than \(Self.longest) bytes.", place)
    }
    lexer = GraphQLLexer(text)
    try advance()
  }

  private mutating func advance() throws { (token, place) = try lexer.token() }

  private mutating func take(_ mark: String) throws -> Bool {
    guard token == .mark(mark) else { return false }
    try advance()
    return true
  }

  private mutating func expect(_ mark: String) throws {
    guard try take(mark) else { throw expected("\"\(mark)\"") }
  }

  private mutating func take(word: String) throws -> Bool {
    guard token == .name(word) else { return false }
    try advance()
    return true
  }

  private mutating func name() throws -> String {
    guard case .name(let name) = token else { throw expected("a name") }
    try advance()
    return name
  }

  private func expected(_ what: String) -> GraphQLError {
    .syntax("expected \(what), found \(token.shown).", place)
  }

  private mutating func nested<Value>(_ body: (inout GraphQLParser) throws -> Value) throws -> Value {
    depth += 1
    guard depth <= Self.deepest else {
      throw GraphQLError.syntax("the document is nested deeper than \(Self.deepest) levels.", place)
    }
    defer { depth -= 1 }
    return try body(&self)
  }

  // MARK: - Operations

  mutating func document() throws -> Document {
    var document = Document()
    repeat {
      let begin = place
      if token == .mark("{") {
        document.operations.append(
          Document.Operation(kind: .query, selections: try selections(), place: begin))
        continue
      }
      guard case .name(let word) = token else { throw expected("an operation or a fragment") }
      if word == "fragment" {
        let fragment = try self.fragment()
        guard document.fragments.updateValue(fragment, forKey: fragment.name) == nil else {
          throw GraphQLError.invalid("There can be only one fragment named \"\(fragment.name)\".", begin)
        }
      } else if let kind = Document.Operation.Kind(rawValue: word) {
        document.operations.append(try operation(kind))
      } else {
        throw expected("an operation or a fragment")
      }
    } while token != .end
    return document
  }

  private mutating func operation(_ kind: Document.Operation.Kind) throws -> Document.Operation {
    let begin = place
    try advance()
    var name: String?
    if case .name(let own) = token {
      name = own
      try advance()
    }
    var variables: [Document.Variable] = []
    if try take("(") {
      repeat { variables.append(try variable()) } while try !take(")")
    }
    let directives = try directives(isConstant: true)
    return Document.Operation(
      kind: kind, name: name, variables: variables, directives: directives, selections: try selections(),
      place: begin)
  }

  private mutating func variable() throws -> Document.Variable {
    let begin = place
    try expect("$")
    let name = try name()
    try expect(":")
    let type = try type()
    let fallback = try take("=") ? try literal(isConstant: true) : nil
    _ = try directives(isConstant: true)
    return Document.Variable(name: name, type: type, fallback: fallback, place: begin)
  }

  private mutating func fragment() throws -> Document.Fragment {
    let begin = place
    try advance()
    guard token != .name("on") else { throw expected("a fragment's name") }
    let name = try name()
    guard try take(word: "on") else { throw expected("\"on\"") }
    let type = try self.name()
    let directives = try directives(isConstant: false)
    return Document.Fragment(
      name: name, type: type, directives: directives, selections: try selections(), place: begin)
  }

  private mutating func selections() throws -> [Document.Selection] {
    try nested { parser in
      try parser.expect("{")
      var selections: [Document.Selection] = []
      repeat { selections.append(try parser.selection()) } while try !parser.take("}")
      return selections
    }
  }

  private mutating func selection() throws -> Document.Selection {
    let begin = place
    if try take("...") {
      if case .name(let name) = token, name != "on" {
        try advance()
        return .spread(name, try directives(isConstant: false), begin)
      }
      let type = try take(word: "on") ? try name() : nil
      return .inline(type, try directives(isConstant: false), try selections(), begin)
    }
    let first = try name()
    let second = try take(":") ? try name() : nil
    let arguments = try arguments(isConstant: false)
    let directives = try directives(isConstant: false)
    return .field(
      Document.Field(
        alias: second == nil ? nil : first, name: second ?? first, arguments: arguments,
        directives: directives, selections: token == .mark("{") ? try selections() : [], place: begin))
  }

  private mutating func arguments(isConstant: Bool) throws -> [Document.Argument] {
    guard try take("(") else { return [] }
    var arguments: [Document.Argument] = []
    repeat {
      let begin = place
      let name = try name()
      try expect(":")
      guard !arguments.contains(where: { $0.name == name }) else {
        throw GraphQLError.invalid("There can be only one argument named \"\(name)\".", begin)
      }
      arguments.append(
        Document.Argument(name: name, value: try literal(isConstant: isConstant), place: begin))
    } while try !take(")")
    return arguments
  }

  private mutating func directives(isConstant: Bool) throws -> [Document.Directive] {
    var directives: [Document.Directive] = []
    while token == .mark("@") {
      let begin = place
      try advance()
      let name = try name()
      directives.append(
        Document.Directive(name: name, arguments: try arguments(isConstant: isConstant), place: begin))
    }
    return directives
  }

  private mutating func literal(isConstant: Bool) throws -> Document.Literal {
    switch token {
    case .mark("$") where !isConstant:
      try advance()
      return .variable(try name())
    case .mark("["):
      return try nested { parser in
        try parser.advance()
        var values: [Document.Literal] = []
        while try !parser.take("]") { values.append(try parser.literal(isConstant: isConstant)) }
        return .list(values)
      }
    case .mark("{"):
      return try nested { parser in
        try parser.advance()
        var members: [String: Document.Literal] = [:]
        while try !parser.take("}") {
          let begin = parser.place
          let name = try parser.name()
          try parser.expect(":")
          guard members.updateValue(try parser.literal(isConstant: isConstant), forKey: name) == nil else {
            throw GraphQLError.invalid("There can be only one input field named \"\(name)\".", begin)
          }
        }
        return .object(members)
      }
    case .int(let value):
      try advance()
      return .int(value)
    case .float(let value):
      try advance()
      return .float(value)
    case .string(let value):
      try advance()
      return .string(value)
    case .name(let word):
      try advance()
      switch word {
      case "true": return .bool(true)
      case "false": return .bool(false)
      case "null": return .null
      default: return .word(word)
      }
    default: throw expected("a value")
    }
  }

  private mutating func type() throws -> Document.TypeReference {
    try nested { parser in
      let type: Document.TypeReference
      if try parser.take("[") {
        type = .list(try parser.type())
        try parser.expect("]")
      } else {
        type = .named(try parser.name())
      }
      return try parser.take("!") ? .required(type) : type
    }
  }

  // MARK: - Types

  /// The types that a schema is written in: `type`, `input`, `scalar` and `enum`, each perhaps with a description.
  mutating func schema() throws -> [GraphQLSchema.TypeDefinition] {
    var types: [GraphQLSchema.TypeDefinition] = []
    while token != .end {
      let description = try description()
      guard case .name(let word) = token else { throw expected("a type") }
      try advance()
      let name = try name()
      let kind: GraphQLSchema.TypeDefinition.Kind
      switch word {
      case "scalar": kind = .scalar
      case "type": kind = .object(try members { try $0.field() })
      case "input": kind = .input(try members { try $0.inputField() })
      case "enum": kind = .words(try members { try $0.name() })
      default: throw expected("a type")
      }
      types.append(GraphQLSchema.TypeDefinition(name: name, description: description, kind: kind))
    }
    return types
  }

  private mutating func description() throws -> String? {
    guard case .string(let text) = token else { return nil }
    try advance()
    return text
  }

  private mutating func members<Member>(_ member: (inout GraphQLParser) throws -> Member) throws -> [Member] {
    try expect("{")
    var members: [Member] = []
    while try !take("}") { members.append(try member(&self)) }
    return members
  }

  private mutating func field() throws -> GraphQLSchema.Field {
    let description = try description()
    let name = try name()
    var arguments: [GraphQLSchema.InputField] = []
    if try take("(") {
      repeat { arguments.append(try inputField()) } while try !take(")")
    }
    try expect(":")
    return GraphQLSchema.Field(
      name: name, description: description, arguments: arguments, type: try type())
  }

  private mutating func inputField() throws -> GraphQLSchema.InputField {
    let description = try description()
    let name = try name()
    try expect(":")
    return GraphQLSchema.InputField(name: name, description: description, type: try type())
  }
}
