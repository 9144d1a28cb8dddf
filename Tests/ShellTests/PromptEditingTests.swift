import Foundation
import PseudoTerminal
import Testing

@Suite("Editing at the prompt")
struct PromptEditingTests {
  let fixture: PromptFixture

  init() throws { fixture = try PromptFixture() }

  @Test("takes Unicode in and gives it out, also under LC_ALL=C", arguments: ["C.UTF-8", "C", ""])
  func unicode(locale: String) throws {
    let terminal = try fixture.start(environment: ["LC_ALL": locale, "LANG": ""])
    defer { fixture.remove() }
    try terminal.type("say Grüße, 東京! ’90s ☕", untilAnswer: "said <Grüße, 東京! ’90s ☕>\r\n")
  }

  @Test("erases a wide character whole")
  func wideErased() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("say 東京")
    try terminal.waitForScreen("the line") { $0.cursorLine == "fettle> say 東京" }
    terminal.type("\u{7F}西")
    try terminal.waitForScreen("the other city") { $0.cursorLine == "fettle> say 東西" }
    try terminal.type("", untilAnswer: "said <東西>")
  }

  @Test("works without a single escape code on a dumb terminal")
  func dumb() throws {
    let terminal = try fixture.start(environment: ["TERM": "dumb"])
    defer { fixture.remove() }
    terminal.type("say hello\n")
    try terminal.wait(for: "said <hello>")
    terminal.type("say \"open\n")
    try terminal.wait(for: "a double quote is open")
    terminal.type("\u{3}")
    terminal.type("work 6\n")
    try terminal.wait(for: "worked")
    terminal.type("\u{4}")
    try terminal.wait(for: "left")
    #expect(!terminal.output.contains(0x1B))
  }

  @Test("finds an earlier line with Ctrl-R")
  func search() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    try terminal.type("say ferry strike", untilAnswer: "said <ferry strike>")
    try terminal.type("say other", untilAnswer: "said <other>")
    terminal.type("\u{12}ferr")
    try terminal.waitForScreen("the found line") { $0.text.contains("bck:ferr") }
    terminal.type("\n")
    try terminal.wait(for: "said <ferry strike>")
    // An arrow ends the search and moves in the line that it found.
    terminal.type("\u{12}other\u{1B}[C\u{1B}[Ct")
    try terminal.type("", untilAnswer: "said <otther>")
    // So does Esc, which takes nothing from the key behind it.
    terminal.type("\u{12}strike")
    try terminal.waitForScreen("the found line") { $0.text.contains("bck:strike") }
    terminal.type("\u{1B}")
    Thread.sleep(forTimeInterval: 0.2)
    terminal.type("\u{1B}[F!")
    try terminal.waitForScreen("the line with more") { $0.cursorLine == "fettle> say ferry strike!" }
  }

  @Test("keeps its history across sessions, each line once, for the user alone")
  func history() throws {
    defer { fixture.remove() }
    do {
      let terminal = try fixture.start()
      try terminal.type("say first", untilAnswer: "said <first>")
      try terminal.type("say second", untilAnswer: "said <second>")
      try terminal.type("say first", untilAnswer: "said <first>")
      try terminal.type(" say secret", untilAnswer: "said <secret>")
      terminal.type("\u{4}")
      _ = try terminal.waitForExit()
    }
    let terminal = try fixture.start()
    // Up once: the newest; twice: the one before, since nothing stands there twice.
    terminal.type("\u{1B}[A")
    try terminal.waitForScreen("the newest") { $0.cursorLine == "fettle> say first" }
    terminal.type("\u{1B}[A")
    try terminal.waitForScreen("the one before") { $0.cursorLine == "fettle> say second" }
    let text = try String(contentsOf: fixture.history, encoding: .utf8)
    #expect(!text.contains("secret"))
    let attributes = try FileManager.default.attributesOfItem(atPath: fixture.history.path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
  }

  @Test("shares its history with a shell beside it, and neither loses a line")
  func sharedHistory() throws {
    defer { fixture.remove() }
    let one = try fixture.start()
    let other = try fixture.start()
    try one.type("say one", untilAnswer: "said <one>")
    try other.type("say two", untilAnswer: "said <two>")
    try one.type("say three", untilAnswer: "said <three>")
    let text = try String(contentsOf: fixture.history, encoding: .utf8)
    #expect(text == "say one\nsay two\nsay three\n")
  }

  @Test("calls a command of several lines back whole")
  func multilineHistory() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("say \"one\n")
    try terminal.waitForScreen("the continuation") { $0.cursorLine.hasPrefix("     >") }
    try terminal.type("two\"", untilAnswer: "said <one\r\ntwo>")
    try terminal.type("say other", untilAnswer: "said <other>")
    terminal.type("\u{1B}[A\u{1B}[A")
    try terminal.waitForScreen("both lines") { $0.text.hasSuffix("fettle> say \"one\ntwo\"") }
    terminal.type("\n")
    try terminal.wait(for: "said <one\r\ntwo>")
  }

  @Test("completes a word at Tab, with a blank behind it")
  func completed() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("le\t")
    try terminal.waitForScreen("the whole word") { $0.cursorLine == "fettle> length" }
    terminal.type("1234\n")
    try terminal.wait(for: "length 4\r\n")
    terminal.type("wö\t")
    try terminal.waitForScreen("the word with an umlaut") { $0.cursorLine == "fettle> wörter" }
  }

  @Test("lists what several words could be, and keeps the line")
  func listed() throws {
    let terminal = try fixture.start()
    defer { fixture.remove() }
    terminal.type("q\t")
    try terminal.waitForScreen("as far as both agree") { $0.cursorLine == "fettle> qu" }
    terminal.type("\t")
    try terminal.waitForScreen("both words") { $0.text.hasSuffix("quit   quest\nfettle> qu") }
    terminal.type("i\t\n")
    try terminal.wait(for: "left")
  }

  @Test("reads the user's .editrc, and keeps Tab and pastes whatever it binds")
  func editrc() throws {
    defer { fixture.remove() }
    try "bind -e\nbind ^G ed-move-to-beg\n".write(
      to: fixture.folder.appendingPathComponent(".editrc"), atomically: true, encoding: .utf8)
    let terminal = try fixture.start(environment: ["HOME": fixture.folder.path])
    terminal.type("hello\u{7}say ")
    try terminal.waitForScreen("what Ctrl-G did") { $0.cursorLine == "fettle> say hello" }
    terminal.type("\u{3}")
    try terminal.waitForScreen("a fresh prompt") { $0.cursorLine == "fettle>" }
    terminal.type("le\t")
    try terminal.waitForScreen("the whole word") { $0.cursorLine == "fettle> length" }
    terminal.type("\u{1B}[200~1\r2\u{1B}[201~")
    try terminal.waitForScreen("the paste") { $0.text.hasSuffix("fettle> length 1\n2") }
  }
}
