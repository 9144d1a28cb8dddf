/// Where the cursor stands in a command: what completion starts from.
public struct WordBeingTyped: Sendable, Equatable {
  /// The words before it in the same statement; inside a block's braces, in the statement there.
  public var before: [Word]
  /// The word as far as it is typed, without its quotes; empty behind a blank.
  public var text: String
  /// Characters from where the word begins, quote and all, to the cursor.
  public var length: Int

  /// - Parameter text: what stands before the cursor.
  public init(_ text: String) {
    var text = text
    /// What stands behind the quote that is open, if one is.
    var quoted: String?
    while case .incomplete(let open)? = try? Language.parse(text, extractingPrompts: false),
      open.what != "a backslash", let start = Self.offset(of: open, in: text)
    {
      let rest = String(text.dropFirst(start + 1))
      if open.what == "a brace" {
        text = rest
      } else {
        quoted = rest
        text = String(text.prefix(start))
      }
    }
    let statement = (try? Language.statements(text, extractingPrompts: false))?.last
    let words = statement?.words ?? []
    if quoted == nil, let statement,
      let open = words.lastIndex(where: { Self.opensSingleQuote($0, statement) })
    {
      // As long as it is not closed, the language takes it for an apostrophe.
      let behind = text.reversed().prefix { $0.isWhitespace }.count
      length = statement.source.count - words[open].range.lowerBound + behind
      self.text = String(text.suffix(length - 1))
      before = Array(words[..<open])
      return
    }
    let isInWord = text.last.map { !$0.isWhitespace } ?? false
    let begun = isInWord ? words.last : nil
    // At the start of a line no word of the line before is one's own.
    let isNewLine = text.last { !$0.isWhitespace || $0.isNewline }?.isNewline ?? true
    before = isNewLine ? [] : isInWord ? words.dropLast() : words
    self.text = (begun?.text ?? "") + (quoted ?? "")
    length = (begun?.range.count ?? 0) + (quoted.map { $0.count + 1 } ?? 0)
  }

  private static func opensSingleQuote(_ word: Word, _ statement: Statement) -> Bool {
    !word.isQuoted && statement.source.dropFirst(word.range.lowerBound).first == "'"
  }

  private static func offset(of open: Parsing.Open, in text: String) -> Int? {
    var line = 1
    var column = 1
    for (offset, character) in text.enumerated() {
      if line == open.line, column == open.column { return offset }
      column += 1
      if character == "\n" {
        line += 1
        column = 1
      }
    }
    return nil
  }
}
