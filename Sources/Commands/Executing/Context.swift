import Basics
import Foundation
import Shell
import Tasks
import Workbench

/// What a verb may use: the workspace, the files it is allowed, and the ways to report progress and to be stopped.
public struct Context: Sendable {
  public let workspace: Workspace
  public let files: FileAccess
  public let encoders: ModelCache
  public var seed: UInt64 { read.seed }
  public let progress: Shell.Progress
  public let cancellation: Cancellation
  /// The line being run, for verbs that repeat it, and the script or document it stands in.
  let statement: Statement
  let file: String?
  /// Runs other lines: for `run` and `replay`.
  let nested: Nested
  let read: ReadValues

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
    let loops: LoopVariables
    /// Draws what a verb says while it runs.
    let send: @Sendable (Interpreter.Event) -> Void
    /// To be called when another session has taken the place of this one.
    let forget: @Sendable () -> Void
    let terminal: Terminal
    /// Where the prompt goes on when the verb has ended.
    let enter: @Sendable (NestedSession) -> Void

    func show(_ line: String) { send(.live(line)) }
  }

  /// What `$name` and `$verb.field` stand for.
  var value: @Sendable (String) -> String? { { [read] in read.value($0) } }
  /// The JSON of a verb's last answer.
  let answer: @Sendable (String) -> JSONValue?

  /// A text that ends the line, blanks, quotes and dashes as they were typed.
  ///
  /// - Parameter words: the text as argument-parser cut it up.
  func rest(_ words: [Text]) -> String {
    let typed = words.map(\.description).joined(separator: " ")
    // From the end, as many words as the text has: several of them may have come here as one.
    var start = statement.words.count
    var length = -1
    while length < typed.utf8.count, start > 1 {
      start -= 1
      length += statement.words[start].expanded(using: value).utf8.count + 1
    }
    let last = statement.words[start...].map { $0.expanded(using: value) }.joined(separator: " ")
    return start < statement.words.count && last == typed ? statement.text(from: start, using: value) : typed
  }

  /// The workspace's models.
  var models: ModelLibrary { ModelLibrary(workspace, encoders) }

  /// Throws once the learner has pressed Ctrl-C.
  func checkCancellation() throws {
    if cancellation.isCancelled { throw CancellationError() }
  }

  var isCancelled: @Sendable () -> Bool {
    { [cancellation] in cancellation.isCancelled }
  }
}

extension Context {
  /// Puts a file where the learner wants it: whole, or, whatever happens, not at all.
  ///
  /// - Parameter name: how the error calls it.
  /// - Throws: `CommandError.noRoom`, `CommandError.cannotWrite`.
  func write(_ data: Data, to url: URL, shownAs name: String) throws {
    do {
      // What a kill leaves lies in the workspace, which sweeps it, and not among the learner's files.
      try DurableFile.replace(url, with: data, staging: workspace.folder)
    } catch let error as FileError {
      throw CommandError(error, shownAs: name)
    }
  }
}
