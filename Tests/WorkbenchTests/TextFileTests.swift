import Foundation
import Testing
import Workbench

struct TextFileTests {
  let folder: Folder
  init() throws { folder = try Folder() }

  @Test func jsonLinesMayHaveEmptyTextsAndControlCharacters() throws {
    let url = try folder.write(
      "{\"text\": \"\"}\n{\"id\": 1, \"text\": \"a\\u0000b\\u001b\"}\n\n{\"text\": \"c\", \"ids\": [1, 2]}\n",
      as: "t.jsonl")
    #expect(try TextFile.read(url) == ["", "a\0b\u{1b}", "c"])
  }

  @Test func csvWithATextColumn() throws {
    let url = try folder.write("id;text;section\n1;\"a\nb\";x\n2;c;y\n", as: "t.csv")
    #expect(try TextFile.read(url) == ["a\nb", "c"])
    #expect(try TextFile.read(url, textColumn: "section") == ["x", "y"])
  }

  @Test func elseOneTextALine() throws {
    let url = try folder.write("one, two\r\n\r\nthree|X\nlast", as: "t.txt")
    #expect(try TextFile.read(url) == ["one, two", "", "three|X", "last"])
  }

  @Test func whatIsWrongHasItsPlace() throws {
    let json = try folder.write("{\"text\": \"a\"}\n{\"txt\": \"b\"}\n", as: "t.jsonl")
    #expect(
      throws: LoadError.badRow(
        file: "t.jsonl", line: 2, column: 13, expected: "a text in \"text\", found none")
    ) {
      try TextFile.read(json)
    }
    let short = try folder.write("id,text\n1,a\n2\n", as: "t.csv")
    #expect(
      throws: LoadError.badRow(
        file: "t.csv", line: 3, column: 2, expected: "2 fields as in the header, found 1")
    ) {
      try TextFile.read(short)
    }
    let columnless = try folder.write("id,words\n1,a\n", as: "c.csv")
    #expect(throws: LoadError.missingColumn(file: "c.csv", line: 1, role: .text, found: ["id", "words"])) {
      try TextFile.read(columnless)
    }
  }
}

extension TextFile {
  /// All texts of a file, in order.
  static func read(_ url: URL, textColumn: String? = nil) throws -> [String] {
    var file = try open(url, textColumn: textColumn)
    var texts: [String] = []
    while let text = try file.next() { texts.append(text) }
    return texts
  }
}
