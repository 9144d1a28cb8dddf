import Foundation
import PseudoTerminal
import Testing

/// What a person sees of the line while it is edited.
@Suite("The line on the screen")
struct PromptScreenTests {
  let fixture: PromptFixture

  init() throws { fixture = try PromptFixture() }

  @Test("draws wide characters over several rows, and what is typed before them")
  func wrappedWide() throws {
    let terminal = try fixture.start(columns: 40)
    defer { fixture.remove() }
    let text = String(repeating: "島の船が止まる", count: 7)
    terminal.type("say " + text)
    let rows = [
      "fettle> say " + text.prefix(14), String(text.dropFirst(14).prefix(20)), String(text.dropFirst(34)),
    ]
    try terminal.waitForScreen("three rows") { Array($0.lines[1...3]) == rows && $0.column == 30 }
    // One more column, and the last character of a row no longer fits there.
    terminal.type("\u{1}X")
    let moved = [
      "fettle> Xsay " + text.prefix(13), String(text.dropFirst(13).prefix(20)), String(text.dropFirst(33)),
    ]
    try terminal.waitForScreen("all of it moved") {
      Array($0.lines[1...3]) == moved && ($0.row, $0.column) == (1, 9)
    }
    terminal.type("\u{7F}\u{5}\u{1B}[D\u{7F}")
    try terminal.waitForScreen("two rows and a bit") {
      Array($0.lines[1...2]) == Array(rows[..<2])
        && $0.lines[3] == String(text.dropFirst(34).dropLast(2)) + "る"
    }
    try terminal.type("", untilAnswer: "said <\(text.dropLast(2))る>")
  }

  @Test(
    "passes and deletes what a person takes for a character",
    arguments: ["e\u{301}", "❤️", "👨‍👩‍👧", "🇩🇪", "👍🏽", "京"])
  func clusters(character: String) throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("say a\(character)\(character)b")
    try terminal.waitForScreen("the line") { $0.cursorLine.hasPrefix("fettle> say a\(character)") }
    terminal.type("\u{1B}[D\u{1B}[D<\u{1B}[C>\u{1B}[D\u{7F}")
    try terminal.type("", untilAnswer: "said <a\(character)<>b>")
    #expect(terminal.screen.lines.contains("fettle> say a\(character)\(character.displayPadding)<>b"))
  }

  @Test(
    "moves and deletes by word and line, however the terminal encodes the keys",
    arguments: [
      ("\u{1B}[1;5D", "say one Xtwo"), ("\u{1B}[1;3D", "say one Xtwo"), ("\u{1B}\u{1B}[D", "say one Xtwo"),
      ("\u{1B}b", "say one Xtwo"), ("\u{1B}Od", "say one Xtwo"), ("\u{1B}[1;2D", "say one twXo"),
      ("\u{1B}[H\u{1B}[1;5C", "sayX one two"), ("\u{1B}OH\u{1B}f", "sayX one two"),
      ("\u{1B}[1~", "Xsay one two"),
      ("\u{1B}[7~", "Xsay one two"), ("\u{1}\u{1B}[4~", "say one twoX"), ("\u{1}\u{1B}OF", "say one twoX"),
      ("\u{1B}b\u{1B}b\u{1B}[3;5~", "say X two"), ("\u{1B}b\u{1B}d", "say one X"), ("\u{17}", "say one X"),
      ("\u{1B}\u{7F}\u{17}\u{19}", "say one twoX"), ("\u{1B}b\u{B}", "say one X"), ("\u{1B}b\u{15}", "Xtwo"),
      ("\u{1B}[H\u{1B}[3~\u{4}", "Xy one two"),
    ])
  func keys(keys: String, line: String) throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("say one two" + keys + "X")
    try terminal.waitForScreen(line) { $0.cursorLine == "fettle> " + line }
  }

  @Test(
    "takes no notice of keys that mean nothing here",
    arguments: [
      "\u{1B}[5~", "\u{1B}[6~", "\u{1B}[2~", "\u{1B}OP", "\u{1B}[15~", "\u{1B}[24;5~", "\u{1B}[[A",
      "\u{1B}[I",
      "\u{1B}[<0;10;10M", "\u{1B}[M !!", "\u{1B}[27;5;9~", "\u{1B}[1;5P", "\u{1B}[?62;c", "\u{1B}x",
      "\u{1B}]11;rgb:0/0/0\u{7}", "\u{1B}]10;rgb:f/f/f\u{1B}\\", "\u{1B}P1$r0m\u{1B}\\",
    ])
  func unknownKeys(key: String) throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("say a" + key + key + "b")
    try terminal.waitForScreen("the letters alone") { $0.cursorLine == "fettle> say ab" }
    try terminal.type("", untilAnswer: "said <ab>")
  }

  @Test("loses no key behind an Esc that was pressed alone")
  func loneEscape() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("say one")
    for (key, line) in [("\u{1B}[D", "say on|e"), ("\u{1B}[15~", "say on||e"), ("\u{1B}[1;5D", "say |on||e")]
    {
      terminal.type("\u{1B}")
      // Longer than the bytes of one key are apart.
      Thread.sleep(forTimeInterval: 0.2)
      terminal.type(key + "|")
      try terminal.waitForScreen(line) { $0.cursorLine == "fettle> " + line }
    }
    for _ in 0..<3 {
      terminal.type("\u{1B}")
      Thread.sleep(forTimeInterval: 0.2)
    }
    terminal.type("\n")
    try terminal.wait(for: "said <|on||e>")
    terminal.type("say two\u{1B}")
    Thread.sleep(forTimeInterval: 0.2)
    terminal.type("\u{1B}")
    Thread.sleep(forTimeInterval: 0.2)
    terminal.type("\n")
    try terminal.wait(for: "said <two>")
  }

  @Test(
    "suggests in grey how a line went on before; the right arrow takes it, Ctrl-Right a word, Enter nothing")
  func suggestion() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    try terminal.type("say ferry strike ends", untilAnswer: "said <ferry strike ends>")
    terminal.type("say f")
    try terminal.waitForScreen("the rest in grey") {
      $0.cursorLine == "fettle> say ferry strike ends" && $0.text(styled: "2") == "erry strike ends"
        && $0.column == 13
    }
    terminal.type("\n")
    try terminal.wait(for: "said <f>")
    terminal.type("say fe\u{1B}[1;5C")
    try terminal.waitForScreen("a word of it") { $0.text(styled: "2") == " strike ends" && $0.column == 17 }
    terminal.type("\u{1B}[C\n")
    try terminal.wait(for: "said <ferry strike ends>")
    #expect(!terminal.screen.lines.contains { $0.hasPrefix("fettle> say f ") })
  }

  @Test("suggests nothing where grey cannot be told from black")
  func noSuggestion() throws {
    let terminal = try fixture.start(environment: ["NO_COLOR": "1"])
    defer { fixture.remove() }
    try terminal.type("say ferry", untilAnswer: "said <ferry>")
    terminal.type("say f")
    try terminal.waitForScreen("what was typed alone") { $0.cursorLine == "fettle> say f" }
  }

  @Test("finds with Up what begins as the line does, and comes back with Down")
  func prefixSearch() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    for word in ["ferry", "match", "film"] { try terminal.type("say \(word)", untilAnswer: "said <\(word)>") }
    terminal.type("say f")
    for (key, line) in [
      ("\u{1B}[A", "say film"), ("\u{1B}[A", "say ferry"), ("\u{1B}[A", "say ferry"),
      ("\u{1B}[B", "say film"),
    ] {
      terminal.type(key)
      try terminal.waitForScreen(line) { $0.cursorLine == "fettle> " + line && $0.column == 8 + line.count }
    }
    terminal.type("\u{1B}[B")
    try terminal.waitForScreen("what was typed") { $0.column == 13 && $0.text(styled: "2") == "ilm" }
  }

  @Test("takes changes back one after the other with Ctrl-_")
  func undo() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("say one")
    try terminal.waitForScreen("a word") { $0.cursorLine == "fettle> say one" }
    terminal.type(" two")
    try terminal.waitForScreen("two words") { $0.cursorLine == "fettle> say one two" }
    terminal.type("\u{15}")
    try terminal.waitForScreen("nothing") { $0.cursorLine == "fettle>" }
    for line in ["say one two", "say one"] {
      terminal.type("\u{1F}")
      try terminal.waitForScreen(line) { $0.cursorLine == "fettle> " + line }
    }
  }

  @Test("opens the line in $EDITOR at Ctrl-X Ctrl-E and takes what was saved")
  func editor() throws {
    let editor = fixture.folder.appendingPathComponent("editor")
    // Run by sh: a script just written is "busy" to exec where a test beside this one forked while it was open.
    try "stty -a | grep -o -w -e '-*icanon'\nsed -i 's/half/whole/; 1a say again' \"$2\"\n".write(
      to: editor, atomically: true, encoding: .utf8)
    let terminal = try fixture.start(environment: ["VISUAL": "", "EDITOR": "sh \(editor.path) --wait"])
    defer { fixture.remove() }
    terminal.type("say half\u{18}\u{5}")
    try terminal.waitForScreen("what was saved") {
      $0.text.hasSuffix("\nicanon\nfettle> say whole\nsay again")
    }
    terminal.type("\n")
    try terminal.wait(for: "said <whole>\r\nsaid <again>")
  }

  @Test("keeps the line where the editor fails")
  func editorFails() throws {
    let terminal = try fixture.start(environment: ["VISUAL": "false"])
    defer { fixture.remove() }
    terminal.type("say half\u{18}\u{5}")
    try terminal.wait(for: "\u{7}")
    try terminal.type(" and all", untilAnswer: "said <half and all>")
  }

  @Test("shows of a text that is higher than the window what is around the cursor, and all of it in the end")
  func tall() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    let lines = (1...60).map { "say line \($0)" }
    terminal.type("\u{1B}[200~" + lines.joined(separator: "\r") + "\u{1B}[201~")
    try terminal.waitForScreen("its end") { $0.cursorLine == "say line 60" && $0.lines[0] == "say line 37" }
    terminal.type("\u{1B}[1;5H")
    try terminal.waitForScreen("its start") { $0.lines[0] == "fettle> say line 1" && $0.row == 0 }
    terminal.type("\n")
    try terminal.wait(for: "said <line 60>")
    try terminal.waitForScreen("the prompt again") { $0.cursorLine == "fettle>" }
    #expect(terminal.screen.history.contains("fettle> " + lines.joined(separator: "\n") + "\nsaid <line 1>"))
  }

  @Test("goes up and down in a text of several lines before it goes through the history")
  func lines() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    try terminal.type("say zero", untilAnswer: "said <zero>")
    terminal.type("\u{1B}[200~say one\rsay two\u{1B}[201~\u{1B}[AX\u{1B}[BY")
    try terminal.waitForScreen("both changed") { $0.text.hasSuffix("fettle> say oneX\nsay twoY") }
  }

  @Test("begins a row of its own behind a full one, and leaves none empty")
  func fullRow() throws {
    let terminal = try fixture.start(columns: 40)
    defer { fixture.remove() }
    let text = String(repeating: "x", count: 28)
    terminal.type("say " + text)
    try terminal.waitForScreen("the cursor in the next row") { ($0.row, $0.column) == (2, 0) }
    terminal.type("\n")
    try terminal.wait(for: "said <\(text)>")
    #expect(terminal.screen.lines[1...2] == ["fettle> say " + text, "said <\(text)>"])
  }
}

extension String {
  /// The column that a terminal leaves free which gives a heart with the emoji selector one of its two.
  fileprivate var displayPadding: String { self == "❤️" ? " " : "" }
}
