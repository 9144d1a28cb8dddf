import Foundation

/// What the prompt does after a command.
public enum Next: Sendable, Equatable {
  case goOn
  case leave
  /// Goes on with a command that stands in grey on the empty line: Enter runs it, the right arrow takes it to be edited.
  case offer(String)
}

/// The line-edited prompt of a terminal, over libedit: history, Emacs keys and the user's `~/.editrc`, Ctrl-C, Tab, pastes,
/// and commands that run on a thread of their own while the terminal stays in order.
///
/// `run` takes the process's signals, so it has to be called on the main thread, and once at a time.
public final class Prompt {
  private static let prompt = SourceLines.prompt
  private static let continuationPrompt = SourceLines.continuationPrompt

  /// Says a line above the prompt, from any thread, while a line is being edited too.
  public let announcer: Announcer
  private let terminal: Terminal
  private let modes: TerminalModes
  private let signals: PromptSignals
  private let editor: LineEditor
  private var history: PromptHistory
  private let banner: String?

  /// Whether there is somebody to prompt: standard input and output are both a terminal.
  public static var isPossible: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 }

  /// - Parameters:
  ///   - history: the file that keeps what was typed; `nil` for none.
  ///   - editrc: whether the user's `~/.editrc` is read.
  ///   - banner: a line said before the first prompt.
  /// - Throws: `Diagnostic` where there is no terminal to edit on.
  public init(history: URL?, editrc: Bool = true, banner: String? = nil) throws {
    Self.useReadableLocale()
    guard let modes = TerminalModes(descriptor: STDIN_FILENO) else {
      throw Diagnostic(
        code: "no-terminal", message: "Standard input is no terminal, so there can be no prompt.")
    }
    self.modes = modes
    terminal = .standardOutput
    signals = try PromptSignals()
    let keys = KeyReader(descriptor: STDIN_FILENO, signals: signals.pipe)
    editor = try LineEditor(terminal: terminal, keys: keys, editrc: editrc)
    announcer = Announcer(terminal: terminal, wake: signals.pipe)
    editor.announcements = announcer.takeLines
    self.history = PromptHistory(file: history)
    self.banner = banner
  }

  /// Reads commands and runs them until the end: Ctrl-D on an empty line, a command that says so, SIGTERM, a closed terminal.
  ///
  /// - Parameters:
  ///   - continuation: what is open at the end of a text (`a double quote`), `nil` for a whole one.
  ///   - complete: what Tab offers for a text and the cursor in it; the text has the lines before, too.
  ///   - highlight: what the parts of a text are, for their colours.
  ///   - joinsLines: whether the lines of a paste behind a text are one text, with blanks between.
  ///   - leaves: asked at Ctrl-D: whether the shell is to be left.
  ///   - execute: runs a command, which may have several lines, on a thread of its own. Has the cancellation that Ctrl-C sets.
  /// - Throws: `Diagnostic` where the process may open no more descriptors.
  public func run(
    continuation: (String) -> String?,
    complete: ((String, String.Index) -> [Candidate])? = nil,
    highlight: ((String) -> [Highlight])? = nil,
    joinsLines: ((String) -> Bool)? = nil,
    leaves: () -> Bool = { true },
    execute: @escaping @Sendable (String, Cancellation) -> Next
  ) throws {
    editor.beQuietBetweenLines()
    modes.restoreAtExit()
    modes.quiet()
    signals.begin()
    defer {
      modes.restore()
      signals.end()
    }
    let runner = CommandRunner(signals: signals, modes: modes, terminal: terminal)
    editor.setHistory(history.entries)
    if let banner { terminal.write(banner + "\n") }
    var offer: String?
    while true {
      switch read(
        offer: offer, continuation: continuation, complete: complete, highlight: highlight,
        joinsLines: joinsLines)
      {
      case .closed: return
      case .end:
        if leaves() { return }
        offer = nil
      case .text(let text):
        guard !text.allSatisfy(\.isWhitespace) else { continue }
        offer = nil
        history.append(text)
        editor.setHistory(history.entries)
        switch try runner.run(text, execute) {
        case .leave: return
        case .offer(let command): offer = command
        case .goOn: break
        }
      }
    }
  }

  private enum Reading {
    case text(String)
    /// Ctrl-D.
    case end
    /// The terminal is gone, or a signal wants the shell to end.
    case closed
  }

  /// A whole text, of as many lines as it needs.
  private func read(
    offer: String?, continuation: (String) -> String?, complete: ((String, String.Index) -> [Candidate])?,
    highlight: ((String) -> [Highlight])?, joinsLines: ((String) -> Bool)?
  ) -> Reading {
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
      editor.joinsLines = open == nil ? joinsLines : nil
      let start = before.count
      editor.highlight = highlight.map { highlight in
        { line in
          highlight(before + line).map {
            Highlight(max(0, $0.range.lowerBound - start)..<max(0, $0.range.upperBound - start), $0.kind)
          }
        }
      }
      if let open, terminal.isDumb { terminal.write("(\(open) is open; Ctrl-C drops the command)\n") }
      let note = open.map { terminal.isDumb ? "" : $0 + " is open" } ?? ""
      announcer.isEditing = true
      let line = editor.read(
        prompt: open == nil ? Self.prompt : Self.continuationPrompt, note: note,
        offer: open == nil ? offer : nil)
      announcer.isEditing = false
      // Said while the line was being ended.
      for line in announcer.takeLines() { terminal.write(line + "\n") }
      switch line {
      case .interrupted(let signal):
        terminal.write(signal == SIGINT ? "^C\n" : "\n")
        guard signal == SIGINT else { return .closed }
        text = ""
        open = nil
      case .end:
        terminal.write("\n")
        if open == nil { return .end }
        text = ""
        open = nil
      case .text(let line):
        text += line
        open = continuation(text)
        guard open != nil else { return .text(text) }
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
