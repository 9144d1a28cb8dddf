import Scoring
import Testing

@Suite("Agreement beyond chance")
struct AgreementTests {
  @Test("Cohen's kappa is scikit-learn's")
  func kappa() throws {
    let first = "A A A B B C C C C D".split(separator: " ")
    let second = "A B A B U C C A C C".split(separator: " ")
    let kappa = try #require(Agreement.kappa(zip(first, second).map { (first: $0, second: $1) }))
    // cohen_kappa_score(first, second), scikit-learn 1.9
    #expect(abs(kappa - 0.4366197183098592) < 1e-15)
  }

  @Test("kappa of full, of chance and of no agreement")
  func kappaExtremes() {
    #expect(Agreement.kappa([(first: 1, second: 1), (first: 2, second: 2)]) == 1)
    #expect(
      Agreement.kappa([
        (first: 1, second: 1), (first: 1, second: 2), (first: 2, second: 1), (first: 2, second: 2),
      ]) == 0)
    #expect(Agreement.kappa([(first: 1, second: 2), (first: 2, second: 1)]) == -1)
    #expect(Agreement.kappa([(first: 1, second: 1), (first: 1, second: 1)]) == nil)
    #expect(Agreement.kappa([(first: Int, second: Int)]()) == nil)
  }

  /// Rows are observers, columns units, `.` is missing: Krippendorff 2011, examples A to C.
  static let examples: [(observers: [String], alpha: Double)] = [
    (["0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"], 0.095),
    (["a a b b d c c c e d d a", "b a b b b c c c e d d d"], 0.692),
    (
      [
        "1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .",
        "1 2 3 3 2 4 4 1 2 5 1 .",
      ], 0.743
    ),
  ]

  @Test("Krippendorff's alpha is that of his examples", arguments: examples)
  func alpha(example: (observers: [String], alpha: Double)) throws {
    let rows = example.observers.map { $0.split(separator: " ") }
    let units = rows[0].indices.map { unit in rows.map { $0[unit] }.filter { $0 != "." } }
    let alpha = try #require(Agreement.alpha(units))
    #expect(abs(alpha - example.alpha) < 0.0005)
  }

  @Test("alpha of full agreement, and where there is nothing to compare")
  func alphaExtremes() {
    #expect(Agreement.alpha([["A", "A"], ["B", "B", "B"]]) == 1)
    #expect(Agreement.alpha([["A", "A"], ["A", "A"]]) == nil)
    #expect(Agreement.alpha([["A"], ["B"], []]) == nil)
    #expect(Agreement.alpha([[String]]()) == nil)
  }
}

@Suite("Specific agreement")
struct SpecificAgreementTests {
  @Test("of two labellers is 2a / (2a + b)")
  func two() {
    let labels = [["x", "x"], ["x", "y"], ["y", "y"], ["y", "y"], ["x"]]
    #expect(Agreement.specific(labels) == ["x": Proportion(2, of: 3), "y": Proportion(4, of: 5)])
  }

  @Test("of three counts each pair; a category that one alone chose has none")
  func three() {
    let labels = [["x", "x", "y"], ["x", "x", "x"]]
    #expect(Agreement.specific(labels) == ["x": Proportion(8, of: 10), "y": Proportion(0, of: 2)])
    #expect(Agreement.specific([[String]]()).isEmpty)
  }
}
