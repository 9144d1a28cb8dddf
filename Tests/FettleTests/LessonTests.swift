import Foundation
import PseudoTerminal
import Testing

/// `replay --step` and its fellows, on a real pseudo-terminal: what a teacher does before an audience.
@Suite struct LessonTests {
  /// A document of four steps with prose, and the folder that it plays in.
  private func lesson() throws -> Front {
    let front = try Front()
    try front.writeLetters()
    try front.write(
      """
      ---
      seed: 7
      root: ..
      ---
      # A *short* lesson

      Some `prose` that is longer than the window of eighty columns is wide, so that it has to be wrapped at a blank.

      A line that is broken right beside a blank in code, which a tilde like this `~ ` has, begins with a word.

      ```fettle
      fettle> load letters.csv
      wrong on purpose
      ```

      ## The categories

      ```fettle
      fettle> interface define --from letters
      ```

      ```fettle
      fettle> label simulate
      simulated labelled 40 assets of letters.
      ```

      ```fettle
      fettle> datasets
      ```

      The end.

      """, to: "lessons/short.md")
    return front
  }

  private func start(_ front: Front, _ arguments: String..., term: String = "xterm") throws -> PseudoTerminal
  {
    var environment = front.environment
    environment["TERM"] = term
    return try PseudoTerminal(
      Front.program.path, arguments, environment: environment, columns: 80, rows: 60,
      directory: front.folder.path)
  }

  private func temporaries(_ front: Front) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: front.folder.appending(path: "tmp").path)
  }

  @Test(
    "Prose is shown, Enter runs, s skips, b shows the answer again, q leaves at the prompt of that workspace",
    arguments: ["xterm", "dumb"])
  func keys(term: String) throws {
    var front = try lesson()
    try FileManager.default.createDirectory(
      at: front.folder.appending(path: "tmp"), withIntermediateDirectories: true)
    front.environment["TMPDIR"] = front.folder.path + "/tmp"
    let terminal = try start(front, "replay", "lessons/short.md", "--step", term: term)
    try terminal.wait(for: "q leaves you at the prompt")
    try terminal.wait(for: "A short lesson")
    try terminal.wait(for: "step 1 of 4")
    try terminal.wait(for: "load letters.csv")
    let screen = terminal.screen.text
    #expect(screen.contains("Some prose that is longer than the window"), "\(screen)")
    #expect(!screen.contains("#") && !screen.contains("`"))
    terminal.type("b")
    try terminal.wait(for: "This is the first step.")
    try terminal.wait(for: "load letters.csv")
    terminal.type("\n")
    try terminal.wait(for: "Loaded letters: 40 assets")
    try terminal.wait(for: "wrong on purpose")
    try terminal.wait(for: "The categories")
    try terminal.wait(for: "interface define --from letters")
    terminal.type("b")
    try terminal.wait(for: "A short lesson")
    try terminal.wait(for: "step 1 of 4, as it was")
    try terminal.wait(for: "Loaded letters: 40 assets")
    try terminal.wait(for: "Enter: forward")
    terminal.type("\n")
    try terminal.wait(for: "The categories")
    try terminal.wait(for: "step 2 of 4, where you were")
    try terminal.wait(for: "interface define --from letters")
    terminal.type("?")
    try terminal.wait(for: "Enter: run")
    try terminal.wait(for: "interface define --from letters")
    terminal.type("s")
    try terminal.wait(for: "Skipped.")
    try terminal.wait(for: "label simulate")
    terminal.type("\n")
    try terminal.wait(for: "simulated labelled 40 assets")
    try terminal.wait(for: "datasets")
    // Two steps back, of which the nearer was skipped, and forward again.
    terminal.type("b")
    try terminal.wait(for: "step 3 of 4, as it was")
    try terminal.wait(for: "simulated labelled 40 assets")
    try terminal.wait(for: "b: further back")
    terminal.type("b")
    try terminal.wait(for: "step 2 of 4, as it was")
    try terminal.wait(for: "Skipped.")
    try terminal.wait(for: "b: further back")
    terminal.type("\n")
    try terminal.wait(for: "step 3 of 4, as it was")
    try terminal.wait(for: "b: further back")
    terminal.type("\n")
    try terminal.wait(for: "step 4 of 4, where you were")
    try terminal.wait(for: "datasets")
    terminal.type("q")
    try terminal.wait(for: "Left before step 4 of 4")
    try terminal.wait(for: "1 passed, 1 failed")
    try terminal.waitForScreen("the prompt") { $0.cursorLine == "fettle>" }
    terminal.type("status\n")
    try terminal.wait(for: "letters (current)")
    try terminal.waitForScreen("the prompt") { $0.cursorLine == "fettle>" }
    // Paths are the document's, and Ctrl-C belongs to the prompt.
    terminal.type("half a li\u{3}")
    try terminal.wait(for: "^C")
    terminal.type("load letters.csv --name again\n")
    try terminal.wait(for: "Loaded again")
    #expect(try temporaries(front).count == 1)
    terminal.type("quit\n")
    #expect(try terminal.waitForExit() == 0)
    #expect(try temporaries(front).isEmpty)
    #expect(try front.run("datasets").output.contains("No data sets"), "the learner's own work is as it was")
    if term == "dumb" { #expect(!terminal.output.contains(0x1B)) }
  }

  @Test("A command is typed as by hand, and whole at once when a key is pressed")
  func typing() throws {
    let front = try lesson()
    let long = String(repeating: "news of the day ", count: 200)
    try front.write("```fettle\nfettle> note \(long)end\n```\n", to: "long.md")
    let terminal = try start(front, "replay", "long.md", "--step")
    try terminal.wait(for: "fettle> ")
    terminal.type("x")
    try terminal.wait(for: "day end")
    terminal.type("\n")
    try terminal.wait(for: "passed")
    _ = try terminal.waitForExit()
  }

  @Test("From within the prompt, q leaves at the document's workspace; Ctrl-C during a lesson ends it")
  func fromThePrompt() throws {
    let front = try lesson()
    let terminal = try start(front)
    try terminal.waitForScreen("the prompt") { $0.cursorLine == "fettle>" }
    terminal.type("replay lessons/short.md --step --from 3\n")
    try terminal.wait(for: "label simulate")
    #expect(!terminal.screen.text.contains("The categories"), "what stands before step 3 is not shown")
    terminal.type("b")
    try terminal.wait(for: "This is the first step.")
    terminal.type("\u{3}")
    try terminal.wait(for: "Interrupted: your own work is as it was. replay begins anew.")
    try terminal.waitForScreen("the prompt") { $0.cursorLine == "fettle>" }
    terminal.resize(columns: 48, rows: 60)
    terminal.type("replay lessons/short.md --step\n")
    try terminal.waitForScreen("the keys in a narrow window") {
      $0.text.contains("it, b looks\nback, q leaves you at the prompt.")
    }
    try terminal.wait(for: "load letters.csv")
    terminal.type("\u{3}")
    try terminal.waitForScreen("the prompt") { $0.cursorLine == "fettle>" }
    terminal.resize(columns: 80, rows: 60)
    terminal.type("replay lessons/short.md --step\n")
    try terminal.wait(for: "load letters.csv")
    try terminal.waitForScreen("a line broken at a blank") {
      $0.text.contains(" ~\nhas, begins with a word.")
    }
    terminal.type("\n\n")
    try terminal.wait(for: "The categories")
    try terminal.wait(for: "interface define --from letters")
    #expect(!terminal.screen.text.contains("next: "), "the prose says what comes next")
    terminal.type("q")
    try terminal.wait(for: "1 failed")
    try terminal.waitForScreen("the prompt") { $0.cursorLine == "fettle>" }
    terminal.type("datasets\n")
    try terminal.wait(for: "letters ")
    terminal.type("\u{4}")
    #expect(try terminal.waitForExit() == 0)
    #expect(try front.run("datasets").output.contains("No data sets"))
  }

  @Test("--from runs what comes before unseen, and says what of it differs")
  func from() throws {
    let front = try lesson()
    let outcome = try front.run("replay", "lessons/short.md", "--from", "3")
    #expect(outcome.lines.filter { $0.hasPrefix("ok ") }.count == 1, "\(outcome.output)")
    #expect(
      outcome.output.contains("FAILED 1/4") && outcome.output.contains("ok     3/4"), "\(outcome.output)")
    #expect(!outcome.output.contains("ok     1/4") && !outcome.output.contains("ok     2/4"))
    let beyond = try front.run("replay", "lessons/short.md", "--from", "5")
    #expect(beyond.status == 2 && beyond.error.contains("has 4 steps"))
    for wrong in [
      ["--from", "0"], ["--from", "3", "--until", "2"], ["--update", "--step"], ["--until", "-1"],
    ] {
      #expect(try front.run(["replay", "lessons/short.md"] + wrong).status == 2, "\(wrong)")
    }
  }

  @Test("Keys may come through a pipe, a line each")
  func piped() throws {
    let front = try lesson()
    let outcome = try front.run("replay", "lessons/short.md", "--step", input: "\n\ns\nq\n")
    #expect(
      outcome.output.contains("fettle> load letters.csv\nLoaded letters: 40 assets"), "\(outcome.output)")
    #expect(outcome.output.contains("Left before step 4 of 4."))
    #expect(outcome.output.hasSuffix("0 passed, 2 failed\n"), "\(outcome.output)")
    #expect(
      !outcome.output.contains("FAILED 2/4"), "an answer that was never recorded is not held against it")
  }

  @Test(
    "--into . in a folder where nothing has happened yet sets nothing aside; the document is the lesson's own"
  )
  func intoEmpty() throws {
    let front = try lesson()
    try front.run("datasets", "--help")
    for _ in 0..<2 {
      let outcome = try front.run("replay", "lessons/short.md", "--until", "2", "--into", ".")
      #expect(outcome.output.contains("0 passed, 2 failed"), "\(outcome.output)\(outcome.error)")
      #expect(!outcome.output.contains("set aside"), "\(outcome.output)")
      let document = try front.read(".fettle/session.md")
      #expect(
        document.contains("seed: 7\n") && document.components(separatedBy: "fettle> ").count == 3,
        "\(document)")
      #expect(try front.run("replay", ".fettle/session.md").status == 0)
      try front.run("reset", "--yes")
      try FileManager.default.removeItem(at: front.folder.appending(path: ".fettle"))
    }
  }

  @Test(
    "--until N --into . catches a learner up, from the shell and from the prompt, and the work goes on there",
    arguments: [true, false])
  func catchingUp(fromPrompt: Bool) throws {
    let front = try lesson()
    try front.run("note", "mine")
    let lines = [
      "replay lessons/short.md --until 3 --into .", "export finetune mine.jsonl", "session save late.md",
    ]
    let outcome =
      fromPrompt
      ? try front.run(lines.flatMap { ["-c", $0] })
      : try front.run("replay", "lessons/short.md", "--until", "3", "--into", ".")
    #expect(outcome.output.contains("is set aside as 1"), "\(outcome.output)\(outcome.error)")
    if fromPrompt {
      // The document's first answer is wrong on purpose, and so the lines behind it did not run.
      #expect(outcome.status == 1)
    }
    for line in lines.dropFirst() { #expect(try front.lines(line).status == 0, "\(line)") }
    #expect(FileManager.default.fileExists(atPath: front.folder.appending(path: "mine.jsonl").path))
    let late = try front.read("late.md")
    #expect(
      late.contains("seed: 7\n") && late.contains("root: .\n") && late.contains("fettle> load letters.csv\n"))
    #expect(try front.run("replay", "late.md").status == 0)
  }
}
