import Foundation
import PseudoTerminal
import Testing

/// What makes the prompt good to work at, each looked at on the screen or in the document.
@Suite struct ConveniencesTests {
  private func workspace() throws -> Front {
    let front = try Front(tiny: false)
    try front.writeLetters()
    try front.lines("load letters.csv", "interface define --from letters")
    return front
  }

  @Test("A line is in colours: verbs, options, quotes, variables, what does not exist")
  func colours() throws {
    let front = try workspace()
    let terminal = try front.prompt()
    terminal.type("label simulate --author \"ana b\" --noies $n x")
    try terminal.waitForScreen("all colours") { screen in
      screen.text(styled: "1").hasSuffix("labelsimulate") && screen.text(styled: "36") == "--author"
        && screen.text(styled: "32") == "\"ana b\"" && screen.text(styled: "31") == "--noies"
        && screen.text(styled: "35") == "$n"
    }
    terminal.type("\u{15}lod x")
    try terminal.waitForScreen("a verb that does not exist") { $0.text(styled: "31") == "lod" }
    terminal.type("\u{15}classify Ferry --strike")
    try terminal.waitForScreen("a text's dashes are none") {
      $0.cursorLine == "fettle> classify Ferry --strike" && $0.text(styled: "31").isEmpty
    }
  }

  @Test("A format as a line's last word gives the answer so, and the document has it drawn")
  func formats() throws {
    let front = try workspace()
    let csv = try front.lines("datasets --csv")
    #expect(csv.lines.first == "data set,assets,categories,labels by,text,current")
    let markdown = try front.lines("datasets --markdown")
    #expect(markdown.lines.contains { $0.hasPrefix("| ---") }, "\(markdown.output)")
    let json = try front.lines("datasets --json")
    #expect(try object(json.lines[0])["verb"] as? String == "datasets")
    #expect(try front.run("datasets", "--json").output == json.output)
    let document = try front.read(".fettle/session.md")
    #expect(document.components(separatedBy: "fettle> datasets\n").count == 5)
    #expect(!document.contains("--csv") && !document.contains("\"verb\""))
    // A failure, too; and what is no format of the verb's is a mistake as ever.
    let failure = try front.lines("kpi --json")
    #expect(try object(failure.lines[0])["error"] != nil)
    #expect(try front.lines("datasets --jsn").status == 2)
    #expect(try front.lines("note see kpi --json").status == 0)
    #expect(try front.read(".fettle/session.md").contains("see kpi --json"))
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
  }

  @Test("Values are quoted as CSV wants it")
  func quotedValues() throws {
    let front = try Front(tiny: false)
    try front.write("id,text,category\n1,one,\"ARTS, \"\"FILM\"\"\"\n2,two,A|B\n", to: "odd.csv")
    try front.lines("load odd.csv", "interface define --from odd")
    #expect(try front.lines("interface show --csv").output.contains(",\"ARTS, \"\"FILM\"\"\"\n"))
    #expect(try front.lines("interface show --markdown").output.contains(" A\\|B |\n"))
    #expect(try front.lines("config --csv").lines == ["name,value", "seed,42", "hints,on", "timer,off"])
    #expect(
      try front.lines("config --markdown").lines == [
        "| name | value |", "| --- | --- |", "| seed | 42 |", "| hints | on |", "| timer | off |",
      ])
  }

  @Test("A long answer stops at a windowful: Space, Enter, q; not where more is typed already")
  func pager() throws {
    let front = try workspace()
    let terminal = try front.prompt()
    terminal.type("help\n")
    let total = try front.lines("help").lines.count
    // A window of 40 rows has them all; so make it lower.
    try terminal.waitForPrompt()
    terminal.resize(columns: 80, rows: 12)
    terminal.type("help\n")
    try terminal.waitForScreen("a windowful") { $0.cursorLine.hasPrefix("-- 11 of \(total) lines") }
    terminal.type("\n")
    try terminal.waitForScreen("a line more") { $0.cursorLine.hasPrefix("-- 12 of \(total) lines") }
    terminal.type(" ")
    try terminal.waitForScreen("a page more") { $0.cursorLine.hasPrefix("-- 23 of \(total) lines") }
    terminal.type("q")
    try terminal.waitForPrompt()
    #expect(!terminal.screen.text.contains("lines; Space"))
    terminal.type("help\nnote all of it\n")
    try terminal.wait(for: "quit")
    try terminal.wait(for: "Noted")
    terminal.type("help\n")
    try terminal.waitForScreen("a windowful again") { $0.cursorLine.hasPrefix("-- 11 of") }
    terminal.type("\u{3}")
    try terminal.waitForPrompt()
  }

  @Test("A line that is higher than the window stops, too; a window made smaller gets no more than it holds")
  func pagerOfLongLines() throws {
    let front = try workspace()
    let terminal = try front.prompt()
    terminal.resize(columns: 40, rows: 12)
    terminal.type("show assets --json\n")
    try terminal.waitForScreen("a windowful") {
      $0.cursorLine.hasPrefix("-- 11 of ") && $0.lines[0].hasPrefix("{") && $0.lines[10].count > 38
    }
    // The screen has no blanks at a row's end.
    let begun = terminal.screen.lines[..<11].joined().filter { $0 != " " }
    #expect(try front.lines("show assets --json").output.filter { $0 != " " }.hasPrefix(begun), "\(begun)")
    terminal.resize(columns: 40, rows: 6)
    terminal.type(" ")
    try terminal.waitForScreen("a smaller one") { $0.cursorLine.hasPrefix("-- 16 of ") }
    terminal.type("q")
    try terminal.waitForPrompt()
  }

  @Test("history lists what was typed, by number and by what it has in it; ? is help; clear clears")
  func historyAndClear() throws {
    let front = try workspace()
    let terminal = try front.prompt()
    terminal.type("status\n")
    try terminal.waitForPrompt()
    terminal.type("datasets\n")
    try terminal.waitForPrompt()
    terminal.type("history\n")
    try terminal.waitForScreen("both lines") { $0.text.contains("\n  1  status\n  2  datasets\nfettle>") }
    terminal.type("history DATAS\n")
    try terminal.waitForScreen("one line") { $0.text.hasSuffix("history DATAS\n  2  datasets\nfettle>") }
    terminal.type("history 1\n")
    try terminal.waitForScreen("the newest") { $0.text.hasSuffix("history 1\n  4  history DATAS\nfettle>") }
    terminal.type("clear\n")
    try terminal.waitForScreen("nothing but the prompt") { $0.text == "fettle>" }
    #expect(try front.run("?").output == front.run("help").output)
    #expect(try front.run("help", "keys").output.contains("Ctrl-_"))
    #expect(try !front.read(".fettle/session.md").contains("history"))
  }

  @Test("config timer on says how long an answer took, and the document never does")
  func timer() throws {
    let front = try workspace()
    let terminal = try front.prompt()
    terminal.type("config timer on\n")
    try terminal.waitForPrompt()
    terminal.type("datasets\n")
    try terminal.waitForScreen("the seconds") { screen in
      screen.lines.contains { $0.wholeMatch(of: #/\d+\.\d\d s/#) != nil } && screen.cursorLine == "fettle>"
    }
    #expect(try front.read(".fettle/session.md").firstMatch(of: #/\d\.\d\d s/#) == nil)
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
  }

  @Test(
    "The user's own file runs when the prompt opens: what only they see is no step, a variable is one, once")
  func userSettings() throws {
    let front = try workspace()
    try front.write("# mine\nconfig hints off\nset n 20\nload letters.csv\n", to: ".config/fettle/rc")
    let before = try front.read(".fettle/session.md")
    let terminal = try front.prompt()
    #expect(terminal.screen.text.contains("load is no setting"))
    #expect(terminal.screen.text.replacingOccurrences(of: "\n", with: "").contains("fettle/rc:4"))
    terminal.type("config\n")
    try terminal.waitForScreen("hints are off") { $0.text.contains("hints  off") }
    terminal.type("\u{4}")
    _ = try terminal.waitForExit()
    let after = try front.read(".fettle/session.md")
    #expect(after.dropFirst(before.count).contains("fettle> set n 20"))
    #expect(!after.contains("hints off"))
    _ = try front.prompt()
    #expect(try front.read(".fettle/session.md") == after)
    // For prompts alone; and elsewhere with XDG_CONFIG_HOME.
    #expect(try front.lines("status").error.isEmpty)
    try front.write("config timer on\n", to: "settings/fettle/rc")
    var other = front
    other.environment["XDG_CONFIG_HOME"] = front.folder.path + "/settings"
    let elsewhere = try other.prompt()
    elsewhere.type("config\n")
    try elsewhere.waitForScreen("the other file's alone") {
      $0.text.contains("timer  on") && !$0.text.contains("load is no setting")
    }
  }

  @Test("Behind -- everything is text; what begins with a hyphen and a digit is a value where one is due")
  func hyphens() throws {
    let front = try workspace()
    try front.write("id,text,category\n-1,some news,SPORTS\na,more news,WORLD & NEWS\n", to: "odd.csv")
    let outcome = try front.lines("load odd.csv", "label set -1 SPORTS", "label remove -1")
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(try front.lines("label set a -1").error.contains("no category"))
    let tokens = try Front()
    let answer = try tokens.lines("tokens -- --model is a flag --csv")
    #expect(answer.status == 0, "\(answer.error)")
    #expect(answer.output == (try tokens.lines("tokens \"--model is a flag --csv\"").output))
    #expect(try tokens.lines("tokens --flag is a flag").status == 2)
  }

  @Test("A headline of two lines that is pasted behind classify is one text")
  func pastedHeadline() throws {
    let front = try workspace()
    let terminal = try front.prompt()
    terminal.type("note ")
    terminal.type("\u{1B}[200~Ferry strike\r  enters second week\r\u{1B}[201~")
    try terminal.waitForScreen("one line") { $0.cursorLine == "fettle> note Ferry strike enters second week" }
  }
}
