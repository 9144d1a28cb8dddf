/// A text that is not in the language.
public enum LanguageError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A quote or brace that the text's end leaves open.
  case neverClosed(what: String, place: Place)
  /// A closing brace where nothing is open.
  case strayBrace(Place)
  /// Words after the brace that ends a block.
  case wordsAfterBrace(String, place: Place)
  /// Bytes that are no UTF-8.
  case notText(Place)
  /// Blocks within blocks, deeper than anyone reads.
  case tooDeep(Place)

  /// Where in the text, with the line itself.
  public struct Place: Equatable, Sendable {
    public var file: String?
    /// 1-based.
    public var line: Int
    /// 1-based, in characters.
    public var column: Int
    public var source: String?

    public init(file: String?, line: Int, column: Int, source: String?) {
      self.file = file
      self.line = line
      self.column = column
      self.source = source
    }
  }

  public var place: Place {
    switch self {
    case .neverClosed(_, let place), .strayBrace(let place), .wordsAfterBrace(_, let place),
      .notText(let place), .tooDeep(let place):
      place
    }
  }

  public var line: Int { place.line }
  public var column: Int { place.column }

  public var code: String {
    switch self {
    case .neverClosed: "never-closed"
    case .strayBrace: "stray-brace"
    case .wordsAfterBrace: "words-after-brace"
    case .notText: "not-utf8"
    case .tooDeep: "too-deep"
    }
  }

  public var description: String {
    switch self {
    case .neverClosed(let what, let place):
      "\(what.prefix(1).uppercased() + what.dropFirst()) at line \(place.line), column \(place.column) "
        + (what == "a brace"
          ? "has no end. Close it with a } that has blanks or line ends around it."
          : "has no end. Close it, or leave it out.")
    case .strayBrace:
      "Nothing is open that this } could close. Put it in quotes if it is text."
    case .wordsAfterBrace(let word, _):
      "\(word) stands after the } that ends the block. Put it on a line of its own."
    case .notText:
      "This line is not UTF-8 text. Save the file as UTF-8."
    case .tooDeep:
      "Blocks are nested more than \(Language.deepestNesting) deep here. Take one of them out into a script and run it."
    }
  }

  /// The same as the program shows it; a text that cannot be read is a matter of usage.
  public var diagnostic: Diagnostic {
    Diagnostic(
      code: code, message: description, file: place.file, line: place.line, column: place.column,
      source: place.source, exitStatus: 2)
  }
}
