import Foundation
import PseudoTerminal
import Testing
import Workbench

/// Sessions that are set aside, found, taken up again or thrown away.
@Suite struct SessionTests {
  /// Two data sets' worth of work, in two sessions: `monday` is set aside, the other is open.
  private func twoSessions() throws -> Front {
    let front = try Front()
    try front.writeLetters()
    try front.writeLetters(to: "more.csv", offset: 100)
    try front.lines(
      "load letters.csv", "interface define --from letters", "label simulate", "finetune --method linear",
      "set n 5")
    let new = try front.lines("session new --name monday", "load more.csv")
    try #require(new.status == 0, "\(new.error)")
    return front
  }

  private func sessions(_ front: Front) throws -> [[String: Any]] {
    let list = try object(front.run("--json", "session", "list").lines[0])
    return try #require(list["sessions"] as? [[String: Any]])
  }

  @Test("session new sets work aside where session list finds it, and session open brings all of it back")
  func backAndForth() throws {
    let front = try twoSessions()
    let list = try sessions(front)
    #expect(list.map { $0["name"] as? String } == [nil, "monday"])
    #expect(list.map { $0["steps"] as? Int } == [1, 5])
    #expect(list.allSatisfy { ($0["bytes"] as? Int ?? 0) > 10_000 && $0["changed"] is String })
    #expect(try front.run("set").output.contains("No variables"))

    #expect(try front.lines("session open mondya").error.contains("Did you mean monday?"))
    let open = try front.lines("session open monday")
    #expect(open.lines == ["monday is open again: 5 steps. What was here is set aside as 1."])
    #expect(try front.run("datasets").output.contains("letters"))
    #expect(try front.run("set").output == "  n  5\n")
    // The model's files came along.
    let classified = try front.lines("classify --model tuned-1 news of the a")
    #expect(classified.status == 0, "\(classified.error)")
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
    #expect(try sessions(front).map { $0["name"] as? String } == ["monday", "1"])
    // A session keeps its name, and nothing is made of nothing.
    try front.lines("session open 1")
    #expect(try front.lines("session new --name monday").status == 1)
    try front.lines("session new --name other")
    #expect(try front.run("session", "new").output.contains("nothing to set aside"))
    #expect(try front.lines("session open other").lines.last?.contains("What was here") == false)
  }

  @Test("A document says nothing of sessions, and a block cannot end its own")
  func notSteps() throws {
    let front = try twoSessions()
    #expect(try !front.read(".fettle/session.md").contains("fettle> session"))
    for verb in ["session new", "session open monday", "reset --yes", "session remove monday --yes"] {
      let outcome = try front.lines("for x in 1 2 { \(verb) }")
      #expect(
        outcome.status == 1 && outcome.error.contains("cannot stand in a block"), "\(verb): \(outcome.error)")
      try front.write("```fettle\nfettle> \(verb)\n```\n", to: "stranger.md")
      #expect(try front.run("replay", "stranger.md").output.contains("is not for documents"))
    }
    #expect(try sessions(front).count == 2)
  }

  @Test("reset asks, or needs --yes; says what is lost; sessions set aside stay")
  func reset() throws {
    let front = try twoSessions()
    try front.lines("session open monday")
    let unasked = try front.run("reset")
    #expect(unasked.status == 2 && unasked.error.contains("--yes"))
    #expect(try front.run("datasets").output.contains("letters"))
    let outcome = try front.run("reset", "--yes")
    #expect(outcome.status == 0)
    #expect(
      outcome.output.replacing("\n", with: " ").contains(
        "Thrown away: 1 data set (40 assets), 40 labels, 1 tuned model ("))
    #expect(try front.run("datasets").output.contains("No data sets"))
    #expect(try front.read(".fettle/session.md").components(separatedBy: "fettle> ").count == 2)
    let models = front.folder.appending(path: ".fettle/models").path
    #expect((try? FileManager.default.contentsOfDirectory(atPath: models))?.isEmpty ?? true)
    #expect(try sessions(front).map { $0["name"] as? String } == [nil, "1"])
    #expect(try front.run("session", "remove", "1").status == 2)
    #expect(try front.run("session", "remove", "1", "--yes").status == 0)
    #expect(try sessions(front).count == 1)
  }

  @Test("session forget takes back a slip, and not what the rest stands on")
  func forgetting() throws {
    let front = try Front()
    try front.writeLetters()
    #expect(try front.run("session", "forget").error.contains("no step to forget"))
    try front.lines("load letters.csv")
    let before = try front.read(".fettle/session.md")
    let refused = try front.run("session", "forget")
    #expect(refused.status == 1)
    #expect(
      refused.error.replacing(#/\s+/#, with: " ").contains(
        "The last step, load letters.csv, changed the workspace"),
      "\(refused.error)")
    #expect(try front.read(".fettle/session.md") == before)
    // A look, an error, a note: each goes as it came, from the document and from what $verb.field knows.
    for slip in ["show assets --limit 1", "load nothing.csv", "kpi", "note A slip."] {
      try front.lines(slip)
      #expect(try front.read(".fettle/session.md") != before, "\(slip)")
      let forgotten = try front.run("session", "forget")
      #expect(forgotten.output == "Forgotten: \(slip.replacing("note ", with: ""))\n", "\(forgotten.error)")
      #expect(try front.read(".fettle/session.md") == before, "\(slip)")
    }
    // What somebody wrote into the document stays, and the next step comes behind it.
    try front.lines("tokens news of the z")
    try front.write(front.read(".fettle/session.md") + "\nBy hand.\n", to: ".fettle/session.md")
    #expect(try front.run("session", "forget").status == 0)
    #expect(try front.lines("expect $tokens.count > 0").error.contains("tokens"))
    try front.lines("datasets")
    let after = try front.read(".fettle/session.md")
    #expect(after.hasPrefix(before + "\nBy hand.\n\n```fettle\nfettle> "), "\(after)")
    #expect(!after.contains("tokens news"))
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
    #expect(try front.lines("for x in 1 { session forget }").error.contains("cannot stand in a block"))
  }

  @Test("run of a saved session goes on past the errors that it has recorded, and stops at others")
  func runningASession() throws {
    let front = try Front(tiny: false)
    try front.writeLetters()
    try front.lines("load nothing.csv")
    try front.lines("load letters.csv")
    try front.lines("kpi")
    try front.lines("interface define --from letters")
    try front.lines("session save mine.md", "session new")
    let outcome = try front.run("run", "mine.md")
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(
      outcome.output.contains("Loaded letters: 40 assets") && outcome.output.contains("The interface now has")
    )
    #expect(outcome.error.contains("nothing.csv"))
    try front.write(
      front.read("mine.md").replacing("load letters.csv", with: "load letter.csv"), to: "mine.md")
    try front.lines("session new")
    let stopped = try front.run("run", "mine.md")
    #expect(stopped.status == 1 && stopped.error.contains("letter.csv"), "\(stopped.error)")
    #expect(!stopped.output.contains("The interface now has"))
  }

  @Test(
    "At the prompt reset asks: y does it, any other key does not, and a paste is no answer",
    arguments: ["y", "n"])
  func asking(key: String) throws {
    let front = try Front(tiny: false)
    try front.writeLetters()
    try front.lines("load letters.csv")
    var environment = front.environment
    environment["TERM"] = "xterm"
    let terminal = try PseudoTerminal(
      Front.program.path, environment: environment, columns: 80, rows: 40, directory: front.folder.path)
    try terminal.waitForScreen("a prompt") { $0.cursorLine == "fettle>" }
    terminal.type("reset\nyes\n")
    try terminal.wait(for: "Nothing was changed")
    try terminal.wait(for: "no verb named yes")
    terminal.type("reset\n")
    try terminal.wait(for: "Go on? (y/n)")
    terminal.type(key)
    try terminal.wait(for: key == "y" ? "Thrown away: 1 data set" : "Nothing was changed.")
    try terminal.waitForScreen("a prompt") { $0.cursorLine == "fettle>" }
    terminal.type("quit\n")
    #expect(try terminal.waitForExit() == 0)
    #expect(try front.run("datasets").output.contains("letters") == (key == "n"))
  }

  @Test("A damaged workspace is set aside by session new; its document still replays")
  func damaged() throws {
    let front = try twoSessions()
    let database = front.folder.appending(path: ".fettle/workspace.sqlite")
    for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: database.path + suffix) }
    try Data(repeating: 7, count: 20_000).write(to: database)
    let damaged = try front.run("status")
    #expect(damaged.status == 1)
    #expect(damaged.error.replacing(#/\s+/#, with: " ").contains("fettle session new"))
    #expect(
      try front.run("-c", "status", "-c", "session new").status == 1, "status comes first and cannot be")
    let new = try front.run("session", "new", "--name", "broken")
    #expect(new.status == 0 && new.output.contains("set aside as broken"), "\(new.error)")
    #expect(try front.run("datasets").output.contains("No data sets"))
    #expect(try front.run("replay", ".fettle/sessions/broken/session.md").status == 0)
    #expect(try sessions(front).map { $0["steps"] as? Int } == [1, 1, 5])
    // Opened again it is as damaged as it was, and can be set aside again.
    #expect(try front.run("session", "open", "broken").status == 1)
    #expect(try front.run("--json", "-c", "session new").status == 0)
    #expect(try front.run("status").status == 0)
  }

  @Test(
    "what a power cut takes from the document's end is written again from the log; prose of an editor's stays"
  )
  func powerCut() throws {
    let front = try Front()
    try front.writeLetters()
    try front.lines(
      "load letters.csv", "interface define --from letters", "note A remark.", "label set 1 SPORTS",
      "tokens news", "label set 2 SPORTS",
      "tokens news", "note The end.")
    let place = front.folder.appending(path: ".fettle/session.md")
    let whole = try front.read(".fettle/session.md")
    /// As if the machine had been started again since the last step.
    func restart() throws {
      try Workspace.open(front.folder.appending(path: ".fettle")).write {
        #expect(try $0.setting("written_boot") != nil)
        try $0.set("written_boot", to: "another")
      }
    }
    func document(_ text: String) throws -> String {
      try Data(text.utf8).write(to: place)
      try front.run("help")
      return try front.read(".fettle/session.md")
    }
    for length in [0, 10, whole.utf8.count / 3, whole.utf8.count / 2, whole.utf8.count - 8] {
      let cut = String(decoding: whole.utf8.prefix(length), as: UTF8.self)
      try restart()
      #expect(try document(cut) == whole, "\(length)")
      try restart()
      let zeros = String(repeating: "\0", count: whole.utf8.count - length)
      #expect(try document(cut + zeros) == whole, "\(length)")
    }
    // In the same start nothing but an editor makes it shorter.
    try front.run("status")
    let shorter = try front.read(".fettle/session.md").replacing("A remark.", with: "Mine.")
    #expect(try document(shorter) == shorter)
    try restart()
    #expect(try document(shorter) == shorter, "all steps are there")
    // With prose in the middle, broken off in a step's answer.
    let edited = shorter.replacing("Mine.", with: "A long remark of my own, which is nowhere else.")
    try restart()
    let broken = try #require(edited.ranges(of: "fettle> tokens news").last)
    let mended = try document(String(edited[..<broken.upperBound]))
    #expect(mended.contains("A long remark of my own"))
    #expect(mended.ranges(of: "fettle> tokens news").count == 2)
    #expect(mended.hasPrefix(edited[..<broken.lowerBound]))
    #expect(mended.contains("The end.") && mended.contains("fettle> status"))
    try front.run("status")
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
    #expect(try front.run("replay", ".fettle/session.md").output.contains("8 passed"))
  }
}
