import Foundation

/// A question that is answered with y or n before something is lost.
public enum Confirmation {
  public enum Reply: Sendable { case yes, no, nobody }

  /// Asks on the terminal, from any thread; anything but `y` is no, and so is what was typed before the question stood there:
  /// the rest of a paste is no answer, and stays for the prompt.
  ///
  /// - Returns: `nobody` where standard input or error is no terminal.
  public static func ask(_ question: String, isCancelled: () -> Bool) -> Reply {
    let terminal = Terminal.standardError
    guard isatty(STDIN_FILENO) == 1, terminal.isTerminal else { return .nobody }
    guard !hasInput(STDIN_FILENO) else { return .no }
    terminal.write(question.wrapped(to: terminal.width - 2).joined(separator: "\n") + " ")
    defer { terminal.write("\n") }
    var answer: UInt8?
    while !isCancelled() {
      guard hasInput(STDIN_FILENO, within: 200) else { continue }
      var byte: UInt8 = 0
      guard read(STDIN_FILENO, &byte, 1) == 1 else { return .no }
      if answer == nil {
        answer = byte
        // Without line editing the key itself arrives, and nothing shows it.
        if !isLineEdited { terminal.write(String(UnicodeScalar(byte < 0x7F && byte > 0x20 ? byte : 0x20))) }
      }
      if !isLineEdited || byte == UInt8(ascii: "\n") {
        return answer.map { $0 | 0x20 } == UInt8(ascii: "y") ? .yes : .no
      }
    }
    return .no
  }

  /// Whether the terminal gives whole lines, as it does where no prompt has changed it.
  private static var isLineEdited: Bool {
    var modes = termios()
    return tcgetattr(STDIN_FILENO, &modes) == 0 && modes.c_lflag & tcflag_t(ICANON) != 0
  }
}
