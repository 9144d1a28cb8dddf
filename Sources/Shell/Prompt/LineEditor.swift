import CLibEdit
import Foundation

/// libedit, as Swift sees it: one line at a time from a terminal, on the main thread.
///
/// libedit has the buffer, the keys and the search through the history. On a terminal that knows escape codes its own drawing
/// goes nowhere, since it miscounts joined and wide characters in wrapped lines, and `LineDisplay` draws: each time when a key
/// is asked for and none is there yet, so that a paste is drawn once.
final class LineEditor {
  enum Line: Equatable {
    case text(String)
    /// A signal has ended it: SIGINT, SIGTERM or SIGHUP.
    case interrupted(Int32)
    case end
  }

  /// Offers candidates for a line and the cursor in it.
  var complete: ((String, String.Index) -> [Candidate])?
  /// What the parts of a line are, for their colours.
  var highlight: ((String) -> [Highlight])?
  /// Whether the lines of a paste behind this text are one text.
  var joinsLines: ((String) -> Bool)?
  /// The lines that wait to be said above the one being edited.
  var announcements: () -> [String] = { [] }

  let terminal: Terminal
  let editor: OpaquePointer
  private let entries: OpaquePointer
  private let bracketsPastes: Bool
  var keys: KeyReader
  /// Keys that libedit gets before any other.
  private var waiting: [Unicode.Scalar] = []
  /// Whether an escape has been passed on by itself, so that libedit waits for what it makes a Meta key of.
  private var escapeIsOpen = false
  /// Whether libedit's keys are those of Emacs, where an escape makes a Meta key of the one behind it.
  private let isEmacs: Bool
  private var settings = ""
  private var prompt = ""
  private var note = ""
  /// As libedit draws them.
  private var drawnPrompt = strdup("")
  private var drawnNote = strdup("")
  /// What Enter on an empty line means; it stands there in grey.
  private(set) var offer: String?
  /// The signal that has ended the line.
  private var signal: Int32?
  private(set) var search = HistorySearch()
  var walk = HistoryWalk()
  var undo = UndoHistory()
  /// What was deleted last, to be brought back, and the line that was left: what is deleted next to it joins it.
  var deleted: (text: String, line: EditedLine)?
  var display: LineDisplay

  /// - Parameters:
  ///   - terminal: where the line is shown.
  ///   - keys: where it is typed.
  ///   - editrc: whether the user's file of settings is read.
  /// - Throws: `Diagnostic` where libedit cannot be had.
  init(terminal: Terminal, keys: KeyReader, editrc: Bool) throws {
    guard let editor = fettle_el_init("fettle", terminal.isDumb ? 1 : 0), let entries = history_init() else {
      throw Diagnostic(
        code: "no-line-editor", message: "The terminal cannot be edited on. Type commands through a pipe.")
    }
    self.terminal = terminal
    self.keys = keys
    self.editor = editor
    self.entries = entries
    display = LineDisplay(terminal)
    _ = fettle_history_size(entries, Int32(PromptHistory.capacity))
    _ = fettle_el_set_text(editor, EL_EDITOR, "emacs")
    _ = fettle_el_history(editor, entries)
    for function in EditingFunction.all {
      _ = fettle_el_add_function(editor, function.name, function.help, function.call)
    }
    settings = editrc ? Self.readSettings(editor) : ""
    isEmacs = fettle_el_editor(editor).map { String(cString: $0) } == "emacs"
    bracketsPastes = isEmacs && !terminal.isDumb
    // Behind the user's file, since its `bind -e` would undo them; what the user has bound stays.
    for (key, name) in EditingFunction.bindings(isEmacs: isEmacs) where !isBoundByUser(key) {
      _ = fettle_el_bind(editor, key, name)
    }

    // The editor lives as long as the process. `el_end` would throw away what is typed ahead for the shell that started us.
    _ = fettle_el_set_client(editor, Unmanaged.passRetained(self).toOpaque())
    if terminal.isDumb {
      _ = fettle_el_prompt(editor, { LineEditor.of($0)?.drawnPrompt }, 1)
      _ = fettle_el_right_prompt(editor, { LineEditor.of($0)?.drawnNote }, 1)
    }
    _ = fettle_el_set_reader(editor) { LineEditor.of($0)?.readKey(into: $1) ?? 0 }
  }

  /// From now on the terminal stays without echo between two lines.
  func beQuietBetweenLines() { _ = fettle_el_quiet_between_lines(editor) }

  /// Reads a line.
  ///
  /// - Parameters:
  ///   - prompt: what stands before it.
  ///   - note: what stands at the window's right edge, as long as there is room.
  ///   - offer: what Enter on an empty line runs. On a dumb terminal it stands in the line as if it had been typed.
  func read(prompt: String, note: String, offer: String? = nil) -> Line {
    (self.prompt, self.note, self.offer) = (prompt, note, offer)
    free(drawnPrompt)
    free(drawnNote)
    (drawnPrompt, drawnNote) = (strdup(prompt), strdup(note))
    if bracketsPastes { switchBrackets(on: true) }
    defer { if bracketsPastes { switchBrackets(on: false) } }
    signal = nil
    search = HistorySearch()
    undo = UndoHistory()
    walk = HistoryWalk(entries: walk.entries)
    display.forget()
    if let offer, terminal.isDumb { el_push(editor, offer) }
    var count: Int32 = 0
    let text = el_gets(editor, &count)
    if let signal { return .interrupted(signal) }
    guard let text else {
      finish("")
      return .end
    }
    var line = String(cString: text)
    if line.last == "\n" { line.removeLast() }
    if line.isEmpty, let offer, !terminal.isDumb { line = offer }
    if finish(line) { terminal.write("\n") }
    return .text(line)
  }

  /// Makes these the history that the arrow keys and Ctrl-R walk through, the newest last.
  func setHistory(_ lines: [String]) {
    walk.entries = lines
    _ = fettle_history_clear(entries)
    for line in lines { _ = fettle_history_enter(entries, line) }
  }

  static func of(_ editor: OpaquePointer?) -> LineEditor? {
    guard let editor, let client = fettle_el_client(editor) else { return nil }
    return Unmanaged<LineEditor>.fromOpaque(client).takeUnretainedValue()
  }

  /// Reads the user's file of settings; its text, where there is one.
  private static func readSettings(_ editor: OpaquePointer) -> String {
    let environment = ProcessInfo.processInfo.environment
    guard let path = environment["EDITRC"] ?? environment["HOME"].map({ $0 + "/.editrc" }),
      let text = try? String(contentsOfFile: path, encoding: .utf8)
    else { return "" }
    _ = el_source(editor, path)
    return text
  }

  /// Whether the user's settings name a key, in one of libedit's spellings.
  private func isBoundByUser(_ key: String) -> Bool {
    guard key.hasPrefix("\u{1B}") else { return settings.contains(key) }
    return ["\\e", "^[", "M-"].contains { settings.contains($0 + key.dropFirst()) }
  }

  func switchBrackets(on: Bool) {
    guard bracketsPastes else { return }
    TerminalModes.notePaste(isBracketed: on)
    terminal.write(on ? "\u{1B}[?2004h" : "\u{1B}[?2004l")
  }
}

// MARK: - Drawing

extension LineEditor {
  /// What stands in grey behind the cursor at the line's end.
  var suggestion: String? {
    let line = line
    guard line.isAtEnd, !search.isUnderWay, !terminal.isDumb else { return nil }
    if line.text.isEmpty { return offer }
    return terminal.colour ? walk.suggestion(for: line.text) : nil
  }

  private func draw() {
    let line = line
    if !search.isUnderWay { undo.note(line) }
    guard !terminal.isDumb else { return }
    display.show(frame(of: line, suggestion: suggestion))
  }

  /// Leaves a text on the screen as the line that was run; whether the cursor stands behind it, and not at a row's start.
  @discardableResult
  func finish(_ text: String) -> Bool {
    guard !terminal.isDumb else { return false }
    let frame = frame(of: EditedLine(text: text, cursor: text.unicodeScalars.count))
    display.finish(frame)
    return frame.cursor.column > 0
  }

  private func frame(of line: EditedLine, suggestion: String? = nil) -> LineFrame {
    var styles = Array(repeating: LineStyle.plain, count: line.characters.count)
    if terminal.colour {
      for part in highlight?(line.text) ?? [] {
        for index in part.range.clamped(to: styles.indices) { styles[index] = part.kind.style }
      }
    }
    var frame = LineFrame(width: terminal.width)
    frame.append(prompt, .bold)
    for (index, character) in line.characters.enumerated() {
      if index == line.index { frame.placeCursor(before: character.isNewline ? 0 : character.displayWidth) }
      frame.append(character, styles[index])
    }
    if line.isAtEnd { frame.placeCursorAtEnd() }
    if let suggestion { frame.append(suggestion, .faint) }
    frame.append(note: note)
    return frame
  }
}

// MARK: - Keys and signals

extension LineEditor {
  /// libedit's reader: 1 and a character, 0 at the end, -1 where a signal ends the line.
  private func readKey(into character: UnsafeMutablePointer<wchar_t>?) -> Int32 {
    while true {
      if !waiting.isEmpty {
        character?.pointee = wchar_t(bitPattern: waiting.removeFirst().value)
        return 1
      }
      if !keys.hasMore(within: 0) { draw() }
      switch keys.next() {
      case .key(let scalar): take(scalar)
      case .end: return 0
      case .signal(let number):
        if handle(number) { continue }
        if !terminal.isDumb { finish(line.text) }
        signal = number
        return -1
      }
    }
  }

  /// Passes a key on. One that sends several bytes is read whole: known ones by the one sequence that stands for them, what
  /// nobody knows not at all.
  private func take(_ scalar: Unicode.Scalar) {
    let followsEscape = escapeIsOpen
    escapeIsOpen = false
    // Esc alone is pressed to get out of something. No key of its own behind it is to be lost for that.
    let endOfEscape =
      followsEscape && isEmacs ? Array(TerminalKey.unknown.rawValue.unicodeScalars.dropFirst()) : []
    if scalar == "\u{1B}", let sequence = keys.sequence() {
      guard let key = known(sequence) else {
        waiting = endOfEscape
        return
      }
      // libedit takes the escape for the end of its search.
      waiting = (search.isUnderWay ? ["\u{1B}"] : endOfEscape) + Array(key.unicodeScalars)
      search.end()
    } else if !endOfEscape.isEmpty, ["\r", "\n", "\t"].contains(scalar) {
      waiting = endOfEscape + [scalar]
    } else if followsEscape, let sequence = keys.sequence(after: scalar) {
      waiting = Array((known(sequence) ?? TerminalKey.unknown.rawValue).unicodeScalars.dropFirst())
    } else {
      let endsSearch = search.isEnded(by: scalar)
      if endsSearch, keys.hasMore(within: 25) {
        keys.again(scalar)
      } else {
        // Not one that libedit has taken: for the end of its search, or as the second of two, which mean nothing.
        escapeIsOpen = scalar == "\u{1B}" && !endsSearch && endOfEscape.isEmpty
      }
      waiting = [scalar]
    }
  }

  private func known(_ sequence: String) -> String? {
    if isBoundByUser(sequence) { return sequence }
    let key = TerminalKey(sequence: sequence)
    return key == .unknown ? nil : key.rawValue
  }

  /// Whether editing goes on after a signal.
  private func handle(_ signal: Int32) -> Bool {
    switch signal {
    case SIGWINCH:
      startLineAnew()
      el_resize(editor)
    case SIGCONT: prepareTerminal()
    case Int32(KeyReader.wake):
      let lines = announcements()
      guard !lines.isEmpty else { return true }
      startLineAnew()
      terminal.write(lines.map { $0 + "\r\n" }.joined())
    default: return false
    }
    if terminal.isDumb { _ = fettle_el_refresh(editor) }
    return true
  }

  /// Sets the terminal's modes for editing: whoever had it in between has set its own, and libedit sets its only when it thinks
  /// them lost.
  func prepareTerminal() {
    display.forget()
    _ = fettle_el_set_number(editor, EL_PREP_TERM, 0)
    _ = fettle_el_set_number(editor, EL_PREP_TERM, 1)
  }

  /// Takes the line off the screen, to be drawn anew where the cursor is then.
  private func startLineAnew() {
    if terminal.isDumb { terminal.write("\r\n") } else { display.erase() }
  }
}

extension Highlight.Kind {
  fileprivate var style: LineStyle {
    switch self {
    case .verb: .bold
    case .option: .option
    case .quoted: .quoted
    case .variable: .variable
    case .comment: .faint
    case .unknown: .unknown
    }
  }
}
