/// Reads statements out of lines; see `Language` for the rules.
struct Parser {
  /// Thrown where the lines end and something is open.
  struct Stop: Error {
    var open: Parsing.Open
  }

  let source: SourceLines
  let file: String?
  /// The line being read, and the place in it.
  var row = 0
  var position = 0

  init(_ source: SourceLines, file: String?) {
    self.source = source
    self.file = file
  }

  mutating func statements() throws -> [Statement] {
    var statements: [Statement] = []
    while row < source.lines.count {
      guard let statement = try nextStatement(depth: 0) else { continue }
      statements.append(statement)
    }
    return statements
  }

  var line: SourceLines.Line { source.lines[row] }
  var current: Character? { peek(0) }

  func peek(_ distance: Int) -> Character? {
    guard row < source.lines.count else { return nil }
    let index = position + distance
    let characters = source.lines[row].characters
    return characters.indices.contains(index) ? characters[index] : nil
  }

  func place(row: Int, position: Int) -> LanguageError.Place {
    let line = source.lines[row]
    return .init(
      file: file, line: line.number, column: line.offset + position + 1,
      source: source.physicalLine(line.number))
  }

  /// Passes blanks, and the line's end where a backslash takes its meaning.
  mutating func skipBlanks() throws {
    while let character = current {
      if character.isWhitespace {
        position += 1
      } else if character == "\\", peek(1) == nil {
        try continueOnNextLine("a backslash", openedAt: (row, position))
      } else {
        return
      }
    }
  }

  mutating func toNextLine() {
    row += 1
    position = 0
  }

  /// Goes on with the next line inside something open.
  mutating func continueOnNextLine(_ what: String, openedAt opening: (row: Int, position: Int)) throws {
    let opened = place(row: opening.row, position: opening.position)
    toNextLine()
    if row == source.lines.count {
      throw Stop(open: .init(what: what, line: opened.line, column: opened.column))
    }
    if line.beginsAfresh { throw LanguageError.neverClosed(what: what, place: opened) }
  }
}

// MARK: - Statements

extension Parser {
  /// The statement at this place; `nil` where the line has none (it is empty or a comment). Leaves the place behind it.
  private mutating func nextStatement(depth: Int) throws -> Statement? {
    try skipBlanks()
    guard let first = current else {
      toNextLine()
      return nil
    }
    // In a block on one line `#` is not at the line's start, so it is text there.
    let isAtLineStart = line.characters[..<position].allSatisfy(\.isWhitespace)
    if first == "#", isAtLineStart {
      toNextLine()
      return nil
    }
    if isBrace("}") { throw LanguageError.strayBrace(place(row: row, position: position)) }

    let start = (row: row, position: position)
    var end = start
    var words: [Word] = []
    var body: [Statement]?
    while true {
      try skipBlanks()
      guard current != nil else { break }
      if words.first?.isKeyword("for") == true, isBrace("{") {
        let block = try block(depth: depth + 1)
        body = block.statements
        end = block.end
        break
      }
      if depth > 0, isBrace("}") { break }
      words.append(try word(inStatementFrom: start))
      end = (row, position)
    }
    let statement = statement(words, body: body, from: start, to: end)
    if current == nil { toNextLine() }
    return statement
  }

  /// Statements up to the closing brace; leaves the place at the line's end behind it.
  private mutating func block(
    depth: Int
  ) throws -> (statements: [Statement], end: (row: Int, position: Int)) {
    let opening = (row: row, position: position)
    guard depth <= Language.deepestNesting else {
      throw LanguageError.tooDeep(place(row: row, position: position))
    }
    position += 1
    var statements: [Statement] = []
    while true {
      try skipBlanks()
      if current == nil {
        try continueOnNextLine("a brace", openedAt: opening)
      } else if isBrace("}") {
        position += 1
        break
      } else if let statement = try blockStatement(depth: depth, opening: opening) {
        statements.append(statement)
      }
    }
    let end = (row: row, position: position)
    try skipBlanks()
    if current != nil, depth == 1 || !isBrace("}") {
      let rest = String(line.characters[position...].prefix { !$0.isWhitespace })
      throw LanguageError.wordsAfterBrace(rest, place: place(row: row, position: position))
    }
    return (statements, end)
  }

  private mutating func blockStatement(
    depth: Int, opening: (row: Int, position: Int)
  ) throws -> Statement? {
    let opened = place(row: opening.row, position: opening.position)
    let statement = try nextStatement(depth: depth)
    // The statement may have ended on the last line there is.
    if row == source.lines.count {
      throw Stop(open: .init(what: "a brace", line: opened.line, column: opened.column))
    }
    if position == 0, line.beginsAfresh {
      throw LanguageError.neverClosed(what: "a brace", place: opened)
    }
    return statement
  }

  /// Characters from a statement's start to a place, as they are in its `source`.
  func distance(from start: (row: Int, position: Int), to end: (row: Int, position: Int)) -> Int {
    guard end.row > start.row else { return end.position - start.position }
    let first = source.lines[start.row].characters.count - start.position + 1
    let between = source.lines[(start.row + 1)..<end.row].reduce(0) { $0 + $1.characters.count + 1 }
    return first + between + end.position
  }

  /// Whether a brace stands here as a word of its own.
  private func isBrace(_ brace: Character) -> Bool {
    current == brace && (peek(1)?.isWhitespace ?? true)
  }

  private func statement(
    _ words: [Word], body: [Statement]?, from start: (row: Int, position: Int),
    to end: (row: Int, position: Int)
  ) -> Statement {
    let text = (start.row...end.row).map { index in
      let characters = source.lines[index].characters
      let from = index == start.row ? start.position : 0
      let to = index == end.row ? end.position : characters.count
      return String(characters[from..<to])
    }.joined(separator: "\n")
    let numbers = source.lines[start.row].number...source.lines[end.row].number
    return Statement(
      words: words, body: body, source: text,
      physicalLines: numbers.compactMap(source.physicalLine), line: numbers.lowerBound)
  }
}

extension Word {
  fileprivate func isKeyword(_ keyword: String) -> Bool {
    !isQuoted && pieces == [.literal(keyword)]
  }
}
