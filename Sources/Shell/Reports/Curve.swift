import Foundation

/// Values along a course, such as the loss by epoch. The document has the numbers, the terminal a curve under them.
public struct Curve: Sendable, Equatable {
  /// `loss by epoch`.
  public var title: String
  public var values: [Double]
  /// Decimals of the values.
  public var digits: Int

  public init(_ title: String, values: [Double], digits: Int = 3) {
    self.title = title
    self.values = values
    self.digits = digits
  }

  var text: String { "\(title): \(values.map(format).joined(separator: " "))" }

  func format(_ value: Double) -> String { String(format: "%.\(max(0, digits))f", value) }
}

/// The curve in dots: eight to a character of braille, or one to an asterisk.
struct CurveDrawing {
  let width: Int
  let unicode: Bool

  private static let rows = 6
  private static let widest = 60

  /// From 0, or the least value where one is below, to the greatest; nothing where there is no curve to draw.
  func lines(of curve: Curve) -> [String] {
    let values = curve.values
    guard values.count > 1, values.allSatisfy(\.isFinite), let greatest = values.max() else { return [] }
    let least = min(0, values.min() ?? 0)
    guard greatest > least else { return [] }
    let (top, bottom) = (curve.format(greatest), curve.format(least))
    let margin = max(top.count, bottom.count) + 1
    let columns = min(Self.widest, width - margin - 4)
    guard columns >= 8 else { return [] }
    let (across, down) = unicode ? (2, 4) : (1, 1)
    var dots = Dots(width: columns * across, height: Self.rows * down)
    for x in 0..<dots.width {
      let place = Double(x) / Double(dots.width - 1) * Double(values.count - 1)
      let before = min(Int(place), values.count - 2)
      let value = values[before] + (values[before + 1] - values[before]) * (place - Double(before))
      let height = (value - least) / (greatest - least) * Double(dots.height - 1)
      dots.set(x, dots.height - 1 - Int(height.rounded()), joining: x > 0)
    }
    let edge = unicode ? "┤" : "|"
    let side = unicode ? "│" : "|"
    return (0..<Self.rows).map { row in
      let label = row == 0 ? top : row == Self.rows - 1 ? bottom : ""
      let isLabelled = !label.isEmpty
      return "  " + label.padded(before: margin - 1) + (isLabelled ? edge : side)
        + dots.characters(ofRow: row, columns: columns, unicode: unicode)
    } + [axis(count: values.count, margin: margin, columns: columns)]
  }

  /// The numbers of the values, in steps that leave them apart: 1 2 3, or 1 5 10.
  private func axis(count: Int, margin: Int, columns: Int) -> String {
    let steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
    let step = steps.first { columns * $0 / count >= 4 } ?? count
    var line = ""
    for number in 1...count where number == 1 || number.isMultiple(of: step) {
      let place = Int((Double(number - 1) / Double(count - 1) * Double(columns - 1)).rounded())
      let start = min(place, columns - String(number).count)
      guard line.isEmpty || start > line.count else { continue }
      line += String(repeating: " ", count: start - line.count) + String(number)
    }
    return String(repeating: " ", count: margin + 2) + line
  }
}

/// A grid of dots, the origin at the top left.
private struct Dots {
  let width: Int
  let height: Int
  private var isSet: [Bool]
  private var lastHeight = 0

  init(width: Int, height: Int) {
    (self.width, self.height) = (width, height)
    isSet = Array(repeating: false, count: width * height)
  }

  /// Sets a dot, and those between it and the last where it is to be joined.
  mutating func set(_ x: Int, _ y: Int, joining: Bool) {
    let from = joining ? lastHeight : y
    for row in min(from, y)...max(from, y) where row != from || from == y || !joining {
      isSet[row * width + x] = true
    }
    lastHeight = y
  }

  func characters(ofRow row: Int, columns: Int, unicode: Bool) -> String {
    guard unicode else {
      return (0..<columns).map { isSet[row * width + $0] ? "*" : " " }.joined()
    }
    // The bits of Unicode's braille patterns, by place in the cell.
    let bits: [[UInt32]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]
    var text = String.UnicodeScalarView()
    for column in 0..<columns {
      var pattern: UInt32 = 0
      for y in 0..<4 {
        for x in 0..<2 where isSet[(row * 4 + y) * width + column * 2 + x] { pattern |= bits[y][x] }
      }
      text.append(pattern == 0 ? " " : Unicode.Scalar(0x2800 + pattern) ?? " ")
    }
    return String(text)
  }
}
