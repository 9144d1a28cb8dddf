import Foundation
import Serving
import Testing

/// GraphQL by itself: a service of words, each with its letters and the word behind it.
@Suite struct KiliGraphQLTests {
  private struct Word: GraphQLObject {
    let text: String
    let graphQLType = "Word"

    func value(of field: String, _ arguments: [String: GraphQLValue]) throws -> GraphQLResult {
      switch field {
      case "text": return .leaf(.string(text))
      case "length": return .leaf(.int(text.count))
      case "letters":
        guard case .int(let first)? = arguments["first"] else { return .leaf(.null) }
        return .list(text.prefix(first).map { .leaf(.string(String($0))) })
      case "next": return .object(Word(text: text + text.prefix(1)))
      case "broken": throw GraphQLError("It is broken.", code: "BROKEN")
      default: return .leaf(.null)
      }
    }
  }

  private struct Words: GraphQLObject {
    let graphQLType = "Query"

    func value(of field: String, _ arguments: [String: GraphQLValue]) -> GraphQLResult {
      switch field {
      case "words":
        guard case .object(let filter)? = arguments["where"], case .list(let texts)? = filter["texts"] else {
          return .list([])
        }
        return .list(
          texts.compactMap { if case .string(let text) = $0 { .object(Word(text: text)) } else { nil } })
      default: return .object(Word(text: "tram"))
      }
    }
  }

  private static func schema() throws -> GraphQLSchema {
    try GraphQLSchema(
      """
      "All there is."
      type Query { word: Word! words(where: Filter!): [Word!]! }
      type Word { text: String! length: Int letters(first: Int!): [String!]! next: Word! broken: String nothing: String }
      input Filter { texts: [String!] longest: Int inner: Filter any: JSON mark: Float }
      scalar JSON
      """)
  }

  private func ask(
    _ text: String, operation: String? = nil, _ variables: [String: GraphQLValue] = [:]
  ) throws -> String {
    try GraphQLRequest(text, operation: operation, variables: variables, Self.schema()).answer(Words())
  }

  @Test func `the answer has what was selected, in its order, under its aliases, and nothing else`() throws {
    #expect(
      try ask("{ word { length text } }") == #"{"data":{"word":{"length":4,"text":"tram"}}}"#)
    #expect(
      try ask("query Q { w: word { t: text, n: next { text __typename } } again: word { nothing } }")
        == #"{"data":{"w":{"t":"tram","n":{"text":"tramt","__typename":"Word"}},"again":{"nothing":null}}}"#)
    #expect(
      try ask("{ word { letters(first: 2) b: letters(first: 1) } }")
        == #"{"data":{"word":{"letters":["t","r"],"b":["t"]}}}"#)
  }

  @Test func `fragments are joined with what is selected beside them`() throws {
    let text = """
      # A comment, and \u{FEFF}commas, which say nothing.
      query All($no: Boolean = false) {
        word { ...Text, ...on Word { next { text } } ... @skip(if: true) { nothing } ... @include(if: true) { next { length } } }
        gone: word @include(if: $no) { text }
      }
      fragment Text on Word { text ...Length }
      fragment Length on Word { length }
      """
    #expect(
      try ask(text)
        == #"{"data":{"word":{"text":"tram","length":4,"next":{"text":"tramt","length":5}}}}"#)
  }

  @Test func `variables and what is written come to the same`() throws {
    let answer = #"{"data":{"words":[{"text":"a\n b"},{"text":"\"é😀"}]}}"#
    let written =
      #"{ words(where: {texts: ["a\n b", "\"\u00e9\uD83D\uDE00"], any: {x: [1, WORD, null]}}) { text } }"#
    #expect(try ask(written) == answer)
    let block = "{ words(where: {texts: [\"\"\"\n    a\n     b\n  \"\"\", \"\"\"\"é😀\"\"\"]}) { text } }"
    #expect(try ask(block) == answer)
    let texts = GraphQLValue.list([.string("a\n b"), .string("\"é😀")])
    #expect(
      try ask("query ($w: Filter!) { words(where: $w) { text } }", ["w": .object(["texts": texts])]) == answer
    )
    #expect(try ask("query ($t: [String!]) { words(where: {texts: $t}) { text } }", ["t": texts]) == answer)
    // One stands for a list of it; a default where nothing is given; null for what may be null.
    #expect(
      try ask("query ($t: [String!] = \"a\") { words(where: {texts: $t, longest: null}) { text } }")
        == #"{"data":{"words":[{"text":"a"}]}}"#)
    #expect(
      try ask("query A { word { text } } query B { word { length } }", operation: "B")
        == #"{"data":{"word":{"length":4}}}"#)
  }

  @Test(arguments: [
    ("{ word { text }", 1, 16, "expected a name, found the document's end"),
    ("{\n  word {\n    colour } }", 3, 5, "Cannot query field \"colour\" on type \"Word\""),
    ("{ word }", 1, 3, "must have a selection of subfields"),
    ("{ word { text { x } } }", 1, 10, "must not have a selection"),
    ("{ word { letters } }", 1, 10, "\"first\" of field \"letters\" of type \"Int!\" is required"),
    ("{ word { letters(first: 1.5) } }", 1, 18, "must be"),
    ("{ word { letters(first: 1, last: 2) } }", 1, 28, "Unknown argument \"last\""),
    ("{ word { letters(first: 1, first: 2) } }", 1, 28, "only one argument"),
    ("{ word { letters(first: $n) } }", 1, 18, "\"$n\" is not defined"),
    ("query ($n: Int) { word { letters(first: $n) } }", 1, 34, "used in position expecting type \"Int!\""),
    ("query ($n: Int!) { word { text } }", 1, 8, "was not provided"),
    ("query ($n: Nothing) { word { text } }", 1, 8, "no type of input"),
    ("query ($n: Word) { word { text } }", 1, 8, "no type of input"),
    ("{ words(where: {texts: [\"a\"], shape: 1}) { text } }", 1, 9, "member shape that Filter does not have"),
    ("{ words(where: {longest: \"long\"}) { text } }", 1, 9, "must be of the type Int, not a text"),
    ("{ words(where: {texts: WORD}) { text } }", 1, 9, "must be"),
    ("{ words(where: {texts: []}) { nonsense } }", 1, 31, "Cannot query field \"nonsense\""),
    ("{ word { ...Gone } }", 1, 10, "Unknown fragment \"Gone\""),
    ("{ word { ...F } } fragment F on Query { word { text } }", 1, 10, "cannot be spread here"),
    ("{ word { ...F } } fragment F on Word { ...G } fragment G on Word { ...F }", 1, 68, "within itself"),
    ("{ word { text @defer } }", 1, 15, "Unknown directive \"@defer\""),
    ("{ word { a: text a: length } }", 1, 18, "conflict"),
    ("{ word { a: letters(first: 1) a: letters(first: 2) } }", 1, 31, "conflict"),
    ("subscription { word { text } }", 1, 1, "not served"),
    ("{ word { text(\" } }", 1, 15, "does not end"),
    ("{ word { letters(first: 01) } }", 1, 25, "no number"),
    ("{ word ? }", 1, 8, "? has no place here"),
    ("{ é }", 1, 3, "é has no place here"),
  ])
  func `what is wrong is told with its place`(text: String, line: Int, column: Int, message: String) throws {
    let error = #expect(throws: GraphQLError.self) { try ask(text) }
    #expect(error?.message.contains(message) == true, "\(String(describing: error))")
    #expect(error?.place == GraphQLPlace(line: line, column: column), "\(String(describing: error))")
  }

  @Test func `an error of a field has its code, and no half answer comes with it`() throws {
    let error = #expect(throws: GraphQLError.self) { try ask("{ word { text\n next { b: broken } } }") }
    #expect(error?.code == "BROKEN" && error?.place == GraphQLPlace(line: 2, column: 9))
  }

  @Test func `a document that asks for too much is refused before it costs much`() throws {
    let deep = String(repeating: "{ next ", count: 5000) + String(repeating: "}", count: 5000)
    let nested = "{ words(where: {any: " + String(repeating: "[", count: 20_000) + "}) { text } }"
    // Of few words, each fragment asks for twice what the next asks for.
    let doubling = (0..<30).map {
      "fragment F\($0) on Word { a: next { ...F\($0 + 1) } b: next { ...F\($0 + 1) } }"
    }
    let bomb = "{ word { ...F0 } } " + doubling.joined(separator: " ") + " fragment F30 on Word { text }"
    let chain = (0..<2000).map { "fragment F\($0) on Word { ...F\($0 + 1) }" }.joined(separator: " ")
    let long = "{ word { " + String(repeating: "text ", count: 30_000) + "} }"
    let wide = "{ word { " + String(repeating: "x", count: 300_000) + " } }"
    for text in [
      deep, nested, bomb, "{ word { ...F0 } } \(chain) fragment F2000 on Word { text }", long, wide,
    ] {
      let clock = ContinuousClock.now
      #expect(throws: GraphQLError.self, "\(text.prefix(60))") { try ask(text) }
      #expect(ContinuousClock.now - clock < .seconds(10))
    }
  }

  @Test func `no document of random words brings the reader down`() throws {
    let words = [
      "{", "}", "(", ")", "[", "]", "...", "on", "Word", "word", "text", "next", "$", "n", ":", "=", "!",
      "@include",
      "if", "true", "null", "\"", "\"\"\"", "\\", "\\u", "#", "\n", ",", "-", "0", "1e9", ".", "fragment",
      "F", "query",
      "é", "\u{FEFF}", "\0", "letters", "first",
    ]
    let whole =
      "query Q($n: Int! = 3) { word { ...F t: text letters(first: $n) } } fragment F on Word { next { text } }"
    var random = SplitMix(state: 7)
    var answers = 0
    for _ in 0..<4000 {
      var parts = whole.split(separator: " ").map(String.init)
      for _ in 0..<(1 + random.next() % 4) {
        let place = Int(random.next() % UInt64(parts.count))
        switch random.next() % 3 {
        case 0: parts[place] = words[Int(random.next() % UInt64(words.count))]
        case 1: parts.insert(words[Int(random.next() % UInt64(words.count))], at: place)
        default: parts.swapAt(place, Int(random.next() % UInt64(parts.count)))
        }
      }
      do {
        _ = try ask(parts.joined(separator: " "))
        answers += 1
      } catch is GraphQLError {}
    }
    #expect(answers > 50 && answers < 4000)
  }

  private struct SplitMix {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  @Test func `the schema tells itself`() throws {
    let text = """
      { __schema { queryType { name description } mutationType { name } directives { name locations args { name type { kind ofType { name } } } } }
        __type(name: "Word") { kind name fields { name args { name } type { ...T } } } none: __type(name: "None") { name } }
      fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }
      """
    let data = try #require(
      try JSONSerialization.jsonObject(with: Data(ask(text).utf8)) as? [String: [String: Any]])["data"]
    let schema = try #require(data?["__schema"] as? [String: Any])
    #expect((schema["queryType"] as? [String: Any])?["description"] as? String == "All there is.")
    #expect(schema["mutationType"] is NSNull && data?["none"] is NSNull)
    #expect((schema["directives"] as? [[String: Any]])?.map { $0["name"] as? String } == ["include", "skip"])
    let word = try #require(data?["__type"] as? [String: Any])
    let fields = try #require(word["fields"] as? [[String: Any]])
    #expect(
      fields.map { $0["name"] as? String } == ["text", "length", "letters", "next", "broken", "nothing"])
    let letters = try JSONSerialization.data(withJSONObject: fields[2]["type"] as Any, options: .sortedKeys)
    #expect(
      String(decoding: letters, as: UTF8.self)
        == #"{"kind":"NON_NULL","name":null,"ofType":{"kind":"LIST","name":null,"ofType":{"kind":"NON_NULL","name":null,"ofType":{"kind":"SCALAR","name":"String"}}}}"#
    )
  }
}
