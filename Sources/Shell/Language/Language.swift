/// fettle's command language: one line, one verb, words as in a POSIX shell, but kind to headlines. `page` has its rules.
public enum Language {
  static let deepestNesting = 32

  /// Which file a text is from, and the number of its first line there.
  public struct Numbering: Sendable, Equatable {
    /// `nil` at the prompt.
    public var file: String?
    /// 1-based.
    public var firstLine: Int

    public init(file: String? = nil, firstLine: Int = 1) {
      self.file = file
      self.firstLine = firstLine
    }
  }

  /// Reads a text of any number of lines.
  ///
  /// - Parameters:
  ///   - source: the text; Windows line ends, tabs and a byte order mark are welcome.
  ///   - file: the name that errors give, `nil` at the prompt.
  ///   - extractingPrompts: whether a line that begins with `fettle> ` makes it a paste. Off for a command that comes out of a
  ///     document, whose prompts are gone: a line of its quoted text may look like one.
  /// - Throws: `LanguageError` for what more lines cannot mend.
  public static func parse(
    _ source: String, file: String? = nil, extractingPrompts: Bool = true
  ) throws -> Parsing {
    try parse(source, numbering: Numbering(file: file), extractingPrompts: extractingPrompts)
  }

  /// Reads a text that begins at some line of its file.
  ///
  /// - Parameter more: gives the line behind the text, for as long as something is open; nil at the end.
  /// - Throws: `LanguageError` for what more lines cannot mend.
  public static func parse(
    _ source: String, numbering: Numbering, extractingPrompts: Bool = true,
    more: @escaping () throws -> String? = { nil }
  ) throws -> Parsing {
    let lines = SourceLines(
      source, firstLine: numbering.firstLine, extractingPrompts: extractingPrompts)
    var parser = Parser(lines, file: numbering.file, more: more)
    do {
      return .complete(try parser.statements())
    } catch let stop as Parser.Stop {
      return .incomplete(stop.open)
    }
  }

  /// Reads a text that has to be whole.
  ///
  /// - Throws: `LanguageError`, also for a quote or brace that is left open.
  public static func statements(
    _ source: String, file: String? = nil, extractingPrompts: Bool = true
  ) throws -> [Statement] {
    switch try parse(source, file: file, extractingPrompts: extractingPrompts) {
    case .complete(let statements): return statements
    case .incomplete(let open):
      let text = SourceLines(source, extractingPrompts: false).physicalLine(open.line)
      throw LanguageError.neverClosed(
        what: open.what, place: .init(file: file, line: open.line, column: open.column, source: text))
    }
  }

  /// A word that reads back as `text`, quoted only where it must be.
  public static func quoted(_ text: String) -> String {
    if let parsed = try? parse(text, extractingPrompts: false),
      case .complete(let statements) = parsed, statements.count == 1, statements[0].words.count == 1,
      statements[0].body == nil, statements[0].words[0].pieces == [.literal(text)],
      !statements[0].words[0].isQuoted, !text.hasPrefix("-"), text != "{", text != "}"
    {
      return text
    }
    var word = "\""
    for character in text {
      if character == "\"" || character == "\\" || character == "$" { word.append("\\") }
      word.append(character)
    }
    return word + "\""
  }
}
