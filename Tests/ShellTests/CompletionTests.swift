import Foundation
import Shell
import Testing

@Suite("What completion starts from")
struct CompletionTests {
  @Test(
    "is the word at the cursor and the words before it",
    arguments: [
      ("", [], "", 0), ("lo", [], "lo", 2), ("load ", ["load"], "", 0), ("load a.c", ["load"], "a.c", 3),
      ("kpi\nload a", ["load"], "a", 1), ("kpi\n", [], "", 0), ("load \"my fi", ["load"], "my fi", 6),
      ("load --name=\"my s", ["load"], "--name=my s", 12), ("for x in A { load a", ["load"], "a", 1),
      ("for x in A {\n  lo", [], "lo", 2), ("for x in A { ", [], "", 0),
      ("load 'x' a\\ b", ["load", "x"], "a b", 4),
      ("classify it's he", ["classify", "it's"], "he", 2),
    ] as [(String, [String], String, Int)])
  func word(typed: String, before: [String], text: String, length: Int) {
    let word = WordBeingTyped(typed)
    #expect(word.before.map(\.text) == before)
    #expect(word.text == text)
    #expect(word.length == length)
  }

  @Test("offers files that fit, folders to go on with, and quotes where there are blanks")
  func files() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("paths-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    for name in ["news-1.csv", "news 2.csv", "notes.txt", ".hidden.csv", "sub dir/x.csv", "Samples/a.CSV"] {
      let file = folder.appendingPathComponent(name)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data().write(to: file)
    }
    func offered(_ typed: String) -> [String] {
      FilePaths.candidates(for: WordBeingTyped(typed), in: folder, endings: ["csv"]).map(\.text)
    }
    #expect(offered("load n") == ["\"news 2.csv\"", "news-1.csv"])
    #expect(offered("load ") == ["Samples/", "\"news 2.csv\"", "news-1.csv", "\"sub dir/"])
    #expect(offered("load Samples/") == ["Samples/a.CSV"])
    #expect(offered("load \"sub dir/") == ["\"sub dir/x.csv\""])
    #expect(offered("load .h") == [".hidden.csv"])
    #expect(offered("load nowhere/") == [])
    let whole = FilePaths.candidates(for: WordBeingTyped("load Sam"), in: folder)
    #expect(whole == [Candidate("Samples/", replacing: 3, display: "Samples/", isWhole: false)])
  }
}
