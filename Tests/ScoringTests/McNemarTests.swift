import Scoring
import Testing

@Suite("McNemar's test")
struct McNemarTests {
  /// From `scipy.stats.binomtest(min(b, c), b + c, 0.5).pvalue`, scipy 1.17.
  static let references: [(onlyFirst: Int, onlySecond: Int, p: Double)] = [
    (1, 0, 1), (10, 0, 0.001953125), (5, 5, 1), (31, 10, 0.0014504910141113214), (12, 9, 0.6636238098144531),
    (300, 200, 8.940066542253288e-06), (3, 8, 0.2265625), (60_000, 61_000, 0.00407963758118841),
    (0, 2_000, 0),
  ]

  @Test("the exact p is scipy's", arguments: references)
  func exact(reference: (onlyFirst: Int, onlySecond: Int, p: Double)) {
    let test = McNemar(onlyFirst: reference.onlyFirst, onlySecond: reference.onlySecond)
    #expect(abs(test.pValue - reference.p) <= 1e-9 * reference.p)
    let swapped = McNemar(onlyFirst: reference.onlySecond, onlySecond: reference.onlyFirst)
    #expect(test.pValue == swapped.pValue)
  }

  @Test("models that never differ: p is 1, and the words say why")
  func equal() {
    let test = McNemar([(first: true, second: true), (first: false, second: false)])
    #expect(test == McNemar(onlyFirst: 0, onlySecond: 0))
    #expect(test.pValue == 1)
    #expect(test.verdict == "The two agree on every asset, so nothing tells them apart.")
  }

  @Test("only assets on which one alone is right count")
  func discordant() {
    let results = [(true, false), (true, true), (false, true), (true, false), (false, false)]
    #expect(McNemar(results.map { (first: $0, second: $1) }) == McNemar(onlyFirst: 2, onlySecond: 1))
  }

  @Test("the words follow p")
  func words() {
    #expect(McNemar(onlyFirst: 300, onlySecond: 200).verdict.contains("1,000"))
    #expect(McNemar(onlyFirst: 31, onlySecond: 10).verdict.contains("100 times"))
    #expect(McNemar(onlyFirst: 20, onlySecond: 8).verdict.contains("20 times"))
    #expect(McNemar(onlyFirst: 12, onlySecond: 9).verdict.contains("more assets are needed"))
    #expect(McNemar(onlyFirst: 20, onlySecond: 8).isBeyondChance)
    #expect(!McNemar(onlyFirst: 12, onlySecond: 9).isBeyondChance)
  }
}
