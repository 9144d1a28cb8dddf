import Basics

/// How a report may be asked for instead of drawn, by the last word of a line: `kpi --csv`.
public enum ReportFormat: String, CaseIterable, Sendable {
  /// As the program's own `--json` prints it.
  case json
  /// The tables and named values (RFC 4180, with plain newlines); where there are none, the JSON's.
  case csv
  /// The sentences and tables (GitHub Flavored Markdown).
  case markdown

  public var option: String { "--" + rawValue }
}

extension Report {
  /// The report in a format, each line ended by a newline.
  public func text(in format: ReportFormat) -> String {
    switch format {
    case .json: jsonLines.map { $0.line + "\n" }.joined()
    case .csv: csv
    case .markdown: blocks.map(\.markdown).filter { !$0.isEmpty }.joined(separator: "\n")
    }
  }

  private var csv: String {
    var tables = blocks.compactMap(\.table)
    if tables.isEmpty { tables = [jsonTable] }
    return tables.map { table in
      ([table.header] + table.rows.map { $0.map(\.drawn) }).map { row in
        row.map(\.quotedForCSV).joined(separator: ",") + "\n"
      }.joined()
    }.joined(separator: "\n")
  }

  /// Of one object its members, of several a row each.
  private var jsonTable: Table {
    guard let objects, let first = objects.first else {
      let members = json.sorted { $0.key < $1.key }
      return Table(
        header: ["name", "value"], rows: members.map { [Cell($0.key), Cell($0.value.plain)] })
    }
    let names = first.keys.sorted()
    return Table(header: names, rows: objects.map { object in names.map { Cell(object[$0]?.plain ?? "") } })
  }
}

extension JSONValue {
  /// A text without its quotes.
  fileprivate var plain: String { if case .string(let text) = self { text } else { line } }
}

extension Block {
  /// The block as a table, where it has rows.
  fileprivate var table: Table? {
    switch self {
    case .table(let table): return table
    case .fields(let fields):
      return Table(header: ["name", "value"], rows: fields.map { [Cell($0.name), $0.value] })
    case .bars(let bars):
      return Table(header: ["name", "value"], rows: bars.map { [Cell($0.name), $0.value] })
    case .matrix(let matrix):
      let rows = zip(matrix.names, matrix.counts).map { name, counts in
        [Cell(name)] + counts.map { Cell(String($0)) }
      }
      let numbers = matrix.names.map { _ in Table.Alignment.right }
      return Table(header: [""] + matrix.names, rows: rows, alignments: [.left] + numbers)
    case .line, .derived, .written, .local, .curve, .prose, .preformatted: return nil
    }
  }

  fileprivate var markdown: String {
    if let table {
      let caption = if case .matrix(let matrix) = self { matrix.caption + "\n\n" } else { "" }
      func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }
      let columns = table.header.indices.map { table.alignment(of: $0) == .right ? "---:" : "---" }
      return caption + row(table.header.map(\.escapedForMarkdown)) + row(columns)
        + table.rows.map { row($0.map(\.drawn.escapedForMarkdown)) }.joined()
    }
    switch self {
    case .line(let cell): return cell.drawn.isEmpty ? "" : cell.drawn + "\n"
    case .derived(let lines), .written(let lines, _), .local(let lines):
      return lines.map { $0.visible + "\n" }.joined(separator: "\n")
    case .curve(let curve): return curve.text.visible + "\n"
    case .prose(let text): return text + "\n"
    case .preformatted(let lines):
      return "```\n" + lines.map { $0.visible + "\n" }.joined() + "```\n"
    default: return ""
    }
  }
}

extension String {
  fileprivate var quotedForCSV: String {
    let isPlain = !contains { ",\"\r\n".contains($0) } && first != " " && last != " "
    return isPlain ? self : "\"" + replacing("\"", with: "\"\"") + "\""
  }

  fileprivate var escapedForMarkdown: String { visible.replacing("|", with: "\\|") }
}
