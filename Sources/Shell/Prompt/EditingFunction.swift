import CLibEdit
import Foundation

/// What a key may do that libedit does not do itself, or not by what a person takes for a character. `~/.editrc` may bind the
/// names.
struct EditingFunction {
  let name: String
  let help: String
  let call: @convention(c) (OpaquePointer?, Int32) -> UInt8

  static var all: [EditingFunction] {
    [
      .init(name: "fettle-complete", help: "Complete the word") { e, _ in run(e) { $0.completeWord() } },
      .init(name: "fettle-paste", help: "Insert a paste") { e, _ in run(e) { $0.insertPaste() } },
      .init(name: "fettle-end", help: "Delete the character, or end") { e, _ in run(e) { $0.deleteOrEnd() } },
      .init(name: "fettle-left", help: "Left") { e, _ in run(e) { $0.move(to: $0.line.previousCharacter) } },
      .init(name: "fettle-right", help: "Right, or take what is suggested") { e, _ in
        run(e) { $0.moveRight(to: $0.line.nextCharacter) }
      },
      .init(name: "fettle-previous-word", help: "Word left") { e, _ in
        run(e) { $0.move(to: $0.line.previousWord) }
      },
      .init(name: "fettle-next-word", help: "Word right, or take a word of what is suggested") { e, _ in
        run(e) { $0.moveRight(to: $0.line.nextWord, takingWord: true) }
      },
      .init(name: "fettle-line-start", help: "Line's start") { e, _ in
        run(e) { $0.move(to: $0.line.lineStart) }
      },
      .init(name: "fettle-line-end", help: "Line's end, or take what is suggested") { e, _ in
        run(e) { $0.moveRight(to: $0.line.lineEnd) }
      },
      .init(name: "fettle-text-start", help: "Text's start") { e, _ in run(e) { $0.move(to: 0) } },
      .init(name: "fettle-text-end", help: "Text's end, or take what is suggested") { e, _ in
        run(e) { $0.moveRight(to: $0.line.end) }
      },
      .init(name: "fettle-rub-out", help: "Delete before the cursor") { e, _ in
        run(e) { $0.delete(from: $0.line.previousCharacter, to: $0.line.cursor) }
      },
      .init(name: "fettle-delete", help: "Delete at the cursor") { e, _ in
        run(e) { $0.delete(from: $0.line.cursor, to: $0.line.nextCharacter) }
      },
      .init(name: "fettle-rub-out-word", help: "Delete the word before") { e, _ in
        run(e) { $0.kill(from: $0.line.previousWord, to: $0.line.cursor) }
      },
      .init(name: "fettle-rub-out-to-blank", help: "Delete back to a blank") { e, _ in
        run(e) { $0.kill(from: $0.line.previousBlank, to: $0.line.cursor) }
      },
      .init(name: "fettle-delete-word", help: "Delete the word behind") { e, _ in
        run(e) { $0.kill(from: $0.line.cursor, to: $0.line.nextWord) }
      },
      .init(name: "fettle-delete-to-start", help: "Delete to the line's start") { e, _ in
        run(e) { $0.kill(from: $0.line.lineStart, to: $0.line.cursor) }
      },
      .init(name: "fettle-delete-to-end", help: "Delete to the line's end") { e, _ in
        run(e) { $0.kill(from: $0.line.cursor, to: $0.line.restOfLine) }
      },
      .init(name: "fettle-bring-back", help: "Insert what was deleted") { e, _ in run(e) { $0.bringBack() } },
      .init(name: "fettle-older", help: "Line above, or older entry") { e, _ in run(e) { $0.goUp() } },
      .init(name: "fettle-newer", help: "Line below, or newer entry") { e, _ in run(e) { $0.goDown() } },
      .init(name: "fettle-undo", help: "Undo") { e, _ in run(e) { $0.undoChange() } },
      .init(name: "fettle-editor", help: "Edit in $VISUAL or $EDITOR") { e, _ in run(e) { $0.editElsewhere() }
      },
      .init(name: "fettle-clear", help: "Clear the screen") { e, _ in run(e) { $0.clearScreen() } },
      .init(name: "fettle-nothing", help: "Nothing") { _, _ in UInt8(CC_NORM) },
    ]
  }

  /// What became of the line.
  enum Effect { case changed, listed, ended }

  /// Which key does what. Control and Meta keys are as in Emacs; with `bind -v` in `~/.editrc` only those that send several
  /// bytes are ours.
  static func bindings(isEmacs: Bool) -> [(key: String, name: String)] {
    let keys: [(TerminalKey, String)] = [
      (.up, "older"), (.down, "newer"), (.right, "right"), (.left, "left"), (.nextWord, "next-word"),
      (.previousWord, "previous-word"), (.lineStart, "line-start"), (.lineEnd, "line-end"),
      (.textStart, "text-start"), (.textEnd, "text-end"), (.delete, "delete"), (.deleteWord, "delete-word"),
      (.unknown, "nothing"),
    ]
    let controls = [
      ("^A", "line-start"), ("^B", "left"), ("^D", "end"), ("^E", "line-end"), ("^F", "right"),
      ("^H", "rub-out"),
      ("^?", "rub-out"), ("^K", "delete-to-end"), ("^L", "clear"), ("^N", "newer"), ("^P", "older"),
      ("^U", "delete-to-start"), ("^W", "rub-out-to-blank"), ("^Y", "bring-back"), ("^_", "undo"),
      ("^X^E", "editor"), ("^X^U", "undo"), ("\u{1B}b", "previous-word"), ("\u{1B}B", "previous-word"),
      ("\u{1B}f", "next-word"), ("\u{1B}F", "next-word"), ("\u{1B}d", "delete-word"),
      ("\u{1B}D", "delete-word"),
      ("\u{1B}\u{7F}", "rub-out-word"), ("\u{1B}\u{8}", "rub-out-word"), ("\u{1B}<", "text-start"),
      ("\u{1B}>", "text-end"), (TerminalKey.paste.rawValue, "paste"),
      // libedit's own would ask for a command of its own and lose the line.
      ("\u{1B}x", "nothing"), ("\u{1B}X", "nothing"),
    ]
    let bindings = [("^I", "fettle-complete")] + keys.map { ($0.0.rawValue, "fettle-" + $0.1) }
    guard isEmacs else { return bindings }
    return bindings + [("^R", "em-inc-search-prev"), ("^S", "em-inc-search-next")]
      + controls.map { ($0.0, "fettle-" + $0.1) }
  }
}

/// Runs one on the editor that libedit names.
private func run(_ editor: OpaquePointer?, _ function: (LineEditor) -> EditingFunction.Effect?) -> UInt8 {
  guard let editor = LineEditor.of(editor) else { return UInt8(CC_ERROR) }
  switch function(editor) {
  case .changed: return UInt8(CC_REFRESH)
  case .listed: return UInt8(CC_REDISPLAY)
  case .ended: return UInt8(CC_EOF)
  case nil:
    // libedit's own bell goes where its drawing goes.
    if !editor.terminal.isDumb { editor.terminal.write("\u{7}") }
    return UInt8(CC_ERROR)
  }
}

/// Runs one that says whether it could do anything.
private func run(_ editor: OpaquePointer?, _ function: (LineEditor) -> Bool) -> UInt8 {
  run(editor) { function($0) ? EditingFunction.Effect.changed : nil }
}

// MARK: - The buffer

extension LineEditor {
  /// The line and the cursor as libedit has them.
  var line: EditedLine {
    guard let line = el_wline(editor)?.pointee, let buffer = line.buffer else {
      return EditedLine(text: "", cursor: 0)
    }
    let wide = UnsafeBufferPointer(start: buffer, count: line.lastchar - buffer)
    var scalars = String.UnicodeScalarView()
    for character in wide { scalars.append(Unicode.Scalar(UInt32(bitPattern: character)) ?? "\u{FFFD}") }
    return EditedLine(text: String(scalars), cursor: line.cursor - UnsafePointer(buffer))
  }

  func move(to place: Int) -> Bool {
    let cursor = line.cursor
    guard place != cursor else { return false }
    el_cursor(editor, Int32(place - cursor))
    return true
  }

  /// Takes what is suggested where the cursor is at the end: the whole of it, or its next word.
  func moveRight(to place: Int, takingWord: Bool = false) -> Bool {
    guard let suggestion else { return move(to: place) }
    let characters = Array(suggestion)
    let count = takingWord ? EditedLine.endOfWord(in: characters, from: 0) : characters.count
    return insert(String(characters[..<count]))
  }

  func insert(_ text: String) -> Bool { !text.isEmpty && el_insertstr(editor, text) == 0 }

  func delete(from start: Int, to end: Int) -> Bool {
    guard end > start else { return false }
    el_cursor(editor, Int32(end - line.cursor))
    el_deletestr(editor, Int32(end - start))
    return true
  }

  /// Deletes what can be brought back.
  func kill(from start: Int, to end: Int) -> Bool {
    let before = line
    guard end > start else { return false }
    let text = String(
      String.UnicodeScalarView(before.text.unicodeScalars.dropFirst(start).prefix(end - start)))
    let earlier = deleted.flatMap { $0.line == before ? $0.text : nil } ?? ""
    _ = delete(from: start, to: end)
    deleted = (before.cursor == end ? text + earlier : earlier + text, line)
    return true
  }

  func bringBack() -> Bool { insert(deleted?.text ?? "") }

  /// Makes a text the line.
  func replace(with text: String, cursor: Int? = nil) -> Bool {
    _ = delete(from: 0, to: line.end)
    _ = insert(text)
    if let cursor { _ = move(to: cursor) }
    return true
  }

  func goUp() -> Bool {
    let line = line
    if !walk.isUnderWay(at: line.text), let place = line.above { return move(to: place) }
    return walk.older(than: line.text).map { replace(with: $0) } ?? false
  }

  func goDown() -> Bool {
    let line = line
    if !walk.isUnderWay(at: line.text), let place = line.below { return move(to: place) }
    return walk.newer(than: line.text).map { replace(with: $0) } ?? false
  }

  func undoChange() -> Bool { undo.undo().map { replace(with: $0.text, cursor: $0.cursor) } ?? false }

  /// Ctrl-D: the end on an empty line, and on one that only has what was offered; else the character under the cursor goes.
  func deleteOrEnd() -> EditingFunction.Effect? {
    let line = line
    if line.text.isEmpty || terminal.isDumb && line.text == offer { return .ended }
    return delete(from: line.cursor, to: line.nextCharacter) ? .changed : nil
  }

  func clearScreen() -> Bool {
    guard !terminal.isDumb else { return false }
    terminal.write("\u{1B}[H\u{1B}[2J")
    display.forget()
    return true
  }
}
