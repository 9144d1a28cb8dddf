/// One command of a session, with what was answered.
public struct Step: Equatable, Sendable {
  /// What was typed; several lines where a quote or a brace was open.
  public let command: String
  /// The answer's lines as the document shows them, escapes taken off.
  public let answer: [String]
  /// The document's line, from 1, that the command begins on; 0 for a step that came from no document.
  public let line: Int
  /// The command was interrupted, and a replay skips it.
  public let isInterrupted: Bool

  /// A line break inside an answer's line makes it two; what a document cannot hold, a carriage return before a line's
  /// end, goes.
  public init(command: String, answer: [String] = [], line: Int = 0, isInterrupted: Bool = false) {
    self.command = documentLines(of: command).joined(separator: "\n")
    self.answer = answer.flatMap { documentLines(of: $0).map(String.init) }
    self.line = line
    self.isInterrupted = isInterrupted
  }

  /// A step as it is logged.
  public init(command: String, answer: Answer, isInterrupted: Bool = false) {
    self.init(command: command, answer: answer.text, isInterrupted: isInterrupted)
  }

  /// The document's line that the answer begins on.
  public var answerLine: Int { line + commandLines.count }

  var commandLines: [Substring] { documentLines(of: command) }
}

/// The lines of a text, ended by LF or CRLF, without their ends. Never empty: "" is one empty line.
func documentLines(of text: some StringProtocol) -> [Substring] {
  let bytes = Substring(text).utf8
  return bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
    var line = line
    while line.last == UInt8(ascii: "\r") { line.removeLast() }
    return Substring(line)
  }
}
