import Foundation
import PseudoTerminal
import Testing
import Transcripts

/// The tour: the tutorial's document, walked through at the prompt of an installed fettle, outside any clone.
@Suite struct TourTests {
  let front: Front
  let program: URL

  init() throws {
    front = try Front()
    program = try front.install(at: "prefix/bin/fettle", share: "prefix/share/fettle")
    try FileManager.default.createDirectory(
      at: front.folder.appending(path: "class"), withIntermediateDirectories: true)
  }

  private func prompt(in folder: String = "class", term: String = "xterm") throws -> PseudoTerminal {
    var environment = front.environment
    environment["TERM"] = term
    let terminal = try PseudoTerminal(
      program.path, environment: environment, columns: 100, rows: 60,
      directory: front.folder.appending(path: folder).path)
    try terminal.waitForPrompt()
    return terminal
  }

  private func waitForOffer(_ terminal: PseudoTerminal, _ command: String) throws {
    try terminal.waitForScreen("the offer of \(command)") { $0.cursorLine == "fettle> " + command }
  }

  @Test("Enter after Enter runs all of the tutorial's commands, and what was recorded replays elsewhere")
  func whole() throws {
    let source = try front.read("prefix/share/fettle/Sessions/tutorial.md")
    let commands = try Document(parsing: source).steps.map(\.command).filter { !$0.hasPrefix("expect") }
    let terminal = try prompt()
    terminal.type("tour\n")
    for command in commands {
      try waitForOffer(terminal, command)
      terminal.type("\n")
      try terminal.wait(for: "\n")
    }
    try terminal.wait(for: "That was the tutorial.")
    try terminal.waitForPrompt()
    terminal.type("\u{4}")
    #expect(try terminal.waitForExit() == 0)
    let session = try front.read("class/.fettle/session.md")
    #expect(try Document(parsing: session).steps.map(\.command) == commands)
    // The samples are found by their short names, so nothing outside the root has to be allowed.
    try front.write(session, to: "elsewhere/.fettle/session.md")
    let environment = front.environment
    let replay = try PseudoTerminal(
      program.path, ["replay", "elsewhere/.fettle/session.md"], environment: environment,
      directory: front.folder.path)
    let status = try replay.waitForExit(seconds: 120)
    #expect(status == 0, "\(replay.screen.text)")
  }

  @Test(
    "An edited command is as good; other commands leave the tour waiting; Ctrl-D, quit and back",
    arguments: ["xterm", "dumb"])
  func detours(term: String) throws {
    var terminal = try prompt(term: term)
    terminal.type("tour\n")
    try terminal.wait(for: "Step 1 of 9: Load the texts")
    try waitForOffer(terminal, "load Samples/news-1.csv")
    // In grey it is taken with the right arrow; a dumb terminal has it typed.
    terminal.type((term == "dumb" ? "" : "\u{1B}[C") + " --sample 50\n")
    try terminal.wait(for: "Loaded news-1: 50 assets")
    try terminal.wait(for: "Step 2 of 9")
    try waitForOffer(terminal, "interface load Samples/interface.json")
    terminal.type("\u{15}status\n")  // Ctrl-U clears the line
    try terminal.wait(for: "tuned models")
    try waitForOffer(terminal, "interface load Samples/interface.json")
    terminal.type("x\n")  // fails, and stands ready again
    try terminal.wait(for: "error:")
    try waitForOffer(terminal, "interface load Samples/interface.json")
    terminal.type("\u{4}")  // Ctrl-D leaves the tour, not the shell
    try terminal.wait(for: "The tour waits at step 2, Define the interface.")
    try terminal.waitForPrompt()
    terminal.type("quit\n")
    #expect(try terminal.waitForExit() == 0)
    terminal = try prompt(term: term)
    terminal.type("tour\n")
    try waitForOffer(terminal, "interface load Samples/interface.json")
    terminal.type("\u{15}tour 6\n")
    try terminal.wait(for: "Step 6 of 9")
    try waitForOffer(terminal, "label simulate")
    terminal.type("\n")
    try terminal.wait(for: "simulated labelled 50 assets")
    try waitForOffer(terminal, "kpi --confusion")
    terminal.type("\u{15}tour back\n")
    try waitForOffer(terminal, "label simulate")
    terminal.type("\u{15}tour stop\n")
    try terminal.wait(for: "The tour waits at step 6")
    try terminal.waitForPrompt()
    terminal.type("\u{4}")
    #expect(try terminal.waitForExit() == 0)
  }

  @Test("Without a prompt the command is shown; steps that are not there are usage errors")
  func plain() throws {
    let first = try front.run("tour")
    #expect(first.output.hasSuffix("\n  load Samples/news-1.csv\n"), "\(first.output)")
    #expect(try front.run("tour", "12").error.contains("has the steps 1 to 9"))
    #expect(try front.run("tour", "net").status == 2)
    #expect(try object(front.run("--json", "tour", "7").lines[0])["command"] as? String == "kpi --confusion")
    #expect(!(try front.run("session", "show").output.contains("tour")))
  }

  @Test("Samples/… is the learner's own file where there is one, and never leads out of the shipped folder")
  func ownFiles() throws {
    try front.write("id,text\n1,mine\n", to: "class/Samples/news-1.csv")
    try front.writeLetters()
    let terminal = try prompt()
    terminal.type("load Samples/news-1.csv\n")
    try terminal.wait(for: "Loaded news-1: 1 asset")
    terminal.type("load Samples/../../../../letters.csv\n")
    try terminal.wait(for: "letters.csv is not there")
  }
}
