/// Reads statements out of lines: the whole grammar, as `Language.page` has it in words.
struct Parser {
  /// Thrown where the lines end and something is open.
  struct Stop: Error {
    var open: Parsing.Open
  }

  private(set) var source: SourceLines
  let file: String?
  /// Gives the line that follows where something is open at the end; nil where there is none.
  private let more: () throws -> String?
  /// The line being read, and the place in it.
  var row = 0
  var position = 0
  /// Characters before each line, its ends counted as one.
  private var starts = [0]
  /// In which row a search for a quote's end came to nothing: none stands in the rest of it either.
  private var rowWithoutEnd: [Character: Int] = [:]

  init(_ source: SourceLines, file: String?, more: @escaping () throws -> String? = { nil }) {
    self.source = source
    self.file = file
    self.more = more
    countStarts()
  }

  private mutating func countStarts() {
    for line in source.lines[(starts.count - 1)...] {
      starts.append(starts[starts.count - 1] + line.characters.count + 1)
    }
  }

  /// Whether there is a line to read at this row, which may have to be waited for.
  private mutating func hasLine() throws -> Bool {
    while row == source.lines.count {
      guard let text = try more() else { return false }
      source.append(contentsOf: text)
      countStarts()
    }
    return true
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
    guard try hasLine() else {
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
    guard try hasLine() else {
      throw Stop(open: .init(what: "a brace", line: opened.line, column: opened.column))
    }
    if position == 0, line.beginsAfresh {
      throw LanguageError.neverClosed(what: "a brace", place: opened)
    }
    return statement
  }

  /// Characters from a statement's start to a place, as they are in its `source`.
  func distance(from start: (row: Int, position: Int), to end: (row: Int, position: Int)) -> Int {
    starts[end.row] + end.position - starts[start.row] - start.position
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

// MARK: - Words and variables

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
    private var finished: [Word.Piece] = []
    /// The literal that grows; nil where none has begun.
    private var literal: String?
    private var hasEquals = false

    var pieces: [Word.Piece] { literal.map { finished + [.literal($0)] } ?? finished }
    var isEmpty: Bool { finished.isEmpty && literal == nil }

    mutating func append(_ text: String) {
      if literal == nil { literal = "" }
      literal?.append(text)
    }

    mutating func append(_ character: Character) {
      if character == "=" { hasEquals = true }
      if literal == nil { literal = "" }
      literal?.append(character)
    }

    mutating func append(_ variable: Word.Piece) {
      if let text = literal.take() { finished.append(.literal(text)) }
      finished.append(variable)
    }

    /// Whether the word is, so far, an option's name without its value: `--name`.
    var isOptionName: Bool { finished.isEmpty && !hasEquals && literal?.first == "-" }
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

  private static let dashes: Set<Character> = ["—", "–", "\u{2212}"]

  /// The dashes that slides and word processors make of `--` and `-`.
  private mutating func dash(into builder: inout Builder) {
    guard let first = current, let next = peek(1) else { return }
    // Half of it may have been left, or each hyphen been made a dash of its own.
    let length = Self.dashes.contains(next) || next == "-" ? 2 : 1
    let isLong = first == "—" || first == "–" || length == 2 && first == "\u{2212}"
    if isLong, peek(length)?.isLetter == true {
      builder.append("--")
      position += length
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
      builder.append(.variable(name: name, written: written))
      position += length
    } else {
      builder.append("$")
      position += 1
    }
  }

  /// The name after the dollar sign that stands here, and how long the whole is.
  private func variableName() -> (name: String, length: Int)? {
    func isStart(_ character: Character?) -> Bool { character.map { $0.isLetter || $0 == "_" } ?? false }
    let isBraced = peek(1) == "{"
    func isPart(_ character: Character?) -> Bool {
      character.map { $0.isLetter || $0.isNumber || $0 == "_" || isBraced && $0 == "-" } ?? false
    }
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
        if builder.isEmpty { builder.append("") }
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
    guard rowWithoutEnd[closer] != row else { return false }
    let characters = line.characters
    let closing = characters.indices.dropFirst(position + 1).first { index in
      guard characters[index] == closer else { return false }
      let next = index + 1 < characters.count ? characters[index + 1] : " "
      return !next.isLetter && !next.isNumber
    }
    guard let closing else {
      rowWithoutEnd[closer] = row
      return false
    }
    builder.append(String(characters[(position + 1)..<closing]))
    position = closing + 1
    return true
  }
}
