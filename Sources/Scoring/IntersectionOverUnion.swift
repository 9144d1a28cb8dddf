/// How far the labellers of one asset agree, as Kili counts it.
///
/// S is the set of categories that any of them chose. Each scores (labellers who chose it) / (all labellers); the sum
/// is divided by |S|. Two who agree on one category: 1. Two who differ: 0.5. Three of whom two agree: (2/3 + 1/3) / 2 = 0.5.
/// For two labellers with one choice each this is not the Jaccard index, which would be 0 where they differ.
///
/// Source: Kili's documentation of its agreement metrics, and cell 7 of its fine-tuning notebook.
public struct IntersectionOverUnion: Equatable, Sendable {
  /// Choices made, by all labellers together.
  public let choices: Int
  /// Labellers.
  public let labellers: Int
  /// Categories that anyone chose, |S|.
  public let categories: Int

  /// - Parameter labels: for each labeller the categories that they chose; one who chose none counts as a labeller.
  public init<Category: Hashable>(_ labels: [Set<Category>]) {
    choices = labels.reduce(0) { $0 + $1.count }
    labellers = labels.count
    categories = labels.reduce(into: Set<Category>()) { $0.formUnion($1) }.count
  }

  /// One choice a labeller.
  public init<Category: Hashable>(_ labels: [Category]) {
    self.init(labels.map { Set([$0]) })
  }

  /// 0 to 1; `nil` where nobody chose anything.
  ///
  /// The sum of Kili's fractions over one denominator: the same number, and free of the order of summation.
  public var value: Double? {
    categories == 0 ? nil : Double(choices) / Double(labellers * categories)
  }

  /// Whether the tutorial's score counts the asset: an IoU above 0.5.
  public var agrees: Bool { 2 * choices > labellers * categories }
}

extension Collection<IntersectionOverUnion> {
  /// The mean over the assets that anyone labelled; `nil` where there is none. Over several people's labels it is Kili's
  /// *consensus*; over one person's labels, each beside the known truth, its *honeypot*.
  public var mean: Double? {
    let values = compactMap(\.value)
    return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }

  /// The tutorial's score: the share of assets whose IoU is above 0.5.
  public var score: Proportion {
    let labelled = filter { $0.categories > 0 }
    return Proportion(labelled.count(where: \.agrees), of: labelled.count)
  }
}
