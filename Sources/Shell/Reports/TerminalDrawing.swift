import Basics
import Transcripts

/// The drawing for the learner's own window: tables fitted to its width, bars, colour where it is welcome.
public struct TerminalDrawing: Sendable {
  /// Columns of the window.
  public var width: Int
  public var colour: Bool
  /// Whether bars and the sign for what is cut may be other than ASCII.
  public var unicode: Bool

  public init(width: Int, colour: Bool, unicode: Bool) {
    self.width = max(20, width)
    self.colour = colour
    self.unicode = unicode
  }

  /// The report with its hint, each line ended by a newline.
  public func draw(_ report: Report) -> String {
    var lines = report.blocks.flatMap(draw)
    if let hint = report.hint {
      lines += hint.visible.wrapped(to: width).map { styled($0, .dim) }
    }
    return text(lines)
  }

  /// The failure's sentence, where it happened, and the line with a caret as far as they are known.
  public func draw(_ failure: Diagnostic) -> String {
    let isInterruption = failure.exitStatus == 130
    let sentence = (isInterruption ? "" : "error: ") + failure.description.visible
    var lines = sentence.wrapped(to: width)
    if !isInterruption {
      lines[0] = styled("error:", .alarm) + lines[0].dropFirst("error:".count)
    }
    if let place = failure.place, failure.file != nil || failure.source == nil,
      !failure.description.contains(place)
    {
      lines.append("  " + place.visible)
    }
    if let source = failure.source {
      lines += caret(under: source, column: failure.column).map { "  " + $0 }
    }
    return text(lines)
  }

  var ellipsis: String { unicode ? "…" : "..." }

  private func text(_ lines: [String]) -> String {
    lines.map { line in
      var line = line[...]
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }.joined()
  }

  private func draw(_ block: Block) -> [String] {
    switch block {
    case .line(let cell): return cell.drawn.wrapped(to: width)
    case .fields(let fields): return draw(fields: fields)
    case .bars(let bars): return draw(bars: bars)
    case .table(let table): return draw(table)
    case .curve(let curve):
      return draw(.derived([curve.text])) + CurveDrawing(width: width, unicode: unicode).lines(of: curve)
    case .matrix(let matrix): return MatrixDrawing(width: width, unicode: unicode).lines(of: matrix)
    case .local(let lines): return lines.flatMap { $0.visible.wrapped(to: width) }
    case .written(_, isOnScreen: true): return []
    case .written(let lines, isOnScreen: false): return lines.flatMap { $0.visible.wrapped(to: width) }
    case .derived(let lines):
      return lines.flatMap { $0.visible.wrapped(to: width) }.map { styled($0, .dim) }
    case .prose(let markdown):
      return Prose.lines(of: markdown, width: min(width, Prose.widest)).map {
        $0.hasPrefix("#") ? styled(String($0.drop { "# ".contains($0) }), .bold) : $0
      }
    case .preformatted(let lines): return lines.map(\.visible)
    }
  }

  private func draw(fields: [(name: String, value: Cell)]) -> [String] {
    let names = fields.map(\.name.visible)
    let indent = 4 + (names.map(\.displayWidth).max() ?? 0)
    return zip(names, fields).flatMap { name, field in
      // Two columns less: `wrapped` hangs its lines two deeper, and the value's all stand on one edge here.
      let value = field.value.drawn.wrapped(to: max(10, width - indent))
      let first = "  " + name + blanks(indent - 2 - name.displayWidth) + value[0]
      return [first]
        + value.dropFirst().map { blanks(indent) + $0.drop { $0 == " " } }
    }
  }

  private func draw(bars: [Bar]) -> [String] {
    let names = bars.map { $0.name.visible.cut(to: width / 2, ellipsis: ellipsis) }
    let values = bars.map(\.value.drawn)
    let nameWidth = names.map(\.displayWidth).max() ?? 0
    let valueWidth = values.map(\.displayWidth).max() ?? 0
    let room = min(40, width - nameWidth - valueWidth - 6)
    return bars.indices.map { index in
      let name = names[index] + blanks(nameWidth - names[index].displayWidth)
      let value = blanks(valueWidth - values[index].displayWidth) + values[index]
      let bar = room >= 5 ? BarDrawing.draw(bars[index].share, width: room, unicode: unicode) : ""
      return "  " + name + "  " + value + "  " + bar
    }
  }

  private func draw(_ table: Table) -> [String] {
    guard let widths = fitted(table) else { return table.rows.flatMap { draw(record: $0, of: table) } }
    // The first column names the rows: where their beginnings are the same, its ends have to tell them apart.
    let names = table.rows.compactMap { $0.first?.drawn }
    let beginnings = Set(names.map { $0.cut(to: widths.first ?? 0, ellipsis: ellipsis) })
    let isCutInside = beginnings.count < Set(names).count
    func row(_ cells: [String]) -> String {
      zip(widths.indices, cells).map { column, text in
        let text =
          column == 0 && isCutInside
          ? text.cutInside(to: widths[column], ellipsis: ellipsis)
          : text.cut(to: widths[column], ellipsis: ellipsis)
        let padding = blanks(widths[column] - text.displayWidth)
        return "  " + (table.alignment(of: column) == .left ? text + padding : padding + text)
      }.joined()
    }
    let header = row(table.header.map(\.visible))
    return [styled(header, .bold)] + table.rows.map { row($0.map(\.drawn)) }
  }

  /// A row of a table that is too wide for the window: its name, and below it what each column has of it.
  private func draw(record row: [Cell], of table: Table) -> [String] {
    let fields = zip(table.header, row).dropFirst().filter { !$0.1.drawn.isEmpty }
    return (row.first?.drawn.wrapped(to: width - 2) ?? []).map { "  " + styled($0, .bold) }
      + draw(fields: fields.map { (name: "  " + $0.0, value: $0.1) })
  }

  /// Column widths that fit the window: the widest column of text gives way first, and the first, which names the rows, behind the
  /// others. A number is whole or of no use, so no column of them gives way. `nil` where that leaves too little of the texts.
  private func fitted(_ table: Table) -> [Int]? {
    var widths = table.columnWidths
    let isName = { $0 == 0 && !table.keepsNames }
    let steps: [(columns: (Int) -> Bool, least: Int)] = [
      ({ $0 > 0 && table.alignment(of: $0) == .left }, 8), (isName, 16),
      ({ $0 > 0 && table.alignment(of: $0) == .left }, 4), (isName, 8),
    ]
    for (columns, least) in steps {
      while widths.reduce(0, { $0 + $1 + 2 }) > width {
        let candidates = widths.indices.filter { columns($0) && widths[$0] > least }
        guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
        widths[widest] -= 1
      }
    }
    return widths.reduce(0, { $0 + $1 + 2 }) <= width || widths.count < 2 ? widths : nil
  }

  /// The source line and a caret under a column, cut to a window around it where the line is long.
  private func caret(under source: String, column: Int?) -> [String] {
    let characters = source.map { $0 == "\t" ? " " : String($0).visible }
    guard let column, column >= 1 else { return [characters.joined().cut(to: width - 2, ellipsis: ellipsis)] }
    let index = min(column - 1, characters.count)
    var first = index
    var used = 0
    while first > 0 {
      used += characters[first - 1].displayWidth
      if used > (width - 2) / 2 { break }
      first -= 1
    }
    let before = (first > 0 ? ellipsis : "") + characters[first..<index].joined()
    let line = before + characters[index...].joined()
    return [
      line.cut(to: width - 2, ellipsis: ellipsis), blanks(before.displayWidth) + styled("^", .alarm),
    ]
  }

  private func blanks(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }

  // MARK: - Colour

  private enum Style: String {
    case bold = "1"
    case dim = "2"
    case alarm = "1;31"
  }

  func bold(_ text: String) -> String { styled(text, .bold) }
  public func dim(_ text: String) -> String { styled(text, .dim) }

  private func styled(_ text: String, _ style: Style) -> String {
    guard colour, !text.isEmpty else { return text }
    return "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m"
  }
}

/// A bar of eighths of a column, or of number signs.
enum BarDrawing {
  private static let eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]

  static func draw(_ share: Double, width: Int, unicode: Bool) -> String {
    guard share.isFinite, width > 0 else { return "" }
    let share = min(1, max(0, share))
    guard unicode else {
      return String(repeating: "#", count: Int((share * Double(width)).rounded()))
    }
    let units = Int((share * Double(width * 8)).rounded())
    return String(repeating: "█", count: units / 8) + eighths[units % 8]
  }
}
