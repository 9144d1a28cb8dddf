/// Which category was taken for which, and the scores that follow from it.
///
/// Where a model may abstain (`UNABLE_TO_CLASSIFY`), an asset for which it did counts as missed for the category that it
/// has; abstaining is no class of its own and takes no part in the macro average.
public struct ConfusionMatrix: Equatable, Sendable {
  /// The interface's categories in its order, then any others, in the order in which they first came.
  public let categories: [String]
  /// The category that stands for having none.
  public let abstention: String?

  /// Assets by truth and prediction, each an index of `categories`: only where there are some, since a file may have as many
  /// categories as texts.
  private let cells: [Cell: Int]
  /// Assets that have each category, and that were given it.
  private let truths: [Int]
  private let predictions: [Int]

  private struct Cell: Hashable {
    var truth: Int
    var prediction: Int
  }

  /// Assets `[truth, prediction]`, both by index of `categories`; takes the square of their number.
  public var counts: [[Int]] { counts(of: Array(categories.indices)) }

  /// Assets `[truth, prediction]` among some categories, in the order of their indices given.
  public func counts(of indices: [Int]) -> [[Int]] {
    indices.map { truth in indices.map { cells[Cell(truth: truth, prediction: $0)] ?? 0 } }
  }

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
    var cells: [Cell: Int] = [:]
    for outcome in outcomes {
      let cell = Cell(truth: index(of: outcome.truth), prediction: index(of: outcome.prediction))
      cells[cell, default: 0] += 1
    }
    var truths = Array(repeating: 0, count: known.count)
    var predictions = truths
    for (cell, count) in cells {
      truths[cell.truth] += count
      predictions[cell.prediction] += count
    }
    self.categories = known
    self.abstention = abstention
    (self.cells, self.truths, self.predictions) = (cells, truths, predictions)
  }

  /// All assets.
  public var total: Int { truths.reduce(0, +) }

  /// The assets whose prediction is their truth.
  public var accuracy: Proportion {
    Proportion(categories.indices.reduce(0) { $0 + found($1) }, of: total)
  }

  private func found(_ index: Int) -> Int { cells[Cell(truth: index, prediction: index)] ?? 0 }

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
      let found = found(index)
      return CategoryScore(
        category: categories[index], truePositives: found, falsePositives: predictions[index] - found,
        falseNegatives: truths[index] - found)
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
    let mistakes = cells.filter { $0.key.truth != $0.key.prediction }
    let sorted = mistakes.sorted {
      ($1.value, $0.key.truth, $0.key.prediction) < ($0.value, $1.key.truth, $1.key.prediction)
    }
    return sorted.prefix(max(0, limit)).map { cell, count in
      Confusion(truth: categories[cell.truth], prediction: categories[cell.prediction], count: count)
    }
  }

  /// The indices of the categories that most mistakes concern, as truth or as prediction, in the order of `categories`.
  public func mostConfused(_ limit: Int) -> [Int] {
    let mistakes = categories.indices.map { truths[$0] + predictions[$0] - 2 * found($0) }
    let worst = categories.indices.sorted { (mistakes[$1], $0) < (mistakes[$0], $1) }
    return worst.prefix(max(0, limit)).sorted()
  }
}
