import Testing
import Transcripts

@Suite("A replay's answer against the document's")
struct ComparisonTests {
  /// What `kpi` might answer.
  static func kpi(agree: Double = 118, accuracy: Double = 0.59, worst: String = "A taken for B (9)") -> Answer
  {
    Answer([
      Line([.text("base on news-1: 200 assets")]),
      Line([.text("  agree     "), .estimate(Estimate(agree, digits: 0, kind: .count(total: 200)))]),
      Line([
        .text("  accuracy  "), .estimate(Estimate(accuracy, digits: 3, kind: .share(total: 200))),
        .text("   (95 % "), .estimate(Estimate(accuracy - 0.07, digits: 3, kind: .share(total: 200))),
        .text(" to "), .estimate(Estimate(accuracy + 0.07, digits: 3, kind: .share(total: 200))), .text(")"),
      ]),
      Line([.text("most often confused: " + worst)], isDerived: true),
    ])
  }

  static func text(_ lines: String...) -> Answer { Answer(lines.map { Line([.text($0)]) }) }

  private func kinds(_ expected: [String], _ actual: Answer) -> [Difference.Kind] {
    Comparison(expected: expected, actual: actual).differences.map(\.kind)
  }

  @Test("an answer equals its own drawing")
  func same() {
    let comparison = Comparison(expected: Self.kpi().text, actual: Self.kpi())
    #expect(comparison.differences.isEmpty)
    #expect(comparison.passes)
  }

  @Test("one exact digit is a difference, with its line")
  func exactDigit() {
    var expected = Self.kpi().text
    expected[0] = "base on news-1: 201 assets"
    let comparison = Comparison(expected: expected, actual: Self.kpi(), firstLine: 31)
    #expect(
      comparison.differences == [
        Difference(
          .exact, expected: "base on news-1: 201 assets", actual: "base on news-1: 200 assets", line: 31)
      ])
    #expect(!comparison.passes)
  }

  @Test("estimates may move within their tolerance, and not beyond")
  func estimates() {
    let expected = Self.kpi().text
    #expect(Comparison(expected: expected, actual: Self.kpi(agree: 120, accuracy: 0.6)).differences.isEmpty)
    let moved = Comparison(expected: expected, actual: Self.kpi(accuracy: 0.62), firstLine: 10).differences
    #expect(moved.count == 1)
    #expect(moved.first?.line == 12)
    guard case .estimate(let was, let now, let tolerance)? = moved.first?.kind else {
      Issue.record("expected an estimate's difference, got \(moved)")
      return
    }
    #expect(was == 0.59)
    #expect(now == 0.62)
    #expect(abs(tolerance - 0.0105) < 1e-12)
  }

  @Test("an estimate for text, and text for an estimate, differ")
  func estimateForText() {
    let estimate = Answer([Line([.text("p "), .estimate(Estimate(0.59, digits: 3, kind: .pValue))])])
    #expect(kinds(["p 0.590"], estimate) == [.exact])
    #expect(kinds(["p ~0.590"], Self.text("p 0.590")) == [.exact])
    #expect(kinds(["p ~0.590"], Self.text("p ~0.590")) == [])
    #expect(kinds(["p ~"], estimate) == [.exact])
    #expect(kinds(["p ~.5"], estimate) == [.exact])
    #expect(kinds(["p ~0.590±"], estimate) == [.exact])
    #expect(kinds(["p ~0.590 or so"], estimate) == [.exact])
  }

  @Test("a point after an estimate is the sentence's")
  func endOfSentence() {
    let answer = Answer([
      Line([.text("It is "), .estimate(Estimate(118, digits: 0, kind: .count(total: 200))), .text(". Good.")])
    ])
    #expect(kinds(["It is ~118. Good."], answer) == [])
    #expect(kinds(["It is ~118±3. Good."], answer) == [])
    #expect(kinds(["It is ~118.5. Good."], answer) == [])
  }

  @Test("runs of blanks count as one, and those at the ends as none")
  func blanks() {
    #expect(kinds(["a  b\t c", "  d  "], Self.text("a b    c  ", "d")) == [])
    #expect(kinds(["ab"], Self.text("a b")) == [.exact])
    #expect(kinds(["a", "", " "], Self.text("a")) == [])
    #expect(kinds(["a"], Self.text("a", "", "")) == [])
    #expect(kinds(["a", "", "b"], Self.text("a", "b")) == [.missing])
    #expect(
      kinds(
        ["a  ~5 b"],
        Answer([
          Line([.text("a "), .estimate(Estimate(5, digits: 0, kind: .count(total: 9))), .text("   b")])
        ])) == [])
  }

  @Test("one line more or less makes no other differ")
  func insertedLine() {
    let lines = (1...50).map { "line number \($0)" }
    let answer = Answer(lines.map { Line([.text($0)]) })
    var fewer = lines
    fewer.remove(at: 20)
    let extra = Comparison(expected: fewer, actual: answer, firstLine: 100).differences
    #expect(extra == [Difference(.extra, expected: nil, actual: "line number 21", line: 120)])
    var more = lines
    more.insert("something else altogether", at: 20)
    let missing = Comparison(expected: more, actual: answer, firstLine: 100).differences
    #expect(missing == [Difference(.missing, expected: "something else altogether", actual: nil, line: 120)])
  }

  @Test("a changed line beside an inserted one goes with its own version")
  func changedBesideInserted() {
    let differences = Comparison(
      expected: ["first", "Loaded news-1: 200 assets", "last"],
      actual: Self.text("first", "a warning", "Loaded news-1: 201 assets", "last")
    ).differences
    #expect(
      differences == [
        Difference(.extra, expected: nil, actual: "a warning", line: 2),
        Difference(
          .exact, expected: "Loaded news-1: 200 assets", actual: "Loaded news-1: 201 assets", line: 2),
      ])
  }

  @Test("an answer in place of another is one difference a line")
  func replaced() {
    #expect(kinds(["Loaded."], Self.text("error: no such file")) == [.exact])
    #expect(kinds([], Self.text("a", "b")) == [.extra, .extra])
    #expect(kinds(["a", "b"], Answer()) == [.missing, .missing])
    #expect(kinds([], Answer()) == [])
  }

  @Test("derived lines are compared apart, and softly")
  func derived() {
    let moved = Comparison(expected: Self.kpi().text, actual: Self.kpi(worst: "C taken for D (8)"))
    #expect(
      moved.differences == [
        Difference(
          .derived, expected: "~ most often confused: A taken for B (9)",
          actual: "~ most often confused: C taken for D (8)", line: 4)
      ])
    #expect(moved.differences[0].isSoft)
    #expect(moved.passes)
    let bar = Line(
      [.text("▇▇▇ "), .estimate(Estimate(9, digits: 0, kind: .count(total: 200)))], isDerived: true)
    #expect(kinds(["~ ▇▇▇ ~10", "text"], Answer([Line([.text("text")]), bar])) == [])
    #expect(kinds(["text"], Answer([Line([.text("text")]), bar, bar])) == [.derived, .derived])
    #expect(kinds(["~ ▇▇▇ ~10", "text"], Self.text("text")) == [.derived])
  }

  @Test("a derived line is no exact one, and an estimate at a line's start no derived one")
  func derivedAgainstExact() {
    let half = Line([.estimate(Estimate(0.5, digits: 1, kind: .confidence)), .text(" sure")])
    #expect(kinds(["~0.5 sure"], Answer([half])) == [])
    #expect(kinds(["~ words"], Self.text("words")) == [.derived, .extra])
    #expect(kinds(["\\~ words"], Self.text("~ words")) == [])
    #expect(kinds(["~ words"], Self.text("~ words")) == [.derived, .extra])
  }

  @Test("ten thousand lines that all differ are compared all the same")
  func long() {
    let expected = (0..<10_000).map { "expected \($0)" }
    let actual = Answer((0..<9_000).map { Line([.text("actual \($0)")]) })
    let comparison = Comparison(expected: expected, actual: actual)
    #expect(comparison.differences.count == 10_000)
    #expect(comparison.differences.count { $0.kind == .missing } == 1_000)
  }
}
