import Shell
import Transcripts
import Workbench

/// What came of one statement.
public struct Execution: Sendable {
  public var verb: String
  public var result: Result<Report, Diagnostic>
  /// A line for each of the field's words that the learner meets here for the first time.
  public var explanations: [String] = []
  /// The workspace that the prompt goes on in.
  public var nestedSession: NestedSession?
  /// How it is to be shown where not drawn; a document has it drawn in any case.
  public var format: ReportFormat?
  /// Whether it is a line of a script or a block.
  public var isNested = false
  /// What the lines of a script or a block came to; each was shown when it ended.
  var nested: [Execution] = []
  /// As it was typed, and as a step records it.
  var source = ""
  var command = ""
  /// Whether it has been logged as a step.
  var isStep = false
  /// Whether a path was rewritten or an option added.
  var isRecordedAsTyped: Bool { command == source }

  /// The exit status of a process that ran this alone: 0, 1 failed, 2 usage, 130 interrupted.
  public var status: Int32 {
    switch result {
    case .success(let report): report.isFailure ? 1 : 0
    case .failure(let failure): failure.exitStatus
    }
  }

  /// Verbs that only run other lines have nothing of their own to show.
  var isShown: Bool {
    switch result {
    case .success(let report): !report.isEmpty
    case .failure(let failure): !failure.wasShown
    }
  }

  /// As a document keeps it.
  var answer: Answer {
    let own: Answer =
      switch result {
      case .success(let report): CanonicalDrawing.draw(report)
      case .failure(let failure): failure.wasShown ? Answer() : failure.answer
      }
    return Answer(nested.flatMap(\.answer.lines) + own.lines)
  }

  /// As the log keeps it.
  var step: LoggedStep {
    let text = answer.text.joined(separator: "\n")
    switch result {
    case .success(let report):
      return LoggedStep(verb: verb, command: command, answer: text, json: JSONValue.object(report.json).line)
    case .failure(let failure):
      let isInterrupted = failure.exitStatus == Diagnostic.interruptedStatus
      return LoggedStep(
        verb: verb, command: command, answer: isInterrupted ? "" : text,
        status: isInterrupted ? .interrupted : .failed)
    }
  }
}
