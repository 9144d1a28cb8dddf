import Foundation
import PseudoTerminal
import Testing

/// Tab at fettle's own prompt, in a workspace with something in it.
@Suite struct CompletionTests {
  @Test("Tab completes verbs, options and their values, and what the workspace has of each kind")
  func everyKind() throws {
    let front = try Front()
    try front.writeLetters(count: 42)
    try front.write("# x\n", to: "lesson.md")
    try front.write("Timestamp,\"What, in your words, was good?\",Mood\n", to: "form.csv")
    try front.write("status\n", to: "my lesson.fettle")
    try front.lines(
      "load letters.csv", "interface define --from letters", "label simulate --author ana", "predict", "kpi",
      "finetune --method linear --name quick", "set size 20", "session show")
    let terminal = try front.prompt(columns: 120)
    let cases = [
      ("fine", "finetune "),
      ("lab", "label "),
      ("label sim", "label simulate "),
      ("label --au", "label --author "),
      ("finetune --me", "finetune --method "),
      ("finetune --method gr", "finetune --method gradual "),
      ("finetune --method=ad", "finetune --method=adapter "),
      ("predict --dataset le", "predict --dataset letters "),
      ("predict --dataset letters --model qu", "predict --dataset letters --model quick "),
      ("kpi --models base q", "kpi --models base quick "),
      ("models remove q", "models remove quick "),
      ("models remove ", "models remove quick "),  // base is none that could go
      ("datasets remove l", "datasets remove letters "),
      ("kpi --honeypot a", "kpi --honeypot ana "),
      ("label set 3", "label set 3"),  // 3, 30, 31 and so on
      ("label set 41", "label set 41 "),
      ("label set 41 wor", "label set 41 WORLD_AND_NEWS "),
      ("label set 41 SPORTS --author a", "label set 41 SPORTS --author ana "),
      ("show asset 41", "show asset 41 "),
      ("load lett", "load letters.csv "),
      ("load letters.csv --text te", "load letters.csv --text text "),
      ("load letters.csv --text text --category CAT", "load letters.csv --text text --category category "),
      ("load form.csv --text Wh", "load form.csv --text \"What, in your words, was good?\" "),
      ("load form.csv --text \"What, in", "load form.csv --text \"What, in your words, was good?\" "),
      ("label import form.csv --category=mo", "label import form.csv --category=Mood "),
      ("load Sampl", "load Samples/"),
      ("replay le", "replay lesson.md "),
      ("run my", "run \"my lesson.fettle\" "),
      ("run 'my les", "run \"my lesson.fettle\" "),
      ("load ~/lett", "load ~/letters.csv "),
      ("label set 41 'world and", "label set 41 WORLD_AND_NEWS "),
      ("load Samples/news-4", "load Samples/news-4.csv "),
      ("help lab", "help label "),
      ("help label im", "help label import "),
      ("config hi", "config hints "),
      ("config hints of", "config hints off "),
      ("tour ne", "tour next "),
      ("tour lang", "tour language-model "),
      ("prompt set --preset sh", "prompt set --preset short-plain "),
      ("note $si", "note $size "),
      ("expect $kp", "expect $kpi."),
      ("expect $kpi.acc", "expect $kpi.accuracy"),
      ("expect $kpi.macro", "expect $kpi.macro_f1 "),
      ("expect ${kpi.macro", "expect ${kpi.macro_f1} "),
      ("hel", "help "),
      ("for m in a b { load lett", "for m in a b { load letters.csv "),
      ("classify qu", "classify qu"),
    ]
    for (typed, completed) in cases {
      terminal.type(typed + "\t")
      try terminal.waitForScreen("\(typed) → \(completed)") {
        $0.cursorLine + " " == "fettle> " + completed + (completed.hasSuffix(" ") ? "" : " ")
      }
      terminal.type("\u{3}")
      try terminal.waitForPrompt()
    }
    terminal.type("expect $kpi.acc\t\t")
    try terminal.wait(for: "$kpi.accuracy_high")
  }

  @Test("What is mistyped gets the nearest real one: verb, subcommand, option, value, data set, setting")
  func nearest() throws {
    let front = try Front(tiny: false)
    try front.writeLetters()
    try front.run("load", "letters.csv")
    for (line, meant) in [
      ("lod x", "load"), ("label simulte", "simulate"), ("label simulate --nois 1", "--noise"),
      ("finetune --method fulll", "full"), ("predict --dataset leters", "letters"), ("config sed 3", "seed"),
      ("help finetnue", "finetune"), ("tour nxt", "next"),
    ] {
      let outcome = try front.run("-c", line)
      #expect(
        outcome.error.replacing(#/\s+/#, with: " ").contains("Did you mean \(meant)?")
          || outcome.error.contains("Did you mean '\(meant)'?"), "\(line): \(outcome.error)")
    }
  }

  @Test("A paste is shown and runs on Enter; one with prompts runs just their lines")
  func paste() throws {
    let front = try Front(tiny: false)
    try front.writeLetters()
    let terminal = try front.prompt()
    terminal.type(
      "\u{1B}[200~```fettle\nfettle> load letters.csv\nLoaded letters: 9 assets\n```\nfettle> datasets\n\u{1B}[201~"
    )
    try terminal.waitForScreen("the paste") { $0.cursorLine.contains("fettle> datasets") }
    #expect(!terminal.screen.text.contains("(sha256"))
    terminal.type("\n")
    try terminal.wait(for: "Loaded letters: 40 assets")
    try terminal.wait(for: "data set")
    try terminal.waitForPrompt()
    terminal.type("\u{4}")
    _ = try terminal.waitForExit()
    let document = try front.read(".fettle/session.md")
    #expect(
      document.matches(of: #/(?m)^fettle> (.*)$/#).map { String($0.1) } == ["load letters.csv", "datasets"])
  }

  @Test("Ctrl-R finds an earlier line; one begun with a space is not kept; an open quote and brace are named")
  func history() throws {
    let front = try Front(tiny: false)
    let terminal = try front.prompt()
    for (line, answer) in [("datasets", "No data sets"), (" status", "interface"), ("models", "base")] {
      terminal.type(line + "\n")
      try terminal.wait(for: answer)
      try terminal.waitForPrompt()
    }
    terminal.type("\u{12}datas")
    try terminal.waitForScreen("the line found") {
      $0.text.contains("datasets") && $0.cursorLine.contains("datas")
    }
    terminal.type("\n")
    try terminal.wait(for: "No data sets")
    try terminal.waitForPrompt()
    #expect(!(try front.read(".fettle/history").contains("status")))
    terminal.type("note \"one\n")
    try terminal.waitForScreen("the open quote") { $0.cursorLine.hasSuffix("a double quote is open") }
    terminal.type("two\"\n")
    try terminal.wait(for: "Noted.")
    try terminal.waitForPrompt()
    terminal.type("for n in 1 2 {\n")
    try terminal.waitForScreen("the open brace") { $0.cursorLine.hasSuffix("a brace is open") }
    terminal.type("\u{3}")
    try terminal.waitForPrompt()
  }
}
