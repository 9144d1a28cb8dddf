import Basics
import Transcripts

/// The one drawing that a document keeps: width 80, no colour, nothing cut, numbers without locale.
///
/// Sentences of text alone are wrapped at 80; a line with an estimate never is, since where it would break could depend on the
/// estimate's digits. Tables are as wide as they need. No line ends in blanks.
public struct CanonicalDrawing {
  public static let width = 80

  public static func draw(_ report: Report) -> Answer {
    Answer(report.blocks.flatMap(draw))
  }

  /// A failure as a document has it: our own sentence, without the place in a script, which differs between a recording and
  /// its replay.
  public static func draw(_ failure: Diagnostic) -> Answer {
    Answer(
      wrapped("error: " + failure.message.visible)
        + draw(.derived(failure.numbers.map { [$0] } ?? [])))
  }

  private static func draw(_ block: Block) -> [Line] {
    switch block {
    case .line(let cell):
      if cell.hasEstimate { return [line(cell)] }
      return wrapped(cell.drawn)
    case .fields(let fields):
      let width = fields.map { $0.name.visible.displayWidth }.max() ?? 0
      return fields.map { field in
        line("  " + Cell(field.name).harmless.padded(to: width, .left) + "  " + field.value)
      }
    case .bars(let bars):
      return draw(.fields(bars.map { ($0.name, $0.value) }))
    case .table(let table):
      return draw(table)
    case .curve(let curve): return draw(.derived([curve.text]))
    case .matrix(let matrix): return draw(.derived(matrix.plainLines))
    case .derived(let lines), .written(let lines, _):
      return lines.flatMap { $0.visible.wrapped(to: width - 2) }
        .map { Line(Cell($0).tidied.tokens, isDerived: true) }
    case .local: return []
    case .prose(let markdown):
      return Prose.lines(of: markdown, width: width).map { line(Cell($0)) }
    case .preformatted(let lines):
      return lines.map { line(Cell($0)) }
    }
  }

  private static func draw(_ table: Table) -> [Line] {
    let rows = [table.header.map { Cell($0) }] + table.rows
    let widths = table.columnWidths
    return rows.map { row in
      var cells = Cell()
      for (column, cell) in row.enumerated() {
        cells = cells + "  " + cell.padded(to: widths[column], table.alignment(of: column))
      }
      return line(cells)
    }
  }

  private static func line(_ cell: Cell) -> Line { Line(cell.harmless.tidied.tokens) }

  private static func wrapped(_ text: String) -> [Line] {
    text.wrapped(to: width).map { Line(Cell($0).tidied.tokens) }
  }
}

extension Table {
  func alignment(of column: Int) -> Alignment {
    alignments.indices.contains(column) ? alignments[column] : .left
  }

  /// The columns that each column's widest cell takes.
  var columnWidths: [Int] {
    let count = max(header.count, rows.map(\.count).max() ?? 0)
    return (0..<count).map { column in
      let cells = rows.map { $0.indices.contains(column) ? $0[column].drawn.displayWidth : 0 }
      let title = header.indices.contains(column) ? header[column].visible.displayWidth : 0
      return max(title, cells.max() ?? 0)
    }
  }
}
