/// The parser's part for words, quotes and variables.
extension Parser {
  private static let escapable: Set<Character> = [
    "\\", "$", "#", "{", "}", "\"", "'", "“", "”", "„", "‘", "’", " ", "\t",
  ]
  private static let doubleQuotes: [Character: Set<Character>] = [
    "\"": ["\""], "“": ["”"], "”": ["”"], "„": ["“", "”"],
  ]
  private static let singleQuotes: [Character: Character] = ["'": "'", "‘": "’"]

  /// Collects a word's pieces.
  private struct Builder {
    var pieces: [Word.Piece] = []

    mutating func append(_ text: String) {
      if case .literal(let before)? = pieces.last {
        pieces[pieces.count - 1] = .literal(before + text)
      } else {
        pieces.append(.literal(text))
      }
    }

    mutating func append(_ character: Character) { append(String(character)) }

    /// Whether the word is, so far, an option's name without its value: `--name`.
    var isOptionName: Bool {
      guard case .literal(let text)? = pieces.first, pieces.count == 1 else { return false }
      return text.hasPrefix("-") && !text.contains("=")
    }
  }

  /// The word that begins here; leaves the place behind it.
  mutating func word(inStatementFrom statement: (row: Int, position: Int)) throws -> Word {
    let start = (row: row, position: position)
    var builder = Builder()
    let isQuoted = try quote(into: &builder)
    if !isQuoted { dash(into: &builder) }
    while let character = current, !character.isWhitespace {
      switch character {
      case "\\": try backslash(into: &builder)
      case "$": variable(into: &builder)
      case "=" where !isQuoted && builder.isOptionName:
        builder.append(character)
        position += 1
        _ = try quote(into: &builder)
      default:
        builder.append(character)
        position += 1
      }
    }
    let from = distance(from: statement, to: start)
    let to = distance(from: statement, to: (row, position))
    return Word(
      pieces: builder.pieces, isQuoted: isQuoted, line: source.lines[start.row].number,
      column: source.lines[start.row].offset + start.position + 1, range: from..<to)
  }

  /// The dashes that slides and word processors make of `--` and `-`.
  private mutating func dash(into builder: inout Builder) {
    guard let first = current, let next = peek(1) else { return }
    if first == "—" || first == "–", next.isLetter {
      builder.append("--")
      position += 1
    } else if first == "–" || first == "\u{2212}", next.isNumber {
      builder.append("-")
      position += 1
    }
  }

  private mutating func backslash(into builder: inout Builder) throws {
    guard let next = peek(1) else {
      return try continueOnNextLine("a backslash", openedAt: (row, position))
    }
    let isEscape = Self.escapable.contains(next)
    builder.append(isEscape ? next : "\\")
    position += isEscape ? 2 : 1
  }

  private mutating func variable(into builder: inout Builder) {
    if let (name, length) = variableName() {
      let written = String(line.characters[position..<(position + length)])
      builder.pieces.append(.variable(name: name, written: written))
      position += length
    } else {
      builder.append("$")
      position += 1
    }
  }

  /// The name after the dollar sign that stands here, and how long the whole is.
  private func variableName() -> (name: String, length: Int)? {
    func isStart(_ character: Character?) -> Bool { character.map { $0.isLetter || $0 == "_" } ?? false }
    func isPart(_ character: Character?) -> Bool {
      character.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false
    }
    let isBraced = peek(1) == "{"
    let start = isBraced ? 2 : 1
    var end = start
    guard isStart(peek(end)) else { return nil }
    while isPart(peek(end)) || (peek(end) == "." && isStart(peek(end + 1))) { end += 1 }
    let name = String(line.characters[(position + start)..<(position + end)])
    guard isBraced else { return (name, end) }
    return peek(end) == "}" ? (name, end + 1) : nil
  }
}

// MARK: - Quotes

extension Parser {
  /// Reads the quote that opens here, if one does; says whether.
  private mutating func quote(into builder: inout Builder) throws -> Bool {
    guard let opener = current else { return false }
    if let closers = Self.doubleQuotes[opener] {
      try doubleQuote(opener, closers: closers, into: &builder)
      return true
    }
    if let closer = Self.singleQuotes[opener] { return singleQuote(closer, into: &builder) }
    return false
  }

  private mutating func doubleQuote(
    _ opener: Character, closers: Set<Character>, into builder: inout Builder
  ) throws {
    let what = opener == "\"" ? "a double quote" : "a curly quote"
    let opening = (row: row, position: position)
    position += 1
    while true {
      guard let character = current else {
        builder.append("\n")
        try continueOnNextLine(what, openedAt: opening)
        continue
      }
      if character == "\"", opener == "\"", peek(1) == "\"" {
        // As CSV doubles it: headlines are copied out of such files.
        builder.append("\"")
        position += 2
      } else if closers.contains(character) {
        position += 1
        if builder.pieces.isEmpty { builder.append("") }
        return
      } else if character == "\\" {
        try backslashInDoubleQuote(opener, closers: closers, what: what, opening: opening, into: &builder)
      } else if character == "$" {
        variable(into: &builder)
      } else {
        builder.append(character)
        position += 1
      }
    }
  }

  private mutating func backslashInDoubleQuote(
    _ opener: Character, closers: Set<Character>, what: String, opening: (row: Int, position: Int),
    into builder: inout Builder
  ) throws {
    guard let next = peek(1) else { return try continueOnNextLine(what, openedAt: opening) }
    let isEscape = next == "\\" || next == "$" || next == opener || closers.contains(next)
    builder.append(isEscape ? next : "\\")
    position += isEscape ? 2 : 1
  }

  /// A single quote closes on its line and where no letter or digit follows; what does not is an apostrophe.
  private mutating func singleQuote(_ closer: Character, into builder: inout Builder) -> Bool {
    let characters = line.characters
    let closing = characters.indices.dropFirst(position + 1).first { index in
      guard characters[index] == closer else { return false }
      let next = index + 1 < characters.count ? characters[index + 1] : " "
      return !next.isLetter && !next.isNumber
    }
    guard let closing else { return false }
    builder.append(String(characters[(position + 1)..<closing]))
    position = closing + 1
    return true
  }
}
