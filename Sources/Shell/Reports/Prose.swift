import Basics

/// Markdown as it reads on a terminal: paragraphs filled, marks of emphasis gone, code still between its backticks.
enum Prose {
  /// Longer lines are hard to read, however wide the window.
  static let widest = 96

  /// Headings keep their number signs, for whoever draws them.
  static func lines(of markdown: String, width: Int) -> [String] {
    var lines: [String] = []
    for paragraph in paragraphs(of: markdown) {
      if !lines.isEmpty, !(paragraph.hasPrefix("- ") && lines.last?.hasPrefix("- ") == true) {
        lines.append("")
      }
      lines += paragraph.visible.folded(to: width)
    }
    return lines
  }

  private static func paragraphs(of markdown: String) -> [String] {
    var paragraphs: [String] = []
    var begins = true
    for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
      let text = plain(line.drop { $0 == " " })
      if text.isEmpty || text.hasPrefix("#") || text.hasPrefix("- ") { begins = true }
      if !text.isEmpty {
        if begins { paragraphs.append(text) } else { paragraphs[paragraphs.count - 1] += " " + text }
      }
      begins = text.isEmpty || text.hasPrefix("#")
    }
    return paragraphs
  }

  /// Without the asterisks around words; those in code stay.
  private static func plain(_ line: Substring) -> String {
    line.split(separator: "`", omittingEmptySubsequences: false).enumerated().map { index, part in
      index.isMultiple(of: 2)
        ? part.replacing(#/\*+(?<words>[^*\s][^*]*)\*+/#) { $0.output.words } : part[...]
    }.joined(separator: "`")
  }
}
