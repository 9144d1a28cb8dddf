/// A share of assets, and how far it can be trusted.
public struct Proportion: Equatable, Sendable {
  public var count: Int
  public var total: Int

  /// - Precondition for meaningful results: `0 <= count <= total`.
  public init(_ count: Int, of total: Int) {
    self.count = count
    self.total = total
  }

  /// 0 to 1; `nil` of no assets.
  public var value: Double? { total > 0 ? Double(count) / Double(total) : nil }

  /// The interval that holds the true share in 95 of 100 such samples; `nil` of no assets.
  ///
  /// Wilson's score interval without continuity correction: E. B. Wilson, "Probable inference, the law of succession, and
  /// statistical inference", Journal of the American Statistical Association 22 (1927), 209–212. Unlike p ± 1.96 s it
  /// stays between 0 and 1, and holds its promise for small samples.
  public var interval: ClosedRange<Double>? {
    guard let share = value else { return nil }
    // The normal distribution has 97.5 % of its weight below this.
    let z = 1.959963984540054
    let n = Double(total)
    let denominator = 1 + z * z / n
    let centre = (share + z * z / (2 * n)) / denominator
    let half = z * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot() / denominator
    // At the ends the formula gives 0 and 1 but for the rounding of its sums.
    let low = count <= 0 ? 0 : max(0, centre - half)
    let high = count >= total ? 1 : min(1, centre + half)
    return low...max(low, high)
  }
}
