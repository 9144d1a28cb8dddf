/// A text as the physical lines that a parser may read, each with its number.
///
/// Windows line ends and a byte order mark are taken off here. In a paste that contains lines with fettle's prompt only these
/// and their continuations are left, each without its prompt: what a session showed as answers is not run.
struct SourceLines {
  struct Line {
    /// 1-based, physical.
    var number: Int
    var characters: [Character]
    /// Characters of the physical line before the first of `characters`: the prompt's.
    var offset: Int
    /// Whether a statement that is open before this line ends here, because a new prompt began.
    var beginsAfresh: Bool
  }

  private(set) var lines: [Line] = []
  private var physical: [String] = []
  private let firstLine: Int
  /// Whether only what stands behind prompts counts.
  private let hasPrompts: Bool
  /// How deep the last command's prompt stands, and with it those of its continuations; nil behind an answer.
  private var indentation: Int?

  static let prompt = "fettle> "
  static let continuationPrompt = "     > "

  init(_ source: String, firstLine: Int = 1, extractingPrompts: Bool) {
    self.firstLine = firstLine
    let texts = Self.split(source)
    hasPrompts = extractingPrompts && texts.contains { Self.promptLength($0) != nil }
    for text in texts { append(text) }
  }

  /// Takes in what follows the lines that are there.
  mutating func append(contentsOf source: String) {
    for text in Self.split(source) { append(text) }
  }

  private mutating func append(_ text: String) {
    let number = firstLine + physical.count
    physical.append(text)
    if !hasPrompts {
      append(text, dropping: 0, number: number, beginsAfresh: false)
    } else if let length = Self.promptLength(text) {
      indentation = text.prefix { $0.isWhitespace }.count
      append(text, dropping: length, number: number, beginsAfresh: true)
    } else if let depth = indentation, let length = Self.continuationLength(text, indentation: depth) {
      append(text, dropping: length, number: number, beginsAfresh: false)
    } else if !text.allSatisfy(\.isWhitespace) {
      // Windows line ends come through a terminal as an empty line behind each.
      indentation = nil
    }
  }

  /// The whole line of a number, prompt and all.
  func physicalLine(_ number: Int) -> String? {
    let index = number - firstLine
    return physical.indices.contains(index) ? physical[index] : nil
  }

  private mutating func append(_ text: String, dropping count: Int, number: Int, beginsAfresh: Bool) {
    let rest = Array(text.dropFirst(count))
    lines.append(Line(number: number, characters: rest, offset: count, beginsAfresh: beginsAfresh))
  }

  /// The length of fettle's prompt at a line's start, with the blanks before it; `nil` where there is none.
  private static func promptLength(_ text: String) -> Int? {
    let rest = text.drop { $0.isWhitespace }
    let before = text.count - rest.count
    if rest.hasPrefix(prompt) { return before + prompt.count }
    // An editor that strips blanks at line ends leaves an empty command so.
    return rest == "fettle>" ? text.count : nil
  }

  private static func continuationLength(_ text: String, indentation: Int) -> Int? {
    let rest = text.dropFirst(indentation)
    guard text.prefix(indentation).allSatisfy(\.isWhitespace) else { return nil }
    if rest.hasPrefix(continuationPrompt) { return indentation + continuationPrompt.count }
    return rest == "     >" ? text.count : nil
  }

  private static func split(_ source: String) -> [String] {
    // Scalars, not characters: Swift takes CR LF for one character.
    var lines: [String] = []
    var line = String.UnicodeScalarView()
    var previous: Unicode.Scalar?
    for scalar in source.unicodeScalars {
      defer { previous = scalar }
      switch scalar {
      // Unseen characters that web pages and slides put between words and into them; BERT does not read them either.
      case "\u{FEFF}", "\u{200B}", "\u{2060}", "\u{AD}": break
      case "\n" where previous == "\r": break
      case "\n", "\r":
        lines.append(String(line))
        line = String.UnicodeScalarView()
      default: line.append(scalar)
      }
    }
    lines.append(String(line))
    return lines
  }
}
