/// What a window shows: the few codes of a terminal that line editing needs (ECMA-48), enough to see what a person sees.
public struct Screen: Sendable {
  public private(set) var columns: Int
  public private(set) var rows: Int
  /// Lines that have scrolled off the top.
  public private(set) var scrolledOff: [String] = []
  private var cells: [[Cell]]
  public private(set) var row = 0
  public private(set) var column = 0
  /// The codes of the colours and weights that the next character has.
  private var style = ""
  /// The cursor stands behind the last column and wraps with the next character.
  private var isPastEdge = false
  private var pending: [UInt8] = []

  /// A character and its style: `"1"` bold, `"2"` faint, `"31"` red; both halves of a wide one are a cell.
  private struct Cell {
    var text = " "
    var style = ""
  }

  public init(columns: Int, rows: Int) {
    self.columns = columns
    self.rows = rows
    cells = Array(repeating: Array(repeating: Cell(), count: columns), count: rows)
  }

  /// The lines without blanks at their ends.
  public var lines: [String] {
    cells.map { cells in
      var line = cells.map(\.text).joined()
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  public var text: String {
    var lines = lines
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines.joined(separator: "\n")
  }

  /// Everything since the start, with what has scrolled off.
  public var history: String { (scrolledOff + [text]).joined(separator: "\n") }

  /// The line that the cursor is on.
  public var cursorLine: String { lines[row] }

  /// What of the cursor's row is in a style, as `"2"` for what is suggested.
  public func text(styled style: String) -> String {
    cells[row].filter { $0.style == style }.map(\.text).joined()
  }

  public mutating func resize(columns: Int, rows: Int) {
    cells = cells.map { line in
      Array((line + Array(repeating: Cell(), count: max(0, columns - line.count))).prefix(columns))
    }
    while cells.count < rows { cells.append(Array(repeating: Cell(), count: columns)) }
    while cells.count > rows, cells.count - 1 > row { cells.removeLast() }
    while cells.count > rows {
      cells.removeFirst()
      row -= 1
    }
    self.columns = columns
    self.rows = rows
    row = max(0, min(row, rows - 1))
    column = min(column, columns - 1)
  }

  /// Takes what a program wrote; sequences may be cut anywhere.
  public mutating func take(_ bytes: some Sequence<UInt8>) {
    pending += bytes
    while let length = nextLength() {
      let sequence = Array(pending.prefix(length))
      pending.removeFirst(length)
      obey(sequence)
    }
  }

  /// Bytes of the next whole control, sequence or character; `nil` where more must come.
  private func nextLength() -> Int? {
    guard let first = pending.first else { return nil }
    if first == 0x1B {
      guard pending.count > 1 else { return nil }
      if pending[1] != 0x5B { return pending[1] == 0x28 ? (pending.count > 2 ? 3 : nil) : 2 }
      let end = pending.dropFirst(2).firstIndex { (0x40...0x7E).contains($0) }
      return end.map { $0 + 1 }
    }
    let length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    return pending.count >= length ? length : nil
  }

  private mutating func obey(_ sequence: [UInt8]) {
    switch sequence[0] {
    case 0x1B where sequence.count > 2 && sequence[1] == 0x5B: control(sequence)
    case 0x1B: break
    case 0x0D: move(row, 0)
    case 0x0A: lineFeed()
    case 0x08: move(row, column - 1)
    case 0x09: move(row, (column / 8 + 1) * 8)
    case 0..<0x20: break
    default: put(String(decoding: sequence, as: UTF8.self))
    }
  }

  private mutating func control(_ sequence: [UInt8]) {
    let text = String(decoding: sequence.dropFirst(2).dropLast(), as: UTF8.self)
    let numbers = text.split(separator: ";", omittingEmptySubsequences: false).map { Int($0) }
    let first = (numbers.first ?? nil) ?? 0
    let count = max(1, first)
    switch sequence.last {
    case UInt8(ascii: "A"): move(row - count, column)
    case UInt8(ascii: "B"): move(row + count, column)
    case UInt8(ascii: "C"): move(row, column + count)
    case UInt8(ascii: "D"): move(row, column - count)
    case UInt8(ascii: "G"): move(row, count - 1)
    case UInt8(ascii: "H"): move(count - 1, max(1, numbers.count > 1 ? numbers[1] ?? 1 : 1) - 1)
    case UInt8(ascii: "J"): eraseScreen(first)
    case UInt8(ascii: "K"): eraseLine(first)
    case UInt8(ascii: "m"):
      for number in numbers {
        let code = number ?? 0
        style = code == 0 ? "" : style.isEmpty ? String(code) : style + ";" + String(code)
      }
    case UInt8(ascii: "P"):
      cells[row].removeSubrange(column..<min(columns, column + count))
      cells[row] += Array(repeating: Cell(), count: columns - cells[row].count)
    case UInt8(ascii: "@"):
      cells[row].insert(contentsOf: Array(repeating: Cell(), count: count), at: column)
      cells[row] = Array(cells[row].prefix(columns))
    default: break
    }
  }

  private mutating func eraseScreen(_ kind: Int) {
    if kind == 0 {
      eraseLine(0)
      for line in (row + 1)..<max(row + 1, rows) { cells[line] = Array(repeating: Cell(), count: columns) }
    } else {
      cells = Array(repeating: Array(repeating: Cell(), count: columns), count: rows)
    }
  }

  private mutating func eraseLine(_ kind: Int) {
    let range = kind == 0 ? column..<columns : kind == 1 ? 0..<(column + 1) : 0..<columns
    for index in range { cells[row][index] = Cell() }
  }

  private mutating func move(_ toRow: Int, _ toColumn: Int) {
    row = max(0, min(rows - 1, toRow))
    column = max(0, min(columns - 1, toColumn))
    isPastEdge = false
  }

  private mutating func lineFeed() {
    isPastEdge = false
    if row < rows - 1 {
      row += 1
    } else {
      scrolledOff.append(lines[0])
      cells.removeFirst()
      cells.append(Array(repeating: Cell(), count: columns))
    }
  }

  private mutating func put(_ character: String) {
    let before = isPastEdge ? column : column - 1
    if before >= 0 {
      // Of a wide character the first half has the text.
      let base = cells[row][before].text.isEmpty ? max(0, before - 1) : before
      let scalars = cells[row][base].text.unicodeScalars
      let isFlag = Self.isOfFlag(character) && scalars.count == 1 && Self.isOfFlag(String(scalars))
      let isJoined = isFlag || scalars.last == "\u{200D}"
      if Self.width(character) == 0 || isJoined {
        cells[row][base].text += character
        return
      }
    }
    let width = max(1, Self.width(character))
    if isPastEdge || column + width > columns {
      column = 0
      lineFeed()
    }
    // Half of a wide character is none.
    if cells[row][column].text.isEmpty, column > 0 { cells[row][column - 1].text = " " }
    let next = column + width
    if next < columns, cells[row][next].text.isEmpty { cells[row][next].text = " " }
    cells[row][column] = Cell(text: character, style: style)
    if width == 2, column + 1 < columns { cells[row][column + 1] = Cell(text: "", style: style) }
    column += width
    if column >= columns {
      column = columns - 1
      isPastEdge = true
    }
  }

  private static func isOfFlag(_ character: String) -> Bool {
    character.unicodeScalars.first.map { (0x1F1E6...0x1F1FF).contains($0.value) } ?? false
  }

  /// Wide enough for the tests, and as tmux and xterm have it: CJK and emoji take two columns, combining marks and the
  /// emoji selector none.
  private static func width(_ character: String) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    switch scalar.value {
    case 0x300...0x36F, 0x200D, 0xFE0F, 0x1F3FB...0x1F3FF: return 0
    case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFF00...0xFF60,
      0x1F300...0x1FAFF, 0x1F1E6...0x1F1FF:
      return 2
    default: return 1
    }
  }
}
