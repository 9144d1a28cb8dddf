import Foundation
import Testing
import Workbench

/// Random files: what was written is read again, and what is broken gets an error, never a crash.
struct ReadingFuzzTests {
  let folder: Folder
  init() throws { folder = try Folder() }

  @Test func whatACSVWriterWritesIsReadAgain() throws {
    var random = Generator(state: 1)
    let pieces = ["a", "é", "😀", "\"", ",", ";", "\n", "\r\n", "\r", " ", "|", "\t", "word", "'"]
    for round in 0..<200 {
      let delimiter = [",", ";", "\t", "|"].randomElement(using: &random) ?? ","
      let end = ["\n", "\r\n", "\r"].randomElement(using: &random) ?? "\n"
      let records = (0..<Int.random(in: 1...5, using: &random)).map { _ in
        (0..<2).map { _ in
          "x"
            + (0..<Int.random(in: 0...8, using: &random)).map { _ in
              pieces.randomElement(using: &random) ?? ""
            }.joined() + "y"
        }
      }
      let quoted = ([["text", "label"]] + records).map { record in
        record.map { field in
          let needsQuotes = field.contains { "\"\n\r\r\n\(delimiter)".contains($0) }
          return needsQuotes ? "\"" + field.replacing("\"", with: "\"\"") + "\"" : field
        }.joined(separator: delimiter)
      }
      let url = try folder.write(quoted.joined(separator: end), as: "round\(round).csv")
      let read = try rows(of: url)
      #expect(read.map(\.text) == records.map { $0[0] })
      #expect(read.map(\.category) == records.map { $0[1] })
    }
  }

  @Test(arguments: [
    "excel-1252.csv", "quoted-newline.csv", "bad-line.jsonl", "notebook.txt", "escape-codes.csv",
  ])
  func truncatedAndDamagedFilesNeverCrash(_ name: String) throws {
    let bytes = [UInt8](try Data(contentsOf: messy(name)))
    var random = Generator(state: 2)
    for length in 0...bytes.count {
      readAnyhow(try folder.write(Array(bytes.prefix(length)), as: name))
      var damaged = bytes
      for _ in 0..<3 {
        damaged[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      readAnyhow(try folder.write(damaged, as: name))
    }
  }

  /// Strict and lenient; every error must have a place in the file and a sentence.
  private func readAnyhow(_ url: URL) {
    for skipBad in [false, true] {
      do {
        _ = try rows(of: url, LoadOptions(skipBad: skipBad))
      } catch let error as LoadError {
        #expect(error.place?.file == url.lastPathComponent)
        #expect(error.description.contains(url.lastPathComponent))
      } catch {
        Issue.record("not a LoadError: \(error)")
      }
      _ = try? TextFile.read(url)
    }
  }
}
