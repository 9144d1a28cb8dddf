import Foundation
import Testing
import Workbench

/// Which columns a file's texts and categories come from, and what is said of the others.
struct ColumnTests {
  let folder: Folder
  init() throws { folder = try Folder() }

  private func open(_ header: String, _ options: LoadOptions = LoadOptions(), rows: String = "") throws
    -> AssetFile
  {
    try AssetFile.open(folder.write(header + "\n" + rows, as: "data.csv"), options: options)
  }

  private func message(_ header: String, _ options: LoadOptions = LoadOptions()) -> String {
    do {
      _ = try open(header, options)
      return "no error"
    } catch {
      return String(describing: error)
    }
  }

  @Test(arguments: [
    ("id,text,category", "Text from text, category from category."),
    ("title,content,label", "Text from title and content, category from label."),
    ("label,subject,body", "Text from subject and body, category from label."),
    (
      "headline,short_description,category,date",
      "Text from headline and short_description, category from category; left out: date."
    ),
    ("title,text,label", "Text from text, category from label; left out: title."),
    ("text,label,topic", "Text from text, category from label; left out: topic."),
    ("a,b,text,c,d,e,f,g,label,", "Text from text, category from label; left out: a, b, c, d, e and 2 more."),
    ("text,date", "Text from text; left out: date."),
  ]) func whatIsTakenIsSaid(_ header: String, _ sentence: String) throws {
    #expect(try open(header).columnsTakenSentence == sentence)
  }

  @Test func whatMightBeMeantHasTheOptionThatTakesIt() throws {
    #expect(
      try open("title,text,label").remarks == [
        "title may be text too; to read both as one: --text title --text text"
      ])
    #expect(
      try open("text,label,topic").remarks == ["topic may be a category too; to take it: --category topic"])
    #expect(try open("title,text,label", LoadOptions(textColumns: ["text"])).remarks.isEmpty)
    #expect(
      try open("text,text,label").remarks == ["text may be text too; to read both as one: --text 1 --text 2"])
  }

  @Test func severalColumnsBecomeOneText() throws {
    let url = try folder.write(
      "label,subject,body\nA,Late ferry,It left at noon.\nA,Why?,Fog\nB,,Only a body\nB,Only a subject,\n",
      as: "mail.csv")
    #expect(
      try rows(of: url).map(\.text) == [
        "Late ferry. It left at noon.", "Why? Fog", "Only a body", "Only a subject",
      ])
    let asked = LoadOptions(textColumns: ["body", "subject", "Body"])
    #expect(try rows(of: url, asked).map(\.text).first == "It left at noon. Late ferry")
  }

  private static let form =
    "Timestamp,\"In your own words, what was good about the evening course in bookbinding, and what would you change?\","
    + "\"In your own words, what was good about the room?\",Mood"

  @Test(arguments: [
    "2", "In your own words, what was good about the e", "in_your_own_words,_what_was_good_about_the_evening",
  ])
  func aNumberOrABeginningWillDo(_ wanted: String) throws {
    let file = try open(Self.form, LoadOptions(textColumns: [wanted], categoryColumn: "mo"))
    #expect(file.columnsTaken?.text.first?.hasSuffix("what would you change?") == true)
    #expect(file.columnsTaken?.category == "Mood")
    #expect(
      file.options.canonical.contains("bookbinding") && file.options.canonical.hasSuffix("category=Mood"))
  }

  @Test func longHeadersAreShownWhole() {
    let whole =
      "2 \"In your own words, what was good about the evening course in bookbinding, and what would you change?\""
    #expect(message(Self.form).contains(whole), "\(message(Self.form))")
    #expect(message(Self.form).contains("Name it: --text COLUMN, or give its number or its beginning."))
    let several = message(Self.form, LoadOptions(textColumns: ["in your"]))
    #expect(several.contains(whole) && several.contains("begin so"), "\(several)")
    let mistyped = message(Self.form, LoadOptions(textColumns: ["2"], categoryColumn: "Moood"))
    #expect(mistyped.hasSuffix("Did you mean --category Mood?"), "\(mistyped)")
    #expect(
      message(Self.form, LoadOptions(textColumns: ["bookbinding"])).contains(
        "Did you mean --text \"In your own"))
    #expect(
      message("words,kind", LoadOptions(textColumns: ["wrods"])).hasSuffix("Did you mean --text words?"))
    #expect(
      message("words,kind", LoadOptions(textColumns: ["9"])).hasSuffix("Name one of them: --text COLUMN."))
  }

  @Test func columnNamesAreReadFromAFilesBeginning() throws {
    #expect(
      try AssetFile.columnNames(of: folder.write("sep=;\r\nKopf;Rubrik\r\na;b\r\n", as: "a.csv")) == [
        "Kopf", "Rubrik",
      ])
    #expect(
      try AssetFile.columnNames(of: folder.write("{\"a\": 1}\n{\"b\": []}\n", as: "a.jsonl")) == ["a", "b"])
  }

  // MARK: Tables as programs write them

  @Test(arguments: [
    ("sep=;\r\ntext;label\r\na, b;X\r\n", ["a, b"], ["X"]),
    ("\u{FEFF}sep=,\ntext,label\na,X\n", ["a"], ["X"]),
    ("SEP=\t\ntext\tlabel\na\tX\n", ["a"], ["X"]),
    ("text,label\na,X,\nb,Y,,\n", ["a", "b"], ["X", "Y"]),
    ("text,label,\na,X,\n", ["a"], ["X"]),
    ("\u{FEFF}\"text\";\"label\";\"score\"\n\"a; b\";\"X\";0,5\n", ["a; b"], ["X"]),
    (",text,label\n0,a,X\n1,b,Y\n", ["a", "b"], ["X", "Y"]),
    ("\"the \"\"text\"\"\nof it\",label,text\nx,X,a\n", ["a"], ["X"]),
    ("text,label\r\na,X\nb,Y\rc,Z\r\n", ["a", "b", "c"], ["X", "Y", "Z"]),
    ("text,label\n\"a \"\"b\"\"\",X\n,,\n\n", ["a \"b\""], ["X"]),
  ]) func tables(_ text: String, _ texts: [String], _ categories: [String]) throws {
    let rows = try rows(of: folder.write(text, as: "table.csv"))
    #expect(rows.map(\.text) == texts)
    #expect(rows.map { $0.category ?? "" } == categories)
  }

  @Test func aTableOfOneColumnMayHaveCommasInItsSentences() throws {
    let url = try folder.write("text\nOne, two, three.\n\"Four, five\"\nSix\n", as: "one.csv")
    #expect(try rows(of: url).map(\.text) == ["One, two, three.", "Four, five", "Six"])
    let missing = try folder.write("text\nOne,X\nTwo,Y\n", as: "two.csv")
    #expect(
      throws: LoadError.badRow(
        file: "two.csv", line: 2, column: 5, expected: "1 field as in the header, found 2")
    ) { try rows(of: missing) }
  }

  @Test(arguments: [String.Encoding.utf16LittleEndian, .utf16BigEndian]) func utf16WithoutItsMark(
    _ encoding: String.Encoding
  ) throws {
    // It is told by how the file begins: 32 characters of ASCII.
    let bytes = try #require(
      "text\tlabel\r\nThe ferry is late again.\tx\r\nGrüße 😀\tx\r\n".data(using: encoding))
    #expect(
      try rows(of: folder.write(Array(bytes), as: "u.txt")).map(\.text) == [
        "The ferry is late again.", "Grüße 😀",
      ])
  }
}
