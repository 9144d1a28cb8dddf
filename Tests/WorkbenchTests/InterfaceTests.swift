import Foundation
import Testing
import Workbench

struct InterfaceTests {
  private func parse(_ json: String) throws -> Interface {
    try Interface(parsing: Data(json.utf8), file: "i.json")
  }

  private func job(
    categories: String =
      "\"A\": {\"children\": [], \"name\": \"a\", \"id\": \"1\"}, \"B\": {\"children\": [], \"name\": \"b\", \"id\": \"2\"}",
    input: String = "\"radio\"", task: String = "\"CLASSIFICATION\"", more: String = ""
  ) -> String {
    """
    {"jobs": {"J": {
      "content": {"categories": {\(categories)}, "input": \(input)},
      "instruction": "Choose:", "mlTask": \(task), "required": 1, "isChild": false
    }\(more)}}
    """
  }

  private func error(_ json: String) -> InterfaceError? {
    do {
      _ = try parse(json)
      return nil
    } catch {
      return error as? InterfaceError
    }
  }

  @Test func theTutorialsInterface() throws {
    let interface = try Interface.load(samples.appendingPathComponent("interface.json"))
    #expect(
      interface.categories.map(\.name) == [
        "CULTURE AND ARTS", "MEDIA AND ENTERTAINMENT", "MONEY AND BUSINESS", "POLITICS",
        "SCIENCE AND TECHNOLOGY",
        "SPORTS", "STYLE AND BEAUTY", "WORLD NEWS", "UNABLE TO CLASSIFY",
      ])
    #expect(interface.categories.map(\.key) == interface.categories.map { CategoryKey.key(forName: $0.name) })
    #expect(interface.classes.count == 8)
    #expect(interface.instruction == "Select a matching category:")
    #expect(interface.job == "CLASSIFICATION_JOB")
    #expect(try parse(interface.json) == interface)
  }

  @Test func theOrderOfTheFileIsKept() throws {
    let names = ["Zebra", "Apple", "Mango", "Kiwi", "Banana", "Cherry", "Fig", "Date", "Elder", "Grape"]
    let categories = names.map { "\"\($0.uppercased())\": {\"children\": [], \"name\": \"\($0)\"}" }
    let interface = try parse(job(categories: categories.joined(separator: ",")))
    #expect(interface.categories.map(\.name) == names)
    #expect(try parse(interface.json).categories.map(\.name) == names)
  }

  @Test func namesAndKeysMatchWhateverTheirCase() throws {
    let interface = try parse(
      job(categories: "\"POL\": {\"name\": \"Politics & State\"}, \"B\": {\"name\": \"Business\"}"))
    for name in ["POL", "pol", "Politics & State", "POLITICS AND STATE", "politics_and_state"] {
      #expect(interface.key(name) == "POL")
    }
    #expect(interface.category("Sports") == nil)
    #expect(interface.key("Sports news") == "SPORTS_NEWS")
    #expect(interface.name(ofKey: "POL") == "Politics & State")
  }

  @Test(arguments: [
    ("", 1, 1, "an object, but the file is empty"),
    ("{\"jobs\": {\n  \"J\": {\"content\" {}}}}", 2, 19, "a colon after the key"),
    (
      "{\"jobs\": {\n  \"J\": [1, 2,]}}", 2, 14,
      "a value: a text in double quotes, a number, true, false, null, { or ["
    ),
    ("{\"jobs\": {}\n", 2, 1, "a comma or }"),
    ("{'jobs': 1}", 1, 2, "a key in double quotes"),
    ("{\"jobs\": \"é", 1, 10, "a closing double quote for the one here"),
    ("{\"jobs\": {}} x", 1, 14, "nothing after the value"),
  ]) func malformedJSON(_ json: String, _ line: Int, _ column: Int, _ expected: String) {
    #expect(error(json) == .malformed(file: "i.json", line: line, column: column, expected: expected))
  }

  @Test func bytesThatAreNotUTF8() {
    #expect(throws: InterfaceError.malformed(file: "i.json", line: 2, column: 2, expected: "a text in UTF-8"))
    {
      try Interface(parsing: Data(Array("{\n ".utf8) + [0xE9]), file: "i.json")
    }
  }

  /// The error that a word in the interface must lead to.
  private func expect(_ json: String, at word: String, _ make: (Place) -> InterfaceError) {
    guard let place = place(of: word, in: json, file: "i.json") else {
      Issue.record("\(word) is not in the test's own interface")
      return
    }
    #expect(error(json) == make(place))
  }

  private func unsupported(_ what: String) -> (Place) -> InterfaceError {
    { .unsupported(file: $0.file, line: $0.line ?? 0, column: $0.column ?? 0, what: what) }
  }

  @Test func whatFettleDoesNotDoIsSaidByName() {
    let checkbox = "input checkbox: several categories a text, or another control"
    expect(job(input: "\"checkbox\""), at: "\"checkbox\"", unsupported(checkbox))
    expect(
      job(task: "\"NAMED_ENTITIES_RECOGNITION\""), at: "\"NAMED",
      unsupported("a job of the kind NAMED_ENTITIES_RECOGNITION"))
    expect(
      job(categories: "\"A\": {\"children\": [\"SUB\"], \"name\": \"a\"}, \"B\": {\"name\": \"b\"}"),
      at: "[\"SUB\"]", unsupported("nested categories (children of A)"))
    expect(job(more: ", \"K\": {}"), at: "\"K\"", unsupported("several jobs (J, K)"))
    #expect(
      error("{\"jobs\": {\"J\": {\"mlTask\": \"CLASSIFICATION\", \"content\": {\"input\": \"checkbox\"}}}}")?
        .description
          == """
          i.json, line 1, column 66: fettle does not do input checkbox: several categories a text, or another control. \
          It does one CLASSIFICATION job with input radio: exactly one category a text.
          """)
  }

  @Test func shapesThatAreNotAnInterface() {
    #expect(error("[1]") == .shape(file: "i.json", line: 1, column: 1, expected: "an object with \"jobs\""))
    #expect(
      error("{\"jobs\": {}}")
        == .shape(file: "i.json", line: 1, column: 10, expected: "\"jobs\" with one CLASSIFICATION job in it")
    )
    #expect(
      error("{\"jobs\": {\"J\": {\"mlTask\": \"CLASSIFICATION\"}}}")
        == .shape(file: "i.json", line: 1, column: 16, expected: "a job with \"content\""))
    #expect(error(job(categories: "\"A\": 1"))?.code == "interface-shape")
  }

  @Test func categoriesThatCannotBe() {
    expect(job(categories: "\"A\": {\"name\": \"a\"}, \"a\": {\"name\": \"b\"}"), at: "\"a\": {") {
      .duplicate(key: "a", place: $0)
    }
    expect(job(categories: "\"A\": {\"name\": \"a\"}"), at: "\"A\": {") { .tooFew(names: ["a"], place: $0) }
    expect(job(categories: ""), at: "{}, \"input\"") { .tooFew(names: [], place: $0) }
    expect(job(categories: "\"A\": {\"name\": \"  \"}, \"B\": {\"name\": \"b\"}"), at: "\"A\": {") {
      .nameless(place: $0)
    }
    #expect(
      error("{\"jobs\": {\"J\": {\"mlTask\": \"CLASSIFICATION\", \"content\": {\"categories\": {}}}}}")?
        .description
          == """
          i.json, line 1, column 71: There is no category. Choosing takes two or more, say: interface define "SPORTS, POLITICS".
          """)
  }

  @Test func definingByNames() throws {
    let interface = try Interface.define(names: [" Media & Entertainment", "Sports"])
    #expect(interface.categories.map(\.key) == ["MEDIA_AND_ENTERTAINMENT", "SPORTS", "UNABLE_TO_CLASSIFY"])
    #expect(interface.categories.map(\.name) == ["Media & Entertainment", "Sports", "UNABLE TO CLASSIFY"])
    #expect(try Interface.define(names: ["A", "unable to classify", "B"]).categories.count == 3)
    #expect(throws: InterfaceError.duplicate(key: "A", place: nil)) {
      try Interface.define(names: ["A", "B", "a"])
    }
    #expect(throws: InterfaceError.nameless(place: nil)) { try Interface.define(names: ["A", "", "B"]) }
    #expect(throws: InterfaceError.tooFew(names: ["A"], place: nil)) { try Interface.define(names: ["A"]) }
    #expect(throws: InterfaceError.tooFew(names: [], place: nil)) { try Interface.define(names: []) }
  }

  @Test func definingFromADataset() throws {
    let counts = [
      CategoryCount(name: "World News", count: 2), CategoryCount(name: "Arts & Culture", count: 1),
    ]
    let interface = try Interface.define(from: counts, of: "news")
    #expect(interface.categories.map(\.name) == ["Arts & Culture", "World News", "UNABLE TO CLASSIFY"])
    #expect(interface.categories.map(\.key) == ["ARTS_AND_CULTURE", "WORLD_NEWS", "UNABLE_TO_CLASSIFY"])
    #expect(throws: InterfaceError.noCategories(dataset: "texts")) {
      try Interface.define(from: [], of: "texts")
    }
  }

  @Test(arguments: [
    ("SPROTS", "SPORTS"), ("Business", "MONEY_AND_BUSINESS"), ("ARTS & CULTURE", "CULTURE_AND_ARTS"),
    ("World", "WORLD_NEWS"), ("Tech", nil), ("POLITIC", "POLITICS"), ("", nil),
  ]) func theNearest(_ name: String, _ key: String?) throws {
    let interface = try Interface.load(samples.appendingPathComponent("interface.json"))
    #expect(interface.nearest(to: name)?.key == key)
  }

  @Test func truncatedAndDamagedInterfacesNeverCrash() throws {
    let bytes = [UInt8](try Data(contentsOf: samples.appendingPathComponent("interface.json")))
    var random = Generator(state: 3)
    for length in bytes.indices.dropLast(2) {
      #expect(throws: InterfaceError.self) { try Interface(parsing: Data(bytes.prefix(length)), file: "i") }
      var damaged = bytes
      damaged[length] = UInt8.random(in: 0...255, using: &random)
      _ = try? Interface(parsing: Data(damaged), file: "i")
    }
  }
}
