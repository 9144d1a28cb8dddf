import ArgumentParser
import Encoder
import Foundation
import Shell
import Transcripts
import Workbench

/// Plays saved sessions and compares what they answer now with what they answered then.
struct Replay: Verb {
  static let recording = Recording.nothing
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Play documents in a fresh workspace and compare the answers.",
    discussion: """
      Each document runs in a workspace of its own, so your work is not touched. Text has to be equal; a number drawn with ~ may differ a \
      little, since other processors round otherwise. A document reads only below its root, unless you allow more.

      Examples:
        replay Sessions/tutorial.md
        replay Sessions/tutorial.md --step
        replay Sessions/tutorial.md --until 5 --into lesson
      """)
  @Argument(help: "The documents.", completion: .file(extensions: ["md"])) var files: [Text]
  @Flag(help: "Wait for Enter before each step (s skips it, q leaves).") var step = false
  @Flag(help: "Rewrite the answers that differ.") var update = false
  @Option(help: ArgumentHelp("Stop after N steps.", valueName: "n")) var until: Int?
  @Option(
    help: ArgumentHelp(
      "Keep the workspace, as .fettle in this folder; an old one is set aside.", valueName: "folder"),
    completion: .directory)
  var into: Text?
  @Option(
    help: ArgumentHelp("A folder that the document may read from too.", valueName: "folder"),
    completion: .directory)
  var allowRead: [Text] = []

  func validate() throws {
    if into != nil, files.count > 1 { throw ValidationError("--into takes one document") }
    if update, until != nil || step {
      throw ValidationError("--update runs every step, so it goes without --until and --step")
    }
    if let until, until < 1 { throw ValidationError("--until counts steps from 1") }
  }

  func perform(in context: Context) throws -> Work {
    guard !context.files.isReplay else { throw Fault.notInReplay(verb: "replay") }
    let allowed = allowRead.map { URL(folder: $0.description, relativeTo: context.files.base) }
    var passed = 0
    var failed = 0
    // All are read before the first runs, so that a typing error in the last name is not found out after minutes.
    let documents = try files.map { try read($0.description, context) }
    for (name, url, document) in documents {
      if documents.count > 1 { context.nested.show(name.visible) }
      if document.frontMatter.fettle != FrontMatter.currentVersion {
        context.nested.show(
          "\(name.visible) was written by fettle \(document.frontMatter.fettle.visible); this is \(FrontMatter.currentVersion)."
        )
      }
      if let line = document.breaksOff {
        context.nested.show("\(name.visible) breaks off in line \(line); it is replayed up to there.")
      }
      let outcome = try play(document, url, allowed, context)
      passed += outcome.passed
      failed += outcome.failed
      if update { try rewrite(document, url, name, outcome, context) }
    }
    return Work { _ in
      var report = Report(verb: "replay")
      report.blocks.append(.line("\(passed) passed, \(failed) failed"))
      report.json = ["passed": .int(passed), "failed": .int(failed)]
      report.isFailure = failed > 0 && !update
      return report
    }
  }

  private func read(_ name: String, _ context: Context) throws -> (String, URL, Document) {
    let url = try context.files.reading(name)
    guard let data = try? Data(contentsOf: url) else { throw Fault.noFile(path: name) }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw Fault.other(code: "encoding", "\(name.visible) is not UTF-8. Save it as UTF-8.")
    }
    let document = try Document(parsing: text, file: name)
    _ = try document.precision.resolved()
    if document.steps.isEmpty {
      context.nested.show(
        "\(name.visible) has no steps: no ```fettle fence with a line that begins with fettle> stands in it.")
    }
    return (name, url, document)
  }

  private func play(_ document: Document, _ url: URL, _ allowed: [URL], _ context: Context) throws
    -> Replayer.Outcome
  {
    let manager = FileManager.default
    let folder: URL
    if let into {
      let home = URL(folder: into.description, relativeTo: context.files.base)
      folder = home.appending(path: ".fettle", directoryHint: .isDirectory)
      try manager.createDirectory(at: home, withIntermediateDirectories: true)
      if manager.fileExists(atPath: folder.path) {
        // The workspace that this process itself has open can only be set aside by its own hand.
        let isOwn =
          folder.resolvingSymlinksInPath().path == context.workspace.folder.resolvingSymlinksInPath().path
        let aside =
          try isOwn ? context.workspace.setAside().name : Workspace.setAside(folder)?.name ?? "nothing"
        context.nested.show("The workspace that was in \(into.description.visible) is set aside as \(aside).")
      }
    } else {
      folder = manager.temporaryDirectory.appending(
        path: "fettle-replay-\(UUID().uuidString)/.fettle", directoryHint: .isDirectory)
    }
    defer { if into == nil { try? manager.removeItem(at: folder.deletingLastPathComponent()) } }
    let colour = context.nested.terminal.colour
    let replayer = Replayer(context: context, folder: folder, allowed: allowed, drawsColour: colour)
    return try replayer.play(document, at: url, until: until) { step in
      guard self.step else { return .go }
      context.nested.show("fettle> \(step.command.visible)")
      return Self.key()
    }
  }

  /// The teacher's answer before a step: Enter runs it.
  private static func key() -> Replayer.Key {
    switch readLine()?.trimmingCharacters(in: .whitespaces).lowercased() {
    case nil, "q"?: .leave
    case "s"?: .skip
    default: .go
    }
  }

  private func rewrite(
    _ document: Document, _ url: URL, _ name: String, _ outcome: Replayer.Outcome, _ context: Context
  ) throws {
    let updated = document.updated(with: outcome.answers)
    guard updated.text != document.text else { return }
    do {
      try Data(updated.text.utf8).write(to: url, options: .atomic)
    } catch {
      throw Fault.cannotWrite(path: name)
    }
    context.nested.show("Updated \(name.visible).")
  }
}

extension Document {
  /// In which numbers the front matter wants the model to compute.
  var precision: Precision { Precision(rawValue: frontMatter.precision.rawValue) ?? .f32 }
}
