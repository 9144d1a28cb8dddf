import Foundation
import Testing

/// Documents, scripts and options made to trap, to hang or to fill the memory: each ends soon, with an answer or an error that says what
/// is too much. Their times are measured by Tests/hostile.py; here stands what they come to.
@Suite struct HostileTests {
  private func document(_ lines: String...) -> String {
    "```fettle\n" + lines.map { "fettle> \($0)\n" }.joined() + "```\n"
  }

  private func words(_ outcome: Front.Outcome) -> String {
    (outcome.output + outcome.error).replacing(#/\s+/#, with: " ")
  }

  @Test(
    "A fettle fence in a list item or a quote fails, with its line, and so does one with another name's letters",
    arguments: [
      ("1. First\n\n10. Then\n\n    ```fettle\n    fettle> status\n    ```\n", "list item or a quote"),
      ("- ```fettle\n  fettle> status\n  ```\n\nText\n\n\n\n", "list item or a quote"),
      ("Text\n\n\n\n> ```fettle\n> fettle> status\n> ```\n", "list item or a quote"),
      ("Text\n\n\n\n```Fettle\nfettle> status\n```\n", "Name it fettle"),
    ])
  func unseenFence(text: String, says: String) throws {
    let front = try Front(tiny: false)
    let line = text.hasPrefix("-") ? 1 : 5
    try front.write(text + "\n" + document("set n 5"), to: "lesson.md")
    for verb in ["replay", "run"] {
      let outcome = try front.run(verb, "lesson.md")
      #expect(outcome.status == 1)
      #expect(outcome.error.contains("lesson.md:\(line)"), "\(outcome.error)")
      #expect(words(outcome).contains(says), "\(outcome.error)")
      #expect(!outcome.output.contains("n = 5"))
    }
  }

  @Test("What stands in a list and is no step stays prose, and the steps around it are replayed")
  func fencesInLists() throws {
    let front = try Front(tiny: false)
    let text = """
      - An example:

        ```json
        {"a": 1}
        ```
      - ~~~
        fettle> this is text
        ~~~

      > ```
      > fettle> and this
      > ```

          ```fettle
          fettle> indented code
          ```

      """
    try front.write(text + "\n" + document("datasets"), to: "lesson.md")
    let outcome = try front.run("replay", "--update", "lesson.md")
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(try front.run("replay", "lesson.md").lines.last == "1 passed, 0 failed")
  }

  @Test("A document in which nothing is replayed fails, with the line where it has one")
  func nothingToReplay() throws {
    let front = try Front(tiny: false)
    for (text, place) in [
      ("# Prose\n\nand more.\n", "lesson.md:1"), ("", "lesson.md:1"),
      ("# Cut\n\n```fettle\nfettle> status\n", "lesson.md:3"),
      ("```fettle\n# interrupted: predict\n```\n", "lesson.md:2"),
    ] {
      try front.write(text, to: "lesson.md")
      let outcome = try front.run("replay", "lesson.md")
      #expect(outcome.status == 1)
      #expect(words(outcome).contains("nothing to replay"), "\(outcome.error)")
      #expect(outcome.error.contains(place), "\(outcome.error)")
    }
  }

  @Test("A note that looks like a step in a list does not keep the session from replaying")
  func notedFence() throws {
    let front = try Front(tiny: false)
    try front.write(
      "set n 5\nnote \"- ```fettle\n  fettle> status\n  ```\"\nnote \"> ~~~fettle\"\n", to: "a.fettle")
    try front.run("run", "a.fettle")
    let outcome = try front.run("replay", ".fettle/session.md")
    #expect(outcome.lines.last == "1 passed, 0 failed", "\(outcome.error)")
  }

  @Test("What doubles in a loop, and loops in loops, end with an error that names the bound")
  func bounds() throws {
    let front = try Front(tiny: false)
    let values = (0..<24).map(String.init).joined(separator: " ")
    try front.write(
      document("set x aaaaaaaaaaaaaaaa", "for i in \(values) { set x $x$x }"), to: "doubling.md")
    let doubling = try front.run("replay", "doubling.md")
    #expect(doubling.status == 1)
    #expect(words(doubling).contains("64.0 kB"), "\(doubling.error)")

    let nested = "abcdefgh".reduce("set z 1") { "for \($1) in 1 2 3 4 5 6 7 8 9 { \($0) }" }
    try front.write(document(nested), to: "nested.md")
    let outcome = try front.run("replay", "nested.md")
    #expect(outcome.status == 1)
    #expect(words(outcome).contains("at most 100,000 others"), "\(outcome.error)")

    let long = try front.lines(
      "set x \(String(repeating: "word ", count: 12_000))", "note \(String(repeating: "$x ", count: 100))")
    #expect(long.status == 1)
    #expect(words(long).contains("holds at most 1.0 MB"), "\(long.error)")
  }

  @Test("An article is a text, a long claim a claim, and many values are a loop's")
  func longLines() throws {
    let front = try Front()
    try front.writeLetters()
    try front.lines("load letters.csv", "interface define --from letters")
    let text = "news  of \"the\" day — \(Array(repeating: "b", count: 5_000).joined(separator: " "))"
    let note = try front.run(input: "note \(text)\nset t \(text)\nclassify \(text)\n")
    #expect(note.status == 0, "\(note.error)")
    #expect(try front.read(".fettle/session.md").contains("\n\(text)\n"))
    #expect(words(try front.lines("set t")) == "t = \(text) ".replacing("news  of", with: "news of"))
    let sum = Array(repeating: "1", count: 5_000).joined(separator: " + ")
    #expect(try front.run(input: "expect \(sum) == 5000\n").status == 0)
    #expect(try front.run(input: "expect \(sum) == 5001\n").status == 1)
    // As the Unix shell splits it.
    let split = try front.run(["classify"] + Array(repeating: "news", count: 2_000) + ["--model", "base"])
    #expect(split.status == 0, "\(split.error)")
    #expect(try front.run(["predict"] + Array(repeating: "x", count: 5_000)).status == 2)
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
  }

  @Test("A sample greater than any file is the whole file")
  func greatSample() throws {
    let front = try Front(tiny: false)
    try front.write("text,category\na,A\nb,B\n", to: "two.csv")
    for size in ["4611686018427387904", "9223372036854775807"] {
      for option in ["--sample", "--per-category"] {
        let outcome = try front.lines("load two.csv \(option) \(size) --name \(option.dropFirst(2))-\(size)")
        #expect(outcome.output.contains("2 assets"), "\(outcome.error)")
      }
    }
    #expect(try front.run("replay", ".fettle/session.md").lines.last == "4 passed, 0 failed")
  }

  @Test("A page shows as text what would be no picture, and what would take minutes to render")
  func pages() throws {
    let front = try Front(tiny: false)
    let table = String(repeating: "|a", count: 3_000) + "|\n" + String(repeating: "|-", count: 3_000) + "|\n"
    for (name, text) in [
      (
        "large",
        "```fettle\nfettle> kpi --confusion\n~ rows: truth, columns: prediction\n~ 1 2\n~ 1 a 9223372036854775807 1\n~ 2 b 0 0\n```\n"
      ),
      (
        "negative",
        "```fettle\nfettle> kpi --confusion\n~ rows: truth, columns: prediction\n~ 1\n~ 1 a -1\n```\n"
      ),
      ("table", table + String(repeating: "|\n", count: 3_000)),
      (
        "references",
        "[a]: " + String(repeating: "x", count: 60_000) + "\n\n" + String(repeating: "[a]", count: 1_600)
      ),
      ("lists", String(repeating: "1. ", count: 20_000) + "a\n"),
      ("bars", "```fettle\nfettle> predict\n" + String(repeating: "  a  1\n", count: 5_000) + "```\n"),
      ("blanks", "```fettle\nfettle> predict\n  a" + String(repeating: " ", count: 8_000) + "\n```\n"),
    ] {
      try front.write("# \(name)\n\n" + text, to: "\(name).md")
      let outcome = try front.run("session", "export", "\(name).html", "--from", "\(name).md")
      #expect(outcome.status == 0, "\(outcome.error)")
      let page = try front.read("\(name).html")
      #expect(page.utf8.count < 2_000_000)
      #expect(!page.contains("<svg"))
    }
    #expect(try front.read("table.html").contains("shown as it is written"))
    #expect(try front.read("large.html").contains("9223372036854775807"))
    // What people write is rendered.
    let rows = String(repeating: "| [a][b] | *c* |\n", count: 500)
    try front.write("# Fine\n\n| x | y |\n| - | - |\n\(rows)\n[b]: https://example.org\n", to: "fine.md")
    try front.run("session", "export", "fine.html", "--from", "fine.md")
    #expect(try front.read("fine.html").components(separatedBy: "<td>").count == 1_001)
  }

  @Test("Before an audience too, such a text is shown as it is")
  func lesson() throws {
    let front = try Front(tiny: false)
    let text = String(repeating: "1. ", count: 20_000) + "a\n\n" + document("datasets")
    try front.write(text, to: "lists.md")
    let outcome = try front.run("replay", "--step", "lists.md", input: "\n")
    #expect(words(outcome).contains("shown as it is written"))
  }

  @Test("A thousand categories have a confusion matrix of those that are most confused")
  func manyCategories() throws {
    let front = try Front()
    let rows = (0..<1_000).map { "text \($0) of them,Category \($0)" }
    try front.write("text,category\n" + rows.joined(separator: "\n") + "\n", to: "many.csv")
    try front.lines("load many.csv", "interface define --from many", "predict --model base")
    let begin = ContinuousClock.now
    let outcome = try front.lines("kpi --confusion")
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(words(outcome).contains("categories the 50 most confused"))
    #expect(ContinuousClock.now - begin < .seconds(20), "a minute, once")
  }

  @Test("Control characters and turned text in a note are seen in pages, notebooks and the document")
  func escapes() throws {
    let front = try Front(tiny: false)
    try front.run(input: "note A \u{1B}[31mred\u{202E} note\nset x a\u{202E}b\u{1B}c\n")
    try front.run("session", "export", "s.html")
    try front.run("session", "export", "s.ipynb")
    for name in ["s.html", "s.ipynb"] {
      let text = try front.read(name)
      #expect(!text.contains("\u{1B}") && !text.contains("\u{202E}") && !text.contains("\\u001b"), "\(name)")
      #expect(text.contains(name == "s.html" ? "A \\u{1b}[31mred" : "A \\\\u{1b}[31mred"), "\(text)")
    }
    #expect(try front.read(".fettle/session.md").contains("A \\u{1b}[31mred\\u{202e} note"))
    #expect(try front.run("replay", ".fettle/session.md").lines.last == "1 passed, 0 failed")
  }

  @Test("What a killed replay has left is gone after the next one, and one that is under way is left alone")
  func sweeping() throws {
    var front = try Front()
    let temporary = front.folder.appending(path: "tmp")
    try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: true)
    front.environment["TMPDIR"] = temporary.path
    try front.writeLetters(count: 200)
    try front.write(
      document(
        "load letters.csv", "interface define --from letters", "label simulate",
        "finetune --method full --epochs 1000"), to: "long.md")
    try front.write(document("datasets"), to: "short.md")
    func folders() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: temporary.path).filter {
        $0.hasPrefix("fettle-replay-")
      }
    }
    func started() throws -> Front.Running {
      let before = try folders()
      let running = try front.start(["replay", "long.md"])
      let deadline = Date.now.addingTimeInterval(60)
      while try Set(folders()).isSubset(of: before), Date.now < deadline { usleep(10_000) }
      usleep(300_000)
      return running
    }
    let killed = try started()
    killed.kill()
    _ = killed.wait()
    #expect(try folders().count == 1)
    let alive = try started()
    try front.run("replay", "short.md")
    #expect(try folders().count == 1, "the killed one's is gone, the living one's is there")
    alive.kill()
    _ = alive.wait()
    try front.run("replay", "short.md")
    #expect(try folders().isEmpty)
  }

  /// Runs a line under limits of the shell's (`-v 200000`), and says how it ended.
  private func run(_ line: String, under limits: String, in front: Front) throws -> Front.Outcome {
    var shell = front
    shell.program = URL(filePath: "/bin/bash")
    let command = "ulimit \(limits); exec timeout -s KILL 60 \"$0\" -c \"$1\""
    return try shell.run("-c", command, Front.program.path, line)
  }

  @Test(
    "A file of nothing but zeros that is said to have terabytes, and a pipe that nobody writes to, hold nobody up"
  )
  func endlessFiles() throws {
    let front = try Front(tiny: false)
    let pipe = front.folder.appending(path: "pipe").path
    try #require(mkfifo(pipe, 0o600) == 0)
    try front.write("", to: "zeros.csv")
    try #require(truncate(front.folder.appending(path: "zeros.csv").path, 5 << 40) == 0)
    let outcome = try front.run("load", "zeros.csv")
    #expect(outcome.status == 1)
    #expect(words(outcome).contains("NUL byte"), "\(outcome.error)")
    for line in ["run pipe", "replay pipe", "session export page.html --from pipe"] {
      let running = try front.start(["-c", line])
      Thread.sleep(forTimeInterval: 0.5)
      let start = ContinuousClock.now
      running.process.interrupt()
      #expect(running.wait().status == 130)
      #expect(ContinuousClock.now - start < .seconds(5))
    }
  }

  @Test("Ctrl-C ends what reads a line of megabytes, though that does not ask")
  func interruptedLine() throws {
    let front = try Front(tiny: false)
    try front.lines("set n 5")
    try front.write("note " + String(repeating: "a b ", count: 5_000_000), to: "long.fettle")
    let running = try front.start(["run", "long.fettle"])
    Thread.sleep(forTimeInterval: 2)
    let start = ContinuousClock.now
    running.process.interrupt()
    let outcome = running.wait()
    #expect(outcome.status == 130)
    #expect(outcome.error.contains("Interrupted."))
    #expect(ContinuousClock.now - start < .seconds(5))
    #expect(try front.lines("set n").output.contains("n = 5"))
  }

  @Test("With too few files a sentence says so", arguments: [5, 8, 12])
  func fewFiles(count: Int) throws {
    let front = try Front(tiny: false)
    for line in ["status", "session new", "set n 5"] {
      let outcome = try run(line, under: "-n \(count)", in: front)
      #expect(outcome.status == 1, "\(outcome.status): \(outcome.error)")
      #expect(outcome.error.contains("ulimit -n"), "\(outcome.error)")
    }
    #expect(try run("set n 5", under: "-n 32", in: front).status == 0)
  }

  @Test(
    "With little memory a verb does its work, or a sentence says that memory is short; nothing is lost by that",
    arguments: [145_000, 160_000, 200_000, 230_000, 260_000, 300_000, 400_000])
  func littleMemory(kilobytes: Int) throws {
    let front = try Front()
    try front.write("id,text,category\n1,news of it,A\n2,z y x,B\n3,news,A\n4,z x,B\n", to: "few.csv")
    try front.lines("load few.csv", "interface define --from few", "label simulate")
    for line in [
      "status", "classify news of it", "predict --model base", "finetune --method linear",
      "finetune --method full --epochs 1", "finetune --method adapter --epochs 1",
      "load few.csv --name again",
    ] {
      let outcome = try run(line, under: "-v \(kilobytes)", in: front)
      // Below some size the system's loader does not even begin the program.
      let isLoaded = !outcome.error.contains("error while loading shared libraries")
      guard isLoaded, outcome.status != 0 else { continue }
      #expect(outcome.status == 1, "\(line): \(outcome.status), \(outcome.error)")
      #expect(words(outcome).contains("not enough memory"), "\(line): \(outcome.error)")
      #expect(outcome.error.contains("ulimit -v"), "\(outcome.error)")
    }
    #expect(try front.run("session", "show").output.contains("fettle> label simulate"))
    #expect(try front.run("classify", "news of it").status == 0)
  }
}
