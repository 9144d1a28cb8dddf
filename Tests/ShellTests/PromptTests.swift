import Foundation
import PseudoTerminal
import Testing

@Suite("The prompt on a terminal")
struct PromptTests {
  let fixture: PromptFixture

  init() throws { fixture = try PromptFixture() }

  @Test("runs what is typed, and leaves at Ctrl-D with the terminal as it was")
  func plain() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    try terminal.type("say hello", untilAnswer: "said <hello>\r\n")
    terminal.type("\u{4}")
    try terminal.wait(for: "left")
    #expect(try terminal.waitForExit() == 0)
    #expect(terminal.localModes & UInt32(ICANON | ECHO | ISIG) == UInt32(ICANON | ECHO | ISIG))
  }

  @Test("names the nearest command for a mistyped one, with a caret")
  func typingError() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    try terminal.type("syy hello", untilAnswer: "There is no syy. Did you mean say?")
    #expect(terminal.screen.text.contains("  syy hello\n  ^\n"))
  }

  @Test("goes on after an open quote, and says what is open")
  func continuation() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("say \"one\n")
    try terminal.waitForScreen("the continuation") { screen in
      screen.cursorLine.hasPrefix("     >") && screen.cursorLine.hasSuffix("a double quote is open")
    }
    try terminal.type("two\"", untilAnswer: "said <one\r\ntwo>")
  }

  @Test("drops an open command at Ctrl-C and at Ctrl-D, and stays", arguments: ["\u{3}", "\u{4}"])
  func dropped(key: String) throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("say \"one\n")
    try terminal.waitForScreen("the continuation") { $0.cursorLine.hasPrefix("     >") }
    terminal.type(key)
    try terminal.waitForScreen("a fresh prompt") { $0.cursorLine == "fettle>" }
    try terminal.type("say two", untilAnswer: "said <two>\r\n")
  }

  @Test("clears half a line at Ctrl-C")
  func interruptedLine() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("say half")
    try terminal.waitForScreen("the half line") { $0.cursorLine == "fettle> say half" }
    terminal.type("\u{3}")
    try terminal.waitForScreen("a fresh prompt") {
      $0.text.hasSuffix("fettle> say half^C\nfettle>")
    }
    try terminal.type("say whole", untilAnswer: "said <whole>\r\n")
    #expect(!terminal.screen.text.contains("said <half"))
  }

  @Test("stops a running command at Ctrl-C, and stays")
  func interruptedCommand() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("work 600\n")
    try terminal.wait(for: "working")
    terminal.type("\u{3}")
    try terminal.wait(for: "cancelled\r\n")
    try terminal.waitForScreen("the prompt again") { $0.cursorLine == "fettle>" }
    #expect(!terminal.screen.text.contains("tenths"), "the progress line is erased")
    try terminal.type("modes", untilAnswer: "no-echo no-line signals")
  }

  @Test("says that it is stopping at a second Ctrl-C")
  func impatience() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("deaf 20\n")
    try terminal.wait(for: "deaf 20\r\n")
    #expect(terminal.wait { terminal.localModes & UInt32(ECHO | ISIG | ICANON) == UInt32(ISIG) })
    // Two at one moment are one to the kernel, so press until it is heard.
    for _ in 0..<10 where !terminal.screen.text.contains("Stopping") {
      terminal.type("\u{3}")
      _ = terminal.wait(seconds: 0.2) { false }
    }
    try terminal.wait(for: "Stopping")
    try terminal.wait(for: "deaf but cancelled")
  }

  @Test("runs ten lines that are pasted while a command runs, in order, and none is lost")
  func typedAhead() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("work 10\n")
    try terminal.wait(for: "working")
    let before = terminal.output.count
    terminal.type((1...10).map { "say line \($0) with Ärger & 東京\n" }.joined())
    try terminal.wait(for: "worked\r\n")
    let whileRunning = String(decoding: terminal.output[before...], as: UTF8.self)
    #expect(!whileRunning.prefix { $0 != "w" }.contains("line 1"), "nothing is echoed meanwhile")
    for number in 1...10 { try terminal.wait(for: "said <line \(number) with Ärger & 東京>") }
  }

  @Test("takes a line of 20,000 characters")
  func longLine() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("work 5\n")
    try terminal.wait(for: "work 5\r\n")
    terminal.type("length " + String(repeating: "0123456789", count: 2_000) + "\n")
    try terminal.wait(for: "length 20000\r\n", seconds: 120)
  }

  @Test("shows a bracketed paste of several lines and runs it at Enter")
  func bracketedPaste() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("\u{1B}[200~say one\rsay two\r\u{1B}[201~")
    try terminal.waitForScreen("both lines") { $0.text.contains("say one\nsay two") }
    #expect(!terminal.screen.text.contains("said"))
    terminal.type("\n")
    try terminal.wait(for: "said <one>\r\n")
    try terminal.wait(for: "said <two>\r\n")
  }

  @Test("runs only the commands of a pasted session")
  func pastedSession() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    let session = "fettle> say one\nsaid <one>\nfettle> say \"two\n     > three\"\nrm -r everything\n"
    terminal.type("\u{1B}[200~\(session)\u{1B}[201~\n")
    try terminal.wait(for: "said <one>\r\nsaid <two\r\nthree>\r\n")
    try terminal.waitForScreen("the prompt again") { $0.cursorLine == "fettle>" }
    #expect(!terminal.screen.text.contains("There is no"))
  }

  @Test("asks for bracketed pastes only while a line is edited")
  func bracketsOff() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("work 5\n")
    try terminal.wait(for: "\u{1B}[?2004l")
    try terminal.wait(for: "worked")
    try terminal.wait(for: "\u{1B}[?2004h")
  }

  @Test("keeps a half-typed line when the window is resized")
  func resized() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("say one two")
    try terminal.waitForScreen("the line") { $0.cursorLine == "fettle> say one two" }
    terminal.resize(columns: 40, rows: 10)
    terminal.type(" three")
    try terminal.waitForScreen("the whole line") { $0.text.contains("fettle> say one two three") }
    terminal.type("\n")
    try terminal.wait(for: "said <one two three>")
  }

  @Test("puts news above a half-typed line")
  func announcement() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("announce\nsay half")
    try terminal.waitForScreen("the news and the line") {
      $0.text.hasSuffix("news\nfettle> say half")
    }
    try terminal.type(" done", untilAnswer: "said <half done>")
  }

  @Test("stops at Ctrl-Z with the terminal in order, and goes on where it was", arguments: [true, false])
  func suspended(whileRunning: Bool) throws {
    let terminal = try PseudoTerminal(
      "/bin/bash", ["--norc", "--noprofile", "-i"], environment: ["PS1": "job$ "])
    defer { fixture.remove() }
    try terminal.wait(for: "job$ ")
    terminal.type("\(PromptFixture.executable) \(fixture.history.path)\n")
    try terminal.waitForScreen("the first prompt") { $0.cursorLine == "fettle>" }
    terminal.type(whileRunning ? "work 30\n" : "say half")
    try terminal.waitForScreen("what goes on") { $0.text.contains(whileRunning ? "working" : "say half") }
    terminal.type("\u{1A}")
    try terminal.wait(for: "Stopped")
    terminal.type("stty -a | grep -o -w -e '-*echo' -e '-*icanon'\n")
    try terminal.wait(for: "icanon\r\necho\r\n")
    terminal.type("fg\n")
    if whileRunning {
      try terminal.wait(for: "worked")
      try terminal.type("modes", untilAnswer: "no-echo no-line signals")
    } else {
      try terminal.waitForScreen("the half line") { $0.cursorLine == "fettle> say half" }
      try terminal.type(" done", untilAnswer: "said <half done>")
    }
  }

  @Test("leaves when its terminal is closed or it is asked to end", arguments: [SIGHUP, SIGTERM])
  func ended(signal: Int32) throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("say half")
    try terminal.waitForScreen("the line") { $0.cursorLine == "fettle> say half" }
    terminal.signal(signal)
    try terminal.wait(for: "left")
    #expect(try terminal.waitForExit() == 0)
    #expect(terminal.localModes & UInt32(ICANON | ECHO) == UInt32(ICANON | ECHO))
  }

  @Test(
    "is gone when its window is closed, at once or with its command", arguments: ["say half", "work 600\n"])
  func hungUp(keys: String) throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type(keys)
    try terminal.waitForScreen("the keys") { $0.text.contains(keys == "say half" ? keys : "working") }
    terminal.hangUp()
    #expect(try terminal.waitForExit() == 0)
  }

  @Test("cancels a running command and leaves when it is asked to end")
  func endedWhileRunning() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("work 600\n")
    try terminal.wait(for: "working")
    terminal.signal(SIGTERM)
    try terminal.wait(for: "cancelled")
    #expect(try terminal.waitForExit() == 0)
  }

  @Test(
    "leaves the terminal in order even when it dies", arguments: ["trap\n", "exit\n", "work 600\n\u{1C}"])
  func crashed(keys: String) throws {
    let terminal = try fixture.start(environment: ["SWIFT_BACKTRACE": "enable=no"])
    defer { fixture.remove() }
    terminal.type(String(keys.prefix { $0 != "\u{1C}" }))
    if keys.contains("\u{1C}") {
      try terminal.wait(for: "working")
      terminal.type("\u{1C}")
    }
    #expect(try terminal.waitForExit() != 0)
    #expect(terminal.localModes & UInt32(ICANON | ECHO) == UInt32(ICANON | ECHO))
  }
}
