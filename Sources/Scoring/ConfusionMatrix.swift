/// Which category was taken for which, and the scores that follow from it.
///
/// Where a model may abstain (`UNABLE_TO_CLASSIFY`), an asset for which it did counts as missed for the category that it
/// has; abstaining is no class of its own and takes no part in the macro average.
public struct ConfusionMatrix: Equatable, Sendable {
  /// The interface's categories in its order, then any others, in the order in which they first came.
  public let categories: [String]
  /// Assets `[truth, prediction]`, both by index of `categories`.
  public let counts: [[Int]]
  /// The category that stands for having none.
  public let abstention: String?

  /// One asset's true category and what was predicted for it.
  public struct Outcome: Equatable, Sendable {
    public var truth: String
    public var prediction: String

    public init(truth: String, prediction: String) {
      self.truth = truth
      self.prediction = prediction
    }
  }

  public init(categories: [String] = [], abstention: String? = nil, outcomes: some Sequence<Outcome>) {
    var known: [String] = []
    var indices: [String: Int] = [:]
    func index(of category: String) -> Int {
      if let index = indices[category] { return index }
      indices[category] = known.count
      known.append(category)
      return known.count - 1
    }
    for category in categories { _ = index(of: category) }
    let cells = outcomes.map { (index(of: $0.truth), index(of: $0.prediction)) }
    var counts = Array(repeating: Array(repeating: 0, count: known.count), count: known.count)
    for (truth, prediction) in cells { counts[truth][prediction] += 1 }
    self.categories = known
    self.counts = counts
    self.abstention = abstention
  }

  /// All assets.
  public var total: Int { counts.reduce(0) { $0 + $1.reduce(0, +) } }

  /// The assets whose prediction is their truth.
  public var accuracy: Proportion {
    Proportion(categories.indices.reduce(0) { $0 + counts[$1][$1] }, of: total)
  }

  /// How well one category is found.
  public struct CategoryScore: Equatable, Sendable {
    public var category: String
    /// Assets that have it and were found.
    public var truePositives: Int
    /// Assets that it was wrongly predicted for.
    public var falsePositives: Int
    /// Assets that have it and were missed.
    public var falseNegatives: Int

    /// Assets that have it.
    public var support: Int { truePositives + falseNegatives }
    /// Assets that it was predicted for.
    public var predicted: Int { truePositives + falsePositives }
    /// Of the assets that it was predicted for, the share that have it; `nil` where it was predicted for none.
    public var precision: Double? { Proportion(truePositives, of: predicted).value }
    /// Of the assets that have it, the share that it was predicted for; `nil` where none has it.
    public var recall: Double? { Proportion(truePositives, of: support).value }
    /// The harmonic mean of precision and recall, from the counts: 2 TP / (2 TP + FP + FN). 0 where the category was
    /// predicted and none has it, or the other way round; `nil` where neither.
    public var f1: Double? { Proportion(2 * truePositives, of: predicted + support).value }
  }

  /// A score for each of `categories`, in their order, that of the abstention too.
  public var categoryScores: [CategoryScore] {
    categories.indices.map { index in
      let predicted = categories.indices.reduce(0) { $0 + counts[$1][index] }
      let actual = counts[index].reduce(0, +)
      let found = counts[index][index]
      return CategoryScore(
        category: categories[index], truePositives: found, falsePositives: predicted - found,
        falseNegatives: actual - found)
    }
  }

  /// The mean of the F1 of all categories that some asset has or was predicted to have; `nil` of none.
  ///
  /// Equal to scikit-learn's `f1_score(truth, prediction, average="macro", zero_division=0)`, with `labels` given as those
  /// that occur but the abstention: a category of the interface that nobody has and nobody predicted does not count.
  public var macroF1: Double? {
    let scores = categoryScores.filter { $0.category != abstention }.compactMap(\.f1)
    return scores.isEmpty ? nil : scores.reduce(0, +) / Double(scores.count)
  }

  /// One category taken for another.
  public struct Confusion: Equatable, Sendable {
    public var truth: String
    public var prediction: String
    public var count: Int
  }

  /// The most frequent confusions, the worst first; of equally frequent ones, that which comes first in the order of
  /// `categories` by truth, then by prediction.
  public func worst(_ limit: Int) -> [Confusion] {
    var confusions: [(order: Int, confusion: Confusion)] = []
    for truth in categories.indices {
      for prediction in categories.indices where truth != prediction && counts[truth][prediction] > 0 {
        let confusion = Confusion(
          truth: categories[truth], prediction: categories[prediction], count: counts[truth][prediction])
        confusions.append((confusions.count, confusion))
      }
    }
    let sorted = confusions.sorted { ($1.confusion.count, $0.order) < ($0.confusion.count, $1.order) }
    return sorted.prefix(max(0, limit)).map(\.confusion)
  }
}
