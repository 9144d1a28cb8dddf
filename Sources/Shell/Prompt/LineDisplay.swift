/// Draws the line that is edited, and what has changed of it since.
struct LineDisplay {
  private let terminal: Terminal
  /// What stands on the screen: the rows, from the window's first, and where the cursor is among them.
  private var shown: (rows: ArraySlice<LineFrame.Row>, width: Int, cursor: (row: Int, column: Int))?
  /// The first of the line's rows that the window shows.
  private var top = 0
  private var output = ""

  init(_ terminal: Terminal) { self.terminal = terminal }

  var isShown: Bool { shown != nil }

  /// Shows a frame in the place of the last. Of one that is higher than the window the rows around the cursor are shown.
  mutating func show(_ frame: LineFrame) {
    let height = max(1, terminal.height)
    let most = max(0, frame.rows.count - height)
    top = min(most, max(frame.cursor.row - height + 1, min(top, frame.cursor.row)))
    let rows = frame.rows[top..<min(frame.rows.count, top + height)]
    show(rows, width: frame.width, cursor: (frame.cursor.row - top, frame.cursor.column))
  }

  /// Leaves the whole of a frame on the screen and the cursor behind it, where a new line may begin.
  mutating func finish(_ frame: LineFrame) {
    var frame = frame
    frame.placeCursorAtEnd()
    if frame.rows.count > terminal.height {
      erase()
      show(frame.rows[...], width: frame.width, cursor: frame.cursor)
    } else {
      show(frame)
    }
    shown = nil
    top = 0
  }

  /// Takes the line off the screen; the cursor is where it began.
  mutating func erase() {
    guard let (_, width, cursor) = shown else { return }
    let row = terminal.width == width ? cursor.row : reflowed(to: terminal.width)
    terminal.write("\r" + (row > 0 ? "\u{1B}[\(row)A" : "") + "\u{1B}[J")
    forget()
  }

  /// Begins anew where the cursor is: what was shown is gone, or somebody has written below it.
  mutating func forget() {
    shown = nil
    top = 0
  }

  /// Rows above the cursor once the window has another width: most terminals lay wrapped lines out anew.
  private func reflowed(to width: Int) -> Int {
    guard let (rows, _, cursor) = shown else { return 0 }
    var (row, column) = (0, 0)
    for (index, line) in rows.prefix(cursor.row + 1).enumerated() {
      var passed = 0
      for cell in line.cells {
        if index == cursor.row, passed >= cursor.column { break }
        if column + cell.width > max(2, width) { (row, column) = (row + 1, 0) }
        column += cell.width
        passed += cell.width
      }
      if index < cursor.row, !line.wraps { (row, column) = (row + 1, 0) }
    }
    return row
  }

  // MARK: - Drawing

  private mutating func show(
    _ rows: ArraySlice<LineFrame.Row>, width: Int, cursor: (row: Int, column: Int)
  ) {
    let rows = ArraySlice(Array(rows))
    output = ""
    var place = (row: 0, column: 0)
    let before = shown?.rows.map(\.width) ?? []
    if let shown {
      place = shown.cursor
      if let change = Self.change(from: shown.rows, to: rows, width: width) {
        move(from: shown.cursor, to: (change.row, Self.columns(rows[change.row].cells[..<change.cell])))
        place = write(rows, from: change, over: before, width: width)
        if shown.rows.count > rows.count, place.column < width { output += "\u{1B}[J" }
      }
    } else {
      output += "\r\u{1B}[J"
      place = write(rows, from: (0, 0), over: before, width: width)
    }
    move(from: place, to: cursor)
    shown = (rows, width, cursor)
    if !output.isEmpty { terminal.write(output) }
  }

  /// The first cell that differs, or the end of the first row that goes on in another way.
  private static func change(
    from old: ArraySlice<LineFrame.Row>, to new: ArraySlice<LineFrame.Row>, width: Int
  ) -> (row: Int, cell: Int)? {
    let same = zip(old, new).prefix { $0 == $1 }.count
    if same == new.count, same == old.count { return nil }
    // A row more or less begins at the end of the last that both have.
    let row = same < min(old.count, new.count) ? same : same - 1
    var cell = zip(old[row].cells, new[row].cells).prefix { $0 == $1 }.count
    // From the end of a full row the terminal wraps only with its last character.
    if cell > 0, columns(new[row].cells[..<cell]) >= width { cell -= 1 }
    return (row, cell)
  }

  private static func columns(_ cells: ArraySlice<LineFrame.Cell>) -> Int {
    cells.reduce(0) { $0 + $1.width }
  }

  /// Writes from a cell to the end, over rows that took some columns before; returns where that leaves the cursor, in the column behind the last where the last row
  /// is full.
  private mutating func write(
    _ rows: ArraySlice<LineFrame.Row>, from start: (row: Int, cell: Int), over before: [Int], width: Int
  ) -> (row: Int, column: Int) {
    var column = 0
    for (index, row) in rows.enumerated().dropFirst(start.row) {
      let first = index == start.row ? start.cell : 0
      column = Self.columns(row.cells[..<first])
      write(row.cells[first...], column: &column, width: width)
      if index < before.count, column < before[index] { output += "\u{1B}[K" }
      guard index + 1 < rows.count else { break }
      if !row.wraps || column > 0 && row.cells.last?.isDoubtful == true {
        output += "\r\n"
      } else if rows[index + 1].cells.isEmpty {
        // The blank takes the terminal to the next row, which stays one line with this for whoever copies it.
        output += column == width ? " \r" : "\r\n"
      }
    }
    return (rows.count - 1, column)
  }

  private mutating func write(_ cells: ArraySlice<LineFrame.Cell>, column: inout Int, width: Int) {
    var style = LineStyle.plain
    for cell in cells {
      if cell.style != style, terminal.colour {
        output +=
          "\u{1B}[" + (style == .plain || cell.style == .plain ? "" : "0;") + cell.style.rawValue + "m"
        style = cell.style
      }
      output += cell.text
      column += cell.width
      if cell.isDoubtful, column < width { output += "\u{1B}[\(column + 1)G" }
    }
    if style != .plain { output += "\u{1B}[m" }
  }

  private mutating func move(from start: (row: Int, column: Int), to end: (row: Int, column: Int)) {
    if end.row < start.row { output += "\u{1B}[\(start.row - end.row)A" }
    if end.row > start.row { output += "\u{1B}[\(end.row - start.row)B" }
    guard end.column != start.column || end.row != start.row else { return }
    output += end.column == 0 ? "\r" : "\u{1B}[\(end.column + 1)G"
  }
}
