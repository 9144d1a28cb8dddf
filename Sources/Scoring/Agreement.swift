/// How far labellers agree beyond what chance would bring about: 1 for full agreement, 0 for as much as chance, negative
/// for less.
public enum Agreement {
  /// Cohen's kappa of two labellers who labelled the same assets, one category each.
  ///
  /// (observed agreement − expected agreement) / (1 − expected agreement). J. Cohen, "A coefficient of agreement for
  /// nominal scales", Educational and Psychological Measurement 20 (1960), 37–46.
  ///
  /// `nil` without assets, and where both gave every asset one and the same category: chance alone would agree then.
  public static func kappa<Category: Hashable>(_ labels: [(first: Category, second: Category)]) -> Double? {
    var firsts: [Category: Int] = [:]
    var seconds: [Category: Int] = [:]
    for label in labels {
      firsts[label.first, default: 0] += 1
      seconds[label.second, default: 0] += 1
    }
    let agreeing = labels.count { $0.first == $0.second }
    // Whole numbers until the last division: a sum over a hash table's order must not round.
    let square = labels.count * labels.count
    let expected = firsts.reduce(0) { $0 + $1.value * seconds[$1.key, default: 0] }
    guard square > expected else { return nil }
    return Double(agreeing * labels.count - expected) / Double(square - expected)
  }

  /// Krippendorff's alpha, nominal, of any number of labellers, of whom not all need have labelled each asset.
  ///
  /// 1 − observed disagreement / expected disagreement, from the coincidences of values within an asset. K. Krippendorff,
  /// *Content Analysis*, 2nd edition (2004), chapter 11; worked examples in his "Computing Krippendorff's
  /// alpha-reliability" (2011).
  ///
  /// `nil` where no asset has two labels, and where all labels that can be paired are one and the same category.
  ///
  /// - Parameter assets: for each asset the categories that its labellers chose, one each.
  public static func alpha<Category: Hashable>(_ assets: [[Category]]) -> Double? {
    var totals: [Category: Int] = [:]
    var pairable = 0
    var disagreement = 0.0
    for labels in assets where labels.count > 1 {
      var counts: [Category: Int] = [:]
      for label in labels { counts[label, default: 0] += 1 }
      for (category, count) in counts { totals[category, default: 0] += count }
      pairable += labels.count
      // Ordered pairs of different values, each weighted so that an asset weighs as many values as it has.
      let differing = labels.count * labels.count - counts.values.reduce(0) { $0 + $1 * $1 }
      disagreement += Double(differing) / Double(labels.count - 1)
    }
    let expected = pairable * pairable - totals.values.reduce(0) { $0 + $1 * $1 }
    guard expected > 0 else { return nil }
    return 1 - disagreement * Double(pairable - 1) / Double(expected)
  }

  /// The specific agreement on each category: where one labeller of an asset chose it, how often another one did too.
  ///
  /// Of two labellers 2a / (2a + b), with a the assets on which both chose it and b those on which one did; of more, the mean over
  /// all ordered pairs of them. D. V. Cicchetti and A. R. Feinstein, "High agreement but low kappa: II", Journal of Clinical
  /// Epidemiology 43 (1990), 551–558; for several labellers J. L. Fleiss, *Statistical Methods for Rates and Proportions*,
  /// 3rd edition (2003), chapter 18.
  ///
  /// - Parameter assets: for each asset the categories that its labellers chose, one each; those with one label say nothing.
  public static func specific<Category: Hashable>(_ assets: [[Category]]) -> [Category: Proportion] {
    var pairs: [Category: (same: Int, all: Int)] = [:]
    for labels in assets where labels.count > 1 {
      let counts = Dictionary(labels.map { ($0, 1) }, uniquingKeysWith: +)
      for (category, count) in counts {
        let before = pairs[category] ?? (0, 0)
        pairs[category] = (before.same + count * (count - 1), before.all + count * (labels.count - 1))
      }
    }
    return pairs.mapValues { Proportion($0.same, of: $0.all) }
  }
}
