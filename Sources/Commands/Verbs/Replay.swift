import ArgumentParser
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
        replay Sessions/tutorial.md --step --from 7
        replay Sessions/tutorial.md --until 5 --into lesson

      Next: session show, or open the document in an editor.
      """)
  @Argument(help: "The documents.", completion: .file(extensions: ["md"])) var files: [Text]
  @Flag(
    help:
      "Before an audience: show the text, type each command and wait (Enter runs it, s skips it, b goes back to look at earlier steps, q leaves you at the prompt)."
  )
  var step = false
  @Flag(help: "Rewrite the answers that differ.") var update = false
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Begin at step N; those before it run unseen.", valueName: "n"))
  var from: Int?
  @Option(parsing: .unconditional, help: ArgumentHelp("Stop after N steps.", valueName: "n")) var until: Int?
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
    if files.count > 1, into != nil || from != nil || step {
      throw ValidationError("--into, --from and --step take one document")
    }
    if update, until != nil || from != nil || step {
      throw ValidationError("--update runs every step, so it goes without --from, --until and --step")
    }
    for number in [from, until].compactMap({ $0 }) where number < 1 {
      throw ValidationError("--from and --until count steps from 1")
    }
    if let from, let until, from > until {
      throw ValidationError("--from \(from) comes after --until \(until)")
    }
  }

  func perform(in context: Context) throws -> Effect {
    guard !context.files.isReplay else { throw CommandError.notInReplay(verb: "replay") }
    let allowed = allowRead.map { URL(folder: $0.description, relativeTo: context.files.base) }
    var passed = 0
    var failed = 0
    // All are read and checked before the first runs, so that a typing error in the last is not found out after minutes.
    let documents = try files.map { try ReplayDocument($0.description, allowed: allowed, context) }
    for document in documents {
      let count = document.statements.count
      if let from, from > count {
        throw CommandError.usage(
          "\(document.name.visible) has \(counted(count, "step")), so none is number \(from).")
      }
      try document.announceChangedFiles(
        Replayer.access(document, allowed: allowed, folder: document.root), context)
    }
    for document in documents {
      if documents.count > 1 { context.nested.show(document.name.visible) }
      let outcome = try play(document, allowed, context)
      passed += outcome.passed
      failed += outcome.failed
      if update { try rewrite(document, outcome, context) }
    }
    return Effect { _ in
      var report = Report(verb: "replay")
      report.blocks.append(.line("\(passed) passed, \(failed) failed"))
      report.json = ["passed": .int(passed), "failed": .int(failed)]
      report.isFailure = failed > 0 && !update
      return report
    }
  }

  private func play(_ document: ReplayDocument, _ allowed: [URL], _ context: Context) throws
    -> Replayer.Outcome
  {
    let (home, temporary) = try place(context)
    var isKept = false
    defer { if !isKept { temporary?.remove() } }
    let replayer = try Replayer(
      document, in: home.appending(path: ".fettle", directoryHint: .isDirectory),
      isTemporary: temporary != nil, allowed: allowed, drawsColour: context.nested.terminal.colour, context)
    let lesson = step ? Lesson(context) : nil
    let range = Replayer.Range(from: from ?? 1, until: until)
    let play = { try replayer.play(range, lesson: lesson) }
    let outcome = try lesson?.during(play) ?? play()
    if outcome.isLeft, Prompt.isPossible {
      context.nested.show(
        into == nil
          ? "You are in the document's own workspace now, which goes when you quit; yours is as it was."
          : "You are in the document's workspace now.")
      context.nested.enter(
        NestedSession(
          workspace: replayer.workspace, root: replayer.files.root, base: document.root,
          removeTemporary: { temporary?.remove() }))
      isKept = true
    }
    return outcome
  }

  /// The folder for the workspace, and the same where it goes with the replay.
  private func place(_ context: Context) throws -> (URL, ReplayFolder?) {
    if let into { return (try makeRoom(in: into.description, context), nil) }
    let folder = try ReplayFolder()
    return (folder.url, folder)
  }

  /// The folder that keeps the workspace; one that is there is set aside.
  private func makeRoom(in path: String, _ context: Context) throws -> URL {
    let manager = FileManager.default
    let home = URL(folder: path, relativeTo: context.files.base)
    let folder = home.appending(path: ".fettle", directoryHint: .isDirectory)
    do {
      try manager.createDirectory(at: home, withIntermediateDirectories: true)
    } catch {
      throw CommandError.cannotWrite(path: path)
    }
    guard manager.fileExists(atPath: folder.path) else { return home }
    // The workspace that this process itself has open can only be set aside by its own hand.
    let isOwn =
      folder.resolvingSymlinksInPath().path == context.workspace.folder.resolvingSymlinksInPath().path
    if isOwn, try !context.hasWork, try SessionDocument(context.workspace).discardEmpty() { return home }
    let aside = try isOwn ? context.workspace.setAside().name : Workspace.setAside(folder)?.name
    if let aside {
      context.nested.show("The workspace that was in \(path.visible) is set aside as \(aside).")
    }
    return home
  }

  private func rewrite(_ document: ReplayDocument, _ outcome: Replayer.Outcome, _ context: Context) throws {
    let updated = document.document.updated(with: outcome.answers)
    guard updated.text != document.document.text else { return }
    try context.write(Data(updated.text.utf8), to: document.url, shownAs: document.name)
    context.nested.show("Updated \(document.name.visible).")
  }
}
