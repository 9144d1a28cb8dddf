import ArgumentParser
import Shell
import Workbench

/// A command of the language: declared once with argument-parser, for the prompt and the Unix command line alike.
///
/// Conform, put the type into `Fettle`'s list, and it has parsing, validation, help and completion. A verb never prints:
/// it returns its report, and the shell draws it.
public protocol Verb: ParsableCommand, Sendable {
  /// What of it goes into the session's document.
  static var recording: Recording { get }

  /// Whether it only looks: nothing that it does can be seen by a later command but its own answer.
  static var onlyLooks: Bool { get }

  /// Does the verb's long work, if it has any, and returns what remains to be done in the step's transaction.
  func perform(in context: Context) throws -> Effect
}

extension Verb {
  public static var recording: Recording { .step }
  public static var onlyLooks: Bool { false }
}

/// A verb that is quick, leaves nothing behind before its step, and may begin again.
protocol Repeatable {}

/// A verb whose answer tells the SHA-256 of files that it reads, so that a replay can say which are no longer the same.
protocol DigestingVerb {
  /// As they were typed, in the answer's order.
  var digestedFiles: [Text] { get }
}

/// What of a verb goes into the session's document.
public enum Recording: Sendable {
  /// The command and its answer.
  case step
  /// What the verb itself logs: prose, labels given by hand.
  case prose
  /// The steps of its block, each in its own transaction as if it had been typed. When all have ended well, they are folded
  /// into one step: the command with its block, and all their answers. A kill in the middle leaves the steps one by one, and
  /// so a document that replays to the same state.
  case block
  /// Nothing: it is not about the workspace (help, quit, the document's own verbs).
  case nothing
}

/// What remains of a verb after its long work: its effect and its report.
///
/// `commit` runs inside the one database transaction that also logs the step, so that an effect is there exactly when the
/// document says so, whenever the process is killed.
public struct Effect {
  let commit: (Workbench) throws -> Report
  /// Options that the recorded command needs besides what was typed, asked before `commit`.
  let recordedOptions: (Workbench) throws -> [String]
  /// What is done to files once the transaction is kept: a kill before it leaves files that nothing names, one after it nothing.
  let afterCommit: () -> Void
  /// Whether what the long work read is still so, asked where another shell has logged steps meanwhile. Where it is not, the verb
  /// begins again, as long as that takes no more than seconds.
  let isCurrent: (Workbench) throws -> Bool
  /// Removes what the long work has made, where the verb begins again.
  let discard: () -> Void

  /// - Parameters:
  ///   - recordedOptions: where the verb took a default (the current data set, the newest model) that has changed while it
  ///     worked, the option that names it, so that a replay takes the same one.
  ///   - afterCommit: removes what the effect has left without a name; it cannot fail.
  ///   - isCurrent: whether what was read before `commit` is still so.
  ///   - discard: removes what was made before `commit`.
  ///   - commit: makes the effect, reads what the report needs, and returns the report.
  public init(
    recordedOptions: @escaping (Workbench) throws -> [String] = { _ in [] },
    afterCommit: @escaping () -> Void = {},
    isCurrent: @escaping (Workbench) throws -> Bool = { _ in true },
    discard: @escaping () -> Void = {},
    _ commit: @escaping (Workbench) throws -> Report
  ) {
    self.recordedOptions = recordedOptions
    self.afterCommit = afterCommit
    self.isCurrent = isCurrent
    self.discard = discard
    self.commit = commit
  }
}
