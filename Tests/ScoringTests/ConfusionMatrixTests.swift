import Scoring
import Testing

@Suite("Confusion and F1")
struct ConfusionMatrixTests {
  /// Four real categories, one of them in truth alone, and U for UNABLE_TO_CLASSIFY in predictions alone.
  static let matrix = matrix(truth: "A A A B B C C C C D", prediction: "A B A B U C C A C C")

  static func matrix(truth: String, prediction: String, categories: String = "") -> ConfusionMatrix {
    let pairs = zip(truth.split(separator: " "), prediction.split(separator: " "))
    return ConfusionMatrix(
      categories: categories.split(separator: " ").map(String.init),
      outcomes: pairs.map { ConfusionMatrix.Outcome(truth: String($0), prediction: String($1)) })
  }

  @Test("accuracy counts the diagonal")
  func accuracy() {
    #expect(Self.matrix.accuracy == Proportion(6, of: 10))
    #expect(Self.matrix.total == 10)
  }

  @Test("macro F1 is scikit-learn's, over what occurs in truth or prediction")
  func macroF1() throws {
    // f1_score(truth, prediction, average="macro", zero_division=0), scikit-learn 1.9
    let macroF1 = try #require(Self.matrix.macroF1)
    #expect(abs(macroF1 - 0.3833333333333333) < 1e-15)
    let withUnused = Self.matrix(
      truth: "A A A B B C C C C D", prediction: "A B A B U C C A C C", categories: "Z D C B A U Y")
    #expect(abs(try #require(withUnused.macroF1) - macroF1) < 1e-15)
    #expect(ConfusionMatrix(categories: ["A"], outcomes: []).macroF1 == nil)
  }

  @Test("precision, recall and F1 of a category")
  func categoryScores() throws {
    let scores = Self.matrix.categoryScores
    let c = try #require(scores.first { $0.category == "C" })
    #expect(c.support == 4)
    #expect(c.precision == 0.75)
    #expect(c.recall == 0.75)
    #expect(c.f1 == 0.75)
    let unable = try #require(scores.first { $0.category == "U" })
    #expect(unable.support == 0)
    #expect(unable.falsePositives == 1)
    #expect(unable.precision == 0 && unable.f1 == 0)
    #expect(unable.recall == nil, "a share of no assets")
    let d = try #require(scores.first { $0.category == "D" })
    #expect(d.precision == nil && d.recall == 0 && d.f1 == 0)
  }

  @Test("an abstention is missed for the category that the asset has, and no class of its own")
  func abstention() throws {
    let pairs = zip("A A B B C".split(separator: " "), "A U B A U".split(separator: " "))
    let outcomes = pairs.map { ConfusionMatrix.Outcome(truth: String($0), prediction: String($1)) }
    let matrix = ConfusionMatrix(abstention: "U", outcomes: outcomes)
    // f1_score(truth, prediction, labels=["A", "B", "C"], average="macro", zero_division=0), scikit-learn 1.9
    let macroF1 = try #require(matrix.macroF1)
    #expect(abs(macroF1 - 0.38888888888888884) < 1e-15)
    #expect(matrix.accuracy == Proportion(2, of: 5))
    #expect(matrix.categoryScores.first { $0.category == "A" }?.recall == 0.5)
    #expect(ConfusionMatrix(abstention: "U", outcomes: [.init(truth: "U", prediction: "U")]).macroF1 == nil)
  }

  @Test("the interface's order first, strangers after it as they come")
  func order() {
    let matrix = Self.matrix(truth: "X B", prediction: "B Y", categories: "C B A")
    #expect(matrix.categories == ["C", "B", "A", "X", "Y"])
    #expect(matrix.counts[3][1] == 1)
    #expect(matrix.counts[1][4] == 1)
  }

  @Test("the worst confusions, ties by the interface's order")
  func worst() {
    let matrix = Self.matrix(
      truth: "A A B B B C C A", prediction: "B C A A B A A C", categories: "C B A")
    #expect(
      matrix.worst(3).map { "\($0.truth)>\($0.prediction) \($0.count)" } == ["C>A 2", "B>A 2", "A>C 2"])
    #expect(matrix.worst(99).map(\.count) == [2, 2, 2, 1])
    #expect(matrix.worst(0).isEmpty)
    #expect(matrix.worst(-1).isEmpty)
  }
}
