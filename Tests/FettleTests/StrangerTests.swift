import Foundation
import Testing

/// What a replay says before it begins, and what a stranger's document may not do.
@Suite struct StrangerTests {
  /// A document of commands without answers, one a fence.
  private func document(_ commands: String..., front: String = "root: .") -> String {
    "---\n\(front)\n---\n" + commands.map { "\n```fettle\nfettle> \($0)\n```\n" }.joined()
  }

  /// A folder with a secret beside the one that the document lies in.
  private func neighbours() throws -> Front {
    let front = try Front()
    try front.writeLetters(to: "secret/letters.csv")
    try front.write("load letters.csv\n", to: "secret/script.fettle")
    try front.write("{}", to: "secret/interface.json")
    try front.writeLetters(to: "inside/own.csv")
    return front
  }

  private func link(_ front: Front, _ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(
      atPath: front.folder.appending(path: name).path, withDestinationPath: target)
  }

  /// Every file below the folder that is not the program's own.
  private func files(_ front: Front) throws -> Set<String> {
    let all = try FileManager.default.subpathsOfDirectory(atPath: front.folder.path)
    return Set(
      all.filter { name in
        ![".fettle", ".cache", ".out-", ".err-", ".in-", "install", "inside/stranger.md"].contains {
          name.hasPrefix($0)
        }
      })
  }

  @Test(
    "Paths that lead out of the root are refused, by whatever verb and on whatever way",
    arguments: [
      "load ../secret/letters.csv", "load /proc/self/environ", "load own.csv/../../secret/letters.csv",
      "load file-link.csv", "load folder-link/letters.csv", "load twice-link/letters.csv",
      "load folder-link/../secret/letters.csv", "load zero", "load ~/secret/letters.csv",
      "interface load ../secret/interface.json", "interface load folder-link/interface.json",
      "tokens --file ../secret/letters.csv", "embed --file folder-link/letters.csv",
      "run ../secret/script.fettle", "run folder-link/script.fettle", "run reader.fettle",
    ])
  func reading(command: String) throws {
    let front = try neighbours()
    try link(front, "inside/file-link.csv", to: "../secret/letters.csv")
    try link(front, "inside/folder-link", to: front.folder.path + "/secret")
    try link(front, "inside/twice-link", to: "folder-link")
    try link(front, "inside/zero", to: "/dev/zero")
    try front.write("load ../secret/letters.csv\n", to: "inside/reader.fettle")
    try front.write(document(command), to: "inside/stranger.md")
    let outcome = try front.run("replay", "inside/stranger.md")
    #expect(outcome.status == 1)
    // `..` and a link before it: where the shell would go, and where the name alone would go, are both outside or nowhere.
    let isRefused = ["outside the document's folder", "There is no file", "is not there"].contains {
      outcome.output.contains($0)
    }
    #expect(isRefused, "\(outcome.output)")
    #expect(!outcome.output.contains("assets"), "\(outcome.output)")
  }

  @Test(
    "What a document writes lands in the replay's own folder, wherever it would have gone",
    arguments: [
      "export finetune ../secret/letters.csv", "export finetune own.csv",
      "export finetune folder-link/letters.csv",
      "export finetune ../new.jsonl", "export finetune /tmp/fettle-stranger.jsonl",
      "export finetune file-link.csv",
      "session save ../secret/letters.csv --replace", "session save own.csv --replace", "session save new.md",
      "session export ../new.html", "session export own.ipynb",
      "finetune --method linear --name ../../../evil",
      "finetune --method linear --name /tmp/fettle-stranger", "session new",
      "session new --name ../../evil", "session open 1", "session remove 1 --yes", "reset --yes", "reset",
      "label",
      "models remove ../x", "label import ../secret/letters.csv",
    ])
  func writing(command: String) throws {
    let front = try neighbours()
    try link(front, "inside/file-link.csv", to: "../secret/letters.csv")
    try link(front, "inside/folder-link", to: front.folder.path + "/secret")
    let before = try files(front)
    try front.write(
      document(
        "load own.csv", "interface define --from own", "label simulate", command, "predict", "datasets"),
      to: "inside/stranger.md")
    let bytes = try front.read("secret/letters.csv") + front.read("inside/own.csv")
    let outcome = try front.run("replay", "inside/stranger.md", in: front.folder)
    #expect(outcome.output.contains("4/6"), "\(outcome.output)\(outcome.error)")
    #expect(try files(front) == before)
    #expect(try front.read("secret/letters.csv") + front.read("inside/own.csv") == bytes)
    #expect(!FileManager.default.fileExists(atPath: "/tmp/fettle-stranger.jsonl"))
    #expect(!FileManager.default.fileExists(atPath: "/tmp/fettle-stranger"))
  }

  @Test("What was written can be read again in the same replay, and does not hide what lies outside")
  func roundTrip() throws {
    let front = try neighbours()
    try front.write(
      document(
        "load own.csv", "interface define --from own", "label simulate",
        "export finetune ../secret/mine.jsonl",
        "tokens --file ../secret/mine.jsonl", "load ../secret/letters.csv"), to: "inside/stranger.md")
    let outcome = try front.run("replay", "inside/stranger.md")
    #expect(outcome.output.contains("Wrote 40 examples"), "\(outcome.output)")
    #expect(outcome.output.contains("tokens"))
    #expect(outcome.output.contains("letters.csv lies outside the document's folder"))
  }

  @Test("No model is fetched or installed, no replay started, from a document or a script that it runs")
  func refused() throws {
    let front = try neighbours()
    try front.write("replay stranger.md\n", to: "inside/again.fettle")
    try front.write("model install --from ../secret\n", to: "inside/install.fettle")
    try front.write("run itself.fettle\n", to: "inside/itself.fettle")
    let commands = [
      "model install", "model install --from .", "replay stranger.md", "run again.fettle",
      "run install.fettle",
      "run itself.fettle",
    ]
    for command in commands {
      try front.write(document(command), to: "inside/stranger.md")
      let outcome = try front.run("replay", "inside/stranger.md")
      #expect(outcome.status == 1)
      #expect(
        outcome.output.contains("is not for documents") || outcome.output.contains("16 deep"),
        "\(command): \(outcome.output)")
    }
  }

  @Test("A pipe, a device or an endless file stops nothing", .timeLimit(.minutes(2)))
  func endless() throws {
    let front = try neighbours()
    #expect(mkfifo(front.folder.appending(path: "inside/pipe.csv").path, 0o600) == 0)
    let sparse = front.folder.appending(path: "inside/huge.md").path
    try front.write("", to: "inside/huge.md")
    #expect(truncate(sparse, 1 << 40) == 0)
    // With a digest in the answer, so that a replay wants to know beforehand whether the file has changed.
    let answers = "Loaded x: 1 asset (sha256 0123456789ab)."
    var text = "---\nroot: .\n---\n"
    for command in [
      "load pipe.csv", "load /dev/zero", "run pipe.csv", "run huge.md", "interface load pipe.csv",
      "tokens --file pipe.csv",
    ] {
      text += "```fettle\nfettle> \(command)\n\(answers)\n```\n"
    }
    try front.write(text, to: "inside/stranger.md")
    let outcome = try front.run("replay", "inside/stranger.md")
    #expect(outcome.lines.last == "0 passed, 6 failed", "\(outcome.output)")
    #expect(outcome.output.components(separatedBy: "is a folder, a device or a pipe").count == 5)
    #expect(outcome.output.contains("longer than 32.0 MB"))
    #expect(try front.run("replay", "inside/huge.md").error.contains("longer than"))
    #expect(try front.run("replay", "inside").error.contains("Name a file"))
  }

  @Test("A root that holds more than the document's surroundings is refused before anything runs")
  func roots() throws {
    let front = try neighbours()
    for root in ["/", "../../../../../../..", "../secret", front.folder.path, "..", "/etc"] {
      try front.write(document("load own.csv", front: "root: \(root)"), to: "inside/stranger.md")
      let outcome = try front.run("replay", "stranger.md", in: front.folder.appending(path: "inside"))
      // The folder around the document is the learner's home here.
      #expect(
        outcome.status == 1 && outcome.error.contains("as its root"),
        "\(root): \(outcome.output)\(outcome.error)")
      #expect(outcome.output.isEmpty)
    }
    try front.write(document("load secret/letters.csv", front: "root: .."), to: "inside/stranger.md")
    let inside = front.folder.appending(path: "inside")
    #expect(
      try front.run("replay", "stranger.md", "--allow-read", "..", in: inside).output.contains(
        "Loaded letters"))
    // Who stands in the folder has chosen it.
    #expect(try front.run("replay", "inside/stranger.md").output.contains("Loaded letters"))
    // Saved elsewhere, a document replays from where it was made.
    try FileManager.default.createDirectory(
      at: front.folder.appending(path: "elsewhere"), withIntermediateDirectories: true)
    try front.run("load", "own.csv", in: inside)
    try front.run("session", "save", "../elsewhere/mine.md", in: inside)
    #expect(try front.read("elsewhere/mine.md").contains("root: ../inside\n"))
    #expect(try front.run("replay", "../elsewhere/mine.md", in: inside).status == 0)
    #expect(try front.run("replay", "elsewhere/mine.md").status == 1)
  }

  @Test("A document behind a link has the root of the file itself, and an update leaves the link one")
  func linkedDocument() throws {
    let front = try Front()
    try front.writeLetters(to: "course/letters.csv")
    try front.write(document("load letters.csv", front: "root: .."), to: "course/lessons/one.md")
    try front.write("", to: "desk/empty.txt")
    try link(front, "desk/one.md", to: "../course/lessons/one.md")
    try link(front, "desk/lessons", to: "../course/lessons")
    for name in ["desk/one.md", "desk/lessons/one.md"] {
      #expect(try front.run("replay", name).output.contains("+ Loaded letters"), "\(name)")
    }
    #expect(try front.run("replay", "--update", "desk/one.md").status == 0)
    let kind = try FileManager.default.attributesOfItem(atPath: front.folder.path + "/desk/one.md")[.type]
    #expect(kind as? FileAttributeType == .typeSymbolicLink)
    #expect(try front.read("course/lessons/one.md").contains("Loaded letters: 40 assets"))
    #expect(try front.run("replay", "desk/one.md").status == 0)
  }

  @Test(
    "A command that no verb understands stops the replay before it begins, with file and line",
    arguments: [
      ("lod letters.csv", "There is no verb named lod. Did you mean load?"), ("label simlate", "subcommand"),
      ("predict --modle base", "Unknown option '--modle'"), ("load", "Missing expected argument"),
      ("load letters.csv --sample many", "many"), ("classify \"open", "never closed|has no end"),
      ("predict }", "}"), ("load letters.csv\n     > predict", "whole already"),
    ])
  func unknown(command: String, message: String) throws {
    let front = try Front()
    try front.writeLetters()
    try front.write(document("load letters.csv", "datasets"), to: "good.md")
    try front.write(document("load letters.csv", "datasets", command), to: "bad.md")
    let outcome = try front.run("replay", "good.md", "bad.md", "--update")
    #expect(outcome.status != 0)
    #expect(outcome.output.isEmpty, "\(outcome.output)")
    let line = command.contains("\n") ? 15 : 14
    #expect(
      outcome.error.contains("bad.md:\(line)") || outcome.error.contains("line \(line)"), "\(outcome.error)")
    #expect(message.split(separator: "|").contains { outcome.error.contains($0) }, "\(outcome.error)")
    #expect(try !front.read("good.md").contains("Loaded"))
  }

  @Test("A variable is no mistake, and what was interrupted is not asked")
  func variables() throws {
    let front = try Front()
    try front.writeLetters()
    try front.write(
      document("load letters.csv --sample $n", "predict --modle $x")
        + "\n```fettle\n# interrupted: lod\n```\n", to: "a.md")
    #expect(try front.run("replay", "a.md").error.contains("--modle"))
    try front.write(
      document("load letters.csv --sample $n") + "\n```fettle\n# interrupted: lod\n```\n", to: "a.md")
    let outcome = try front.run("replay", "a.md")
    #expect(outcome.output.contains("FAILED 1/2"), "\(outcome.output)\(outcome.error)")
  }

  @Test("Another version, a changed file, a missing file and a broken end are said first, in every document")
  func saidFirst() throws {
    let front = try Front()
    try front.writeLetters()
    try front.writeLetters(to: "more.csv")
    try front.lines("load letters.csv", "load more.csv", "session save a.md")
    let text = try front.read("a.md").replacingOccurrences(of: "fettle: 0.1.0", with: "fettle: 9.7.5")
    try front.write(text + "```fettle\nfettle> datasets", to: "a.md")
    try front.write(text, to: "b.md")
    try front.writeLetters(count: 44)
    try FileManager.default.removeItem(at: front.folder.appending(path: "more.csv"))
    let outcome = try front.run("replay", "b.md", "a.md")
    let first = try #require(outcome.lines.firstIndex { $0.contains("FAILED") })
    let said = outcome.lines[..<first].joined(separator: "\n")
    for name in ["a.md", "b.md"] {
      #expect(said.contains("\(name) was written by fettle 9.7.5"), "\(outcome.output)")
    }
    #expect(said.contains("a.md breaks off in line"))
    #expect(said.components(separatedBy: "letters.csv is not the file that line 10").count == 3)
    #expect(said.components(separatedBy: "more.csv, which line 15 loads, is not there").count == 3)
    #expect(outcome.lines.last == "0 passed, 4 failed")
  }

  @Test("An update keeps line ends, marks and indentation, and the file's permissions")
  func update() throws {
    let front = try Front()
    try front.writeLetters()
    let text =
      "---\r\nroot: .\r\n---\r\nProse\r\n\r\n  ~~~fettle title\r\n  fettle> load letters.csv\r\n  old\r\n  ~~~\r\n\r\n```fettle\r\nfettle> datasets\r\n```\r\n"
    try front.write(text, to: "windows.md")
    chmod(front.folder.appending(path: "windows.md").path, 0o640)
    #expect(try front.run("replay", "--update", "windows.md").status == 0)
    let updated = try front.read("windows.md")
    #expect(
      updated.contains("\r\n  ~~~fettle title\r\n  fettle> load letters.csv\r\n  Loaded letters: 40 assets"))
    #expect(!updated.replacingOccurrences(of: "\r\n", with: "").contains("\n"))
    #expect(try front.run("replay", "windows.md").status == 0)
    let attributes = try FileManager.default.attributesOfItem(atPath: front.folder.path + "/windows.md")
    #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o640)
  }

  @Test("A document cannot speak to the terminal: its escape codes are shown, not sent")
  func escapes() throws {
    let front = try Front()
    try front.write(
      "# Title \u{1B}[31m\n\n\u{1B}]0;x\u{7} prose\n\n```fettle\nfettle> note \u{1B}[2J\nold \u{1B}[2J\n```\n",
      to: "evil.md")
    for option in [[], ["--step"]] {
      let outcome = try front.run(["replay", "evil.md"] + option, input: "\n")
      #expect(!outcome.output.contains("\u{1B}") && !outcome.output.contains("\u{7}"), "\(outcome.output)")
    }
  }
}
