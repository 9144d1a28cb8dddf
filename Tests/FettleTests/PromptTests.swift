import Foundation
import PseudoTerminal
import Testing

/// fettle's own prompt on a real pseudo-terminal; what the line editor does by itself is tested beside it.
@Suite struct PromptTests {
  @Test("A verb is typed, answered, recorded; Ctrl-D leaves with 0", arguments: ["xterm", "dumb"])
  func session(term: String) throws {
    let front = try Front(tiny: false)
    try front.writeLetters()
    let terminal = try front.prompt(term: term)
    terminal.type("load letters.csv\n")
    try terminal.wait(for: "Loaded letters: 40 assets")
    try terminal.waitForPrompt()
    terminal.type("lod letters.csv\n")
    try terminal.wait(for: "Did you mean load?")
    try terminal.waitForPrompt()
    terminal.type("\u{4}")
    #expect(try terminal.waitForExit() == 0)
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
    if term == "dumb" { #expect(!terminal.output.contains(0x1B)) }
  }

  @Test(
    "Ctrl-C stops predict and finetune, which says at once that it prepares; the shell stays, no half-written model",
    arguments: [
      ("predict", 60_000, "/"), ("finetune --method full --epochs 1000", 2000, "training"),
      ("finetune --method full", 60_000, "preparing"),
    ])
  func interruption(verb: String, letters: Int, bar: String) throws {
    let front = try Front()
    if bar == "preparing" {
      // Of equal texts one alone is prepared.
      let rows = (0..<letters).map { number in
        let spelled = [1, 26, 676, 17_576].map { String(UnicodeScalar(UInt8(97 + number / $0 % 26))) }
        return "\(spelled.joined(separator: " ")),\(number % 2 == 0 ? "SPORTS" : "WORLD & NEWS")\n"
      }
      try front.write("text,category\n" + rows.joined(), to: "letters.csv")
    } else {
      try front.writeLetters(count: letters)
    }
    try front.lines("load letters.csv", "interface define --from letters", "label simulate")
    let terminal = try front.prompt()
    terminal.type("\(verb)\n")
    // The bar shows that the work is under way.
    try terminal.wait(for: bar)
    terminal.type("\u{3}")
    try terminal.wait(
      for: verb == "predict" ? " are kept. The same command goes on" : "Interrupted: no model was made")
    try terminal.waitForPrompt()
    terminal.type("models\n")
    try terminal.wait(for: "on disk")
    try terminal.waitForPrompt()
    terminal.type("quit\n")
    #expect(try terminal.waitForExit() == 0)
    let document = try front.read(".fettle/session.md")
    #expect(document.contains("# interrupted: \(verb)"))
    let models =
      (try? FileManager.default.contentsOfDirectory(
        atPath: front.folder.appending(path: ".fettle/models").path)) ?? []
    #expect(models.isEmpty, "\(models)")
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
  }

  @Test("Ten lines pasted while a verb runs are run after it, none lost")
  func typeAhead() throws {
    let front = try Front()
    try front.writeLetters(count: 3000)
    try front.lines("load letters.csv", "interface define --from letters")
    let terminal = try front.prompt()
    terminal.type("predict\n")
    terminal.type((1...10).map { "note line \($0)\n" }.joined())
    terminal.type("exit\n")
    #expect(try terminal.waitForExit(seconds: 120) == 0)
    let document = try front.read(".fettle/session.md")
    for number in 1...10 { #expect(document.contains("\nline \(number)\n"), "line \(number)") }
    #expect(document.contains("fettle> predict"))
  }

  @Test("History is there on the next day")
  func history() throws {
    let front = try Front(tiny: false)
    let monday = try front.prompt()
    monday.type("datasets\n")
    try monday.wait(for: "No data sets")
    try monday.waitForPrompt()
    monday.type("\u{4}")
    _ = try monday.waitForExit()
    let tuesday = try front.prompt()
    tuesday.type("\u{10}")
    try tuesday.waitForScreen("Monday's line") { $0.cursorLine == "fettle> datasets" }
    tuesday.type("\n")
    try tuesday.wait(for: "No data sets")
    tuesday.type("\u{4}")
    #expect(try tuesday.waitForExit() == 0)
  }
}

extension Front {
  /// The prompt on a terminal of its own, ready to be typed at.
  func prompt(columns: Int = 80, term: String = "xterm", _ arguments: [String] = []) throws -> PseudoTerminal
  {
    var environment = environment
    environment["TERM"] = term
    let terminal = try PseudoTerminal(
      Front.program.path, arguments, environment: environment, columns: columns, rows: 40,
      directory: folder.path)
    if arguments.isEmpty { try terminal.waitForPrompt() }
    return terminal
  }
}

extension PseudoTerminal {
  /// Waits until there is something to type at.
  func waitForPrompt() throws {
    try waitForScreen("an empty prompt") { $0.cursorLine == "fettle>" }
  }
}
