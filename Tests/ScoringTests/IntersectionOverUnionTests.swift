import Scoring
import Testing

@Suite("Kili's IoU")
struct IntersectionOverUnionTests {
  @Test(
    "the tutorial's two labellers", arguments: [(["SPORTS", "SPORTS"], 1.0), (["SPORTS", "POLITICS"], 0.5)])
  func twoLabellers(labels: [String], expected: Double) {
    #expect(IntersectionOverUnion(labels).value == expected)
  }

  @Test("any number of labellers")
  func manyLabellers() {
    #expect(IntersectionOverUnion(["A"]).value == 1)
    #expect(IntersectionOverUnion(["A", "A", "B"]).value == 0.5)
    #expect(IntersectionOverUnion(["A", "B", "C"]).value == 1.0 / 3)
    #expect(IntersectionOverUnion(["A", "A", "A", "B"]).value == 0.5)
  }

  @Test("a labeller may choose several categories, or none")
  func sets() {
    // A: 2 of 2, B: 1 of 2; the sum 1.5 over two categories.
    #expect(IntersectionOverUnion([["A", "B"], ["A"]]).value == 0.75)
    #expect(IntersectionOverUnion([["A"], []]).value == 0.5)
    #expect(IntersectionOverUnion([["A", "B", "C"], ["A", "B", "C"], ["A"]]).value == 7.0 / 9)
  }

  @Test("nothing chosen has no IoU")
  func nothing() {
    #expect(IntersectionOverUnion([Set<String>(), []]).value == nil)
    #expect(IntersectionOverUnion([String]()).value == nil)
    #expect([IntersectionOverUnion]().mean == nil)
    #expect([IntersectionOverUnion]().score.value == nil)
  }

  @Test("the tutorial's score: 671 of 800 at 0.5 are 0.16125")
  func score() {
    let differing = Array(repeating: IntersectionOverUnion(["A", "B"]), count: 671)
    let agreeing = Array(repeating: IntersectionOverUnion(["A", "A"]), count: 129)
    let assets = differing + agreeing
    let mean: Double = (671 * 0.5 + 129) / 800
    #expect(assets.score.value == 0.16125)
    #expect(assets.mean == mean)
  }

  @Test("an IoU of exactly 0.5 does not count, just above does")
  func threshold() {
    #expect(!IntersectionOverUnion(["A", "A", "B"]).agrees)
    #expect(IntersectionOverUnion([["A", "B"], ["A", "B"], ["C", "A"]]).agrees)
    #expect(IntersectionOverUnion([["A", "B"], ["A", "B"], ["C", "A"]]).value == 6.0 / 9)
  }

  @Test("assets that nobody labelled change neither mean nor score")
  func unlabelled() {
    let assets = [IntersectionOverUnion(["A", "A"]), IntersectionOverUnion([Set<String>(), []])]
    #expect(assets.mean == 1)
    #expect(assets.score == Proportion(1, of: 1))
  }
}
