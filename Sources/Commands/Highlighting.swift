import Foundation
import Shell

extension Application {
  /// Longer texts, such as a pasted file, stay without colours.
  private static let longestColoured = 20_000

  /// What the parts of a line are: verbs and options by their declarations, quotes, variables, comments. A word that may
  /// still become one is none yet.
  public static func highlights(of text: String) -> [Highlight] {
    guard text.utf8.count <= longestColoured, let root = Declaration.ofVerbs else { return [] }
    let parts = Language.parts(of: text)
    let length = text.count
    var highlights: [Highlight] = []
    var words: [String] = []
    for part in parts {
      let isBeingTyped = part.range.upperBound == length
      if part.beginsStatement, part.kind != .comment { words = [] }
      defer { if part.kind != .comment { words.append(part.text) } }
      switch part.kind {
      case .comment: highlights.append(Highlight(part.range, .comment))
      case .quoted: highlights.append(Highlight(part.range, .quoted))
      case .word:
        if let kind = kind(of: part.text, after: words, root, isBeingTyped: isBeingTyped) {
          highlights.append(Highlight(part.range, kind))
        } else {
          highlights += variables(in: part)
        }
      }
    }
    return highlights
  }

  private static func kind(
    of word: String, after words: [String], _ root: Declaration.Command, isBeingTyped: Bool
  ) -> Highlight.Kind? {
    if words.isEmpty {
      let names = Array(VerbParser.children(of: Fettle.self).keys)
      if names.contains(word) { return .verb }
      if word == "{" || word == "}" || word.hasPrefix("$") { return nil }
      return isBeingTyped && names.contains { $0.hasPrefix(word) } ? nil : .unknown
    }
    guard let (command, depth) = Declaration.command(words) else { return nil }
    if depth == words.count, command.child(word) != nil { return .verb }
    guard word.hasPrefix("--"), word.count > 2 else { return nil }
    let isText = VerbParser.takesText(words)
    if isText, words.contains("--") { return nil }
    let option = String(word.prefix { $0 != "=" })
    var arguments = command.arguments ?? []
    arguments += command.defaultSubcommand.flatMap(command.child)?.arguments ?? []
    let names = arguments.flatMap(\.options) + ReportFormat.allCases.map(\.option) + ["--help"]
    if names.contains(option) { return .option }
    return isText || isBeingTyped && names.contains { $0.hasPrefix(option) } ? nil : .unknown
  }

  private static func variables(in part: Language.Part) -> [Highlight] {
    part.text.matches(of: #/\$(?:[A-Za-z_][A-Za-z0-9_.]*|\{[^}]*\}?)/#).map { match in
      let start =
        part.range.lowerBound + part.text.distance(from: part.text.startIndex, to: match.range.lowerBound)
      return Highlight(start..<(start + match.output.count), .variable)
    }
  }

  /// Whether the lines of a paste behind this are one text: a headline that was set in two lines.
  public static func joinsLines(behind text: String) -> Bool {
    guard text.last?.isWhitespace == true, let statement = try? Language.statements(text).last else {
      return false
    }
    return VerbParser.takesText(statement.words.map(\.text))
  }
}

extension VerbParser {
  /// Whether a verb takes the rest of its line as a text.
  static func takesText(_ words: [String]) -> Bool {
    words.first.flatMap { children(of: Fettle.self)[$0] } is any TextVerb.Type
  }
}
