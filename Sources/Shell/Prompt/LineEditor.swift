import CLibEdit
import Foundation

/// libedit, as Swift sees it: one line at a time from a terminal, on the main thread.
final class LineEditor {
  enum Line: Equatable {
    case text(String)
    /// A signal has ended it: SIGINT, SIGTERM or SIGHUP.
    case interrupted(Int32)
    case end
  }

  /// Offers candidates for a line and the cursor in it.
  var complete: ((String, String.Index) -> [Candidate])?
  /// The lines that wait to be said above the one being edited.
  var announcements: () -> [String] = { [] }

  private let terminal: Terminal
  private let editor: OpaquePointer
  private let entries: OpaquePointer
  private let bracketsPastes: Bool
  private var keys: KeyReader
  private var prompt = strdup("")
  private var rightPrompt = strdup("")
  private var promptWidth = 0
  /// What stood in the line before anything was typed.
  private var offer: String?
  /// The signal that has ended the line.
  private var signal: Int32?
  private var search = HistorySearch()

  /// - Parameters:
  ///   - terminal: where the line is shown.
  ///   - keys: where it is typed.
  ///   - editrc: whether the user's file of settings is read.
  /// - Throws: `Failure` where libedit cannot be had.
  init(terminal: Terminal, keys: KeyReader, editrc: Bool) throws {
    guard let editor = fettle_el_init("fettle"), let entries = history_init() else {
      throw Failure(
        code: "no-line-editor", message: "The terminal cannot be edited on. Type commands through a pipe.")
    }
    self.terminal = terminal
    self.keys = keys
    self.editor = editor
    self.entries = entries
    let isEmacs = Self.setUp(editor, entries, editrc: editrc)
    bracketsPastes = isEmacs && !terminal.isDumb
    if isEmacs { _ = fettle_el_bind(editor, "^D", "fettle-end") }
    if bracketsPastes { _ = fettle_el_bind(editor, "\u{1B}[200~", "fettle-paste") }

    // The editor lives as long as the process. `el_end` would throw away what is typed ahead for the shell that started us.
    _ = fettle_el_set_client(editor, Unmanaged.passRetained(self).toOpaque())
    _ = fettle_el_prompt(editor, { LineEditor.of($0)?.prompt }, Self.escape)
    _ = fettle_el_right_prompt(editor, { LineEditor.of($0)?.rightPrompt }, Self.escape)
    _ = fettle_el_set_reader(editor) { LineEditor.of($0)?.readKey(into: $1) ?? 0 }
  }

  /// From now on the terminal stays without echo between two lines.
  func beQuietBetweenLines() { _ = fettle_el_quiet_between_lines(editor) }

  /// Reads a line.
  ///
  /// - Parameters:
  ///   - prompt: what stands before it.
  ///   - note: what stands at the window's right edge, as long as there is room.
  ///   - offer: what stands in the line already, as if it had been typed.
  func read(prompt: String, note: String, offer: String? = nil) -> Line {
    promptWidth = prompt.displayWidth
    set(&self.prompt, to: prompt, style: "1")
    set(&rightPrompt, to: note, style: "2")
    if bracketsPastes { switchBrackets(on: true) }
    defer { if bracketsPastes { switchBrackets(on: false) } }
    signal = nil
    self.offer = offer
    if let offer { el_push(editor, offer) }
    var count: Int32 = 0
    let text = el_gets(editor, &count)
    if let signal { return .interrupted(signal) }
    guard let text else { return .end }
    var line = String(cString: text)
    if line.last == "\n" { line.removeLast() }
    return .text(line)
  }

  /// Makes these the history that the arrow keys and Ctrl-R walk through, the newest last.
  func setHistory(_ lines: [String]) {
    _ = fettle_history_clear(entries)
    for line in lines { _ = fettle_history_enter(entries, line) }
  }

  // MARK: - Set-up

  private static let escape: CChar = 1

  /// Sets keys and history up; whether the keys are those of Emacs.
  private static func setUp(_ editor: OpaquePointer, _ entries: OpaquePointer, editrc: Bool) -> Bool {
    _ = fettle_history_size(entries, Int32(PromptHistory.capacity))
    _ = fettle_el_set_text(editor, EL_EDITOR, "emacs")
    _ = fettle_el_history(editor, entries)
    _ = fettle_el_add_function(editor, "fettle-complete", "Complete the word") { editor, _ in
      LineEditor.of(editor)?.completeWord() ?? UInt8(CC_ERROR)
    }
    _ = fettle_el_add_function(editor, "fettle-paste", "Insert a paste") { editor, _ in
      LineEditor.of(editor)?.insertPaste() ?? UInt8(CC_ERROR)
    }
    _ = fettle_el_add_function(editor, "fettle-end", "Delete the character, or end the input") { editor, _ in
      LineEditor.of(editor)?.deleteOrEnd() ?? UInt8(CC_ERROR)
    }
    _ = fettle_el_bind(editor, "^R", "em-inc-search-prev")
    let settings = editrc ? readSettings(editor) : ""
    let isEmacs = fettle_el_editor(editor).map { String(cString: $0) } == "emacs"
    // `bind -e` in the user's file would have undone these; what the user has bound itself stays.
    if !settings.contains("^I") { _ = fettle_el_bind(editor, "^I", "fettle-complete") }
    if isEmacs, !settings.contains("^R") { _ = fettle_el_bind(editor, "^R", "em-inc-search-prev") }
    return isEmacs
  }

  private static func of(_ editor: OpaquePointer?) -> LineEditor? {
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

  private func set(_ pointer: inout UnsafeMutablePointer<CChar>?, to text: String, style: String) {
    free(pointer)
    guard terminal.colour, !text.isEmpty else {
      pointer = strdup(text)
      return
    }
    let leading = text.prefix { $0 == " " }
    let trailing = text.reversed().prefix { $0 == " " }
    let middle = text.dropFirst(leading.count).dropLast(trailing.count)
    pointer = strdup("\(leading)\u{1}\u{1B}[\(style)m\u{1}\(middle)\u{1}\u{1B}[0m\u{1}\(String(trailing))")
  }

  private func switchBrackets(on: Bool) {
    fflush(nil)
    TerminalModes.notePaste(isBracketed: on)
    terminal.write(on ? "\u{1B}[?2004h" : "\u{1B}[?2004l")
  }

  // MARK: - Keys

  private func insertPaste() -> UInt8 {
    let end: [Unicode.Scalar] = ["\u{1B}", "[", "2", "0", "1", "~"]
    var scalars: [Unicode.Scalar] = []
    while !scalars.suffix(end.count).elementsEqual(end) {
      var character: wchar_t = 0
      guard el_wgetc(editor, &character) == 1 else { return UInt8(CC_REFRESH) }
      if let scalar = Unicode.Scalar(UInt32(bitPattern: character)) { scalars.append(scalar) }
    }
    var text = String.UnicodeScalarView()
    var previous: Unicode.Scalar?
    for scalar in scalars.dropLast(end.count) {
      defer { previous = scalar }
      switch scalar {
      case "\n" where previous == "\r": break
      case "\r": text.append("\n")
      case "\n", "\t": text.append(scalar)
      case "\u{0}"..<"\u{20}", "\u{7F}"..<"\u{A0}": break
      default: text.append(scalar)
      }
    }
    // Enter is the learner's to press.
    while text.last == "\n" { text.removeLast() }
    guard !text.isEmpty else { return UInt8(CC_REFRESH) }
    return UInt8(el_insertstr(editor, String(text)) == 0 ? CC_REFRESH : CC_ERROR)
  }

  /// Ctrl-D: the end on an empty line, and on one that only has what was offered; else the character under the cursor goes.
  private func deleteOrEnd() -> UInt8 {
    guard let (before, after) = textAroundCursor() else { return UInt8(CC_ERROR) }
    if (before + after).isEmpty || before + after == offer { return UInt8(CC_EOF) }
    guard !after.isEmpty else { return UInt8(CC_ERROR) }
    el_cursor(editor, 1)
    el_deletestr(editor, 1)
    return UInt8(CC_REFRESH)
  }

  private func completeWord() -> UInt8 {
    guard let complete, let (before, after) = textAroundCursor() else { return UInt8(CC_ERROR) }
    let whole = before + after
    let cursor = whole.unicodeScalars.index(whole.startIndex, offsetBy: before.unicodeScalars.count)
    switch Completion(complete(whole, cursor), before: before[...]) {
    case .nothing: return UInt8(CC_ERROR)
    case .insert(let count, let text):
      // libedit counts wide characters, a `Candidate` what a person takes for one.
      let deleted = String(before.suffix(count)).unicodeScalars.count
      if deleted > 0 { el_deletestr(editor, Int32(deleted)) }
      return UInt8(el_insertstr(editor, text) == 0 ? CC_REFRESH : CC_ERROR)
    case .list(let names):
      fflush(nil)
      let lines = [""] + Completion.columns(names, width: terminal.width)
      terminal.write(lines.map { $0 + "\r\n" }.joined())
      return UInt8(CC_REDISPLAY)
    }
  }

  /// The line before and behind the cursor.
  private func textAroundCursor() -> (before: String, after: String)? {
    guard let line = el_wline(editor)?.pointee, let buffer = line.buffer else { return nil }
    func text(_ from: UnsafePointer<wchar_t>, _ to: UnsafePointer<wchar_t>) -> String {
      let wide = UnsafeBufferPointer(start: from, count: to - from)
      var scalars = String.UnicodeScalarView()
      scalars.append(contentsOf: wide.compactMap { Unicode.Scalar(UInt32(bitPattern: $0)) })
      return String(scalars)
    }
    return (text(buffer, line.cursor), text(line.cursor, line.lastchar))
  }
}

// MARK: - Keys and signals

extension LineEditor {
  /// libedit's reader: 1 and a character, 0 at the end, -1 where a signal ends the line.
  private func readKey(into character: UnsafeMutablePointer<wchar_t>?) -> Int32 {
    while true {
      switch keys.next() {
      case .key(let scalar):
        if search.isEnded(by: scalar), keys.hasMore { keys.again(scalar) }
        character?.pointee = wchar_t(bitPattern: scalar.value)
        return 1
      case .end: return 0
      case .signal(let number):
        if handle(number) { continue }
        moveToEnd()
        signal = number
        return -1
      }
    }
  }

  /// Whether editing goes on after a signal.
  private func handle(_ signal: Int32) -> Bool {
    switch signal {
    case SIGWINCH:
      moveToStart()
      el_resize(editor)
      _ = fettle_el_refresh(editor)
    case SIGCONT:
      // Whoever had the terminal in between has set its modes. libedit sets its own only when it thinks them lost.
      _ = fettle_el_set_number(editor, EL_PREP_TERM, 0)
      _ = fettle_el_set_number(editor, EL_PREP_TERM, 1)
      _ = fettle_el_refresh(editor)
    case Int32(KeyReader.wake):
      let lines = announcements()
      guard !lines.isEmpty else { break }
      moveToStart()
      terminal.write(lines.map { $0 + "\r\n" }.joined())
      _ = fettle_el_refresh(editor)
    default: return false
    }
    return true
  }

  /// Takes the line off the screen and leaves the cursor where it began, so that libedit can draw it anew.
  private func moveToStart() {
    fflush(nil)
    guard !terminal.isDumb else { return terminal.write("\r\n") }
    let rows = rowsAndColumn(of: textAroundCursor()?.before ?? "").rows
    terminal.write("\r" + (rows > 0 ? "\u{1B}[\(rows)A" : "") + "\u{1B}[J")
  }

  /// Leaves the cursor behind the line's last character, so that what follows does not overwrite its lower rows.
  private func moveToEnd() {
    fflush(nil)
    guard !terminal.isDumb, let (before, after) = textAroundCursor(), !after.isEmpty else { return }
    let end = rowsAndColumn(of: before + after)
    let rows = end.rows - rowsAndColumn(of: before).rows
    terminal.write(
      "\r" + (rows > 0 ? "\u{1B}[\(rows)B" : "") + (end.column > 0 ? "\u{1B}[\(end.column)C" : ""))
  }

  /// Rows from the prompt's down to a text's end, and the column there.
  ///
  /// By the window's width as it is now: most terminals lay a wrapped line out anew when their width changes.
  private func rowsAndColumn(of text: String) -> (rows: Int, column: Int) {
    let width = max(1, terminal.width)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let ends = lines.enumerated().map {
      (($0.offset == 0 ? promptWidth : 0) + String($0.element).displayWidth)
    }
    let wraps = ends.reduce(0) { $0 + $1 / width }
    return (wraps + lines.count - 1, (ends.last ?? 0) % width)
  }
}
