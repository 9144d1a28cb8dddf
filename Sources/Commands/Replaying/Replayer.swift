import Foundation
import Shell
import Synchronization
import Transcripts
import Workbench

/// Plays a document in a fresh workspace and compares each answer with the document's.
///
/// The document's commands read only below its root and the folders that the learner allows, and write only into the
/// replay's own workspace.
struct Replayer {
  let document: ReplayDocument
  let context: Context
  let workspace: Workspace
  let files: FileAccess
  let drawsColour: Bool

  /// Which steps are played, counted from 1.
  struct Range {
    /// Those before it run unseen.
    var from = 1
    /// Those after it do not run.
    var until: Int?
  }

  /// What came of one document.
  struct Outcome {
    var passed = 0
    var failed = 0
    /// For each step of the document what it answered now; nil where it was not run.
    var answers: [Answer?] = []
    /// The teacher left before the end.
    var isLeft = false
  }

  /// - Parameters:
  ///   - folder: where the fresh workspace is made.
  ///   - isTemporary: whether it goes with the replay.
  ///   - allowed: folders that may be read besides the root.
  init(
    _ document: ReplayDocument, in folder: URL, isTemporary: Bool, allowed: [URL], drawsColour: Bool,
    _ context: Context
  )
    throws
  {
    self.document = document
    self.context = context
    self.drawsColour = drawsColour
    workspace = try Workspace.open(folder, isTemporary: isTemporary)
    let home = folder.deletingLastPathComponent()
    // What is recorded here should replay from here: with the document's own paths where these lead to the workspace too.
    let recordedRoot =
      isTemporary || home.resolvingSymlinksInPath().isBelow(document.root) ? document.root : home
    try workspace.write { workbench in
      let settings = try Settings(workbench)
      try settings.set(firstSeed: document.document.frontMatter.seed)
      try settings.set(precision: document.precision)
      try settings.set(root: recordedRoot.path(relativeTo: folder.resolvingSymlinksInPath()))
    }
    files = Self.access(document, root: recordedRoot, allowed: allowed, folder: folder)
  }

  /// The files that a document may use: below its root and what is allowed to be read, in the workspace's folder to be written.
  static func access(_ document: ReplayDocument, root: URL? = nil, allowed: [URL], folder: URL) -> FileAccess
  {
    FileAccess(
      root: root ?? document.root, base: document.root,
      mode: .replay(allowed: allowed + [document.root], written: folder.appending(path: "written")))
  }

  /// - Parameter lesson: shows each step and waits before it; nil for a replay without an audience.
  func play(_ range: Range, lesson: Lesson?) throws -> Outcome {
    let gate = OutputGate(context.nested.send)
    let interpreter = Interpreter(
      workspace: workspace, encoders: context.encoders, progress: context.progress,
      terminal: context.nested.terminal, records: true, files: { [files] in files },
      show: gate.show)
    var outcome = Outcome(answers: Array(repeating: nil, count: document.statements.count))
    var index = 0
    for part in document.document.parts {
      let isSeen = index + 1 >= range.from
      gate.isOpen = isSeen && lesson != nil
      if let until = range.until, index >= until { return outcome }
      switch part {
      case .prose(let prose):
        if isSeen { lesson?.show(prose: prose) }
      case .step(let step):
        defer { index += 1 }
        try context.checkCancellation()
        guard let statement = document.statements[index] else { continue }
        if isSeen, let lesson {
          switch try lesson.ask(step, index + 1, of: document.statements.count) {
          case .run: break
          case .skip: continue
          case .leave:
            context.nested.show("Left before step \(index + 1) of \(document.statements.count).")
            outcome.isLeft = true
            return outcome
          }
        }
        let execution = interpreter.run(
          statement, file: document.name, cancellation: context.cancellation)
        if execution.status == Diagnostic.interruptedStatus { throw CancellationError() }
        if execution.leaves { return outcome }
        outcome.answers[index] = execution.answer
        let comparison = Comparison(of: step, with: execution.answer)
        if comparison.passes { outcome.passed += 1 } else { outcome.failed += 1 }
        if isSeen { lesson?.answered(execution.withoutHints) }
        // An audience has just seen the answer, so it hears of it again only where it differs from one that was recorded.
        let isWorthSaying =
          lesson == nil ? !comparison.passes || isSeen : !comparison.passes && !step.answer.isEmpty
        if isWorthSaying { show(step, index, comparison) }
      }
    }
    return outcome
  }

  private func show(_ step: Transcripts.Step, _ index: Int, _ comparison: Comparison) {
    let mark = comparison.passes ? paint("ok    ", "32") : paint("FAILED", "31")
    let lines = step.command.split(separator: "\n")
    let command = (lines.first.map(String.init) ?? "").visible + (lines.count > 1 ? " …" : "")
    context.nested.show("\(mark) \(index + 1)/\(document.statements.count)  \(command)")
    for line in DiffDrawing(colour: drawsColour).draw(comparison.differences) {
      context.nested.show("  \(line)")
    }
  }

  private func paint(_ text: String, _ colour: String) -> String {
    drawsColour ? "\u{1B}[\(colour)m\(text)\u{1B}[0m" : text
  }
}

/// Between a replay's verbs and the screen: only an audience sees what they answer.
private final class OutputGate: Sendable {
  private let open = Mutex(false)
  private let send: @Sendable (Interpreter.Event) -> Void

  init(_ send: @escaping @Sendable (Interpreter.Event) -> Void) { self.send = send }

  var isOpen: Bool {
    get { open.withLock { $0 } }
    set { open.withLock { $0 = newValue } }
  }

  var show: @Sendable (Interpreter.Event) -> Void {
    { [self] event in
      guard isOpen else { return }
      if case .executed(let execution) = event {
        send(.executed(execution.withoutHints))
      } else {
        send(event)
      }
    }
  }
}

extension Execution {
  /// Between the prose of a lesson, which says what comes next and what the words mean.
  fileprivate var withoutHints: Execution {
    var execution = self
    execution.explanations = []
    if case .success(var report) = result {
      report.hint = nil
      execution.result = .success(report)
    }
    return execution
  }
}
