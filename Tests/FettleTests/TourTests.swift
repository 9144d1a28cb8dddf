import Foundation
import PseudoTerminal
import Testing
import Transcripts

/// The tour: the shipped document, walked through at the prompt of an installed fettle, outside any clone.
@Suite struct TourTests {
  let front: Front
  let program: URL

  init() throws {
    front = try Front()
    program = try front.install(at: "prefix/bin/fettle", share: "prefix/share/fettle")
    try FileManager.default.createDirectory(
      at: front.folder.appending(path: "class"), withIntermediateDirectories: true)
  }

  private func prompt(term: String = "xterm", columns: Int = 100, rows: Int = 60) throws -> PseudoTerminal {
    var environment = front.environment
    environment["TERM"] = term
    let terminal = try PseudoTerminal(
      program.path, environment: environment, columns: columns, rows: rows,
      directory: front.folder.appending(path: "class").path)
    try terminal.waitForPrompt()
    return terminal
  }

  private func waitForOffer(_ terminal: PseudoTerminal, _ command: String) throws {
    try terminal.waitForScreen("the offer of \(command)") { $0.cursorLine == "fettle> " + command }
  }

  @Test(
    "Enter after Enter runs all of the tour's commands, ends with what came of it, and its document replays elsewhere"
  )
  func whole() throws {
    let commands = try stops().map(\.command)
    let terminal = try prompt()
    terminal.type("tour\n")
    try terminal.waitForScreen("how long it takes") {
      $0.text.contains(#/A tour in 9 steps, about \d+ minutes/#)
    }
    for command in commands {
      try waitForOffer(terminal, command)
      terminal.type("\n")
      try terminal.wait(for: "\n")
    }
    try terminal.wait(for: "That was the tour.")
    try terminal.waitForPrompt()
    let screen = terminal.screen.text.replacing(#/\s+/#, with: " ")
    #expect(
      screen.contains(
        #/base 0\.\d\d → thorough 0\.\d\d \(95 % 0\.\d\d to 0\.\d\d\) of 200 unseen texts right: [a-z0-9]/#),
      "\(screen)")
    // The tour has explained these words itself, and says itself what comes next.
    #expect(
      !terminal.screen.history.contains("McNemar's test:") && !terminal.screen.history.contains("next: "))
    #expect(terminal.screen.history.contains("Ctrl-C stops it"), "before full fine-tuning")
    terminal.type("\u{4}")
    #expect(try terminal.waitForExit() == 0)
    let session = try front.read("class/.fettle/session.md")
    #expect(try Document(parsing: session).steps.map(\.command) == commands)
    #expect(
      session.components(separatedBy: "\n## 2. Define the interface\n\nThe *interface* says").count == 2)
    var inClass = front
    inClass.program = program
    try inClass.run("session", "export", "tour.html", in: front.folder.appending(path: "class"))
    #expect(try front.read("class/tour.html").contains("<h2>7. Measure</h2>\n<p>Kili's <em>IoU</em>"))
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
    // Typing takes the place of what stands in grey; a dumb terminal has it in the line, where Ctrl-U clears it.
    let own = term == "dumb" ? "\u{15}" : ""
    var terminal = try prompt(term: term)
    terminal.type("tour\n")
    try terminal.wait(for: "Step 1 of 9: Load the texts")
    try waitForOffer(terminal, "load Samples/news-1.csv")
    // In grey it is taken with the right arrow; a dumb terminal has it typed.
    terminal.type((term == "dumb" ? "" : "\u{1B}[C") + " --sample 50\n")
    try terminal.wait(for: "Loaded news-1: 50 assets")
    try terminal.wait(for: "Step 2 of 9")
    try waitForOffer(terminal, "interface load Samples/interface.json")
    terminal.type("sta\u{3}")  // Ctrl-C drops what was typed, and the command stands there again
    try terminal.wait(for: "^C")
    try waitForOffer(terminal, "interface load Samples/interface.json")
    terminal.type(own + "status\n")
    try terminal.wait(for: "tuned models")
    try waitForOffer(terminal, "interface load Samples/interface.json")
    terminal.type(own + "nothing\n")  // fails, and stands ready again
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
    terminal.type(own + "tour 6\n")
    try terminal.wait(for: "Step 6 of 9")
    try waitForOffer(terminal, "label simulate")
    terminal.type("\n")
    try terminal.wait(for: "simulated labelled 50 assets")
    try waitForOffer(terminal, "kpi")
    terminal.type(own + "back\n")
    try waitForOffer(terminal, "label simulate")
    terminal.type(own + "tour next\n")
    try waitForOffer(terminal, "kpi")
    terminal.type(own + "next\n")
    try waitForOffer(terminal, "kpi --confusion")
    terminal.type(own + "tour back\n")
    try waitForOffer(terminal, "kpi")
    terminal.type(own + "back\n")
    try waitForOffer(terminal, "label simulate")
    terminal.type(own + "stop\n")
    try terminal.wait(for: "The tour waits at step 6")
    try terminal.waitForPrompt()
    terminal.type("next\n")  // only as long as the tour runs
    try terminal.wait(for: "no verb named next")
    try terminal.waitForPrompt()
    terminal.type("\u{4}")
    #expect(try terminal.waitForExit() == 0)
  }

  @Test(
    "In a window of 80 by 24 an answer stands whole under its command until one reads on, and so does the text before each"
  )
  func smallWindow() throws {
    let stops = try stops()
    let terminal = try prompt(columns: 80, rows: 24)
    func wait(for offers: String...) throws {
      try terminal.waitForScreen("an offer of \(offers)") { screen in
        offers.contains { screen.text.replacing("\n", with: "").hasSuffix("fettle> \($0)") }
      }
    }
    terminal.type("tour\n")
    for (index, stop) in stops.enumerated() {
      try wait(for: stop.command)
      #expect(
        stop.beginning.isEmpty || terminal.screen.text.contains(stop.beginning),
        "\(stop) has scrolled off:\n\(terminal.screen.text)")
      terminal.type("\n")
      guard index + 1 < stops.count else { break }
      try wait(for: "next", stops[index + 1].command)
      let screen = terminal.screen.text
      #expect(screen.contains("fettle> \(stop.command)".prefix(80)), "\(stop) has scrolled off:\n\(screen)")
      if terminal.screen.cursorLine == "fettle> next" { terminal.type("\n") }
    }
    try terminal.wait(for: "That was the tour.")
  }

  /// The tour's commands, each with the first words of the text before it.
  private func stops(of document: String = "tutorial") throws -> [(command: String, beginning: String)] {
    var beginning = ""
    var stops: [(command: String, beginning: String)] = []
    for part in try Document(parsing: front.read("prefix/share/fettle/Sessions/\(document).md")).parts {
      switch part {
      case .prose(let text):
        let lines = text.components(separatedBy: "\n## ").last?.split(separator: "\n") ?? []
        let line = lines.drop { $0.hasPrefix("#") || text.contains("\n## \($0)\n") }.first ?? ""
        beginning = line.replacing("*", with: "").split(separator: " ").prefix(4).joined(separator: " ")
      case .step(let step):
        if !step.command.hasPrefix("expect") { stops.append((step.command, beginning)) }
        beginning = ""
      }
    }
    return stops
  }

  @Test(
    "The other road asks a language model: it is fetched first, has all of its document's commands, and the roads keep their places"
  )
  func languageModel() throws {
    let llama = Front.repository.appending(path: "Tests/EncoderTests/Reference/tiny-llama").path
    let stops = try stops(of: "language-model")
    let terminal = try prompt(rows: 150)
    terminal.type("tour\n")
    try terminal.waitForScreen("the other road") {
      $0.text.replacing("\n", with: " ").contains(
        "a language model, which answers in words: `tour language-model`")
    }
    try waitForOffer(terminal, "load Samples/news-1.csv")
    terminal.type("tour language-model\n")
    try terminal.wait(for: "which is not installed. Enter fetches it, once")
    try waitForOffer(terminal, "model install smollm2")
    terminal.type("next\n")  // nothing comes before it
    try waitForOffer(terminal, "model install smollm2")
    terminal.type("model install --from \(llama) --name smollm2\n")
    try terminal.wait(for: "Installed smollm2")
    try terminal.wait(for: "What a language model is")
    // tiny-llama reads 256 tokens, and the prompt with eight texts in it has more: these are passed over.
    let shown = try #require(stops.firstIndex { $0.command.hasPrefix("prompt set --examples") })
    let reset = try #require(stops[shown...].firstIndex { $0.command == "prompt reset" })
    for (index, stop) in stops.enumerated() {
      try waitForOffer(terminal, stop.command)
      terminal.type(shown < index && index < reset ? "next\n" : "\n")
      try terminal.wait(for: "\n")
    }
    try terminal.wait(for: "The other road, with a model that compares texts: tour tutorial", seconds: 120)
    try terminal.waitForPrompt()
    let history = terminal.screen.history
    // The table is a list here, and the picture of shapes stands as it was drawn.
    #expect(history.contains("- encoder: it sees the whole text") && history.contains("A [8, 576]"))
    #expect(history.contains(#/smollm2\+decide 0\.\d\d → taught\+decide 0\.\d\d \(95 %/#))
    terminal.type("tour tutorial\n")
    try waitForOffer(terminal, "load Samples/news-1.csv")
    terminal.type("tour stop\n")
    try terminal.wait(for: "The tour waits at step 1, Load the texts.")
    terminal.type("\u{4}")
    #expect(try terminal.waitForExit() == 0)
    let session = try Document(parsing: front.read("class/.fettle/session.md"))
    #expect(session.steps.map(\.command) == (stops[...shown] + stops[reset...]).map(\.command))
  }

  @Test("Without a prompt the command is shown; steps that are not there are usage errors")
  func plain() throws {
    let first = try front.run("tour")
    #expect(first.output.hasSuffix("\n  load Samples/news-1.csv\n"), "\(first.output)")
    #expect(try front.run("tour", "12").error.contains("has the steps 1 to 9"))
    #expect(try front.run("tour", "net").status == 2)
    #expect(try object(front.run("--json", "tour", "7").lines[0])["command"] as? String == "kpi")
    #expect(!(try front.run("session", "show").output.contains("tour")))
    let other = try front.run("tour", "language-model")
    #expect(other.output.hasSuffix("\n  model install smollm2\n"), "\(other.output)")
    #expect(try object(front.run("--json", "tour").lines[0])["command"] as? String == "model install smollm2")
    #expect(try front.run("tour", "tutorial").output.hasSuffix("\n  kpi\n"))
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
