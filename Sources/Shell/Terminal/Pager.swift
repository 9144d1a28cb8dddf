import Glibc
import Synchronization

/// Shows an answer that is longer than the window a windowful at a time, at the prompt alone.
///
/// A copy shares the state of the first.
public struct Pager: Sendable {
  private final class State: Sendable {
    let cancellation = Mutex<Cancellation?>(nil)
    let waited = Mutex(Duration.zero)
  }

  private let terminal: Terminal
  private let state = State()

  public init(_ terminal: Terminal) { self.terminal = terminal }

  /// From now on answers stop at a windowful, until the command is cancelled; with `nil` they never do.
  public func attend(to cancellation: Cancellation?) {
    state.cancellation.withLock { $0 = cancellation }
    state.waited.withLock { $0 = .zero }
  }

  /// How long it has waited for keys since.
  public var waited: Duration { state.waited.withLock(\.self) }

  /// Shows a text, and stops where the window is full. Where something has been typed ahead it is shown whole: the rest of a
  /// paste presses no keys.
  public func show(_ text: String) {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    guard let cancellation = state.cancellation.withLock(\.self), terminal.isTerminal, !terminal.isDumb,
      lines.reduce(0, { $0 + rows($1) }) >= terminal.height, !hasInput(STDIN_FILENO)
    else { return terminal.write(text) }
    lines = lines.flatMap { rows($0) >= terminal.height ? $0.rows(of: terminal.width) : [$0] }
    let keys = KeyPresses { cancellation.isCancelled }
    keys.listening {
      var next = 0
      var room = terminal.height - 1
      while next < lines.count {
        var shown = ""
        while next < lines.count, room > 0 {
          shown += lines[next] + "\n"
          room -= rows(lines[next])
          next += 1
        }
        terminal.write(shown)
        guard next < lines.count else { return }
        room = wait(shown: next, of: lines.count, keys)
        if room == 0 { return }
      }
    }
  }

  /// The rows that a line takes in the window as it is now.
  private func rows(_ line: String) -> Int {
    let width = max(1, terminal.width)
    return max(1, (line.withoutEscapes.displayWidth + width - 1) / width)
  }

  /// Waits for a key; how many rows it asks for, 0 to end.
  private func wait(shown: Int, of total: Int, _ keys: KeyPresses) -> Int {
    let note = "-- \(shown) of \(total) lines; Space: on, Enter: a line, q: end --"
    terminal.write(terminal.drawing.dim(note.cut(to: terminal.width - 1, ellipsis: "")))
    let start = ContinuousClock.now
    defer {
      terminal.write("\r\u{1B}[K")
      state.waited.withLock { $0 += ContinuousClock.now - start }
    }
    while true {
      guard let press = try? keys.next() else { return 0 }
      switch press {
      case .enter: return 1
      case .end, .key("q"), .key("Q"): return 0
      case .key(" "), .key("f"): return terminal.height - 1
      case .key("\u{1B}"):
        var sequence = ""
        while case .key(let next)? = try? keys.next(within: 0.03) { sequence.append(next) }
        if sequence == "[6~" { return terminal.height - 1 }
        if sequence == "[B" || sequence == "OB" { return 1 }
      default: break
      }
    }
  }
}

extension String {
  /// One line as the rows that a terminal makes of it: of a line that is higher than the window, as JSON is, each can be stopped at.
  fileprivate func rows(of width: Int) -> [String] {
    // Colours would have to go on from row to row; lines so long have none.
    guard !contains("\u{1B}") else { return [self] }
    var rows: [String] = []
    var (row, used) = ("", 0)
    for character in self {
      if used + character.displayWidth > max(2, width) {
        rows.append(row)
        (row, used) = ("", 0)
      }
      row.append(character)
      used += character.displayWidth
    }
    return rows + [row]
  }
}
