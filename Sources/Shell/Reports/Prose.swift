import Basics
import Foundation

/// Markdown as it reads on a terminal: paragraphs filled, marks of emphasis gone, code still between its backticks; a table's rows
/// as a list, and drawings, which are indented by four blanks, as they are.
enum Prose {
  /// Longer lines are hard to read, however wide the window.
  static let widest = 96

  private struct Paragraph {
    enum Kind { case plain, item, drawing }
    var kind: Kind
    var text: String
  }

  private static let indentation = "    "

  /// Headings keep their number signs, for whoever draws them.
  static func lines(of markdown: String, width: Int) -> [String] {
    var lines: [String] = []
    var before = Paragraph.Kind.plain
    for paragraph in paragraphs(of: markdown) {
      if !lines.isEmpty, paragraph.kind == .plain || paragraph.kind != before { lines.append("") }
      before = paragraph.kind
      let text = paragraph.text.visible
      lines += paragraph.kind == .drawing ? [text] : text.folded(to: width)
    }
    return lines
  }

  private static func paragraphs(of markdown: String) -> [Paragraph] {
    var paragraphs: [Paragraph] = []
    var header: [String]?
    var begins = true
    for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("|") {
        let cells = line.split(separator: "|").map { plain($0).trimmingCharacters(in: .whitespaces) }
        if let header, let item = item(cells, header) { paragraphs.append(item) }
        header = header ?? cells
        begins = true
        continue
      }
      header = nil
      if begins, line.hasPrefix(indentation) {
        paragraphs.append(Paragraph(kind: .drawing, text: String(line)))
        continue
      }
      let text = plain(line.drop { $0 == " " })
      let isItem = text.hasPrefix("- ")
      if text.isEmpty || text.hasPrefix("#") || isItem { begins = true }
      if !text.isEmpty {
        if begins {
          paragraphs.append(Paragraph(kind: isItem ? .item : .plain, text: text))
        } else {
          paragraphs[paragraphs.count - 1].text += " " + text
        }
      }
      begins = text.isEmpty || text.hasPrefix("#")
    }
    return paragraphs
  }

  /// A table's row: its first cell, then each other behind its column's name. Nil for the rule below the header.
  private static func item(_ cells: [String], _ header: [String]) -> Paragraph? {
    guard let name = cells.first, !cells.allSatisfy({ $0.allSatisfy("-:".contains) }) else { return nil }
    let others = zip(header, cells).dropFirst().map { "\($0) \($1)" }.joined(separator: "; ")
    return Paragraph(kind: .item, text: "- \(name): \(others)")
  }

  /// Without the asterisks around words; those in code stay.
  private static func plain(_ line: Substring) -> String {
    line.split(separator: "`", omittingEmptySubsequences: false).enumerated().map { index, part in
      index.isMultiple(of: 2)
        ? part.replacing(#/\*+(?<words>[^*\s][^*]*)\*+/#) { $0.output.words } : part[...]
    }.joined(separator: "`")
  }
}
