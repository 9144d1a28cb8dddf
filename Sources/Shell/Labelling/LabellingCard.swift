import Basics

/// One asset as a person sees it who is to label it: its text, the keys, what was said about it.
public struct LabellingCard: Sendable {
  /// Which asset, and how many are left.
  public var heading: String
  public var text: String
  /// The first of the text's lines to be seen where the window does not hold them all.
  public var scroll = 0
  /// The keys and their categories, in the interface's order.
  public var choices: [(key: Character, name: String)]
  /// What else can be pressed.
  public var keys: String
  /// The label it has, the model's suggestion.
  public var remarks: [String]

  public init(
    heading: String, text: String, choices: [(key: Character, name: String)], keys: String, remarks: [String]
  ) {
    self.heading = heading
    self.text = text
    self.choices = choices
    self.keys = keys
    self.remarks = remarks
  }

  /// Which of the text's lines are seen.
  public struct Extent: Sendable, Equatable {
    public var first = 0
    /// How many are seen at once.
    public var count = 0

    public init(first: Int = 0, count: Int = 0) { (self.first, self.count) = (first, count) }
  }

  /// The card for a window, none of its lines wider than it.
  ///
  /// - Parameter rows: lines of the window; nil where all of the text is wanted.
  func lines(for drawing: TerminalDrawing, rows: Int?) -> (lines: [String], extent: Extent) {
    let names = choices.map { "\($0.key) \($0.name.visible)" }
    let width = drawing.width
    func folded(_ text: String) -> [String] {
      text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        .flatMap { String($0).visible.folded(to: width - 2) }.map { $0.isEmpty ? "" : "  " + $0 }
    }
    let head = [drawing.bold(heading.visible.cut(to: width, ellipsis: drawing.ellipsis)), ""]
    let foot =
      [""]
      + Completion.columns(names, width: width - 2).map {
        "  " + $0.cut(to: width - 2, ellipsis: drawing.ellipsis)
      }
      + folded(keys).map(drawing.dim) + remarks.flatMap(folded)
    let body = folded(text)
    // The cursor needs a line of its own.
    let room = max(2, (rows ?? .max) - 1 - head.count - foot.count)
    guard body.count > room else { return (head + body + foot, Extent(first: 0, count: body.count)) }
    let count = room - 1
    let first = min(max(0, scroll), body.count - count)
    let place = "lines \(first + 1) to \(first + count) of \(body.count); the arrows up and down scroll"
    let lines =
      head + body[first..<(first + count)] + [
        drawing.dim("  " + place.cut(to: width - 2, ellipsis: drawing.ellipsis))
      ] + foot
    return (Array(lines.suffix(max(1, (rows ?? .max) - 1))), Extent(first: first, count: count))
  }
}

/// Lines at the bottom of the window that give way to others: a terminal that knows no escape codes keeps them all.
public struct LiveLines {
  private let terminal: Terminal
  private var widths: [Int] = []

  public init(_ terminal: Terminal) { self.terminal = terminal }

  /// Shows a card in the place of what was shown last; returns which lines of its text are seen.
  public mutating func show(_ card: LabellingCard) -> LabellingCard.Extent {
    let (lines, extent) = card.lines(for: terminal.drawing, rows: terminal.isDumb ? nil : terminal.height)
    replace(with: lines)
    widths = lines.map(\.withoutEscapes.displayWidth)
    return extent
  }

  /// Leaves a line in the place of what was shown last: this one stays.
  public mutating func leave(_ line: String) {
    let width = terminal.width
    replace(with: [line.visible.cut(to: width, ellipsis: terminal.drawing.ellipsis)])
    widths = []
  }

  /// Takes what was shown last away.
  public mutating func erase() {
    replace(with: [])
    widths = []
  }

  private func replace(with lines: [String]) {
    var text = ""
    if !terminal.isDumb, !widths.isEmpty {
      // A window that is narrower by now has broken the lines anew.
      let width = max(1, terminal.width)
      let rows = widths.reduce(0) { $0 + max(1, ($1 + width - 1) / width) }
      text = "\r\u{1B}[\(rows)A\u{1B}[J"
    }
    terminal.write(text + lines.map { $0 + "\n" }.joined())
  }
}

extension String {
  /// Without the codes for colour.
  var withoutEscapes: String { replacing(#/\u{1B}\[[0-9;]*m/#, with: "") }
}
