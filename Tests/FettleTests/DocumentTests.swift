import Foundation
import Testing
import Transcripts

/// Sessions as documents: what was recorded replays, and what has changed is shown.
@Suite struct DocumentTests {
  /// A folder with a recorded session of all the steps.
  private func recorded() throws -> Front {
    let front = try Front()
    try front.writeLetters()
    try front.writeLetters(to: "more.csv", offset: 100)
    let outcome = try front.lines(
      "load letters.csv", "interface define --from letters", "classify news of the a", "predict",
      "label simulate",
      "kpi --confusion", "finetune --method linear", "kpi --dataset nowhere")
    #expect(outcome.status == 1, "the last line is there to fail")
    #expect(try front.lines("note The model has learned.", "load more.csv", "validate", "status").status == 0)
    #expect(try front.lines("session save lesson.md").status == 0)
    return front
  }

  @Test("A recorded session replays, errors and notes and all")
  func replays() throws {
    let front = try recorded()
    let outcome = try front.run("replay", "lesson.md")
    #expect(outcome.status == 0, "\(outcome.output)")
    #expect(outcome.lines.last == "11 passed, 0 failed")
    #expect(try front.read("lesson.md").contains("\nThe model has learned.\n"))
    // The learner's own workspace has not been touched.
    #expect(try front.read("lesson.md").components(separatedBy: "fettle> ").count == 12)
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
  }

  @Test("One exact digit changed: exit 1, and the line is shown")
  func exactDigit() throws {
    let front = try recorded()
    let text = try front.read("lesson.md").replacingOccurrences(
      of: "simulated labelled 40 assets", with: "simulated labelled 41 assets")
    try front.write(text, to: "changed.md")
    let line =
      try #require(
        text.split(separator: "\n", omittingEmptySubsequences: false)
          .firstIndex { $0.contains("labelled 41") }) + 1
    let outcome = try front.run("replay", "changed.md")
    #expect(outcome.status == 1)
    #expect(outcome.output.contains("line \(line)"), "\(outcome.output)")
    #expect(outcome.output.contains("- simulated labelled 41 assets"))
    #expect(outcome.output.contains("+ simulated labelled 40 assets"))
    #expect(outcome.lines.last == "10 passed, 1 failed")
  }

  @Test("An estimate within its tolerance passes, and beyond it fails; an author may widen it")
  func estimates() throws {
    let front = try recorded()
    let text = try front.read("lesson.md")
    let match = try #require(text.firstMatch(of: #/  accuracy +~(0\.[0-9]{3}|1\.000)/#))
    let value = try #require(Double(match.1))
    // Two of 40 assets are allowed to flip.
    func replay(_ moved: String) throws -> Int32 {
      try front.write(
        text.replacingCharacters(in: match.1.startIndex..<match.1.endIndex, with: moved), to: "moved.md")
      return try front.run("replay", "moved.md").status
    }
    let direction = value > 0.5 ? -1.0 : 1.0
    #expect(try replay(String(format: "%.3f", value + direction * 2 / 40)) == 0)
    #expect(try replay(String(format: "%.3f", value + direction * 3 / 40)) == 1)
    #expect(try replay(String(format: "%.3f", value + direction * 3 / 40) + "±0.2") == 0)
  }

  @Test("--update rewrites what differs and nothing else")
  func update() throws {
    let front = try recorded()
    let text = try front.read("lesson.md")
    try front.write(text.replacingOccurrences(of: "labelled 40", with: "labelled 41"), to: "old.md")
    #expect(try front.run("replay", "--update", "old.md").status == 0)
    #expect(try front.read("old.md") == text)
  }

  @Test("A changed data file is named before any diff")
  func changedFile() throws {
    let front = try recorded()
    try front.writeLetters(count: 44)
    let outcome = try front.run("replay", "lesson.md")
    #expect(outcome.status == 1)
    let first = try #require(outcome.lines.first)
    #expect(first.contains("letters.csv is not the file that line"), "\(outcome.output)")
  }

  @Test("A replay reads nothing outside its root, by real paths, unless allowed; and writes nothing there")
  func safety() throws {
    let front = try Front()
    try front.writeLetters(to: "outside/letters.csv")
    try front.write("x", to: "inside/keep.txt")
    try FileManager.default.createSymbolicLink(
      at: front.folder.appending(path: "inside/link.csv"),
      withDestinationURL: front.folder.appending(path: "outside/letters.csv"))
    func document(_ command: String) -> String {
      "---\nroot: .\n---\n\n```fettle\nfettle> \(command)\n```\n"
    }
    for path in ["../outside/letters.csv", "link.csv", front.folder.path + "/outside/letters.csv"] {
      try front.write(document("load \(path)"), to: "inside/stranger.md")
      let outcome = try front.run("replay", "inside/stranger.md")
      #expect(outcome.status == 1)
      #expect(outcome.output.contains("outside the document's folder"), "\(path): \(outcome.output)")
      let allowed = try front.run("replay", "inside/stranger.md", "--allow-read", "outside")
      #expect(!allowed.output.contains("outside the document's folder"))
    }
    try front.write(document("session save ../outside/stolen.md"), to: "inside/stranger.md")
    try front.run("replay", "inside/stranger.md")
    try front.write(document("session save keep.txt --replace"), to: "inside/stranger.md")
    try front.run("replay", "inside/stranger.md")
    #expect(try front.read("inside/keep.txt") == "x")
    #expect(!FileManager.default.fileExists(atPath: front.folder.appending(path: "outside/stolen.md").path))
  }

  @Test("--until and --into catch a learner up, and set the old workspace aside")
  func catchingUp() throws {
    let front = try recorded()
    let outcome = try front.run("replay", "lesson.md", "--until", "5", "--into", "late")
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.error)")
    let kpi = try front.run("--workspace", "late/.fettle", "kpi")
    #expect(kpi.status == 0, "\(kpi.error)")
    let again = try front.run("replay", "lesson.md", "--until", "1", "--into", "late")
    #expect(again.output.contains("set aside"), "\(again.output)")
    #expect(try front.run("--workspace", "late/.fettle", "kpi").status == 1)
  }

  @Test("A document that breaks off is replayed up to there; bad front matter runs nothing")
  func damaged() throws {
    let front = try recorded()
    let text = try front.read("lesson.md")
    let open = try #require(text.range(of: "fettle> label simulate"))
    try front.write(String(text[..<open.upperBound]), to: "cut.md")
    let cut = try front.run("replay", "cut.md")
    #expect(cut.status == 0, "\(cut.output)")
    #expect(cut.output.contains("breaks off"))
    try front.write(text.replacingOccurrences(of: "seed: 42", with: "seed: many"), to: "bad.md")
    let bad = try front.run("replay", "bad.md")
    #expect(bad.status == 1)
    #expect(bad.error.contains("line 3"), "\(bad.error)")
    #expect(!bad.output.contains("ok "))
  }

  @Test("Two days at the prompt, a script and one-shot verbs make one document that replays")
  func oneWorkspace() throws {
    let front = try Front()
    try front.writeLetters()
    try front.write("predict\nlabel simulate\n", to: "day.fettle")
    try front.run(input: "load letters.csv\ninterface define --from letters\n")
    try front.run("run", "day.fettle")
    try front.run("kpi")
    try front.run("--seed", "7", "finetune", "--method", "linear")
    try front.run(input: "kpy\nmodels\n")
    try front.run(input: "models\nquit\nstatus\n")
    let document = try front.read(".fettle/session.md")
    for command in [
      "load letters.csv", "predict", "label simulate", "kpi", "finetune --method linear", "models",
    ] {
      #expect(document.contains("fettle> \(command)\n"), "\(command)")
    }
    #expect(!document.contains("kpy") && !document.contains("status"))
    let replay = try front.run("replay", ".fettle/session.md")
    #expect(replay.status == 0, "\(replay.output)")
  }

  @Test("Killed with -9 at any moment, the session goes on and its document replays", arguments: 0..<8)
  func killed(moment: Int) throws {
    let front = try Front()
    try front.writeLetters(count: 200)
    let lines = [
      "load letters.csv", "interface define --from letters", "label simulate", "predict", "kpi",
      "finetune --method full --epochs 2",
      "predict", "kpi",
    ]
    let running = try front.start(lines.flatMap { ["-c", $0] })
    // Moments spread over what the lines take here; wherever they fall, the promise is the same.
    usleep(UInt32(20_000 * (moment * moment + 1)))
    running.kill()
    _ = running.wait()
    let after = try front.run("status")
    #expect(after.status == 0, "\(after.error)")
    let replay = try front.run("replay", ".fettle/session.md")
    #expect(replay.status == 0, "\(replay.output)")
    // Whatever was lost is done again, and the whole replays as well.
    let again = try front.run(lines.flatMap { ["-c", $0] })
    #expect(again.status == 0, "\(again.error)")
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
    let left = try FileManager.default.contentsOfDirectory(
      atPath: front.folder.appending(path: ".fettle/models").path)
    #expect(
      left.filter { !$0.hasPrefix(".") }.count == again.output.matches(of: #/tuned-[0-9]+: full/#).count
        + (after.output.contains("tuned-1") ? 1 : 0))
  }

  @Test("A document that was not caught up is caught up at the next start; the editor's prose stays")
  func catchUp() throws {
    let front = try Front()
    try front.run("status")
    let first = try front.read(".fettle/session.md")
    try front.run("datasets")
    let second = try front.read(".fettle/session.md")
    // As if the process had been killed before it could append, and while it did.
    for cut in [0, 1, 7, 15, (second.utf8.count - first.utf8.count) / 2] {
      let bytes = Array(second.utf8.prefix(first.utf8.count + cut))
      try front.write(String(decoding: bytes, as: UTF8.self), to: ".fettle/session.md")
      #expect(try rewind(front, steps: 1, length: first.utf8.count))
      try front.run("help")
      #expect(try front.read(".fettle/session.md") == second, "cut after \(cut) bytes")
    }
    // And as if the first process had been killed before it marked anything: the file is there, in part or whole.
    for cut in [0, 3, first.utf8.count, second.utf8.count - 4, second.utf8.count] {
      try front.write(
        String(decoding: Array(second.utf8.prefix(cut)), as: UTF8.self), to: ".fettle/session.md")
      #expect(try rewind(front, steps: 1_000, length: 0))
      try front.run("help")
      #expect(try front.read(".fettle/session.md") == second, "cut after \(cut) bytes")
    }
    try front.write(second + "\nWritten by hand.\n", to: ".fettle/session.md")
    try front.run("models")
    let edited = try front.read(".fettle/session.md")
    #expect(edited.contains("Written by hand.\n") && edited.contains("fettle> models"))
    try FileManager.default.removeItem(at: front.folder.appending(path: ".fettle/session.md"))
    try front.run("help")
    #expect(try front.read(".fettle/session.md").components(separatedBy: "fettle> ").count == 4)
  }

  /// Takes back the mark of how far the document is written, as a kill between writing and marking would leave it.
  private func rewind(_ front: Front, steps: Int, length: Int) throws -> Bool {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "sqlite3", front.folder.appending(path: ".fettle/workspace.sqlite").path,
      """
      UPDATE settings SET value = max(0, (SELECT max(id) FROM steps) - \(steps)) WHERE key = 'written';
      UPDATE settings SET value = \(length) WHERE key = 'written_length'
      """,
    ]
    process.environment = front.environment
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  @Test("session new sets the work aside and begins an empty one")
  func newSession() throws {
    let front = try recorded()
    #expect(try front.lines("session new").status == 0)
    #expect(try front.run("datasets").output.contains("No data sets"))
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
    #expect(
      FileManager.default.fileExists(
        atPath: front.folder.appending(path: ".fettle/sessions/1/session.md").path))
  }

  @Test("A claim that fails, fails on another machine too, where its numbers are a little different")
  func failedClaim() throws {
    let front = try Front()
    try front.writeLetters()
    try front.lines(
      "load letters.csv", "interface define --from letters", "predict", "kpi", "expect $kpi.accuracy > 2")
    let recorded = try front.read(".fettle/session.md")
    #expect(recorded.contains("\nerror: Expected $kpi.accuracy > 2, which does not hold:\n~ 0."))
    try front.write(
      recorded.replacing(#/~ 0\.\d+ is not > 2\./#, with: "~ 0.123 is not > 2."), to: "kept/document.md")
    let replayed = try front.run("replay", "kept/document.md")
    #expect(replayed.output.hasSuffix("5 passed, 0 failed\n"), "\(replayed.output)")
  }
}
