import Foundation
import Shell
import Workbench

/// What a verb may use: the workspace, the files it is allowed, and the ways to report progress and to be stopped.
public struct Context: Sendable {
  public let workspace: Workspace
  public let files: FileAccess
  public let encoders: EncoderLibrary
  public let seed: UInt64
  public let progress: Shell.Progress
  public let cancellation: Cancellation
  /// The line being run, for verbs that repeat it.
  let statement: Statement
  /// Runs other lines: for `run` and `replay`.
  let nested: Nested

  /// What `run` and `replay` need of the interpreter that runs them.
  struct Nested: Sendable {
    let run: @Sendable (Statement, _ file: String?) throws -> Execution
    let show: @Sendable (String) -> Void
    let terminal: Terminal
  }

  /// Throws once the learner has pressed Ctrl-C.
  func checkCancellation() throws {
    if cancellation.isCancelled { throw CancellationError() }
  }

  var isCancelled: @Sendable () -> Bool {
    { [cancellation] in cancellation.isCancelled }
  }
}
