import Foundation

/// Single keys of a terminal, for a verb that asks for one at a time. Until it is released the terminal echoes nothing and
/// gives each key at once.
///
/// Signals stay with whoever runs the verb: Ctrl-C comes as its cancellation.
public final class Keyboard {
  public enum Key: Equatable, Sendable {
    case character(Character)
    case left, right, up, down, pageUp, pageDown, backspace, enter
    /// The window has another size now.
    case resized
    /// Ctrl-D, a closed terminal, or the cancellation.
    case end
  }

  private static let patience: Int32 = 100

  private let descriptor: Int32
  private let window: Terminal
  private let isCancelled: () -> Bool
  private var saved: termios
  private var size: (columns: Int, rows: Int)

  /// - Parameters:
  ///   - window: where the answer to the keys is shown.
  ///   - isCancelled: asked several times a second.
  /// - Throws: `Diagnostic` where standard input or the window is no terminal.
  public init(window: Terminal, isCancelled: @escaping () -> Bool) throws {
    descriptor = STDIN_FILENO
    self.window = window
    self.isCancelled = isCancelled
    saved = termios()
    size = (window.width, window.height)
    guard window.isTerminal, tcgetattr(descriptor, &saved) == 0 else {
      throw Diagnostic(code: "no-terminal", message: "There is no terminal to press keys at.", exitStatus: 2)
    }
    quieten()
  }

  /// Puts the terminal's modes back.
  public func release() { TerminalModes.set(&saved, of: descriptor) }

  private func quieten() {
    var modes = termios()
    guard tcgetattr(descriptor, &modes) == 0, modes.c_lflag & UInt32(ICANON | ECHO) != 0 else { return }
    modes.quieten()
    TerminalModes.set(&modes, of: descriptor)
  }

  /// Waits for the next key.
  public func next() -> Key {
    var bytes: [UInt8] = []
    while true {
      if isCancelled() { return .end }
      // Ctrl-Z and fg may have put the echo back.
      quieten()
      if (window.width, window.height) != size {
        size = (window.width, window.height)
        return .resized
      }
      guard let byte = byte(within: Self.patience) else { continue }
      guard let byte else { return .end }
      guard let scalar = KeyReader.decode(byte, after: &bytes) else { continue }
      switch scalar {
      case "\u{4}": return .end
      case "\u{8}", "\u{7F}": return .backspace
      case "\n", "\r": return .enter
      case "\u{1B}": if let key = escaped() { return key }
      case "\u{0}"..<" ": break
      default: return .character(Character(scalar))
      }
    }
  }

  /// A key that sends several bytes: those that move are known, the others pass.
  private func escaped() -> Key? {
    guard case let kind?? = byte(within: 50), kind == UInt8(ascii: "[") || kind == UInt8(ascii: "O") else {
      return nil
    }
    var number: [UInt8] = []
    while case let byte?? = byte(within: 50) {
      guard (0x40...0x7E).contains(byte) else {
        number.append(byte)
        continue
      }
      switch (Character(Unicode.Scalar(byte)), String(decoding: number, as: UTF8.self)) {
      case ("A", _): return .up
      case ("B", _): return .down
      case ("C", _): return .right
      case ("D", _): return .left
      case ("~", "5"): return .pageUp
      case ("~", "6"): return .pageDown
      default: return nil
      }
    }
    return nil
  }

  /// The next byte; `nil` where none comes in time, `.some(nil)` at the end.
  private func byte(within milliseconds: Int32) -> UInt8?? {
    guard hasInput(descriptor, within: milliseconds) else { return nil }
    var byte: UInt8 = 0
    let count = read(descriptor, &byte, 1)
    if count < 0, errno == EINTR || errno == EAGAIN { return nil }
    return .some(count == 1 ? byte : nil)
  }
}
