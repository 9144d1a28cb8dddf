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
  /// The line being run, for verbs that repeat it, and the script or document it stands in.
  let statement: Statement
  let file: String?
  /// Runs other lines: for `run` and `replay`.
  let nested: Nested

  /// What verbs need that run lines themselves, of the interpreter that runs them.
  struct Nested: Sendable {
    let run: @Sendable (Statement, _ file: String?) -> Execution
    /// Runs a line that a verb has made of what was done at the keyboard: nothing is shown, and the document is written
    /// when the verb ends.
    let runQuietly: @Sendable (Statement) -> Execution
    /// How many scripts this line stands in.
    let depth: Int
    /// Whether it stands in the block of a `for`.
    let isInBlock: Bool
    /// Draws what a verb says while it runs.
    let send: @Sendable (Interpreter.Event) -> Void
    /// To be called when another session has taken the place of this one.
    let forget: @Sendable () -> Void
    let terminal: Terminal
    /// Where the prompt goes on when the verb has ended.
    let handOver: @Sendable (HandOver) -> Void

    func show(_ line: String) { send(.live(line)) }
  }

  /// What `$name` and `$verb.field` stand for.
  let value: @Sendable (String) -> String?
  /// The JSON of a verb's last answer.
  let answer: @Sendable (String) -> JSONValue?

  /// A text that ends the line, blanks, quotes and dashes as they were typed.
  ///
  /// - Parameter words: the text as argument-parser cut it up.
  func rest(_ words: [Text]) -> String {
    let start = statement.words.count - words.count
    guard start > 0,
      zip(statement.words[start...], words).allSatisfy({ $0.expanded(using: value) == $1.description })
    else { return words.map(\.description).joined(separator: " ") }
    return statement.text(from: start, using: value)
  }

  /// Throws once the learner has pressed Ctrl-C.
  func checkCancellation() throws {
    if cancellation.isCancelled { throw CancellationError() }
  }

  var isCancelled: @Sendable () -> Bool {
    { [cancellation] in cancellation.isCancelled }
  }
}
