import Foundation
import Testing

/// Categories are called as the file calls them, and unlike ones stay apart.
@Suite struct CategoryNamesTests {
  private static let desk = """
    text,category
    Crane drivers must wear two harnesses,H&S
    Stage crew drilled on fire doors,h&s
    Rope makers insure their fingers,Hands
    Two canal firms weigh a takeover,M&A
    Institute buys a wind tunnel,R&amp;D
    Puppet theatre wins a radio prize,Arts & Media
    Choir records in a lighthouse,ARTS AND MEDIA
    Museum lends its clock to a film,arts_and_media

    """

  @Test("An & within a name is a letter; by itself it is the word AND")
  func ampersands() throws {
    let front = try Front()
    try front.write(Self.desk, to: "desk.csv")
    let load = try object(try front.run("--json", "load", "desk.csv").lines[0])
    #expect(
      load["per_category"] as? [String: Int] == [
        "H&S": 2, "Hands": 1, "M&A": 1, "R&amp;D": 1, "Arts & Media": 3,
      ])
    let interface = try object(try front.run("--json", "interface", "define", "--from", "desk").lines[0])
    #expect(
      interface["names"] as? [String] == [
        "Arts & Media", "H&S", "Hands", "M&A", "R&amp;D", "UNABLE TO CLASSIFY",
      ])
    #expect(
      interface["categories"] as? [String] == [
        "ARTS_AND_MEDIA", "H&S", "HANDS", "M&A", "R&AMP;D", "UNABLE_TO_CLASSIFY",
      ])
    try front.lines("label simulate", "label set text_3 m&a")
    let shown = try front.lines("show asset text_3", "show asset text_4")
    #expect(shown.output.contains("M&A") && shown.output.contains("R&amp;D"), "\(shown.output)")
  }

  @Test("Without an interface reports call a category as its file does")
  func fileNames() throws {
    let front = try Front()
    try front.write(Self.desk, to: "desk.csv")
    let shown = try front.lines("load desk.csv", "label simulate", "show asset text_5")
    #expect(shown.output.contains("Arts & Media") && !shown.output.contains("ARTS"), "\(shown.output)")
  }

  @Test(
    "An option that takes one value is not given twice, whatever the verb; one that takes several is",
    arguments: [
      ("load desk.csv --sample 2 --sample 3", "--sample"),
      ("finetune --method linear --epochs 2 --method=full", "--method"),
      ("label --author ana --author bo", "--author"),
      ("classify --model base Ferry strike enters its second week --model base", "--model"),
      ("interface define --from desk --from other", "--from"),
    ])
  func doubled(_ line: String, _ option: String) throws {
    let front = try Front(tiny: false)
    let outcome = try front.run("-c", line)
    #expect(outcome.status == 2)
    #expect(outcome.error.contains("\(option) is given twice"), "\(outcome.error)")
    let severalFolders = try front.run("-c", "replay none.md --allow-read . --allow-read ..")
    #expect(!severalFolders.error.contains("twice"), "\(severalFolders.error)")
  }

  @Test("Neither is one before the verb")
  func doubledProgramOption() throws {
    let front = try Front(tiny: false)
    for arguments in [["--seed", "1", "--seed", "2"], ["--workspace", "a", "--workspace=b"]] {
      let outcome = try front.run(arguments + ["status"])
      #expect(outcome.status == 2)
      #expect(
        outcome.error.contains("\(arguments[0]) is given twice, and takes one value."), "\(outcome.error)")
    }
    #expect(try front.run("--seed", "1", "--workspace", "a", "-c", "status", "-c", "status").status == 0)
    #expect(!FileManager.default.fileExists(atPath: front.folder.appending(path: "b").path))
  }

  @Test("A sample larger than any file is the whole file")
  func wholeSample() throws {
    let front = try Front(tiny: false)
    try front.write(Self.desk, to: "desk.csv")
    let load = try front.run("--json", "load", "desk.csv", "--sample", "\(Int.max)")
    #expect(try object(load.lines[0])["assets"] as? Int == 8, "\(load.error)")
  }
}
