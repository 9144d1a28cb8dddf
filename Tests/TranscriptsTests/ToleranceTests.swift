import Testing
import Transcripts

@Suite("An estimate's tolerance")
struct ToleranceTests {
  private func differences(_ recorded: String, _ value: Double, _ digits: Int, _ kind: Estimate.Kind)
    -> [Difference]
  {
    let line = Line([.text("value "), .estimate(Estimate(value, digits: digits, kind: kind))])
    return Comparison(expected: ["value " + recorded], actual: Answer([line])).differences
  }

  /// Each: what is recorded, a value on the tolerance's edge, one just beyond, digits and kind.
  static let edges: [(recorded: String, within: Double, beyond: Double, digits: Int, kind: Estimate.Kind)] = [
    // Two assets of 200, in whole assets.
    ("~118", 120, 121, 0, .count(total: 200)),
    ("~118", 116, 115, 0, .count(total: 200)),
    // Two of a hundred and fewer, one per cent of more.
    ("~3", 1, 0, 0, .count(total: 5)),
    ("~118", 120, 121, 0, .count(total: 299)),
    ("~118", 121, 122, 0, .count(total: 300)),
    ("~5000", 5100, 5101, 0, .count(total: 10_000)),
    // 2 / 200 = 0.010 and half of 0.001.
    ("~0.590", 0.6005, 0.60051, 3, .share(total: 200)),
    ("~0.590", 0.5795, 0.57949, 3, .share(total: 200)),
    ("~0.590", 0.5905 + 0.01, 0.61, 3, .share(total: 800)),
    ("~0.5", 0.5 + 2.0 / 3 + 0.0005, 1.2, 3, .share(total: 3)),
    // Twice that.
    ("~0.590", 0.6105, 0.61051, 3, .intervalEnd(total: 200)),
    ("~0.590", 0.6105, 0.61051, 3, .macroF1(total: 200)),
    ("~-0.010", 0.0105, 0.01051, 3, .difference(total: 200)),
    ("~0.80", 0.825, 0.82501, 2, .confidence),
    ("~0.71", 0.755, 0.75501, 2, .kappa),
    // 0.05 and half of the greater one, which is the value here: p = (0.30 + 0.05 + 0.0005) / (1 - 0.5).
    ("~0.300", 0.701, 0.7011, 3, .pValue),
    ("~0.000", 0.101, 0.1011, 3, .pValue),
    // 0.02 and a twentieth of the greater one.
    ("~1.000", (1 + 0.02 + 0.0005) / 0.95, 1.0743, 3, .loss),
    ("~1.000", 1 - 0.07 - 0.0005, 0.929, 3, .loss),
  ]

  @Test("passes on its edge and fails just beyond", arguments: edges)
  func edge(edge: (recorded: String, within: Double, beyond: Double, digits: Int, kind: Estimate.Kind)) {
    #expect(differences(edge.recorded, edge.within, edge.digits, edge.kind).isEmpty)
    let beyond = differences(edge.recorded, edge.beyond, edge.digits, edge.kind)
    #expect(beyond.count == 1)
    guard case .estimate(_, let actual, _)? = beyond.first?.kind else {
      Issue.record("expected an estimate's difference, got \(beyond)")
      return
    }
    #expect(actual == edge.beyond)
  }

  @Test("is widened by the author, never narrowed")
  func widening() {
    #expect(!differences("~0.59", 0.64, 3, .share(total: 200)).isEmpty)
    #expect(differences("~0.59±0.05", 0.64, 3, .share(total: 200)).isEmpty)
    #expect(!differences("~0.59±0.05", 0.6406, 3, .share(total: 200)).isEmpty)
    #expect(differences("~0.590±0", 0.6, 3, .share(total: 200)).isEmpty)
    #expect(differences("~0.590±0.001", 0.6, 3, .share(total: 200)).isEmpty)
    #expect(differences("~118±10", 128, 0, .count(total: 200)).isEmpty)
    #expect(!differences("~118±10", 129, 0, .count(total: 200)).isEmpty)
  }

  @Test("lets an interval's ends follow a share that moved within its own", arguments: [100, 200, 800, 5000])
  func intervalEnds(total: Int) {
    // Wilson's interval, as `kpi` reports it.
    func ends(_ count: Int) -> [Double] {
      let (n, z) = (Double(total), 1.96)
      let share = Double(count) / n
      let centre = (share + z * z / (2 * n)) / (1 + z * z / n)
      let half = z * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot() / (1 + z * z / n)
      return [centre - half, centre + half]
    }
    let flips = max(2, total / 100)
    for count in 0...(total - flips) {
      for (recorded, now) in zip(ends(count), ends(count + flips)) {
        let drawn = Estimate(recorded, digits: 3, kind: .intervalEnd(total: total)).text
        #expect(differences(drawn, now, 3, .intervalEnd(total: total)).isEmpty)
      }
    }
  }

  @Test("does not grow by cutting digits")
  func fewerDigits() {
    #expect(differences("~0.6", 0.61, 3, .share(total: 200)).isEmpty)
    #expect(!differences("~0.6", 0.62, 3, .share(total: 200)).isEmpty)
    #expect(!differences("~1", 0.6, 3, .share(total: 200)).isEmpty)
  }

  @Test("has no number for what is none")
  func notANumber() {
    #expect(differences("~n/a", .nan, 3, .kappa).isEmpty)
    #expect(differences("~n/a", .infinity, 3, .pValue).isEmpty)
    #expect(
      differences("~n/a", 0.5, 3, .pValue).map(\.kind)
        == [.estimate(expected: nil, actual: 0.5, tolerance: 0)])
    #expect(
      differences("~0.5", .nan, 3, .pValue).map(\.kind)
        == [.estimate(expected: 0.5, actual: nil, tolerance: 0)])
    #expect(differences("~0.5", 0.5, 3, .share(total: 0)).isEmpty)
  }
}
