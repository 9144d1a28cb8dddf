import Foundation
import Testing

/// Arguments, streams and exit statuses: the program's contract with scripts.
@Suite struct DoorTests {
  private static let endings: [(arguments: String, status: Int32)] = [
    ("status", 0), ("kpi", 1), ("lod x", 2), ("load", 2), ("load --nmae x y", 2), ("--sead 1 status", 2),
    ("--seed -1 status", 2), ("--workspace", 2), ("--version", 0), ("--help", 0), ("help", 0),
    ("help kpi", 0),
    ("kpi --help", 0), ("help kpy", 2), ("interface lod", 2), ("quit", 0), ("-c status -c kpi -c status", 1),
    ("-c status kpi", 2), ("-c \"open", 2),
  ]

  @Test("Exit statuses: 0 done, 1 a verb failed, 2 usage", arguments: endings)
  func statuses(arguments: String, status: Int32) throws {
    let outcome = try Front(tiny: false).run(arguments.split(separator: " ").map(String.init))
    #expect(outcome.status == status, "\(outcome.error)")
    if status != 0 { #expect(outcome.error.contains("error: "), "\(outcome.error)") }
  }

  @Test(
    "A mistyped verb, subcommand, option or name gets the nearest real one",
    arguments: [
      ("lod x", "load"), ("interface shwo", "show"), ("finetun", "finetune"), ("label simluate", "simulate"),
      ("load x --nmae y", "--name"), ("kpi --dataset leters", "letters"), ("classify --model bsae x", "base"),
    ])
  func nearest(line: String, hint: String) throws {
    let front = try Front(tiny: false)
    try front.writeLetters()
    try front.lines("load letters.csv", "interface define --from letters")
    let outcome = try front.lines(line)
    #expect(outcome.status != 0)
    #expect(outcome.error.contains(hint), "\(outcome.error)")
  }

  @Test("The first failure stops a script, and names file, line and column")
  func script() throws {
    let front = try Front(tiny: false)
    try front.write("status\n# a comment\n  finetun --method full\nstatus\n", to: "lesson.fettle")
    let outcome = try front.run("run", "lesson.fettle")
    #expect(outcome.status == 2)
    #expect(outcome.error.contains("lesson.fettle:3:3"), "\(outcome.error)")
    #expect(outcome.output.components(separatedBy: "data sets").count == 2)
    let error = try object(front.run("--json", "run", "lesson.fettle").lines[1])["error"] as? [String: Any]
    #expect(error?["file"] as? String == "lesson.fettle")
    #expect(error?["line"] as? Int == 3)
    #expect(error?["column"] as? Int == 3)
  }

  @Test("Lines through a pipe run in order, without prompt or escape codes, and stop at the first failure")
  func pipe() throws {
    let front = try Front(tiny: false)
    try front.writeLetters()
    let outcome = try front.run(input: "load letters.csv\ndatasets\r\nkpi\nstatus\n")
    #expect(outcome.status == 1)
    #expect(outcome.output.hasPrefix("Loaded letters: 40 assets"))
    #expect(!outcome.output.contains("fettle>") && !outcome.output.contains("\u{1B}"))
    #expect(!outcome.error.contains("\u{1B}"))
    #expect(!outcome.output.contains("data sets "), "status ran after kpi had failed")
    #expect(outcome.error.contains("standard input:3"))
  }

  @Test("--seed is a step of the document when it changes, and its front matter when it comes first")
  func seed() throws {
    let front = try Front(tiny: false)
    try front.run("--seed", "7", "status")
    try front.run("--seed", "8", "status")
    try front.run("status")
    let document = try front.read(".fettle/session.md")
    #expect(document.contains("seed: 7"))
    #expect(document.components(separatedBy: "fettle> config seed 8").count == 2)
  }

  @Test("--no-record leaves no trace in the document")
  func noRecord() throws {
    let front = try Front(tiny: false)
    try front.run("status")
    let before = try front.read(".fettle/session.md")
    try front.run("--no-record", "datasets")
    #expect(try front.read(".fettle/session.md") == before)
  }

  @Test("Paths are recorded from the document's root, wherever they were typed")
  func paths() throws {
    let front = try Front(tiny: false)
    try front.writeLetters(to: "data/letters.csv")
    try front.run("status")
    let below = front.folder.appending(path: "data")
    let outcome = try front.run("--workspace", "../.fettle", "load", "letters.csv", in: below)
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(try front.read(".fettle/session.md").contains("fettle> load data/letters.csv"))
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
  }

  @Test("A headline needs no quotes: apostrophes, dollars, percents, hash tags, negative numbers")
  func headlines() throws {
    let front = try Front()
    try front.writeLetters()
    try front.lines("load letters.csv", "interface define --from letters")
    for text in ["players' wages & $500 #1", "It's 27\" wide", "Minus -3 % in May", "“Curly” — said"] {
      let outcome = try front.run(["-c", "classify \(text)"])
      #expect(outcome.status == 0, "\(text): \(outcome.error)")
    }
  }

  @Test("A workspace that cannot be: one clear error each")
  func faults() throws {
    let front = try Front(tiny: false)
    try front.write("x", to: "file")
    let inTheWay = try front.run("--workspace", "file", "status")
    #expect(inTheWay.status == 1)
    #expect(inTheWay.error.contains("file"))
    try front.write("no database", to: ".fettle/workspace.sqlite")
    let corrupt = try front.run("status")
    #expect(corrupt.status == 1)
    #expect(corrupt.error.components(separatedBy: "error:").count == 2, "\(corrupt.error)")
  }

  @Test("Without the model: what to do, and nothing of it in the document")
  func modelMissing() throws {
    let front = try Front(tiny: false)
    try front.writeLetters()
    try front.lines("load letters.csv", "interface define --from letters")
    let outcome = try front.lines("predict")
    #expect(outcome.status == 1)
    #expect(outcome.error.contains("model install"))
    #expect(try !front.read(".fettle/session.md").contains("predict"))
  }

  @Test("expect holds, fails with both values, and knows what it does not know")
  func expectations() throws {
    let front = try Front()
    try front.writeLetters()
    try front.lines("load letters.csv", "interface define --from letters", "predict", "kpi")
    #expect(try front.lines("expect $kpi.assets == 40", "expect $kpi.accuracy >= 0").status == 0)
    let fails = try front.lines("expect $kpi.assets > 41")
    #expect(fails.status == 1)
    #expect(fails.error.contains("$kpi.assets > 41") && fails.error.contains("40"))
    #expect(try front.lines("expect $kpy.assets > 1").status == 1)
    #expect(try front.lines("expect $kpi.accuracy").status == 2)
  }

  /// Runs a line of the Unix shell in which `fettle` is the program; its standard error goes to a file.
  private func shell(_ line: String, _ front: Front) throws -> (status: Int32, error: String) {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", "fettle() { '\(Front.program.path)' \"$@\"; }; \(line)"]
    process.environment = front.environment
    process.currentDirectoryURL = front.folder
    let error = front.folder.appending(path: ".error")
    try Data().write(to: error)
    process.standardError = try FileHandle(forWritingTo: error)
    try process.run()
    process.waitUntilExit()
    return (process.terminationStatus, try String(contentsOf: error, encoding: .utf8))
  }

  @Test(
    "Output that cannot be written is an error; a reader who has enough is none",
    arguments: [
      ("fettle status >/dev/full", 1, "is full"), ("fettle --json status >/dev/full", 1, "is full"),
      ("fettle --version >/dev/full", 1, "is full"), ("fettle status >&-", 1, "is closed"),
      ("fettle status <&- >&-", 1, "is closed"), ("fettle lod x >/dev/full", 2, "Did you mean load?"),
      ("fettle -c help -c help -c help | head -n 1 >/dev/null", 0, ""),
    ])
  func unwritable(line: String, status: Int32, says: String) throws {
    let front = try Front(tiny: false)
    let outcome = try shell(line, front)
    #expect(outcome.status == status, "\(outcome.error)")
    if says.isEmpty { #expect(outcome.error.isEmpty, "\(outcome.error)") }
    #expect(says.isEmpty || outcome.error.replacing("\n", with: " ").contains(says), "\(outcome.error)")
    // What is closed was not taken for a file of ours, and the work is done all the same.
    let after = try front.run("status")
    #expect(after.status == 0, "\(after.error)")
  }

  @Test("A script stops where its answers are lost")
  func lost() throws {
    let front = try Front(tiny: false)
    _ = try shell("fettle -c 'set a 1' -c 'set b 2' >/dev/full", front)
    #expect(try front.run("set").output == "  a  1\n")
  }
}
