import Foundation
import PseudoTerminal
import Testing

/// Labels that people give: at the keyboard, one by one, and from another reader's file.
@Suite struct LabellingTests {
  /// Five texts of three categories, the last in a wide script without blanks.
  private func front() throws -> Front {
    let front = try Front()
    let wide = String(repeating: "新聞記事", count: 30)
    try front.write(
      "id,text\na1,news of the day\na2,z y x\na3,news of the z\na4,a b c\na5,\(wide)\n", to: "five.csv")
    try front.lines("load five.csv", #"interface define "World, Sports, Arts""#)
    return front
  }

  private func labels(_ front: Front) throws -> [String] {
    try front.read(".fettle/session.md").split(separator: "\n").map(String.init).filter {
      $0.hasPrefix("fettle> label ")
    }
  }

  @Test(
    "Keys label, skip, go back and undo; the document has the plain commands, in one fence, and replays",
    arguments: [("xterm", 80), ("dumb", 80), ("xterm", 200)])
  func keys(term: String, columns: Int) throws {
    let front = try front()
    let terminal = try front.prompt(columns: columns, term: term)
    terminal.type("label --author ana\n")
    try terminal.wait(for: "0 labelled by ana, 5 left")
    try terminal.wait(for: "1 World")
    terminal.type("1")  // a1 World
    try terminal.wait(for: "1 labelled by ana, 4 left")
    terminal.type("s")  // a2 skipped
    try terminal.wait(for: "news of the z")
    terminal.type("2")  // a3 Sports
    try terminal.wait(for: "a b c")
    terminal.type("b")  // back to a3, which shows its label
    try terminal.wait(for: "now: Sports")
    terminal.type("3")  // a3 Arts
    try terminal.wait(for: "a4")
    terminal.type("4")  // UNABLE TO CLASSIFY
    try terminal.wait(for: "a5 ")
    terminal.type("u")  // a4 has none again
    try terminal.wait(for: "undone")
    terminal.type("~")
    try terminal.wait(for: "~ means nothing here")
    terminal.type("2")  // a4 Sports
    try terminal.wait(for: "3 labelled by ana, 2 left")
    terminal.type("q")
    try terminal.wait(for: "3 of 5 assets of five labelled by ana, 2 left.")
    try terminal.waitForPrompt()
    terminal.type("\u{4}")
    #expect(try terminal.waitForExit() == 0)
    #expect(
      try labels(front) == [
        "fettle> label set a1 WORLD --author ana", "fettle> label set a3 SPORTS --author ana",
        "fettle> label set a3 ARTS --author ana", "fettle> label set a4 UNABLE_TO_CLASSIFY --author ana",
        "fettle> label remove a4 --author ana", "fettle> label set a4 SPORTS --author ana",
      ])
    let document = try front.read(".fettle/session.md")
    #expect(document.components(separatedBy: "```fettle\nfettle> label").count == 2, "one fence")
    #expect(try front.run("session", "show").output == document)
    let replay = try front.run("replay", ".fettle/session.md")
    #expect(replay.status == 0, "\(replay.output)")
  }

  @Test("Goes on with what this author has not labelled; another author has all before them")
  func resume() throws {
    let front = try front()
    try front.lines("label set a1 WORLD", "label set a2 WORLD")
    let terminal = try front.prompt()
    terminal.type("label\n")
    try terminal.wait(for: "a3   2 labelled by me, 3 left")
    terminal.type("\u{3}")  // Ctrl-C leaves like q
    try terminal.wait(for: "2 of 5 assets")
    try terminal.waitForPrompt()
    terminal.type("label --author ben\n")
    try terminal.wait(for: "a1   0 labelled by ben, 5 left")
    terminal.type("\u{4}")
    try terminal.wait(for: "0 of 5 assets")
    try terminal.waitForPrompt()
    terminal.type("label\n")
    try terminal.wait(for: "a3   2 labelled")
    terminal.type("111")
    try terminal.wait(for: "That was the last text.")
    terminal.type("q")
    try terminal.wait(for: "5 of 5 assets of five labelled by me, none left.")
    try terminal.waitForPrompt()
  }

  @Test("kill -9 between two labels loses none, and the document has them at the next start")
  func killed() throws {
    let front = try front()
    let terminal = try front.prompt()
    terminal.type("label\n")
    try terminal.wait(for: "0 labelled")
    terminal.type("1")
    try terminal.wait(for: "1 labelled")
    terminal.type("2")
    try terminal.wait(for: "2 labelled")
    terminal.signal(SIGKILL)
    _ = try terminal.waitForExit()
    let status = try front.run("status")
    #expect(status.output.contains("2 by me"), "\(status.output)")
    #expect(try labels(front) == ["fettle> label set a1 WORLD", "fettle> label set a2 SPORTS"])
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
  }

  @Test(
    "The suggestion comes when it is asked for; wide text is broken at the window's edge, after a resize too")
  func suggestionAndResize() throws {
    let front = try front()
    let terminal = try front.prompt()
    try front.lines("label set a1 WORLD", "label set a2 SPORTS", "label set a3 ARTS", "label set a4 ARTS")
    terminal.type("label\n")
    try terminal.wait(for: "a5 ")
    #expect(!terminal.screen.text.contains("suggests"))
    terminal.type("m")
    try terminal.wait(for: "base suggests ")
    try terminal.waitForScreen("39 wide characters a line") {
      $0.text.contains("\n  " + String(repeating: "新聞記事", count: 9) + "新聞記\n")
    }
    terminal.resize(columns: 44, rows: 40)
    try terminal.waitForScreen("21 wide characters a line") {
      $0.text.contains("\n  " + String(repeating: "新聞記事", count: 5) + "新\n")
    }
    terminal.type("3")
    try terminal.wait(for: "That was the last text.")
    terminal.type("\n")
    try terminal.wait(for: "5 of 5 assets")
  }

  @Test("The last text can be undone too, and be looked at again")
  func lastText() throws {
    let front = try front()
    try front.lines("label set a1 WORLD", "label set a2 SPORTS", "label set a3 ARTS", "label set a4 ARTS")
    let terminal = try front.prompt()
    terminal.type("label\n")
    try terminal.wait(for: "a5 ")
    terminal.type("1")
    try terminal.waitForScreen("the end") {
      $0.text.contains("5 labelled by me, none left\n\n  That was the last text.\n\n  u undo")
    }
    terminal.type("2")  // there is nothing to label
    try terminal.wait(for: "2 means nothing here")
    terminal.type("b")
    try terminal.waitForScreen("the label it has") { $0.text.contains("now: World") }
    terminal.type("s")
    try terminal.wait(for: "That was the last text.")
    terminal.type("u")
    try terminal.waitForScreen("the last text again") { $0.text.contains("a5   4 labelled by me, 1 left") }
    terminal.type("3q")
    try terminal.wait(for: "5 of 5 assets")
    try terminal.waitForPrompt()
    #expect(
      try labels(front).suffix(3) == [
        "fettle> label set a5 WORLD", "fettle> label remove a5", "fettle> label set a5 ARTS",
      ])
  }

  @Test("A long text scrolls in a small window, its line breaks are line breaks, and ? shows the keys")
  func longText() throws {
    let front = try Front(tiny: false)
    let lines = (1...30).map { "line \($0)" }.joined(separator: "\n")
    try front.write("id,text\nb1,\"\(lines)\"\nb2,short\n", to: "long.csv")
    try front.lines("load long.csv", #"interface define "World, Sports""#)
    var environment = front.environment
    environment["TERM"] = "xterm"
    let terminal = try PseudoTerminal(
      Front.program.path, ["label"], environment: environment, columns: 60, rows: 16,
      directory: front.folder.path)
    func waitForLines(_ first: Int, _ last: Int) throws {
      try terminal.waitForScreen("lines \(first) to \(last)") {
        $0.text.contains("  line \(first)\n")
          && $0.text.contains("  line \(last)\n  lines \(first) to \(last) of 30;")
          && $0.lines[0].hasPrefix("b1   0 labelled") && !$0.text.contains("  line \(first - 1)\n")
      }
    }
    try waitForLines(1, 7)
    terminal.type("\u{1B}[B")  // down
    try waitForLines(2, 8)
    terminal.type("\u{1B}[6~")  // a page
    try waitForLines(9, 15)
    terminal.type("   ")
    try waitForLines(24, 30)
    terminal.type("\u{1B}[5~\u{1B}[A")
    try waitForLines(16, 22)
    terminal.type("?")
    try terminal.waitForScreen("the keys") { $0.text.contains("m: what the model suggests") }
    terminal.type("?2")
    try terminal.wait(for: "b1  Sports  line 1")
    try terminal.waitForScreen("the short text") {
      $0.text.contains("b2   1 labelled by me, 1 left\n\n  short\n\n  1 World")
    }
    terminal.type("q")
    #expect(try terminal.waitForExit() == 0)
  }

  @Test("More than nine categories have letters for keys")
  func letters() throws {
    let front = try front()
    try front.lines(#"interface define "A, B, C, D, E, F, G, H, I, J, K, L""#)
    let terminal = try front.prompt()
    terminal.type("label\n")
    try terminal.wait(for: "d L")
    terminal.type("d")
    try terminal.wait(for: "1 labelled")
    terminal.type("q")
    try terminal.waitForPrompt()
    #expect(try labels(front) == ["fettle> label set a1 L"])
  }

  @Test("From the Unix shell too; the terminal is as it was afterwards")
  func oneShot() throws {
    let front = try front()
    let terminal = try front.prompt(["label"])
    try terminal.wait(for: "0 labelled")
    terminal.type("1q")
    #expect(try terminal.waitForExit() == 0)
    #expect(terminal.localModes & UInt32(ICANON | ECHO) == UInt32(ICANON | ECHO))
    #expect(try labels(front) == ["fettle> label set a1 WORLD"])
  }

  @Test("Without a terminal it says what to use instead, and is not recorded")
  func noTerminal() throws {
    let front = try front()
    try front.write("label\n", to: "script.fettle")
    let before = try front.read(".fettle/session.md")
    for outcome in [
      try front.run("label"), try front.run([], input: "label\n"), try front.run("run", "script.fettle"),
    ] {
      #expect(outcome.status == 2)
      #expect(outcome.error.contains("typed at a"), "\(outcome.error)")
    }
    #expect(try front.read(".fettle/session.md") == before)
  }

  @Test("label set and remove name the nearest asset and category")
  func plain() throws {
    let front = try front()
    #expect(try front.run("label", "set", "a9", "WORLD").error.contains("Did you mean a"))
    #expect(try front.run("label", "set", "a1", "Wrld").error.contains("Did you mean World?"))
    #expect(try front.run("label", "remove", "a1").error.contains("me has not labelled a1"))
    #expect(try front.run("label", "set", "a1", "unable", "to", "classify").status == 0)
    #expect(try front.run("label", "remove", "a1").output == "a1: no label (me, 0 of 5)\n")
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
  }

  @Test("label import: by id, by text, by JSON lines; strangers and bad rows are counted")
  func importing() throws {
    let front = try front()
    try front.write("id;label;author\na1;Sports;zoe\na2;World;zoe\nx9;World;zoe\na3;;zoe\n", to: "ids.csv")
    let byID = try front.run("label", "import", "ids.csv")
    #expect(byID.status == 0, "\(byID.error)")
    #expect(byID.output.contains("zoe labelled 2 assets of five (sha256 "), "\(byID.output)")
    #expect(byID.output.contains("1 row without an asset in five, left out: x9."))
    #expect(byID.output.contains("Left out 1 bad row:"))
    try front.write("news of the day|SPORTS\nz y x|ARTS\n", to: "texts.txt")
    #expect(
      try front.run("label", "import", "texts.txt", "--author", "yan").output.contains(
        "yan labelled 2 assets"))
    try front.write("{\"text\": \" a b c \", \"category\": \"Arts\"}\n", to: "third.jsonl")
    #expect(try front.run("label", "import", "third.jsonl").output.contains("third labelled 1 asset of five"))
    try front.write(
      "{\"id\": \"a2\", \"category\": \"Arts\"}\n{\"id\": \"a2\", \"category\": \"Sports\"}\n",
      to: "ids.jsonl")
    let ids = try front.run("label", "import", "ids.jsonl").output
    #expect(ids.contains("ids labelled 1 asset of five"), "\(ids)")
    #expect(ids.contains("1 asset of the file has rows that differ; the last one counts."), "\(ids)")
    // kpi --honeypot file means the data file's own categories.
    #expect(try front.run("label", "import", "ids.jsonl", "--author", "file").status == 2)
    #expect(try front.run("status").output.contains("2 by zoe, 2 by yan, 1 by third"))
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
  }

  @Test("label import takes nothing where a category is not in the interface, or no row matches")
  func refusedImport() throws {
    let front = try front()
    try front.write("id,category\na1,Sports\na2,Sprots\n", to: "wrong.csv")
    let wrong = try front.run("label", "import", "wrong.csv")
    #expect(wrong.status == 1)
    #expect(wrong.error.contains("Sprots (1 row, nearest: Sports)"), "\(wrong.error)")
    try front.write("id,category\nb1,Sports\n", to: "strangers.csv")
    let strangers = try front.run("label", "import", "strangers.csv")
    #expect(strangers.error.contains("None of the 1 row of strangers.csv is about an asset of five"))
    try front.write("a,b\n1,2\n", to: "nothing.csv")
    #expect(try front.run("label", "import", "nothing.csv").error.contains("has no text column among"))
    #expect(try front.run("status").output.contains("labels        of five: none"))
  }
}
