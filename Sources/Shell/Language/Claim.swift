import Foundation

/// A comparison of two values: what `expect` takes.
///
///     $kpi.accuracy >= 0.7
///     $validate.accuracy - $kpi.accuracy > 0.05
///     $kpi.model == tuned-1
///
/// Each side is one word, or numbers with `+ - * /` between blanks. The comparisons are `== != < <= > >=`, with or without blanks
/// around them, also as slides write them (`≥ ≤ ≠ =`). A word in quotes is a text whatever stands in it.
public struct Claim: Sendable {
  public enum Comparison: String, Sendable {
    case atLeast = ">="
    case atMost = "<="
    case above = ">"
    case below = "<"
    case equal = "=="
    case different = "!="

    init?(_ text: some StringProtocol) {
      let slides = ["≥": ">=", "≤": "<=", "≠": "!=", "=": "=="]
      self.init(rawValue: slides[String(text)] ?? String(text))
    }
  }

  /// One side: operands with an operator between each two.
  struct Side {
    var operands: [Word] = []
    var operators: [Character] = []

    var isWhole: Bool { operands.count == operators.count + 1 }
  }

  let left: Side
  public let comparison: Comparison
  let right: Side

  /// - Returns: `nil` for words that are no comparison.
  public init?(_ words: [Word]) {
    var sides = [Side()]
    var comparisons: [Comparison] = []
    for word in words {
      // A word in which a comparison stands without blanks (`$a>=0.7`) is several.
      var operand: [Word.Piece] = []
      func flush() {
        guard !operand.isEmpty else { return }
        sides[sides.count - 1].operands.append(Word(pieces: operand, isQuoted: word.isQuoted))
        operand = []
      }
      if !word.isQuoted, let sign = Self.operatorSign(word.text), !sides[sides.count - 1].operands.isEmpty {
        sides[sides.count - 1].operators.append(sign)
        continue
      }
      for piece in word.pieces {
        guard !word.isQuoted, case .literal(let text) = piece else {
          operand.append(piece)
          continue
        }
        var rest = text[...]
        while let (sign, comparison) = Self.firstComparison(in: rest) {
          let before = rest[..<sign.lowerBound]
          if !before.isEmpty { operand.append(.literal(String(before))) }
          flush()
          guard comparisons.isEmpty else { return nil }
          comparisons.append(comparison)
          sides.append(Side())
          rest = rest[sign.upperBound...]
        }
        if !rest.isEmpty { operand.append(.literal(String(rest))) }
      }
      flush()
    }
    guard comparisons.count == 1, sides.allSatisfy(\.isWhole) else { return nil }
    (left, comparison, right) = (sides[0], comparisons[0], sides[1])
  }

  private static func firstComparison(in text: Substring) -> (Range<Substring.Index>, Comparison)? {
    var rest = text
    while let start = rest.firstIndex(where: { "<>=!≤≥≠".contains($0) }) {
      // The longer sign first: `>=` is not `>` and `=`.
      for length in [2, 1] {
        guard let end = text.index(start, offsetBy: length, limitedBy: text.endIndex),
          let comparison = Comparison(text[start..<end])
        else { continue }
        return (start..<end, comparison)
      }
      rest = rest[text.index(after: start)...]
    }
    return nil
  }

  /// The names that it asks for and nobody knows, as they were written.
  public func unknownNames(_ value: (String) -> String?) -> [String] {
    (left.operands + right.operands).flatMap(\.pieces).compactMap { piece in
      guard case .variable(_, let written) = piece else { return nil }
      return Word(pieces: [piece]).expanded(using: value) == written ? written : nil
    }
  }

  /// What its sides come to, and whether the comparison holds.
  public struct Outcome: Sendable, Equatable {
    public var left: String
    public var right: String
    public var holds: Bool
    /// Both sides are numbers.
    public var isOfNumbers: Bool
  }

  /// - Throws: `NotANumber` where only numbers will do.
  public func evaluate(_ value: (String) -> String?) throws -> Outcome {
    let (left, right) = (try Self.value(of: left, value), try Self.value(of: right, value))
    let holds: Bool
    let isOfNumbers: Bool
    if let a = Self.number(left), let b = Self.number(right) {
      isOfNumbers = true
      // Sums of decimal fractions are off by a last digit.
      let isEqual = abs(a - b) <= 1e-9 * max(1, abs(a), abs(b))
      holds =
        switch comparison {
        case .equal: isEqual
        case .different: !isEqual
        case .atLeast: isEqual || a > b
        case .atMost: isEqual || a < b
        case .above: !isEqual && a > b
        case .below: !isEqual && a < b
        }
    } else {
      isOfNumbers = false
      switch comparison {
      case .equal: holds = left == right
      case .different: holds = left != right
      default: throw NotANumber(text: Self.number(left) == nil ? left : right)
      }
    }
    return Outcome(left: left, right: right, holds: holds, isOfNumbers: isOfNumbers)
  }

  public struct NotANumber: Error, Sendable {
    public let text: String
  }

  private static func value(of side: Side, _ value: (String) -> String?) throws -> String {
    let texts = side.operands.map { $0.expanded(using: value) }
    guard side.operands.count > 1 else { return texts[0] }
    // Products first: each `+` or `-` begins a term.
    var terms: [Double] = []
    for (index, text) in texts.enumerated() {
      guard let number = number(text) else { throw NotANumber(text: text) }
      switch index == 0 ? "+" : side.operators[index - 1] {
      case "*": terms[terms.count - 1] *= number
      case "/": terms[terms.count - 1] /= number
      case "-": terms.append(-number)
      default: terms.append(number)
      }
    }
    return String(format: "%.6g", locale: nil, terms.reduce(0, +))
  }

  private static func operatorSign(_ word: String) -> Character? {
    switch word {
    case "+", "*", "/": word.first
    case "-", "–", "\u{2212}": "-"
    default: nil
    }
  }

  private static func number(_ text: String) -> Double? {
    // "nan" and "infinity" are texts here.
    guard let first = text.first(where: { $0 != "-" && $0 != "+" }), first.isNumber || first == "." else {
      return nil
    }
    return Double(text)
  }
}
