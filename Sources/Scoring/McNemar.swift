import Foundation

/// Whether two models that classified the same assets differ by more than chance.
///
/// Only the assets on which exactly one of them is right say anything. If the models were equally good, each such asset
/// would be a fair coin; p is how often so uneven a split, or a more uneven one, would come about: the exact two-sided
/// binomial test. Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
/// percentages", Psychometrika 12 (1947), 153–157; the exact form is that of statsmodels' `mcnemar(exact=True)`.
public struct McNemar: Equatable, Sendable {
  /// Assets on which only the first model is right.
  public var onlyFirst: Int
  /// Assets on which only the second model is right.
  public var onlySecond: Int

  public init(onlyFirst: Int, onlySecond: Int) {
    self.onlyFirst = onlyFirst
    self.onlySecond = onlySecond
  }

  /// - Parameter results: for each asset whether the first model was right, and whether the second was.
  public init(_ results: some Sequence<(first: Bool, second: Bool)>) {
    self.init(onlyFirst: 0, onlySecond: 0)
    for result in results where result.first != result.second {
      if result.first { onlyFirst += 1 } else { onlySecond += 1 }
    }
  }

  /// 0 to 1; 1 where the models never differ.
  public var pValue: Double {
    let fewer = min(onlyFirst, onlySecond)
    let n = onlyFirst + onlySecond
    guard onlyFirst != onlySecond, fewer >= 0 else { return 1 }
    // The largest term of the tail, in logarithms, since 2^n overflows; each further one follows from the one before.
    var logarithm = -Double(n) * log(2)
    for k in 0..<fewer { logarithm += log(Double(n - k) / Double(k + 1)) }
    var term = exp(logarithm)
    var tail = 0.0
    for k in stride(from: fewer, through: 0, by: -1) {
      tail += term
      term *= Double(k) / Double(n - k + 1)
    }
    return min(1, 2 * tail)
  }

  /// What p means for a learner, one sentence, without the number itself.
  public var verdict: String {
    if onlyFirst + onlySecond == 0 { return "The two agree on every asset, so nothing tells them apart." }
    return switch pValue {
    case ..<0.001: "Chance alone would bring about such a difference less than once in 1,000 times."
    case ..<0.01: "Chance alone would bring about such a difference less than once in 100 times."
    case ..<0.05: "Chance alone would bring about such a difference less than once in 20 times."
    default: "Chance alone could bring about such a difference: more assets are needed to tell."
    }
  }

  /// Whether p is below 0.05, the usual line.
  public var isBeyondChance: Bool { pValue < 0.05 }
}
