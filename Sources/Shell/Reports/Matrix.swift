import Basics

/// Counts of truth against prediction, in one order both ways. The document has the numbers; on the terminal each is shaded by
/// its share of its row.
public struct Matrix: Sendable, Equatable {
  public var caption: String
  /// What each row and each column is.
  public var names: [String]
  /// `[row][column]`.
  public var counts: [[Int]]

  public init(caption: String, names: [String], counts: [[Int]]) {
    self.caption = caption
    self.names = names
    self.counts = counts
  }

  static func cell(_ count: Int) -> String { count == 0 ? "·" : String(count) }

  /// Names down the side, numbers along the top, since eight names side by side fit no window.
  var plainLines: [String] {
    let names = names.map(\.visible)
    let width = names.map(\.displayWidth).max() ?? 0
    let digits = max(4, (counts.flatMap { $0 }.max() ?? 0).description.count + 1)
    let header = names.indices.map { String($0 + 1).padded(before: digits) }.joined()
    return [caption, String(repeating: " ", count: width + 4) + header]
      + zip(names.indices, names).map { row, name in
        "\(String(row + 1).padded(before: 2)) \(name.padded(after: width)) "
          + counts[row].map { Self.cell($0).padded(before: digits) }.joined()
      }
  }
}

/// The shaded form.
struct MatrixDrawing {
  let width: Int
  let unicode: Bool

  private var shades: [String] { (unicode ? "░▒▓█" : ".:+#").map(String.init) }

  /// In several parts one under the other where the columns do not fit side by side.
  func lines(of matrix: Matrix) -> [String] {
    let ellipsis = unicode ? "…" : "..."
    let digits = (matrix.counts.flatMap { $0 }.max() ?? 0).description.count
    // A blank, two columns of shade, the count.
    let cell = max(digits, matrix.names.count.description.count) + 3
    let longest = matrix.names.map(\.visible.displayWidth).max() ?? 0
    let nameWidth = max(8, min(longest, width - 3 - matrix.names.count * cell))
    let names = matrix.names.map { $0.visible.cut(to: nameWidth, ellipsis: ellipsis) }
    let fitting = max(1, (width - nameWidth - 3) / cell)
    var lines = matrix.caption.wrapped(to: width)
    for first in stride(from: 0, to: names.count, by: fitting) {
      let columns = first..<min(names.count, first + fitting)
      lines.append(
        String(repeating: " ", count: nameWidth + 3)
          + columns.map { String($0 + 1).padded(before: cell) }.joined())
      for (row, name) in names.enumerated() {
        let total = matrix.counts[row].reduce(0, +)
        let cells = columns.map { column in
          let count = matrix.counts[row][column]
          let text = unicode || count > 0 ? Matrix.cell(count) : "."
          return " " + shade(count, of: total) + text.padded(before: cell - 3)
        }
        lines.append("\(String(row + 1).padded(before: 2)) \(name.padded(after: nameWidth))" + cells.joined())
      }
    }
    let key = zip(shades, ["up to a quarter", "half", "three quarters", "all of its row"])
    return lines + "shades: \(key.map { "\($0) \($1)" }.joined(separator: ", "))".wrapped(to: width)
  }

  private func shade(_ count: Int, of total: Int) -> String {
    guard count > 0, total > 0 else { return "  " }
    let shade = shades[min(3, (count * 4 - 1) / total)]
    return shade + shade
  }
}

extension String {
  func padded(before width: Int) -> String {
    String(repeating: " ", count: max(0, width - displayWidth)) + self
  }
  func padded(after width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - displayWidth))
  }
}
