import Basics

/// Draws differences for a person: the document's line, the replay's line, and why it matters.
///
/// ```
/// line 31
/// - accuracy  ~0.590
/// + accuracy  ~0.700
///   ~0.590 became ~0.700, and 0.011 would have been near enough.
/// ```
/// In colour what changed inside a line is bold. Control characters, which a stranger's document may hold, are shown as
/// escapes and never reach the terminal.
public struct DiffDrawing: Sendable {
  public var hasColour: Bool

  public init(colour: Bool) { hasColour = colour }

  /// The differences' lines, without line ends.
  public func draw(_ differences: [Difference]) -> [String] { differences.flatMap(draw) }

  private func draw(_ difference: Difference) -> [String] {
    var lines = [painted(heading(of: difference), .faint)]
    let (expected, actual) = marked(difference.expected, difference.actual)
    let isSoft = difference.isSoft
    if let expected { lines.append(painted("- " + expected, isSoft ? .yellow : .red)) }
    if let actual { lines.append(painted("+ " + actual, isSoft ? .yellow : .green)) }
    if let note = note(on: difference) { lines.append("  " + note) }
    return lines
  }

  private func heading(of difference: Difference) -> String {
    switch difference.kind {
    case .exact, .estimate: "line \(difference.line)"
    case .missing: "line \(difference.line), which is missing now"
    case .extra: "line \(difference.line), where there is one more now"
    case .derived: "line \(difference.line), a derived line: fails nothing"
    }
  }

  private func note(on difference: Difference) -> String? {
    guard case .estimate(let expected, let actual, let tolerance) = difference.kind else { return nil }
    guard let expected, let actual else { return "One of the two has no number." }
    let number = { (value: Double) in
      Estimate(value, digits: Self.fractionDigits(of: value), kind: .loss).number
    }
    return "~\(number(expected)) became ~\(number(actual)): \(number(abs(expected - actual))) apart, "
      + "and \(number(tolerance)) would have passed."
  }

  /// How many digits a number has after its point, 4 at most.
  private static func fractionDigits(of value: Double) -> Int {
    (0..<4).first { digits in
      var scaled = value
      for _ in 0..<digits { scaled *= 10 }
      return abs(scaled - scaled.rounded()) < 1e-9
    } ?? 4
  }

  /// Both lines without control characters, and in colour with bold where they differ.
  private func marked(_ expected: String?, _ actual: String?) -> (String?, String?) {
    guard hasColour, let expected, let actual else {
      return (expected?.visibleLines, actual?.visibleLines)
    }
    let first = Array(expected)
    let second = Array(actual)
    let start = zip(first, second).prefix { $0 == $1 }.count
    let end = zip(first[start...].reversed(), second[start...].reversed()).prefix { $0 == $1 }.count
    func emphasised(_ line: [Character]) -> String {
      let middle = line[start..<(line.count - end)]
      let before = String(line[..<start]).visibleLines
      let after = String(line[(line.count - end)...]).visibleLines
      if middle.isEmpty { return before + after }
      return before + "\u{1B}[1m" + String(middle).visibleLines + "\u{1B}[22m" + after
    }
    return (emphasised(first), emphasised(second))
  }

  private enum Paint: String {
    case red = "31"
    case green = "32"
    case yellow = "33"
    case faint = "2"
  }

  private func painted(_ text: String, _ paint: Paint) -> String {
    hasColour ? "\u{1B}[\(paint.rawValue)m\(text)\u{1B}[0m" : text
  }
}
