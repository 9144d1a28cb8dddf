import Foundation

/// What the prompt does after a command.
public enum Next: Sendable, Equatable {
  case goOn
  case leave
}

/// What Tab offers for the word at the cursor.
public struct Candidate: Sendable, Equatable {
  /// What stands in place of the word.
  public var text: String
  /// Characters before the cursor that it replaces.
  public var replacing: Int
  /// How it is listed beside others; `nil`: as `text`.
  public var display: String?
  /// Whether a blank follows when it is the only one.
  public var isWhole: Bool

  public init(_ text: String, replacing: Int, display: String? = nil, isWhole: Bool = true) {
    self.text = text
    self.replacing = replacing
    self.display = display
    self.isWhole = isWhole
  }
}

/// The line-edited prompt of a terminal, over libedit: history, Emacs keys, Ctrl-C, Tab, pastes, and commands that run on a
/// thread of their own while the terminal stays in order.
public final class Prompt {
  /// - Parameters:
  ///   - history: the file that keeps what was typed; `nil` for none.
  ///   - editrc: whether the user's `~/.editrc` is read.
  ///   - banner: a line said before the first prompt.
  /// - Throws: `Failure` where the terminal cannot be edited on.
  public init(history: URL?, editrc: Bool = true, banner: String? = nil) throws {}

  /// Reads commands until the end.
  ///
  /// - Parameters:
  ///   - continuation: what is open at the end of a text (`a double quote`), `nil` for a whole one.
  ///   - complete: what Tab offers for a text and the cursor in it.
  ///   - execute: runs a command of one line or more, on a thread of its own.
  public func run(
    continuation: (String) -> String?,
    complete: ((String, String.Index) -> [Candidate])? = nil,
    execute: @escaping @Sendable (String, Cancellation) -> Next
  ) throws {}
}
