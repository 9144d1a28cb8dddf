import Scoring
import Testing

@Suite("A share and its interval")
struct ProportionTests {
  /// From `scipy.stats.binomtest(count, total).proportion_ci(0.95, method="wilson")`, scipy 1.17.
  static let references: [(count: Int, total: Int, low: Double, high: Double)] = [
    (0, 10, 0, 0.27753279986288926),
    (10, 10, 0.7224672001371109, 1),
    (19, 100, 0.12514751509768737, 0.27778845379064376),
    (118, 200, 0.5207645903369208, 0.6558432509151711),
    (671, 800, 0.8116565370083232, 0.8626057743623311),
    (1, 1, 0.20654931437723745, 1),
    (0, 1, 0, 0.7934506856227626),
    (5, 20_000, 0.00010678963454394946, 0.0005851504035326238),
  ]

  @Test("Wilson's interval is scipy's", arguments: references)
  func wilson(reference: (count: Int, total: Int, low: Double, high: Double)) throws {
    let interval = try #require(Proportion(reference.count, of: reference.total).interval)
    #expect(abs(interval.lowerBound - reference.low) < 1e-14)
    #expect(abs(interval.upperBound - reference.high) < 1e-14)
  }

  @Test("it holds the share and stays between 0 and 1")
  func bounds() throws {
    for total in 1...40 {
      for count in 0...total {
        let proportion = Proportion(count, of: total)
        let interval = try #require(proportion.interval)
        #expect(interval.contains(try #require(proportion.value)))
        #expect(interval.lowerBound >= 0 && interval.upperBound <= 1)
      }
    }
  }

  @Test("of no assets there is neither")
  func none() {
    #expect(Proportion(0, of: 0).value == nil)
    #expect(Proportion(0, of: 0).interval == nil)
  }
}
