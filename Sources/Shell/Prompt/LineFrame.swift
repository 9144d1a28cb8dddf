import Basics

/// How a part of the line is drawn, by its code (ECMA-48, select graphic rendition).
enum LineStyle: String {
  case plain = ""
  case bold = "1"
  case faint = "2"
  case option = "36"
  case quoted = "32"
  case variable = "35"
  case unknown = "31"
}

/// A prompt and its line, laid out in a window: what stands in which row, and where the cursor is.
struct LineFrame {
  /// A character on the screen.
  struct Cell: Equatable {
    var text: String
    /// Columns.
    var width: Int
    var style: LineStyle

    /// Whether terminals differ about its width: of joined characters, and of emoji that are younger than the terminal.
    var isDoubtful: Bool {
      let scalars = text.unicodeScalars
      return scalars.count > 1 || (scalars.first?.value ?? 0) >= 0x1F000
    }
  }

  struct Row: Equatable {
    var cells: [Cell] = []
    /// Whether the text goes on in the next row because this one is full, and not because a new line begins there.
    var wraps = false

    var width: Int { cells.reduce(0) { $0 + $1.width } }
  }

  let width: Int
  private(set) var rows = [Row()]
  /// Where the cursor stands; in the column behind the last only until `end`.
  private(set) var cursor = (row: 0, column: 0)
  private var column = 0

  init(width: Int) { self.width = max(2, width) }

  /// Adds a text.
  mutating func append(_ text: String, _ style: LineStyle) {
    for character in text { append(character, style) }
  }

  mutating func append(_ character: Character, _ style: LineStyle) {
    if character.isNewline {
      rows.append(Row())
      column = 0
    } else if character == "\t" {
      // A tab would leave what stood in its place.
      for _ in 0..<(8 - column % 8) { append(Cell(text: " ", width: 1, style: style)) }
    } else {
      let text = String(character)
      let width = character.displayWidth
      let shown = width == 0 ? Self.spelled(character) : Self.visible(text)
      if shown == text {
        append(Cell(text: text, width: width, style: style))
      } else {
        for part in shown { append(Cell(text: String(part), width: 1, style: style)) }
      }
    }
  }

  private mutating func append(_ cell: Cell) {
    if column + cell.width > width { wrap() }
    rows[rows.count - 1].cells.append(cell)
    column += cell.width
  }

  private mutating func wrap() {
    rows[rows.count - 1].wraps = true
    rows.append(Row())
    column = 0
  }

  /// Puts the cursor before what is added next.
  ///
  /// - Parameter next: the columns of what will stand there; 0 at a line's end.
  mutating func placeCursor(before next: Int) {
    if column + max(1, next) > width, next > 0 { wrap() }
    cursor = (rows.count - 1, column)
  }

  /// Gives the cursor a row of its own where the last one is full.
  mutating func placeCursorAtEnd() {
    if column == width { wrap() }
    cursor = (rows.count - 1, column)
  }

  /// Puts a note at the first row's right edge where there is room for it.
  mutating func append(note: String) {
    let used = rows[0].width
    let room = width - used - note.displayWidth
    guard !note.isEmpty, !rows[0].wraps, room >= 2 else { return }
    let blanks = Array(repeating: Cell(text: " ", width: 1, style: .plain), count: room)
    rows[0].cells += blanks + note.map { Cell(text: String($0), width: $0.displayWidth, style: .faint) }
  }

  /// A control character as other editors show it: `^A`.
  private static func visible(_ text: String) -> String {
    guard let scalar = text.unicodeScalars.first, scalar.value < 0x20 || scalar.value == 0x7F else {
      return text.visible
    }
    return "^" + String(UnicodeScalar(UInt8(scalar.value) ^ 0x40))
  }

  /// What has no width of its own and nothing before it to stand on.
  private static func spelled(_ character: Character) -> String {
    character.unicodeScalars.map { "\\u{" + String($0.value, radix: 16) + "}" }.joined()
  }
}
