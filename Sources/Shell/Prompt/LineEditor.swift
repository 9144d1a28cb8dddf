import CLibEdit
import Foundation

/// libedit, as Swift sees it: one line at a time from a terminal, on the main thread.
final class LineEditor {
  enum Line: Equatable {
    case text(String)
    /// A signal ended it.
    case interrupted
    case end
  }

  /// Offers candidates for a line and the cursor in it.
  var complete: ((String, String.Index) -> [Candidate])?
  /// Columns of the window, for lists of candidates.
  var width: () -> Int = { 80 }

  private let editor: OpaquePointer
  private let entries: OpaquePointer
  private var prompt = strdup("")
  private var rightPrompt = strdup("")
  private let bracketsPastes: Bool

  /// - Throws: `Failure` where libedit cannot be had.
  init(isDumb: Bool, editrc: Bool) throws {
    guard let editor = fettle_el_init("fettle"), let entries = history_init() else {
      throw Failure(
        code: "no-line-editor", message: "The terminal cannot be edited on. Type commands through a pipe.")
    }
    self.editor = editor
    self.entries = entries
    _ = fettle_history_size(entries, Int32(PromptHistory.capacity))
    _ = fettle_el_set_number(editor, EL_SIGNAL, 1)
    _ = fettle_el_set_text(editor, EL_EDITOR, "emacs")
    _ = fettle_el_history(editor, entries)
    _ = fettle_el_add_function(editor, "fettle-complete", "Complete the word") { editor, _ in
      LineEditor.of(editor)?.completeWord() ?? UInt8(CC_ERROR)
    }
    _ = fettle_el_add_function(editor, "fettle-paste", "Insert a paste") { editor, _ in
      LineEditor.of(editor)?.insertPaste() ?? UInt8(CC_ERROR)
    }
    _ = fettle_el_bind(editor, "^R", "em-inc-search-prev")
    let settings = editrc ? Self.readSettings(editor) : ""
    let isEmacs = fettle_el_editor(editor).map { String(cString: $0) } == "emacs"
    bracketsPastes = isEmacs && !isDumb
    // `bind -e` in the user's file would have undone these; what the user has bound itself stays.
    if !settings.contains("^I") { _ = fettle_el_bind(editor, "^I", "fettle-complete") }
    if isEmacs, !settings.contains("^R") { _ = fettle_el_bind(editor, "^R", "em-inc-search-prev") }
    if bracketsPastes { _ = fettle_el_bind(editor, "\u{1B}[200~", "fettle-paste") }

    // The editor lives as long as the process. `el_end` would throw away what is typed ahead for the shell that started us.
    let client = Unmanaged.passRetained(self).toOpaque()
    _ = fettle_el_set_client(editor, client)
    _ = fettle_el_prompt(editor, { LineEditor.of($0)?.prompt }, Self.escape)
    _ = fettle_el_right_prompt(editor, { LineEditor.of($0)?.rightPrompt }, Self.escape)
  }

  /// Reads a line.
  ///
  /// - Parameters:
  ///   - prompt: what stands before it.
  ///   - note: what stands at the window's right edge, as long as there is room.
  ///   - colour: whether the prompt may be bold.
  func read(prompt: String, note: String, colour: Bool) -> Line {
    set(&self.prompt, to: prompt, style: colour ? "1" : nil)
    set(&rightPrompt, to: note, style: colour ? "2" : nil)
    if bracketsPastes { switchBrackets(on: true) }
    defer { if bracketsPastes { switchBrackets(on: false) } }
    var count: Int32 = 0
    errno = 0
    if let text = el_gets(editor, &count) {
      var line = String(cString: text)
      if line.last == "\n" { line.removeLast() }
      return .text(line)
    }
    return count == -1 && errno == EINTR ? .interrupted : .end
  }

  /// Makes these the history that the arrow keys and Ctrl-R walk through, the newest last.
  func setHistory(_ lines: [String]) {
    _ = fettle_history_clear(entries)
    for line in lines { _ = fettle_history_enter(entries, line) }
  }

  // MARK: - Set-up

  private static let escape: CChar = 1

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

  private func set(_ pointer: inout UnsafeMutablePointer<CChar>?, to text: String, style: String?) {
    free(pointer)
    guard let style, !text.isEmpty else {
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
    let code = on ? "\u{1B}[?2004h" : "\u{1B}[?2004l"
    _ = code.withCString { write(STDOUT_FILENO, $0, strlen($0)) }
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
    for scalar in scalars.dropLast(end.count) {
      switch scalar {
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

  private func completeWord() -> UInt8 {
    guard let complete, let line = el_wline(editor)?.pointee, let buffer = line.buffer else {
      return UInt8(CC_ERROR)
    }
    func text(_ from: UnsafePointer<wchar_t>, _ to: UnsafePointer<wchar_t>) -> String {
      let wide = UnsafeBufferPointer(start: from, count: to - from)
      var scalars = String.UnicodeScalarView()
      scalars.append(contentsOf: wide.compactMap { Unicode.Scalar(UInt32(bitPattern: $0)) })
      return String(scalars)
    }
    let before = text(buffer, line.cursor)
    let whole = before + text(line.cursor, line.lastchar)
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
      let lines = [""] + Completion.columns(names, width: width())
      Terminal.standardOutput.write(lines.map { $0 + "\r\n" }.joined())
      return UInt8(CC_REDISPLAY)
    }
  }
}
