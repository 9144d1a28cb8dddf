import Testing
import Transcripts

@Suite("The canonical drawing")
struct DrawingTests {
  @Test(
    "numbers have fixed digits, rounded half away from zero as a person would round them",
    arguments: [
      (0.59, 3, "0.590"), (0.16125, 4, "0.1613"), (0.16125, 3, "0.161"), (0.285, 2, "0.29"),
      (1.005, 2, "1.01"),
      (0.5, 0, "1"), (1.5, 0, "2"), (2.5, 0, "3"), (-2.5, 0, "-3"), (118, 0, "118"), (118.4, 0, "118"),
      (0.9996, 3, "1.000"), (99.96, 1, "100.0"), (9.5, 0, "10"), (0, 3, "0.000"), (-0.0, 3, "0.000"),
      (-0.0004, 3, "0.000"), (-0.0005, 3, "-0.001"), (0.00004, 4, "0.0000"), (0.00006, 4, "0.0001"),
      (1e-300, 2, "0.00"), (1e21, 1, "1000000000000000000000.0"), (1.25e20, 0, "125000000000000000000"),
      (0.02, 3, "0.020"), (123.456, 1, "123.5"), (0.1 + 0.2, 3, "0.300"), (Double.nan, 3, "n/a"),
      (Double.infinity, 3, "n/a"), (-Double.infinity, 0, "n/a"),
    ])
  func numbers(value: Double, digits: Int, expected: String) {
    #expect(Estimate(value, digits: digits, kind: .loss).number == expected)
    #expect(Estimate(value, digits: digits, kind: .loss).text == "~" + expected)
  }

  @Test("every count and every share of assets reads back as the nearest of its digits")
  func readsBack() throws {
    for total in [7, 200, 800] {
      for count in 0...total {
        let share = Double(count) / Double(total)
        let drawn = try #require(Double(Estimate(share, digits: 3, kind: .share(total: total)).number))
        #expect(abs(drawn - share) <= 0.0005 + 1e-12)
        #expect(Estimate(Double(count), digits: 0, kind: .count(total: total)).number == "\(count)")
      }
    }
  }

  @Test("lines are drawn token by token, derived ones with a tilde")
  func lines() {
    let answer = Answer([
      Line([.text("  agree     "), .estimate(Estimate(118, digits: 0, kind: .count(total: 200)))]),
      Line([.text("most often confused: A for B")], isDerived: true),
      Line([], isDerived: true),
      Line([]),
      Line([.estimate(Estimate(0.5, digits: 1, kind: .confidence)), .text(" sure")]),
    ])
    #expect(answer.text == ["  agree     ~118", "~ most often confused: A for B", "~", "", "~0.5 sure"])
  }

  @Test("exact text that looks derived is told from a derived line")
  func exactTextWithTilde() {
    #expect(Line([.text("~ home")]).text == "\\~ home")
    #expect(Line([.text("~")]).text == "\\~")
    #expect(Line([.text("\\~ home")]).text == "\\\\~ home")
    #expect(Line([.text("~/home")]).text == "~/home")
  }

  @Test("a line break inside a token begins a line, of the same kind")
  func lineBreaks() {
    let answer = Answer([
      Line([.text("one\ntwo "), .estimate(Estimate(3, digits: 0, kind: .count(total: 9)))]),
      Line([.text("a\r\nb")], isDerived: true),
    ])
    #expect(answer.text == ["one", "two ~3", "~ a", "~ b"])
  }
}
