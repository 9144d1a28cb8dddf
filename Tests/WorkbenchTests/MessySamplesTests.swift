import Foundation
import Testing
import Workbench

/// The files of `Samples/messy`, each with the very words that a learner reads.
struct MessySamplesTests {
  private func message(_ name: String, _ options: LoadOptions = LoadOptions()) -> String {
    do {
      _ = try rows(of: messy(name), options)
      return "no error"
    } catch {
      return String(describing: error)
    }
  }

  @Test func excelInWindows1252() throws {
    let file = try AssetFile.open(messy("excel-1252.csv"))
    #expect(file.encoding == .windows1252)
    #expect(file.format == .csv(delimiter: UInt8(ascii: ";")))
    #expect(file.remarks == ["Read as Windows-1252, as Excel saves CSV; it is not UTF-8."])
    let rows = try rows(of: messy("excel-1252.csv"))
    #expect(rows.map(\.externalID) == ["m-01", "m-02", "m-03"])
    #expect(rows[0].text.hasPrefix("Café owners in Söderholm"))
    #expect(
      rows[1].text
        == "Ticket prices at the Théâtre du Quai rise to €24. The house blames heating, and its 1911 roof.")
    #expect(rows[2].text.hasPrefix("Rowers from Lindö win by “half a nose”."))
    #expect(rows.map(\.category) == ["POLITICS", "CULTURE & ARTS", "SPORTS"])
  }

  @Test func excelInUTF8WithItsMark() throws {
    let file = try AssetFile.open(messy("excel-utf8.csv"))
    #expect(file.remarks.isEmpty)
    let rows = try rows(of: messy("excel-utf8.csv"))
    #expect(rows.map(\.externalID) == ["m-11", "m-12", "m-13"])
    #expect(rows[2].text == "Señora Iturbe’s wool coats, cut for rain, sell out in a morning.")
    #expect(rows[2].category == "STYLE & BEAUTY")
  }

  @Test func quotedNewlines() throws {
    let rows = try rows(of: messy("quoted-newline.csv"))
    #expect(rows[0].text == "Radio play recorded in a lift.\nFour actors, one microphone and no second take.")
    #expect(rows[1].text.hasPrefix("Bakers call their 5 a.m. shift \"the quiet bargain\".\n\nA union survey"))
    #expect(rows.map(\.line) == [2, 4, 7])
  }

  @Test func anUnterminatedQuoteIsFoundWhereItOpens() throws {
    #expect(
      message("unterminated-quote.csv") == """
        unterminated-quote.csv, line 3, column 6: expected a closing quote for the one that opens here. \
        Nothing was loaded; mend the row, or leave bad rows out with --skip-bad.
        """)
    let kept = try rows(of: messy("unterminated-quote.csv"), LoadOptions(skipBad: true))
    #expect(kept.map(\.externalID) == ["m-31", "m-33", "m-34"])
  }

  @Test func aShortRow() throws {
    #expect(
      message("short-row.csv") == """
        short-row.csv, line 3, column 44: expected 3 fields as in the header, found 2. \
        Nothing was loaded; mend the row, or leave bad rows out with --skip-bad.
        """)
    let kept = try rows(of: messy("short-row.csv"), LoadOptions(skipBad: true))
    #expect(kept.map(\.externalID) == ["m-41", "m-43"])
  }

  @Test func aMissingCategoryColumnIsAskedFor() throws {
    #expect(
      message("missing-category.csv") == """
        missing-category.csv has no category column among id, text, section. \
        Name it: --category COLUMN; or --category none for texts without categories.
        """)
    let named = try rows(of: messy("missing-category.csv"), LoadOptions(categoryColumn: "section"))
    #expect(named.map(\.category) == ["arts", "business"])
    let without = try AssetFile.open(
      messy("missing-category.csv"), options: LoadOptions(categoryColumn: "none"))
    #expect(without.remarks == ["The file has no categories."])
    #expect(
      message("missing-category.csv", LoadOptions(categoryColumn: "sektion")) == """
        missing-category.csv has no column sektion; it has id, text, section. Did you mean --category section?
        """)
  }

  @Test func unknownCategoriesAreNamedWithTheNearest() throws {
    let folder = try Folder()
    let workspace = try folder.workspace()
    let dataset = try workspace.load(messy("unknown-category.csv")).dataset
    let before = try workspace.read { try $0.unknownCategories(of: dataset) }
    #expect(before.isEmpty, "there is no interface to compare with yet")
    let interface = try Interface.load(samples.appendingPathComponent("interface.json"))
    try workspace.write { _ = try $0.set(interface: interface) }
    let unknown = try workspace.read { try $0.unknownCategories(of: dataset) }
    #expect(unknown.map(\.name) == ["BUSINESS", "SPROTS", "TRAVEL"])
    #expect(unknown.map { $0.nearest?.key } == ["MONEY_AND_BUSINESS", "SPORTS", nil])
    #expect(unknown.map(\.count) == [1, 1, 1])
  }

  @Test func anEmptyFile() {
    #expect(message("empty.csv") == "empty.csv has no rows. fettle reads one text a row.")
  }

  @Test func jsonLinesWithOneBadLine() throws {
    #expect(
      message("bad-line.jsonl") == """
        bad-line.jsonl, line 3, column 72: expected a comma or }. \
        Nothing was loaded; mend the row, or leave bad rows out with --skip-bad.
        """)
    let kept = try rows(of: messy("bad-line.jsonl"), LoadOptions(skipBad: true))
    #expect(kept.map(\.externalID) == ["m-71", "m-72", "m-74"])
    #expect(kept.map(\.ordinal) == [0, 1, 3], "a row that is left out keeps its number")
    #expect(
      kept[0].text == "Fossil fern turns up in a school wall. The stone came from a quarry closed in 1932.")
    #expect(kept[2].text == "Who will mend the town clock? Three bids came in, all from abroad.")
  }

  @Test func theNotebooksForm() throws {
    let file = try AssetFile.open(messy("notebook.txt"))
    #expect(file.format == .pipe)
    let rows = try rows(of: messy("notebook.txt"))
    #expect(rows.map(\.externalID) == ["text_0", "text_1", "text_2", "text_3"])
    #expect(
      rows[1].text == "Pension fund sells its last coal | keeps its gas. Members had asked for both to go.")
    #expect(rows[3].text == "\"Nothing to see,\" says museum of blank paintings. It had its best year.")
    #expect(rows.map(\.category) == ["STYLE & BEAUTY", "MONEY & BUSINESS", "SPORTS", "CULTURE & ARTS"])
  }

  @Test func aLineOfOneMegabyte() throws {
    let rows = try rows(of: messy("long-line.txt"))
    #expect(rows.count == 1)
    #expect(rows[0].category == "WORLD NEWS")
    #expect(rows[0].text.utf8.count == (1 << 20) - "|WORLD NEWS\n".utf8.count)
  }

  @Test func escapeCodesAreKeptAndShownEscaped() throws {
    let rows = try rows(of: messy("escape-codes.csv"))
    #expect(rows[0].text == "\u{1b}[31mRed alert\u{1b}[0m at the paint factory was only paint.")
    #expect(
      rows.map(\.text.visible) == [
        "\\u{1b}[31mRed alert\\u{1b}[0m at the paint factory was only paint.",
        "Poster printed backwards: \\u{202e}noitcele tnuocer\\u{202c} and still hung.",
        "Bell\\u{7} in a headline rings once.",
      ])
  }

  @Test func everyMessyFileIsTested() throws {
    let source = try String(contentsOfFile: #filePath, encoding: .utf8)
    let names = try FileManager.default.contentsOfDirectory(atPath: messy("").path)
    for name in names where name != "README.md" { #expect(source.contains("\"\(name)\"")) }
    #expect(names.count == 13)
  }
}
