import Foundation
import Testing
import Workbench

struct AssetFileTests {
  let folder: Folder
  init() throws { folder = try Folder() }

  private func rows(_ text: String, as name: String = "data.csv", _ options: LoadOptions = LoadOptions())
    throws
    -> [AssetRow]
  {
    try WorkbenchTests.rows(of: try folder.write(text, as: name), options)
  }

  private func error(_ text: String, as name: String = "data.csv", _ options: LoadOptions = LoadOptions())
    -> LoadError?
  {
    do {
      _ = try rows(text, as: name, options)
      return nil
    } catch {
      return error as? LoadError
    }
  }

  // MARK: CSV

  @Test(arguments: [",", ";", "\t", "|"]) func delimiterIsFoundByTheHeader(_ delimiter: String) throws {
    let records = [["id", "text", "category"], ["7", "\"One, two; three\tfour | five\"", "SPORTS"]]
    let text = records.map { $0.joined(separator: delimiter) + "\n" }.joined()
    let rows = try rows(text)
    #expect(rows.map(\.externalID) == ["7"])
    #expect(rows.map(\.text) == ["One, two; three\tfour | five"])
    #expect(rows.map(\.category) == ["SPORTS"])
  }

  @Test(arguments: ["\n", "\r\n", "\r"]) func lineEnds(_ end: String) throws {
    let text = ["text,category", "\"a", "b\",X", "", "c,Y"].joined(separator: end)
    for last in ["", end, end + end, end + "," + end] {
      let rows = try rows(text + last)
      #expect(rows.map(\.text) == ["a\(end)b", "c"])
      #expect(rows.map(\.line) == [2, 5])
      #expect(rows.map(\.externalID) == ["text_0", "text_1"])
    }
  }

  @Test func quotesInsideAnUnquotedFieldAreQuoteMarks() throws {
    #expect(
      try rows("text,label\nA 27\" screen,X\nthe \"best\" one,Y\n").map(\.text) == [
        "A 27\" screen", "the \"best\" one",
      ])
  }

  @Test func quotedFieldAtTheVeryEnd() throws {
    #expect(try rows("text,label\nx,\"Y\"").map(\.category) == ["Y"])
    #expect(try rows("text,label\nx,\"say \"\"Y\"\"\"").map(\.category) == ["say \"Y\""])
  }

  @Test func textAfterAClosingQuote() {
    #expect(
      error("text,label\n\"quoted\" more,X\n")
        == .badRow(
          file: "data.csv", line: 2, column: 9, expected: "a comma or the row's end after the closing quote"))
  }

  @Test func columnsCountInCharactersNotBytes() {
    #expect(
      error("text;label\n\"Größe 👩‍👩‍👧 ñ\"x;X\n")
        == .badRow(
          file: "data.csv", line: 2, column: 12,
          expected: "a semicolon or the row's end after the closing quote"))
  }

  @Test func aLongRowIsWrongWhereItsSurplusBegins() {
    #expect(
      error("text,label\nOne, two,X\n")
        == .badRow(file: "data.csv", line: 2, column: 10, expected: "2 fields as in the header, found 3"))
  }

  @Test func anEmptyTextIsBad() {
    #expect(
      error("text,label\n  ,X\n")
        == .badRow(file: "data.csv", line: 2, column: 1, expected: "a text, found none"))
  }

  @Test func rowsWithoutACategoryLoad() throws {
    let expected: [String?] = ["X", nil, nil, "Y"]
    #expect(try rows("text,label\na,X\nb,\nc,  \nd,Y\n").map(\.category) == expected)
    #expect(try rows("a|X\nb|\nc| \nd|Y\n", as: "data.txt").map(\.category) == expected)
    let lines = ["\"label\": \"X\"", "\"label\": null", "\"more\": 1", "\"label\": \"Y\""]
    let json = lines.map { "{\"text\": \"a\", \($0)}\n" }
    #expect(try rows(json.joined(), as: "data.jsonl").map(\.category) == expected)
    // The first row may be one without.
    #expect(try rows(json.dropFirst(2).joined(), as: "late.jsonl").map(\.category) == [nil, "Y"])
  }

  @Test func inAFileOfLabelsARowWithoutACategoryIsBad() {
    let options = LoadOptions(needsCategories: true)
    #expect(
      error("text,label\nabc,\n", options)
        == .badRow(file: "data.csv", line: 2, column: 5, expected: "a category, found none"))
    #expect(
      error("One|A\nTwo|\n", as: "data.txt", options)
        == .badRow(file: "data.txt", line: 2, column: 5, expected: "a category after the |, found none"))
    #expect(
      error(
        "{\"text\": \"a\", \"label\": \"b\"}\n{\"text\": \"a\"}", as: "data.jsonl", options)
        == .badRow(
          file: "data.jsonl", line: 2, column: 14, expected: "a category in \"label\", found none"))
  }

  @Test func headlineAndDescriptionBecomeOneText() throws {
    let rows = try rows(
      "category,headline,short_description\nA,One,Two\nA,One?,Two\nA,One.,Two\nA,One,\nA,,Two\n")
    #expect(rows.map(\.text) == ["One. Two", "One? Two", "One. Two", "One", "Two"])
  }

  @Test func columnsCanBeNamed() throws {
    let text = "Kopf,Rubrik,Zahl\nEins,A,1\n"
    let named = try rows(text, LoadOptions(textColumns: ["kopf"], categoryColumn: "Rubrik"))
    #expect(named.map(\.text) == ["Eins"])
    #expect(named.map(\.category) == ["A"])
    #expect(
      error(text)
        == .missingColumn(file: "data.csv", line: 1, role: .text, found: ["Kopf", "Rubrik", "Zahl"]))
    #expect(
      error(text, LoadOptions(textColumns: ["Kopf"]))
        == .missingColumn(file: "data.csv", line: 1, role: .category, found: ["Kopf", "Rubrik", "Zahl"]))
  }

  @Test func textsWithoutCategoriesLoadWhenNoColumnMightBeOne() throws {
    let url = try folder.write("id,text,date\n1,One,2020\n", as: "texts.csv")
    let file = try AssetFile.open(url)
    #expect(!file.hasCategories)
    #expect(file.remarks == ["The file has no categories."])
    #expect(try WorkbenchTests.rows(of: url).map(\.category) == [nil])
    #expect(throws: LoadError.noCategories(file: "texts.csv", option: "--per-category")) {
      try AssetFile.open(url, options: LoadOptions(perCategory: 3))
    }
  }

  @Test func onlyAHeaderIsNoData() throws {
    let workspace = try folder.workspace()
    let url = try folder.write("text,category\n", as: "header.csv")
    #expect(throws: LoadError.empty(file: "header.csv")) { try workspace.load(url) }
  }

  @Test func whatIsNotATable() {
    #expect(
      error("Just a line of prose.\nAnother.\n", as: "prose.txt")?.description == """
        prose.txt does not begin with a header: its first line is Just a line of prose. \
        fettle reads CSV with a header, JSON lines, and text|CATEGORY.
        """)
    #expect(
      error("a|headlin|c\n1|x|A\n2|y|B\n", as: "odd.txt")
        == .missingColumn(file: "odd.txt", line: 1, role: .text, found: ["a", "headlin", "c"]))
  }

  @Test func aGiganticQuoteEndsAt16MB() throws {
    let text = "text,category\n\"open " + String(repeating: "lorem ipsum dolor ", count: 950_000) + "\n"
    #expect(
      error(text)
        == .badRow(
          file: "data.csv", line: 2, column: 1, expected: "a closing quote for the one that opens here"))
    let line = "text,category\n" + String(repeating: "lorem ipsum dolor ", count: 950_000) + "\n"
    #expect(error(line) == .lineTooLong(file: "data.csv", line: 2, limit: 16 << 20))
  }

  // MARK: JSON lines

  @Test func jsonLines() throws {
    let rows = try rows(
      """
      {"text": "One \\u00e9 \\ud83d\\ude00 \\/", "label": 1, "id": 17, "more": {"a": [1, {"b": null}]}}

      {"label": true, "text": "Two\\n2", "id": null, "more": []}
      """, as: "data.jsonl")
    #expect(rows.map(\.text) == ["One é 😀 /", "Two\n2"])
    #expect(rows.map(\.category) == ["1", "true"])
    #expect(rows.map(\.externalID) == ["17", "text_1"])
    #expect(rows.map(\.line) == [1, 3])
  }

  @Test(arguments: [
    (
      "{\"text\": \"a\", \"label\": \"b\"}\n{\"text\": \"a\tb\", \"label\": \"b\"}", 2, 12,
      "no control character in a text (a tab is written \\t)"
    ),
    ("{\"text\": \"a\", \"label\": \"b\"}\n{\"text\": \"a, \"label\": \"b\"}", 2, 15, "a comma or }"),
    ("{\"text\": \"a\", \"label\": \"b\"}\n{\"label\": \"b\"}", 2, 15, "a text in \"text\", found none"),
    (
      "{\"text\": \"a\", \"label\": \"b\"}\n{\"text\": [\"a\"], \"label\": \"b\"}", 2, 10,
      "a text here, not a list or an object"
    ),
    (
      "{\"text\": \"a\", \"label\": \"b\"}\n{\"text\": \"\\ud83d\", \"label\": \"b\"}", 2, 11,
      "both halves of a surrogate pair"
    ),
    (
      "{\"text\": \"a\", \"label\": \"b\"}\n{\"text\": \"\\x\", \"label\": \"b\"}", 2, 11,
      "one of \" \\ / b f n r t u after \\"
    ),
    (
      "{\"text\": \"a\", \"label\": \"b\"}\n{\"text\": \"a\", \"label\": 01}", 2, 24,
      "a value: a text in double quotes, a number, true, false, null, { or ["
    ),
    (
      "{\"text\": \"a\", \"label\": \"b\"}\n{\"text\": \"a\", \"label\": \"b\"} {", 2, 29,
      "nothing after the value"
    ),
    ("{\"text\": \"a\", \"label\": \"b\"}\n{\"text\": \"a", 2, 10, "a closing double quote for the one here"),
    (
      "{\"text\": \"a\", \"label\": \"b\"}\n{\"text\": \"a\\u0000b\", \"label\": \"b\"}", 2, 10,
      "a text without NUL characters"
    ),
    ("{\"text\": \"a\", \"label\": \"b\"}\nnonsense", 2, 1, "an object, which begins with {"),
  ]) func badLines(_ text: String, _ line: Int, _ column: Int, _ expected: String) {
    #expect(
      error(text, as: "data.jsonl")
        == .badRow(file: "data.jsonl", line: line, column: column, expected: expected))
  }

  @Test(arguments: [
    ("[\n{\"text\": \"a\"}\n]", "jq -c '.[]' data.json > lines.jsonl"),
    ("[{\"text\": \"a\"}, {\"text\": \"b\"}]", "jq -c '.[]' data.json > lines.jsonl"),
    ("{\n  \"text\": \"a\"\n}\n{\n  \"text\": \"b\"\n}\n", "jq -c . data.json > lines.jsonl"),
    ("{\n\"version\": [2],\n\"data\": [\n{\"text\": \"a\"}]}", "jq -c '.data[]' data.json > lines.jsonl"),
    ("{\"the rows\": [{\"text\": \"a\"}]}", "jq -c '.[\"the rows\"][]' data.json > lines.jsonl"),
  ]) func aJSONDocumentGetsTheCommandThatMakesLinesOfIt(_ text: String, _ command: String) {
    let error = error(text, as: "data.json")
    #expect(error?.code == "not-json-lines")
    #expect(error?.description.hasSuffix(": \(command)") == true, "\(error?.description ?? "none")")
  }

  @Test func aLineCutShortIsNoDocument() {
    #expect(
      error("{\"text\": \"a\"\n{\"text\": \"b\"}\n", as: "data.jsonl")
        == .badRow(file: "data.jsonl", line: 1, column: 13, expected: "a comma or }"))
    #expect(error("[1, 2]", as: "data.json") == .notLines(file: "data.json", line: 1, form: .otherList))
    for rest in ["", "{\"convo\": []}\n"] {
      #expect(
        error("{\"convo\": [{\"a\": 1}]}\n\(rest)", as: "data.jsonl")
          == .missingColumn(file: "data.jsonl", line: 1, role: .text, found: ["convo"]))
    }
  }

  @Test func conversationsInTheChatFormat() throws {
    let rows = try rows(
      """
      {"messages": [{"role": "system", "content": "Sort."}, {"role": "user", "content": "Old"}, \
      {"role": "assistant", "content": "X"}, {"role": "user", "content": "Ferry late"}, {"role": "assistant", "content": " News "}]}
      {"messages": [{"role": "user", "content": [{"type": "text", "text": "Cup"}, {"type": "text", "text": "final"}]}], "id": "c2"}
      """, as: "chat.jsonl")
    #expect(rows.map(\.text) == ["Ferry late", "Cup\nfinal"])
    #expect(rows.map(\.category) == ["News", nil])
    #expect(rows.map(\.externalID) == ["text_0", "c2"])
    #expect(
      error("{\"messages\": [{\"role\": \"system\", \"content\": \"a\"}]}", as: "chat.jsonl")
        == .badRow(
          file: "chat.jsonl", line: 1, column: 51, expected: "a text in a message of the user, found none"))
  }

  @Test func promptsAndCompletions() throws {
    let rows = try rows(
      "{\"prompt\": \"Ferry late[PROMPT_STOP]\", \"completion\": \" NEWS[END]\"}\n"
        + "{\"prompt\": \"Cup final\\n\\n###\\n\\n\", \"completion\": \" SPORTS\"}\n", as: "old.jsonl")
    #expect(rows.map(\.text) == ["Ferry late", "Cup final"])
    #expect(rows.map(\.category) == ["NEWS", "SPORTS"])
  }

  @Test func deepNestingIsRefused() {
    let deep = String(repeating: "[", count: 100_000)
    #expect(
      error(
        "{\"text\": \"a\", \"label\": \"b\"}\n{\"text\": \"a\", \"label\": \"b\", \"c\": \(deep)}",
        as: "data.jsonl")
        == .badRow(file: "data.jsonl", line: 2, column: 98, expected: "at most 64 levels"))
  }

  // MARK: text|CATEGORY

  @Test func pipeRowsThatAreBad() {
    #expect(
      error("One|A\nTwo\n", as: "data.txt")
        == .badRow(file: "data.txt", line: 2, column: 4, expected: "text|CATEGORY, found no |"))
    #expect(
      error("One|A\n|B\n", as: "data.txt")
        == .badRow(file: "data.txt", line: 2, column: 1, expected: "a text before the |, found none"))
  }

  // MARK: The file itself

  @Test func filesThatAreNone() throws {
    #expect(throws: LoadError.notFound(file: "absent.csv")) {
      try AssetFile.open(folder.url.appendingPathComponent("absent.csv"))
    }
    #expect(throws: LoadError.isFolder(file: "there")) { try AssetFile.open(folder.url, shownAs: "there") }
    let pipe = folder.url.appendingPathComponent("pipe")
    #expect(mkfifo(pipe.path, 0o600) == 0)
    #expect(throws: LoadError.notPlain(file: "pipe")) { try AssetFile.open(pipe) }
    #expect(throws: LoadError.notPlain(file: "null")) {
      try AssetFile.open(URL(fileURLWithPath: "/dev/null"))
    }
  }

  @Test func aFileThatGrowsWhileItIsReadIsNotTrusted() throws {
    let url = try folder.write(table(["A", "B"]), as: "grows.csv")
    var rows = try AssetFile.open(url).rows()
    _ = try rows.next()
    let handle = try FileHandle(forWritingTo: url)
    try handle.seekToEnd()
    try handle.write(contentsOf: Data("c,late,A\n".utf8))
    try handle.close()
    #expect(throws: LoadError.changedWhileReading(file: "grows.csv")) { while try rows.next() != nil {} }
  }

  @Test func namesComeFromTheFileUnlessChosen() throws {
    #expect(try AssetFile.open(messy("notebook.txt")).name == "notebook")
    #expect(try AssetFile.open(try folder.write(table(["A"]), as: "My news (2).csv")).name == "My-news--2-")
    #expect(try AssetFile.open(messy("notebook.txt"), options: LoadOptions(name: "first")).name == "first")
    #expect(throws: LoadError.badName(name: "a b")) {
      try AssetFile.open(messy("notebook.txt"), options: LoadOptions(name: "a b"))
    }
  }

  @Test func theDigestIsTheFilesSHA256() throws {
    let file = try AssetFile.open(try folder.write("text,label\na,b\n", as: "digest.csv"))
    #expect(file.digest == "ec6a4a4aa824691f0804aabf5ebd23d51db8334b01e907f0f790bbe42866939a")
  }
}
