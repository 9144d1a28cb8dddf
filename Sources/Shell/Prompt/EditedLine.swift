/// The line as libedit has it, and where the cursor would go from here.
///
/// Places are counted in Unicode scalars, as libedit counts, and lie between what a person takes for characters: a decomposed
/// é or a family of emoji is passed and deleted whole.
struct EditedLine: Equatable {
  let text: String
  let cursor: Int
  /// What a person takes for characters.
  let characters: [Character]
  /// Where each of them begins, and the line's end.
  private let places: [Int]
  /// The character that the cursor stands before.
  let index: Int

  init(text: String, cursor: Int) {
    self.text = text
    characters = Array(text)
    var places = [0]
    for character in characters { places.append(places[places.count - 1] + character.unicodeScalars.count) }
    self.places = places
    // Within a character, as when an accent is typed before one that stands there: behind it.
    index = places.firstIndex { $0 >= cursor } ?? characters.count
    self.cursor = cursor
  }

  static func == (a: Self, b: Self) -> Bool {
    a.cursor == b.cursor && a.text.unicodeScalars.elementsEqual(b.text.unicodeScalars)
  }

  var end: Int { places[characters.count] }
  var isAtEnd: Bool { index == characters.count }
  var before: String { String(String.UnicodeScalarView(text.unicodeScalars.prefix(cursor))) }

  func place(of index: Int) -> Int { places[index] }

  // MARK: - Places to go to

  var previousCharacter: Int { places[max(0, index - 1)] }
  var nextCharacter: Int { places[min(characters.count, index + 1)] }

  /// The start of the word before the cursor: letters and digits, whatever stands between.
  var previousWord: Int {
    var index = index
    while index > 0, !characters[index - 1].isOfWord { index -= 1 }
    while index > 0, characters[index - 1].isOfWord { index -= 1 }
    return places[index]
  }

  var nextWord: Int { places[Self.endOfWord(in: characters, from: index)] }

  /// The end of the word that begins at a place or behind it.
  static func endOfWord(in characters: [Character], from index: Int) -> Int {
    var index = index
    while index < characters.count, !characters[index].isOfWord { index += 1 }
    while index < characters.count, characters[index].isOfWord { index += 1 }
    return index
  }

  /// The start of what stands between blanks before the cursor.
  var previousBlank: Int {
    var index = index
    while index > 0, characters[index - 1].isWhitespace { index -= 1 }
    while index > 0, !characters[index - 1].isWhitespace { index -= 1 }
    return places[index]
  }

  var lineStart: Int { places[startOfLine(index)] }
  var lineEnd: Int { places[endOfLine(index)] }

  /// The line's end, and at the end the next line's start.
  var restOfLine: Int { places[min(characters.count, max(endOfLine(index), index + 1))] }

  /// The same column in the line above; `nil` in the first.
  var above: Int? {
    let start = startOfLine(index)
    guard start > 0 else { return nil }
    let other = startOfLine(start - 1)
    return places[min(other + index - start, start - 1)]
  }

  /// The same column in the line below; `nil` in the last.
  var below: Int? {
    let end = endOfLine(index)
    guard end < characters.count else { return nil }
    return places[min(end + 1 + index - startOfLine(index), endOfLine(end + 1))]
  }

  private func startOfLine(_ index: Int) -> Int {
    characters[..<index].lastIndex { $0.isNewline }.map { $0 + 1 } ?? 0
  }

  private func endOfLine(_ index: Int) -> Int {
    characters[index...].firstIndex { $0.isNewline } ?? characters.count
  }
}

extension Character {
  fileprivate var isOfWord: Bool { isLetter || isNumber }
}

/// What the line was before each change since it was begun, to go back to.
struct UndoHistory {
  private var before: [EditedLine] = []
  private var now = EditedLine(text: "", cursor: 0)
  private var wasTyping = false

  /// Notes what the line is by now. Letters of a word that are typed one after the other are one change.
  mutating func note(_ line: EditedLine) {
    defer { now = line }
    guard line.text != now.text else { return }
    let isTyping =
      line.characters.count == now.characters.count + 1 && line.index == now.index + 1
      && line.characters[now.index].isWhitespace == false
    if !isTyping || !wasTyping { before.append(now) }
    wasTyping = isTyping
  }

  /// The line before its last change.
  mutating func undo() -> EditedLine? {
    guard let line = before.popLast() else { return nil }
    now = line
    wasTyping = false
    return line
  }
}

/// What Up and Down bring: of the lines that were run, those that begin with what was typed.
struct HistoryWalk {
  /// The newest last.
  var entries: [String]
  private var typed = ""
  private var place = 0
  /// What the walk has put into the line; another line begins anew.
  private var shown: String?

  init(entries: [String] = []) { self.entries = entries }

  func isUnderWay(at line: String) -> Bool { shown == line }

  mutating func older(than line: String) -> String? {
    if shown != line {
      typed = line
      place = entries.count
    }
    guard let found = entries[..<place].lastIndex(where: { $0.hasPrefix(typed) && $0 != line }) else {
      return nil
    }
    place = found
    shown = entries[found]
    return shown
  }

  /// The next newer one, and behind the newest what was typed.
  mutating func newer(than line: String) -> String? {
    guard shown == line, place < entries.count else { return nil }
    if let found = entries[(place + 1)...].firstIndex(where: { $0.hasPrefix(typed) }) {
      place = found
      shown = entries[found]
      return shown
    }
    place = entries.count
    shown = nil
    return typed
  }

  /// What the newest line that begins like this one has behind it.
  func suggestion(for line: String) -> String? {
    guard !line.isEmpty, !line.contains("\n") else { return nil }
    let entry = entries.last { $0.hasPrefix(line) && $0.count > line.count && !$0.contains("\n") }
    return entry.map { String($0.dropFirst(line.count)) }
  }
}
