import Foundation

/// Single keys of a person at the terminal, for a verb that asks something while it runs. From a pipe, lines: each counts as its
/// first character.
public struct KeyPresses {
  public enum Press: Equatable, Sendable {
    /// Enter, or an empty line.
    case enter
    case key(Character)
    /// The input is at its end.
    case end
  }

  private let descriptor: Int32
  private let isTerminal: Bool
  private let isCancelled: @Sendable () -> Bool

  /// - Parameter isCancelled: asked several times a second while no key comes.
  public init(descriptor: Int32 = STDIN_FILENO, isCancelled: @escaping @Sendable () -> Bool) {
    self.descriptor = descriptor
    self.isCancelled = isCancelled
    isTerminal = isatty(descriptor) == 1
  }

  /// Runs `body` while keys come one by one and unseen; the terminal is as it was before when this returns.
  public func listening<T>(_ body: () throws -> T) rethrows -> T {
    // A prompt has the terminal so while its commands run.
    guard isTerminal, !TerminalModes.areQuiet, let modes = TerminalModes(descriptor: descriptor) else {
      return try body()
    }
    modes.quiet()
    defer { modes.restore() }
    return try body()
  }

  /// Drops what was typed before: an impatient Enter during a long command is no answer to the question after it.
  public func forget() {
    if isTerminal { tcflush(descriptor, TCIFLUSH) }
  }

  /// The next key; `nil` when none came in time.
  ///
  /// - Parameter seconds: how long to wait; `nil` for as long as it takes.
  /// - Throws: `CancellationError` once the learner has pressed Ctrl-C.
  public func next(within seconds: Double? = nil) throws -> Press? {
    let deadline = seconds.map { Date(timeIntervalSinceNow: $0) }
    var line: [UInt8] = []
    var scalar: [UInt8] = []
    while true {
      if isCancelled() { throw CancellationError() }
      let left = deadline?.timeIntervalSinceNow ?? 1
      guard left > 0 else { return nil }
      guard hasInput(descriptor, within: Int32(min(50, (left * 1000).rounded(.up)))) else { continue }
      var byte: UInt8 = 0
      let count = read(descriptor, &byte, 1)
      if count < 0, errno == EINTR || errno == EAGAIN { continue }
      guard count == 1 else { return line.isEmpty ? .end : press(line) }
      if isTerminal {
        guard let decoded = KeyReader.decode(byte, after: &scalar) else { continue }
        if decoded == "\u{4}" { return .end }
        return decoded == "\n" || decoded == "\r" ? .enter : .key(Character(decoded))
      }
      if byte == UInt8(ascii: "\n") { return press(line) }
      line.append(byte)
    }
  }

  private func press(_ line: [UInt8]) -> Press {
    String(decoding: line, as: UTF8.self).first { !$0.isWhitespace }.map(Press.key) ?? .enter
  }
}
