/// One asset as a person sees it who is to label it: its text, the keys, what was said about it.
public struct LabellingCard: Sendable {
  /// Which asset, and how many are left.
  public var heading: String
  public var text: String
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

  /// The card for a window, none of its lines wider than it.
  func lines(for drawing: TerminalDrawing) -> [String] {
    let names = choices.map { "\($0.key) \($0.name.escapingControls)" }
    let width = drawing.width
    func folded(_ text: String, indent: Int) -> [String] {
      text.escapingControls.folded(to: width - indent).map { String(repeating: " ", count: indent) + $0 }
    }
    return [drawing.bold(heading.escapingControls.cut(to: width, ellipsis: drawing.ellipsis)), ""]
      + folded(text, indent: 2) + [""]
      + Completion.columns(names, width: width - 2).map {
        "  " + $0.cut(to: width - 2, ellipsis: drawing.ellipsis)
      }
      + folded(keys, indent: 2).map(drawing.dim)
      + remarks.flatMap { folded($0, indent: 2) }
  }
}

/// Lines at the bottom of the window that give way to others: a terminal that knows no escape codes keeps them all.
public struct LiveLines {
  private let terminal: Terminal
  private var widths: [Int] = []

  public init(_ terminal: Terminal) { self.terminal = terminal }

  /// Shows a card in the place of what was shown last.
  public mutating func show(_ card: LabellingCard) {
    let lines = card.lines(for: terminal.drawing)
    replace(with: lines)
    widths = lines.map(\.withoutEscapes.displayWidth)
  }

  /// Leaves a line in the place of what was shown last: this one stays.
  public mutating func leave(_ line: String) {
    let width = terminal.width
    replace(with: [line.escapingControls.cut(to: width, ellipsis: terminal.drawing.ellipsis)])
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
  /// The text in lines of at most `width` columns, broken at blanks, and within a word that is longer than a line: Chinese and
  /// Japanese have no blanks.
  func folded(to width: Int) -> [String] {
    let width = max(4, width)
    var lines: [String] = []
    var line = ""
    var used = 0
    for word in split(separator: " ") {
      var word = word
      var length = String(word).displayWidth
      if used > 0, used + 1 + length > width, length <= width || width - used < 8 {
        lines.append(line)
        (line, used) = ("", 0)
      }
      if used > 0 {
        line += " "
        used += 1
      }
      while used + length > width {
        var taken = 0
        let head = word.prefix { character in
          taken += character.displayWidth
          return used + taken <= width
        }
        lines.append(line + head)
        word = word.dropFirst(head.count)
        length = String(word).displayWidth
        (line, used) = ("", 0)
      }
      line += word
      used += length
    }
    return lines + [line]
  }

  /// Without the codes for colour.
  var withoutEscapes: String { replacing(#/\u{1B}\[[0-9;]*m/#, with: "") }
}
