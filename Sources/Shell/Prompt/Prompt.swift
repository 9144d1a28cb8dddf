import Foundation
import Synchronization

/// What the prompt does after a command.
public enum Next: Sendable, Equatable {
  case goOn
  case leave
}

/// The line-edited prompt of a terminal, over libedit: history, Emacs keys and the user's `~/.editrc`, Ctrl-C, Tab, pastes,
/// and commands that run on a thread of their own while the terminal stays in order.
///
/// libedit reads on the main thread, since only there signals and a resized window reach it; `run` must be called there.
public final class Prompt {
  private static let prompt = SourceLines.prompt
  private static let continuationPrompt = SourceLines.continuationPrompt

  /// Says a line above the prompt, from any thread, while a line is being edited too.
  public let announcer: Announcer
  private let terminal: Terminal
  private let editor: LineEditor
  private var history: PromptHistory
  private let banner: String?

  /// - Parameters:
  ///   - history: the file that keeps what was typed; `nil` for none.
  ///   - editrc: whether the user's `~/.editrc` is read.
  ///   - banner: a line said before the first prompt.
  /// - Throws: `Failure` where the terminal cannot be edited on.
  public init(history: URL?, editrc: Bool = true, banner: String? = nil) throws {
    Self.useReadableLocale()
    terminal = .standardOutput
    editor = try LineEditor(isDumb: terminal.isDumb, editrc: editrc)
    editor.width = { [terminal] in terminal.width }
    self.history = PromptHistory(file: history)
    self.banner = banner
    announcer = Announcer(terminal: terminal)
  }

  /// Reads commands and runs them until the end: Ctrl-D on an empty line, a command that says so, SIGTERM, a closed terminal.
  ///
  /// - Parameters:
  ///   - continuation: what is open at the end of a text (`a double quote`), `nil` for a whole one.
  ///   - complete: what Tab offers for a text and the cursor in it; the text has the lines before, too.
  ///   - execute: runs a command, which may have several lines, on a thread of its own. Has the cancellation that Ctrl-C sets.
  /// - Throws: `Failure` where standard input is no terminal.
  public func run(
    continuation: (String) -> String?,
    complete: ((String, String.Index) -> [Candidate])? = nil,
    execute: @escaping @Sendable (String, Cancellation) -> Next
  ) throws {
    guard let modes = TerminalModes(descriptor: STDIN_FILENO) else {
      throw Failure(code: "no-terminal", message: "Standard input is no terminal, so there can be no prompt.")
    }
    let signals = try PromptSignals()
    defer {
      modes.restore()
      signals.end()
    }
    let runner = CommandRunner(signals: signals, modes: modes, terminal: terminal)
    editor.setHistory(history.entries)
    if let banner { terminal.write(banner + "\n") }
    while let text = read(continuation: continuation, complete: complete, signals: signals) {
      guard !text.allSatisfy(\.isWhitespace) else { continue }
      history.append(text)
      editor.setHistory(history.entries)
      if try runner.run(text, execute) == .leave { return }
    }
  }

  /// A whole text, of as many lines as it needs; `nil` at the end.
  private func read(
    continuation: (String) -> String?, complete: ((String, String.Index) -> [Candidate])?,
    signals: PromptSignals
  ) -> String? {
    var text = ""
    var open: String?
    while true {
      let before = text
      editor.complete = complete.map { complete in
        { line, cursor in
          let whole = before + line
          let offset = line.unicodeScalars.distance(from: line.startIndex, to: cursor)
          let start = before.unicodeScalars.count
          return complete(whole, whole.unicodeScalars.index(whole.startIndex, offsetBy: start + offset))
        }
      }
      if let open, terminal.isDumb { terminal.write("(\(open) is open; Ctrl-C drops the command)\n") }
      let note = open.map { terminal.isDumb ? "" : $0 + " is open" } ?? ""
      announcer.isEditing = true
      let line = editor.read(
        prompt: open == nil ? Self.prompt : Self.continuationPrompt, note: note, colour: terminal.colour)
      announcer.isEditing = false
      let noted = signals.pipe.drain().map(Int32.init)
      if noted.contains(SIGTERM) || noted.contains(SIGHUP) {
        terminal.write("\n")
        return nil
      }
      switch line {
      case .interrupted:
        terminal.write(noted.contains(SIGINT) ? "^C\n" : "\n")
        text = ""
        open = nil
      case .end:
        terminal.write("\n")
        if open == nil { return nil }
        text = ""
        open = nil
      case .text(let line):
        text += line
        open = continuation(text)
        guard open != nil else { return text }
        text += "\n"
      }
    }
  }

  /// Characters as the user's locale has them, and nothing else of it: decimal commas and translated errors would end up in
  /// documents. In the C locale libedit drops whatever is not ASCII, so UTF-8 takes its place.
  private static func useReadableLocale() {
    setlocale(LC_CTYPE, "")
    let encoding = nl_langinfo(Int32(CODESET)).map { String(cString: $0) } ?? ""
    if encoding.hasPrefix("ANSI") || encoding.isEmpty { setlocale(LC_CTYPE, "C.UTF-8") }
  }
}

/// Says lines while somebody may be typing: the half-typed line moves down and stays as it was.
public final class Announcer: Sendable {
  private let terminal: Terminal
  private let mainThread: UInt
  private let editing = Atomic<Bool>(false)

  init(terminal: Terminal) {
    self.terminal = terminal
    mainThread = UInt(pthread_self())
  }

  /// Whether a line is being edited now.
  public internal(set) var isEditing: Bool {
    get { editing.load(ordering: .acquiring) }
    set { editing.store(newValue, ordering: .releasing) }
  }

  /// May be called from any thread.
  public func say(_ line: String) {
    guard isEditing else { return terminal.write(line + "\n") }
    terminal.write((terminal.isDumb ? "\n" : "\r\u{1B}[J") + line + "\r\n")
    // libedit draws its line anew on its own thread when it learns that the process was continued.
    pthread_kill(pthread_t(mainThread), SIGCONT)
  }
}
