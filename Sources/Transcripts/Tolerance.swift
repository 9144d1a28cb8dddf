extension Estimate {
  /// How far apart a recorded number and this one may be, before the slack of a printed digit.
  ///
  /// Another machine adds floating point numbers in another order; now and then that tips an asset from one category into
  /// another. So the rules count *flips*: `f = max(2, 1 % of n)` whole assets of n.
  ///
  /// | kind | tolerance | why |
  /// | --- | --- | --- |
  /// | count | f | each flip moves it by one |
  /// | share | f / n | the same, divided |
  /// | interval end | 2 f / n | near 0 and 1, the end of Wilson's interval moves up to twice as far as the share |
  /// | difference | 2 f / n | two shares move, in opposite directions at worst |
  /// | macro F1 | 2 f / n | a flip takes a hit from one category and may give another a false alarm: with c categories of n / c assets that is (c / n + c / 2n) / c = 1.5 / n |
  /// | kappa | 0.04 | two flips of 100 assets move it so far with two categories, less with more |
  /// | confidence | 0.02 | training magnifies the last bits of its weights |
  /// | p | 0.05 + half the greater | a few flips among a few dozen disagreements double it |
  /// | loss | 0.02 + 5 % of the greater, in nats | the same |
  public func tolerance(from recorded: Double) -> Double {
    switch kind {
    case .count(let total): Estimate.flips(of: total)
    case .share(let total): Estimate.flips(of: total) / Double(max(1, total))
    case .intervalEnd(let total), .macroF1(let total), .difference(let total):
      2 * Estimate.flips(of: total) / Double(max(1, total))
    case .kappa: 0.04
    case .confidence: 0.02
    case .pValue: 0.05 + 0.5 * max(abs(recorded), abs(value))
    case .loss: 0.02 + 0.05 * max(abs(recorded), abs(value))
    }
  }

  private static func flips(of total: Int) -> Double { Double(max(2, total / 100)) }
}

/// A number as a document's author left it: `~0.590`, `~0.59±0.05`, `~n/a`.
struct RecordedEstimate: Equatable {
  /// `nil` for `n/a`.
  var value: Double?
  var digits: Int
  /// What follows the number, `±0.05`; empty where nothing does.
  var widening: String

  /// Reads the estimate that `text` begins with, and how many characters it has. `nil` where none stands there.
  static func read(_ text: ArraySlice<Character>) -> (RecordedEstimate, length: Int)? {
    guard text.first == "~" else { return nil }
    var rest = text.dropFirst()
    if rest.starts(with: "n/a") {
      return (RecordedEstimate(value: nil, digits: 0, widening: ""), 4)
    }
    var number = ""
    if rest.first == "-" { number.append(rest.removeFirst()) }
    guard let magnitude = readMagnitude(&rest) else { return nil }
    var widening = ""
    if rest.first == "±" {
      var after = rest.dropFirst()
      if let width = readMagnitude(&after) {
        widening = "±" + width
        rest = after
      }
    }
    guard let value = Double(number + magnitude) else { return nil }
    let digits = magnitude.split(separator: ".").dropFirst().first?.count ?? 0
    return (
      RecordedEstimate(value: value, digits: digits, widening: widening), rest.startIndex - text.startIndex
    )
  }

  /// `12`, `12.5`; a point without a digit after it is the sentence's.
  private static func readMagnitude(_ text: inout ArraySlice<Character>) -> String? {
    let isDigit = { (character: Character) in character.isASCII && character.isNumber }
    let whole = text.prefix(while: isDigit)
    guard !whole.isEmpty else { return nil }
    text = text.dropFirst(whole.count)
    guard text.first == "." else { return String(whole) }
    let fraction = text.dropFirst().prefix(while: isDigit)
    guard !fraction.isEmpty else { return String(whole) }
    text = text.dropFirst(1 + fraction.count)
    return String(whole) + "." + String(fraction)
  }

  /// How far from `actual` this may be: the kind's tolerance or the author's, whichever is wider, and half a unit of the
  /// last printed digit. A number cut to fewer digits than fettle prints gains no slack by that: `±` is how to widen.
  func allowance(for actual: Estimate) -> Double {
    guard let value, actual.value.isFinite else { return 0 }
    let author = Double(widening.dropFirst()) ?? 0
    var slack = 0.5
    for _ in 0..<max(digits, actual.digits) { slack /= 10 }
    return max(author, actual.tolerance(from: value)) + slack
  }

  func agrees(with actual: Estimate) -> Bool {
    guard let value, actual.value.isFinite else { return value == nil && !actual.value.isFinite }
    // Decimal fractions have no exact binary form; what lies on the edge is within.
    return abs(value - actual.value) <= allowance(for: actual) + 1e-9
  }
}
