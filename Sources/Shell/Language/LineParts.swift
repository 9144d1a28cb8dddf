extension Language {
  /// A part of a line as far as it is typed, for its colour: unlike a statement it need not be whole.
  public struct Part: Sendable, Equatable {
    public enum Kind: Sendable { case word, quoted, comment }

    public var kind: Kind
    public var text: String
    /// Characters of the line.
    public var range: Range<Int>
    /// Whether a verb is expected here.
    public var beginsStatement: Bool
  }

  /// The words of a text of any number of lines, quotes and comments among them.
  public static func parts(of text: String) -> [Part] {
    let characters = Array(text)
    var parts: [Part] = []
    var position = 0
    var beginsStatement = true
    while position < characters.count {
      let character = characters[position]
      if character.isNewline {
        beginsStatement = true
        position += 1
      } else if character.isWhitespace {
        position += 1
      } else if character == "\\", position + 1 < characters.count, characters[position + 1].isNewline {
        position += 2
      } else {
        var kind = Part.Kind.word
        let start = position
        if character == "#",
          characters[..<start].reversed().first(where: { !$0.isWhitespace || $0.isNewline })?
            .isNewline ?? true
        {
          kind = .comment
          position = characters[start...].firstIndex { $0.isNewline } ?? characters.count
        } else {
          if let end = endOfQuote(characters, start) {
            kind = .quoted
            position = end
          }
          while position < characters.count, !characters[position].isWhitespace {
            position += characters[position] == "\\" ? 2 : 1
            // --option="a value"
            if characters[position - 1] == "=", let end = endOfQuote(characters, position) { position = end }
          }
          position = min(position, characters.count)
        }
        let part = String(characters[start..<position])
        parts.append(.init(kind: kind, text: part, range: start..<position, beginsStatement: beginsStatement))
        beginsStatement = part == "{" || part == "}" || beginsStatement && kind == .comment
      }
    }
    return parts
  }

  /// Behind the quote that opens at a place; where it is not closed yet, the text's end. `nil` where none opens.
  private static func endOfQuote(_ characters: [Character], _ start: Int) -> Int? {
    guard start < characters.count else { return nil }
    let closers: [Character: [Character]] = ["\"": ["\""], "“": ["”"], "”": ["”"], "„": ["“", "”"]]
    if let closing = closers[characters[start]] {
      var position = start + 1
      while position < characters.count, !closing.contains(characters[position]) {
        position += characters[position] == "\\" ? 2 : 1
      }
      return min(position + 1, characters.count)
    }
    guard characters[start] == "'" || characters[start] == "‘" else { return nil }
    // One that never closes on its line is an apostrophe.
    let closer: Character = characters[start] == "'" ? "'" : "’"
    let rest = characters[(start + 1)...].prefix { !$0.isNewline }
    return rest.firstIndex(of: closer).map { $0 + 1 }
  }
}
