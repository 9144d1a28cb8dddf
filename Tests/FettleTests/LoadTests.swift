import Foundation
import Testing

/// Files as people really have them, through the front door: the very message for each.
@Suite struct LoadTests {
  private static let messy = Front.repository.appending(path: "Samples/messy")

  /// A folder that has copies of the messy samples.
  private func front() throws -> Front {
    let front = try Front(tiny: false)
    try FileManager.default.copyItem(at: Self.messy, to: front.folder.appending(path: "messy"))
    return front
  }

  @Test("Nothing of a bad file is kept, and the message names file, line and column")
  func nothingKept() throws {
    let front = try front()
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.messy.path).sorted()
    #expect(files.count >= 12)
    var loaded = 0
    for file in files where !file.hasSuffix(".md") {
      let before = try front.run("--json", "--no-record", "datasets").output
      let outcome = try front.run("--json", "load", "messy/\(file)")
      if outcome.status == 0 {
        loaded += 1
      } else {
        let error = try #require(try object(outcome.lines[0])["error"] as? [String: Any])
        #expect((error["message"] as? String)?.contains(file) == true, "\(error)")
        #expect(
          try front.run("--json", "--no-record", "datasets").output == before, "\(file) left something behind"
        )
      }
    }
    #expect(loaded > 3)
  }

  @Test(
    "The same file again changes nothing; a changed one asks for --replace; another of its name for --name")
  func again() throws {
    let front = try Front(tiny: false)
    try front.writeLetters()
    try front.lines("load letters.csv", "interface define --from letters", "label simulate")
    #expect(try front.lines("load letters.csv").status == 0)
    #expect(try front.run("datasets").output.contains("simulated"), "the labels went")
    try front.writeLetters(count: 12)
    let changed = try front.lines("load letters.csv")
    #expect(changed.status == 1 && changed.error.contains("--replace"), "\(changed.error)")
    #expect(try front.lines("load letters.csv --replace").output.contains("12 assets"))
    try front.writeLetters(count: 8, to: "other/letters.csv")
    let other = try front.lines("load other/letters.csv")
    #expect(other.status == 1 && other.error.contains("--name"), "\(other.error)")
    #expect(try front.lines("load other/letters.csv --name second").status == 0)
  }

  @Test("Categories that the interface lacks are named with the nearest, whichever comes second")
  func unknownCategories() throws {
    let front = try Front(tiny: false)
    try front.write("text,category\nnews,Sprots\nmore,World News\n", to: "a.csv")
    try front.lines("interface define \"Sports, World News\"")
    let after = try front.lines("load a.csv")
    #expect(after.output.contains("Sprots") && after.output.contains("Sports"), "\(after.output)")
    try front.lines("interface define \"World News, Weather\"")
    let before = try front.lines("interface define \"Sports, World News\"")
    #expect(before.output.contains("Sprots"), "\(before.output)")
    let label = try front.lines("label simulate")
    #expect(label.status == 1 && label.error.contains("Sprots"))
  }

  @Test("--sample and --per-category choose by the seed, the same ones every time")
  func samples() throws {
    let front = try Front(tiny: false)
    try front.writeLetters(count: 100)
    let first = try front.run(
      "--seed", "5", "--json", "load", "letters.csv", "--sample", "10", "--name", "ten")
    #expect(try object(first.lines[0])["assets"] as? Int == 10)
    let each = try front.run("--json", "load", "letters.csv", "--per-category", "7", "--name", "seven")
    #expect(try object(each.lines[0])["assets"] as? Int == 14)
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
  }

  @Test("Escape codes in a text are shown, never sent to the terminal")
  func escapes() throws {
    let front = try Front()
    try front.write("text,category\n\u{1B}[31mred\u{202E}deb,A\u{1B}[0m\nnews,B\n", to: "codes.csv")
    let outcome = try front.lines(
      "load codes.csv", "interface define --from codes", "tokens \u{1B}[31mnews", "datasets")
    #expect(!outcome.output.contains("\u{1B}") && !outcome.error.contains("\u{1B}"))
    #expect(!outcome.output.contains("\u{202E}"))
  }
}
