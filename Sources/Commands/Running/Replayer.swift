import ArgumentParser
import Foundation
import Shell
import Transcripts
import Workbench

/// Plays a document in a fresh workspace and compares each answer with the document's.
///
/// The document's commands read only below its root and the folders that the learner allows, and write only into the
/// replay's own workspace.
struct Replayer {
  let context: Context
  /// Where the fresh workspace is made.
  let folder: URL
  let allowed: [URL]
  let drawsColour: Bool

  /// What came of one document.
  struct Outcome {
    var passed = 0
    var failed = 0
    /// For each step of the document what it answered now; nil where it was not run.
    var answers: [Answer?] = []
  }

  /// Whether to go on before a step: the teacher's key.
  enum Key { case go, skip, leave }

  /// - Parameters:
  ///   - limit: how many steps to run.
  ///   - ask: asked before each step.
  func play(
    _ document: Document, at url: URL, until limit: Int?, ask: (Transcripts.Step) throws -> Key
  ) throws -> Outcome {
    let documentRoot = URL(folder: document.frontMatter.root, relativeTo: url.deletingLastPathComponent())
    let commands = try document.steps.map { try statement(of: $0, in: url) }
    announceChangedFiles(document, commands, root: documentRoot)
    let interpreter = try interpreter(for: document, root: documentRoot)
    var outcome = Outcome(answers: Array(repeating: nil, count: document.steps.count))
    for (index, step) in document.steps.enumerated() {
      if let limit, index >= limit { break }
      try context.checkCancellation()
      guard !step.isInterrupted, let statement = commands[index] else { continue }
      switch try ask(step) {
      case .go: break
      case .skip: continue
      case .leave:
        context.nested.show("Left before step \(index + 1) of \(document.steps.count).")
        return outcome
      }
      let execution = interpreter.run(
        statement, file: url.lastPathComponent, cancellation: context.cancellation)
      if execution.status == Failure.interruptedStatus { throw CancellationError() }
      if execution.leaves { break }
      outcome.answers[index] = execution.answer
      let comparison = Comparison(of: step, with: execution.answer)
      if comparison.passes { outcome.passed += 1 } else { outcome.failed += 1 }
      show(step, index, comparison, of: document.steps.count)
    }
    return outcome
  }

  private func show(_ step: Transcripts.Step, _ index: Int, _ comparison: Comparison, of count: Int) {
    let mark = comparison.passes ? paint("ok    ", "32") : paint("FAILED", "31")
    context.nested.show("\(mark) \(index + 1)/\(count)  \(step.command.visible)")
    for line in DiffDrawing(colour: drawsColour).draw(comparison.differences) {
      context.nested.show("  \(line)")
    }
  }

  private func paint(_ text: String, _ colour: String) -> String {
    drawsColour ? "\u{1B}[\(colour)m\(text)\u{1B}[0m" : text
  }

  /// The command as the language reads it; nil for an empty one.
  private func statement(of step: Transcripts.Step, in url: URL) throws -> Statement? {
    try Language.statements(
      in: step.command, file: url.lastPathComponent, firstLine: step.line, extractingPrompts: false
    ).first
  }

  /// Says which files that the document loads are not what they were, before any diff does.
  private func announceChangedFiles(_ document: Document, _ commands: [Statement?], root: URL) {
    for (step, statement) in zip(document.steps, commands) {
      guard let statement, statement.words.first?.text == "load",
        let parsed = try? VerbParser.verb(from: statement.words.map { VerbParser.Input($0) }),
        let load = parsed.verb as? Load,
        let recorded = step.answer.joined(separator: " ").firstMatch(of: #/sha256 ([0-9a-f]{8,64})/#)?.1,
        let digest = try? sha256(Installation.running.file(load.file.description, from: root))
      else { continue }
      if !digest.hasPrefix(recorded) {
        context.nested.show(
          "\(load.file.description.visible) is not the file that line \(step.line) was recorded with: "
            + "sha256 \(recorded) then, \(digest.prefix(recorded.count)) now.")
      }
    }
  }

  private func interpreter(for document: Document, root: URL) throws -> Interpreter {
    let workspace = try Workspace.open(folder)
    let home = folder.deletingLastPathComponent()
    try workspace.write { workbench in
      let settings = try Settings(workbench)
      try settings.set(firstSeed: document.frontMatter.seed)
      try settings.set(precision: document.precision)
      try settings.set(root: home.path(relativeTo: folder))
    }
    let written = folder.appending(path: "written")
    let allowed = allowed + [root]
    return Interpreter(
      workspace: workspace, encoders: context.encoders, progress: context.progress,
      terminal: context.nested.terminal,
      records: true,
      files: { FileAccess(root: home, base: root, mode: .replay(allowed: allowed, written: written)) },
      show: { _ in })
  }
}
