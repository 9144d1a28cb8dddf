extension Estimate {
  /// The number as a document shows it, `0.590`: `digits` after the point, rounded half away from zero, no locale.
  ///
  /// What is rounded is the shortest decimal that names the value, so that 0.285 to two digits is `0.29` although the
  /// nearest binary number lies a hair below. `n/a` where there is no number; never `-0.000`.
  public var number: String {
    guard value.isFinite else { return "n/a" }
    return DecimalDigits(value).rounded(toFractionDigits: max(0, digits))
  }

  /// The token as a document shows it: `~0.590`.
  public var text: String { "~" + number }
}

extension Token {
  /// The token as a document shows it.
  public var text: String {
    switch self {
    case .text(let text): text
    case .estimate(let estimate): estimate.text
    }
  }
}

extension Line {
  /// The line as a document shows it. A derived line begins with `~ `; a line of exact text that would look like one
  /// gets a backslash before it.
  public var text: String {
    let drawn = tokens.map(\.text).joined()
    if isDerived { return drawn.isEmpty ? "~" : "~ " + drawn }
    return Line.escaped(drawn)
  }

  /// Whether a line of a document reads as derived.
  static func looksDerived(_ line: some StringProtocol) -> Bool {
    line == "~" || line.utf8.starts(with: "~ ".utf8)
  }

  private static func escaped(_ line: String) -> String {
    looksDerived(line.drop { $0 == "\\" }) ? "\\" + line : line
  }
}

extension Answer {
  /// The canonical drawing: one string a line, as they stand in a document and in the log.
  public var text: [String] { lines.flatMap(\.withoutBreaks).map(\.text) }
}

extension Line {
  /// The line as several where a text token holds line breaks: a document's line is one line.
  var withoutBreaks: [Line] {
    var lines = [Line([], isDerived: isDerived)]
    for token in tokens {
      guard case .text(let text) = token else {
        lines[lines.count - 1].tokens.append(token)
        continue
      }
      for (index, piece) in documentLines(of: text).enumerated() {
        if index > 0 { lines.append(Line([], isDerived: isDerived)) }
        lines[lines.count - 1].tokens.append(.text(String(piece)))
      }
    }
    return lines
  }
}

/// The shortest decimal that names a double: `0.digits × 10^exponent`.
private struct DecimalDigits {
  var isNegative: Bool
  var digits: [UInt8]
  var exponent: Int

  init(_ value: Double) {
    isNegative = value.sign == .minus
    digits = []
    exponent = 0
    var fractionDigits = 0
    var isFraction = false
    var characters = value.magnitude.description.utf8.makeIterator()
    while let character = characters.next() {
      switch character {
      case UInt8(ascii: "."): isFraction = true
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        digits.append(character - UInt8(ascii: "0"))
        if isFraction { fractionDigits += 1 }
      default:  // the `e` of an exponent, which ends the number
        var rest: [UInt8] = []
        while let digit = characters.next() { rest.append(digit) }
        exponent = Int(String(decoding: rest, as: UTF8.self)) ?? 0
      }
    }
    exponent += digits.count - fractionDigits
  }

  func rounded(toFractionDigits places: Int) -> String {
    // `kept` digits stay; the next one decides.
    let kept = exponent + places
    var number = kept >= 0 ? Array(digits.prefix(kept)) : []
    let roundsUp = kept >= 0 && kept < digits.count && digits[kept] >= 5
    if kept > 0 { number += Array(repeating: 0, count: kept - number.count) }
    if roundsUp {
      var index = number.count - 1
      while index >= 0, number[index] == 9 {
        number[index] = 0
        index -= 1
      }
      if index >= 0 { number[index] += 1 } else { number.insert(1, at: 0) }
    }
    let isZero = number.allSatisfy { $0 == 0 }
    number = Array(repeating: 0, count: max(0, places + 1 - number.count)) + number
    var text = String(decoding: number.map { $0 + UInt8(ascii: "0") }, as: UTF8.self)
    // A leading zero of the double's own description, as in `0.590`, may stand before another.
    while text.utf8.count > places + 1, text.utf8.first == UInt8(ascii: "0") { text.removeFirst() }
    if places > 0 { text.insert(".", at: text.index(text.endIndex, offsetBy: -places)) }
    return isNegative && !isZero ? "-" + text : text
  }
}
