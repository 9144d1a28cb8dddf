import Synchronization

/// Says lines while somebody may be typing: the half-typed line moves down and stays as it was.
public final class Announcer: Sendable {
  private struct State {
    var isEditing = false
    var lines: [String] = []
  }

  private let terminal: Terminal
  private let wake: SelfPipe
  private let state = Mutex(State())

  init(terminal: Terminal, wake: SelfPipe) {
    self.terminal = terminal
    self.wake = wake
  }

  /// Whether a line is being edited now.
  public internal(set) var isEditing: Bool {
    get { state.withLock(\.isEditing) }
    set { state.withLock { $0.isEditing = newValue } }
  }

  /// May be called from any thread. While a command runs, the line goes to the terminal at once.
  public func say(_ line: String) {
    let isEditing = state.withLock { state in
      if state.isEditing { state.lines.append(line) }
      return state.isEditing
    }
    if isEditing {
      SelfPipe.write(KeyReader.wake, to: wake.writer)
    } else {
      terminal.write(line + "\n")
    }
  }

  /// The lines that wait to be said.
  func takeLines() -> [String] {
    state.withLock { state in
      defer { state.lines = [] }
      return state.lines
    }
  }
}
