import Foundation
import Testing
import Workbench

struct EncodingTests {
  let folder: Folder
  init() throws { folder = try Folder() }

  @Test func everyAssignedByteOfWindows1252() throws {
    let unassigned: Set<UInt8> = [0x81, 0x8D, 0x8F, 0x90, 0x9D]
    let high = (0x80...0xFF).map { UInt8($0) }.filter { !unassigned.contains($0) }
    let url = try folder.write(Array("text,label\n".utf8) + high + Array(",x\n".utf8), as: "w.csv")
    #expect(try AssetFile.open(url).encoding == .windows1252)
    let expected = String(bytes: high, encoding: .windowsCP1252)
    #expect(try rows(of: url)[0].text == expected)
  }

  @Test(
    arguments: [
      ([0x81], 0x81),  // unassigned in 1252
      (Array("é à ü ".utf8) + [0xE9], 0xE9),  // mostly well-formed: damaged UTF-8, not 1252
      ([0xED, 0xA0, 0x80, 0x81], 0xED),  // half a surrogate pair
      ([0xC0, 0xAF, 0x81], 0xC0),  // a slash in two bytes
      ([0xF4, 0x90, 0x80, 0x80, 0x81], 0xF4),  // beyond Unicode
    ] as [([UInt8], UInt8)]) func damagedUTF8IsNamedWithItsPlace(_ bytes: [UInt8], _ byte: UInt8) throws
  {
    let text = Array("text,label\nfine,x\nää".utf8) + bytes + Array(",x\nalso fine,y\n".utf8)
    let url = try folder.write(text, as: "damaged.csv")
    let before = bytes.prefix { $0 != byte }
    let column = 3 + String(decoding: before, as: UTF8.self).count
    #expect(thrown(url) == .encoding(file: "damaged.csv", line: 3, column: column, byte: byte))
    #expect(try rows(of: url, LoadOptions(skipBad: true)).map(\.text) == ["fine", "also fine"])
  }

  @Test func theMessageSaysWhatToDo() throws {
    let url = try folder.write(Array("text,label\nab".utf8) + [0x81] + Array(",x\n".utf8), as: "d.csv")
    #expect(
      thrown(url)?.description == """
        d.csv, line 2, column 3: byte 0x81 is not UTF-8. Save the file as UTF-8, or leave such rows out with --skip-bad.
        """)
  }

  @Test(arguments: [String.Encoding.utf16LittleEndian, .utf16BigEndian]) func utf16WithItsMark(
    _ encoding: String.Encoding
  ) throws {
    let text = "\u{FEFF}text\tlabel\r\nGrüße 😀 und mehr\tx\r\n"
    let url = try folder.write(Array(text.data(using: encoding) ?? Data()), as: "u.txt")
    #expect(try AssetFile.open(url).remarks == ["Read as UTF-16, as Excel saves Unicode text."])
    #expect(try rows(of: url).map(\.text) == ["Grüße 😀 und mehr"])
    let cut = try folder.write(Array((text.data(using: encoding) ?? Data()).dropLast(3)), as: "cut.txt")
    guard case .encoding? = thrown(cut) else {
      Issue.record("half a character at the end went unseen")
      return
    }
  }

  @Test(arguments: [String.Encoding.utf32LittleEndian, .utf32BigEndian]) func utf32IsRefusedByItsName(
    _ encoding: String.Encoding
  ) throws {
    let text = "\u{FEFF}text,label\nfine,x\n"
    let url = try folder.write(Array(text.data(using: encoding) ?? Data()), as: "u32.csv")
    #expect(thrown(url) == .utf32(file: "u32.csv"))
  }

  @Test func surrogatePairsAcrossBlocksStayWhole() throws {
    // The file is read in blocks; a pair straddles one of their ends whatever their size, since every place
    // has one.
    let text = "\u{FEFF}text\tlabel\n" + String(repeating: "😀", count: 200_000) + "\tx\n"
    let url = try folder.write(Array(text.data(using: .utf16LittleEndian) ?? Data()), as: "u.txt")
    #expect(try rows(of: url)[0].text == String(repeating: "😀", count: 200_000))
  }

  @Test func binaryFilesAreRefusedByName() throws {
    let zip: [UInt8] = [0x50, 0x4B, 0x03, 0x04, 0, 0, 8, 0]
    #expect(
      thrown(try folder.write(zip, as: "book.xlsx"))?.description
        == "book.xlsx is an Excel workbook or a zip archive, not text. Open it in its program and save it as CSV UTF-8."
    )
    let nul = Array("text,label\na,b\nc".utf8) + [0] + Array(",d\n".utf8)
    #expect(
      thrown(try folder.write(nul, as: "nul.csv"))?.description
        == "nul.csv is not text: line 3 has a NUL byte. Save it as CSV in UTF-8.")
  }

  @Test func charactersAcrossBlocksStayWhole() throws {
    for shift in 0..<4 {
      let body = String(repeating: "x", count: shift) + String(repeating: "€😀é", count: 150_000)
      let url = try folder.write("text,label\n\(body),x\n", as: "long\(shift).csv")
      #expect(try rows(of: url)[0].text == body)
    }
  }

  private func thrown(_ url: URL) -> LoadError? {
    do {
      _ = try rows(of: url)
      return nil
    } catch {
      return error as? LoadError
    }
  }
}
