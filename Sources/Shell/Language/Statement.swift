/// A word of a statement, with what it is made of.
public struct Word: Sendable, Equatable {
  /// A stretch of a word.
  public enum Piece: Sendable, Equatable {
    case literal(String)
    /// `$name` or `${name}`: becomes the variable's value where one of that name exists, else stays as written.
    case variable(name: String, written: String)
  }

  public var pieces: [Piece]
  /// Began with a quote, so that it is a value even if it begins with `-`.
  public var isQuoted: Bool
  /// 1-based, physical, counted as in `Statement.line`'s file.
  public var line: Int
  /// 1-based, in characters of its line.
  public var column: Int
  /// Where it stands in `Statement.source`, in characters.
  public var range: Range<Int>

  public init(
    pieces: [Piece], isQuoted: Bool = false, line: Int = 1, column: Int = 1, range: Range<Int> = 0..<0
  ) {
    self.pieces = pieces
    self.isQuoted = isQuoted
    self.line = line
    self.column = column
    self.range = range
  }

  /// Whether it is typed as an option: begins with `-`, in no quotes.
  public var isOption: Bool {
    guard !isQuoted, case .literal(let text)? = pieces.first else { return false }
    return text.hasPrefix("-")
  }

  /// The word's text with every variable that `value` knows in its place.
  ///
  /// A dotted name is looked up whole first, then shorter: `$file.csv` is the variable `file.csv` if there is one,
  /// else `file` followed by `.csv`. A name that nobody knows stays as it was written, dollar sign and all.
  public func expanded(using value: (String) -> String?) -> String {
    pieces.map { piece in
      switch piece {
      case .literal(let text): text
      case .variable(let name, let written): Self.expand(name, written: written, using: value)
      }
    }.joined()
  }

  /// The word as text, with no variable expanded.
  public var text: String { expanded { _ in nil } }

  private static let mostParts = 16

  private static func expand(_ name: String, written: String, using value: (String) -> String?) -> String {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    // No name has more parts than this, and to look each beginning up takes a time that grows with the square of the length.
    if parts.count <= mostParts, let found = value(name) { return found }
    guard !written.hasPrefix("${") else { return written }
    for count in stride(from: min(parts.count - 1, mostParts), to: 0, by: -1) {
      guard let found = value(parts[..<count].joined(separator: ".")) else { continue }
      return found + "." + parts[count...].joined(separator: ".")
    }
    return written
  }
}

/// One line of the language: a verb and its words, and for `for` the block in braces.
public struct Statement: Sendable, Equatable {
  public var words: [Word]
  /// What stands between the braces of a `for`; `nil` where there are none.
  public var body: [Statement]?
  /// The statement as it was typed, without prompts and the blanks around it; may have several lines.
  public var source: String
  /// The physical lines it stands on, whole, prompts and all: where a caret finds its line.
  public var physicalLines: [String]
  /// The first of them, 1-based.
  public var line: Int

  public init(
    words: [Word], body: [Statement]? = nil, source: String, physicalLines: [String], line: Int
  ) {
    self.words = words
    self.body = body
    self.source = source
    self.physicalLines = physicalLines
    self.line = line
  }

  /// Everything from a word to the end as one text: what `classify` takes when its text is not in quotes.
  ///
  /// Of a single word it is the word. Of several, blanks, quotes and dashes stay as they were typed (`She said "no" twice`),
  /// and `$names` outside quotes expand.
  public func text(from index: Int, using value: (String) -> String?) -> String {
    guard words.indices.contains(index) else { return "" }
    if index == words.count - 1 { return words[index].expanded(using: value) }
    let characters = Array(source)
    var text = ""
    var position = words[index].range.lowerBound
    for word in words[index...] {
      text += String(characters[position..<word.range.lowerBound])
      let written = String(characters[word.range])
      let staysAsWritten = word.isQuoted || word.isOption
      text += staysAsWritten ? written : word.expanded(using: value)
      position = word.range.upperBound
    }
    return text
  }

  /// The whole physical line of a file's line number, for a caret.
  public func physicalLine(_ number: Int) -> String? {
    let index = number - line
    return physicalLines.indices.contains(index) ? physicalLines[index] : nil
  }
}

/// What a text of the language turned out to be.
public enum Parsing: Sendable, Equatable {
  case complete([Statement])
  /// More lines are needed: something is open.
  case incomplete(Open)

  /// What is open, and where it was opened.
  public struct Open: Sendable, Equatable {
    /// In words: `a double quote`.
    public var what: String
    /// 1-based.
    public var line: Int
    /// 1-based, in characters.
    public var column: Int

    public init(what: String, line: Int, column: Int) {
      self.what = what
      self.line = line
      self.column = column
    }
  }
}
