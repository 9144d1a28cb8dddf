import Foundation
import Testing

/// Variables, blocks, claims and scripts, as learners type them.
@Suite struct LanguageTests {
  /// A folder with letters.csv loaded, its interface and labels.
  private func loaded() throws -> Front {
    let front = try Front()
    try front.writeLetters()
    let outcome = try front.lines("load letters.csv", "interface define --from letters", "label simulate")
    try #require(outcome.status == 0, "\(outcome.error)")
    return front
  }

  private func replays(_ front: Front, _ document: String = ".fettle/session.md") throws -> Bool {
    let outcome = try front.run("replay", document)
    if outcome.status != 0 { print(outcome.output, outcome.error) }
    return outcome.status == 0
  }

  @Test("set keeps a variable for later processes, and replays")
  func variables() throws {
    let front = try Front(tiny: false)
    try front.writeLetters()
    #expect(try front.run("set").output == "No variables yet. Set one: set NAME VALUE\n")
    try front.run("set", "n", "20")
    let load = try front.lines("load letters.csv --sample $n --name part-$n")
    #expect(load.output.hasPrefix("Loaded part-20: 20 assets"), "\(load.error)")
    #expect(try front.lines("set title Chipmaker's  shares").output == "title = Chipmaker's  shares\n")
    #expect(try front.run("set").output == "  n      20\n  title  Chipmaker's  shares\n")
    let json = try object(front.run("--json", "set").lines[0])
    #expect(json["variables"] as? [String: String] == ["n": "20", "title": "Chipmaker's  shares"])
    #expect(
      try front.read(".fettle/session.md").contains("fettle> load letters.csv --sample $n --name part-$n\n"))
    #expect(try replays(front))
  }

  @Test(
    "set is kind to how other languages write it, and says what a name is",
    arguments: [
      ("set n = -5", 0, "n = -5\n"), ("set n=5", 0, "n = 5\n"), ("set n –5", 0, "n = -5\n"),
      ("set n --x", 0, "n = --x\n"), ("set n \"\"", 0, "n ="), ("set $m 5", 2, "without its dollar sign"),
      ("set 5 5", 2, "cannot name a variable"), ("set a.b 5", 2, "cannot name"),
      ("set m", 1, "no variable m"),
    ])
  func setting(line: String, status: Int32, says: String) throws {
    let outcome = try Front(tiny: false).lines(line)
    #expect(outcome.status == status)
    #expect((outcome.output + outcome.error).contains(says.trimmingCharacters(in: .newlines)))
  }

  @Test("for runs its block for each value, nested too, and is one step that replays")
  func block() throws {
    let front = try Front()
    try front.writeLetters()
    let script = """
      interface define "WORLD & NEWS, SPORTS"
      for n in 10 20 {
        load letters.csv --sample $n --name part-$n
        for who in Ada Bo { label simulate --author $who }
      }
      expect $label.labels == 20
      expect "$who of $n" == "Bo of 20"
      """
    try front.write(script, to: "lesson.fettle")
    let outcome = try front.run("run", "lesson.fettle")
    #expect(outcome.status == 0, "\(outcome.error)")
    let answers = outcome.lines.drop { !$0.hasPrefix("n = 10") }
    let kinds = answers.map { String($0.prefix { $0 != "," && $0 != ":" }) }
    #expect(
      kinds == [
        "n = 10", "Loaded part-10", "who = Ada", "Ada labelled 10 assets of part-10.",
        "who = Bo",
        "Bo labelled 10 assets of part-10.", "n = 20", "Loaded part-20", "who = Ada",
        "Ada labelled 20 assets of part-20.", "who = Bo", "Bo labelled 20 assets of part-20.",
        "As expected", "As expected",
      ])
    let document = try front.read(".fettle/session.md")
    #expect(
      document.contains("fettle> for n in 10 20 {\n     >   load letters.csv --sample $n --name part-$n\n"))
    #expect(document.components(separatedBy: "fettle> ").count == 5)
    #expect(try replays(front))
    // What the block's lines answered is known to a later process.
    #expect(try front.lines("expect $load.assets == 20").status == 0)
    #expect(try front.run("--json", "-c", "for x in 1 2 { status }").lines.count == 4)
  }

  @Test("A kill in the middle of a for leaves the steps that were done, in a document that replays")
  func killed() throws {
    let front = try loaded()
    let values = (1...400).map(String.init).joined(separator: " ")
    let running = try front.start(["-c", "for who in \(values) { label simulate --author reader-$who }"])
    let deadline = Date.now.addingTimeInterval(60)
    while !running.soFar.contains("reader-7 labelled"), Date.now < deadline { usleep(1000) }
    running.kill()
    _ = running.wait()
    // The answer of status tells what is there; that it replays, that the steps before it bring it about.
    try front.run("status")
    let document = try front.read(".fettle/session.md")
    let authors = document.matches(of: #/by reader-[0-9]+/#).count
    #expect(authors >= 7 && authors < 400)
    #expect(
      document.components(separatedBy: "fettle> label simulate --author reader-$who").count == authors + 1)
    #expect(document.contains("fettle> set who 7\n"))
    #expect(try replays(front))
  }

  @Test("Ctrl-C ends a for; what was done stays, and replays")
  func interrupted() throws {
    let front = try loaded()
    let values = (1...2000).map(String.init).joined(separator: " ")
    let running = try front.start([
      "-c", "for who in \(values) { label simulate --author reader-$who }", "-c", "kpi",
    ])
    let deadline = Date.now.addingTimeInterval(60)
    while !running.soFar.contains("reader-3 labelled"), Date.now < deadline { usleep(1000) }
    running.interrupt()
    let outcome = running.wait()
    #expect(outcome.status == 130)
    #expect(outcome.error.contains("Interrupted"))
    #expect(try replays(front))
  }

  @Test("A for whose steps do not replay as they were typed stands in the document step by step")
  func unfolded() throws {
    let front = try loaded()
    try FileManager.default.createDirectory(
      at: front.folder.appending(path: "below"), withIntermediateDirectories: true)
    let below = front.folder.appending(path: "below")
    let loads = try front.run(
      "--workspace", "../.fettle", "-c", "for n in 5 6 { load ../letters.csv --sample $n --name part-$n }",
      in: below)
    #expect(loads.status == 0, "\(loads.error)")
    try front.lines("for n in 5 6 { note Size $n }")
    let document = try front.read(".fettle/session.md")
    #expect(document.contains("fettle> load letters.csv --sample $n --name part-$n\n"))
    #expect(document.contains("\nSize 5\n") && document.contains("\nSize 6\n"))
    #expect(!document.contains("fettle> for"))
    #expect(try replays(front))
  }

  @Test("A failure in a block names file, line and column, shows the line, and stops there")
  func blockFailure() throws {
    let front = try loaded()
    try front.write(
      "\u{FEFF}status\r\nfor n in 5 6 {\r\n  for m in 1 2 {\r\n    load nowhere-$n.csv --name x$m\r\n  }\r\n}\r\nkpi\r\n",
      to: "lesson.fettle")
    let outcome = try front.run("run", "lesson.fettle")
    #expect(outcome.status == 1)
    #expect(outcome.error.contains("nowhere-5.csv"))
    #expect(
      outcome.error.contains("lesson.fettle:4:5\n      load nowhere-$n.csv --name x$m\n      ^"),
      "\(outcome.error)")
    #expect(outcome.error.components(separatedBy: "error:").count == 2)
    #expect(try replays(front))
    // At a pipe and with -c, the same.
    #expect(try front.run(input: "for x in 1 {\n status\n\tkpy\n}\n").error.contains("standard input:3:2"))
    #expect(try front.lines("for x in 1 {\n status\n  kpy\n}").error.contains("-c 1:3:3"))
  }

  @Test(
    "A for that is written otherwise says how it goes",
    arguments: [
      ("for x in 1 2 {status}", "stand alone"), ("for x in 1 2", "between braces"),
      ("for x { status }", "for goes"),
      ("for x in { status }", "for goes"), ("for $x in 1 { status }", "cannot name"),
      ("for x in 1 { status", "a } that has blanks"), ("for x in 1 { status } kpi", "after the }"),
      ("for x in 1 { for y in 2 { status }", "a } that has blanks"), ("}", "Nothing is open"),
    ])
  func miswritten(line: String, says: String) throws {
    let outcome = try Front(tiny: false).lines(line)
    #expect(outcome.status == 2)
    #expect(outcome.error.replacing(#/\s+/#, with: " ").contains(says), "\(outcome.error)")
  }

  @Test("expect compares numbers and texts, with sums, and fails with both values")
  func claims() throws {
    let front = try loaded()
    try front.lines("predict", "kpi", "set n 40")
    for claim in [
      "$kpi.assets == $n", "$kpi.assets>=40", "$kpi.assets ≥ 40", "$kpi.assets = 40",
      "$kpi.assets - 10 * 2 < 21",
      "$kpi.model == base", "\"$kpi.model\" != 'tuned 1'", "0.1 + 0.2 == 0.3", "-3 < −2",
      "$label.author == simulated",
    ] {
      let outcome = try front.lines("expect \(claim)")
      #expect(outcome.status == 0, "\(claim): \(outcome.error)")
    }
    #expect(try front.run("expect", "$kpi.assets > 39").status == 0)
    for (claim, status, says) in [
      ("$kpi.assets > $n", 1, "Expected $kpi.assets > $n, which does not hold: 40 is not > 40."),
      ("$kpi.model > 3", 1, "base is no number"), ("$kpi.asets == 40", 1, "Did you mean $kpi.assets?"),
      ("$kpy.assets == 40", 1, "Did you mean $kpi.assets?"),
      ("$validate.p_value < 1", 1, "Run validate first"),
      ("$m == 1", 1, "set m VALUE"), ("$n", 2, "one comparison"), ("1 < 2 < 3", 2, "one comparison"),
      ("", 2, "See: help expect"),
    ] as [(String, Int32, String)] {
      let outcome = try front.lines("expect \(claim)")
      #expect(outcome.status == status, "\(claim)")
      #expect(outcome.error.replacing(#/\s+/#, with: " ").contains(says), "\(claim): \(outcome.error)")
    }
    #expect(try replays(front))
  }

  @Test("What slides and editors make of a command is the command still")
  func slides() throws {
    let front = try Front(tiny: false)
    try front.writeLetters(to: "my letters.csv")
    let script =
      "\u{FEFF}load\u{A0}“my letters.csv”\t—sample 10 –-name=“part-one”\r\n"
      + "  # a comment, 'open\r\n\tfettle_is_text=1\r\n"
    let load = try front.run(input: script)
    #expect(load.output.hasPrefix("Loaded part-one: 10 assets"), "\(load.error)")
    #expect(load.error.contains("standard input:3:2"), "\(load.error)")
    let set = try front.run(
      input: "set\u{200B} price $500\u{202F}a day\r\nset t Don't say “no” #1\r\nset x \u{2212}3 %\r\nset\r\n")
    #expect(set.status == 0, "\(set.error)")
    #expect(
      set.lines.suffix(3) == [
        "  price  $500\u{202F}a day", "  t      Don't say “no” #1", "  x      \u{2212}3 %",
      ])
    #expect(try replays(front))
  }

  @Test("run FILE takes scripts and documents, and their commands are steps here")
  func running() throws {
    let front = try loaded()
    try front.write("load letters.csv --sample 7 --name seven\nstatus\n", to: "two.fettle")
    try front.write(
      "# A document\n\nfettle> kpi is prose here\n\n```fettle\nfettle> for n in 3 4 {\n     >   load letters.csv --sample $n --name part-$n\n"
        + "     > }\nan old answer\n```\n", to: "lesson.md")
    try front.write("run two.fettle\nrun lesson.md\nrun itself.fettle\n", to: "itself.fettle")
    let outcome = try front.run("run", "itself.fettle")
    #expect(outcome.status == 1)
    #expect(outcome.error.replacing(#/\s+/#, with: " ").contains("Does one run itself?"))
    let document = try front.read(".fettle/session.md")
    #expect(
      document.contains("fettle> load letters.csv --sample 7") && document.contains("fettle> for n in 3 4 {"))
    #expect(!document.contains("an old answer"))
    #expect(try replays(front))
    try front.write(
      "# A document\n\n```fettle\nfettle> status\nx\n```\n\n```fettle\nfettle> kpy\n```\n", to: "bad.md")
    #expect(try front.run("run", "bad.md").error.contains("bad.md:9:1"))
  }

  @Test("Odd input ends with an answer or an error, never with a crash")
  func garbage() throws {
    let front = try Front(tiny: false)
    let parts = [
      "for x in a b {", "}", "{", "set", "expect", "$x", "${x}", "$kpi.a.b", "\"", "'", "“", "”", "\\", "\n",
      "\r\n", " ",
      "\t", "#", "—", "–5", "=", ">=", "<", "status", "help", "note", "x", "é", "\u{0}", "\u{1B}[2J", "東京",
      "--", "-1", "fettle> ",
      "     > ", "config", "run", ".", "/dev/null", "*", "+", "/",
    ]
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<60 {
      let text = (0..<Int.random(in: 1...25, using: &generator)).map { _ in parts.randomElement() ?? "" }
        .joined(separator: Bool.random() ? " " : "")
      let outcome = try front.run(input: text)
      #expect(
        [0, 1, 2].contains(outcome.status), "\(text.debugDescription): \(outcome.status) \(outcome.error)")
      if outcome.status != 0 { #expect(outcome.error.contains("error: "), "\(text.debugDescription)") }
    }
  }
}
