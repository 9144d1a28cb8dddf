/// A person's (or the simulated person's) choice of category for an asset: a DEFAULT label in Kili's terms.
public struct Label: Equatable, Hashable, Sendable {
  /// The asset's ``Asset/id``.
  public let asset: Int
  public let author: String
  /// The category's key.
  public let category: String
  public let source: Source

  /// Who stands behind a label; the later cases outrank the earlier ones.
  public enum Source: String, CaseIterable, Comparable, Sendable {
    /// A pretended reader.
    case simulated
    /// The data file's own category.
    case file
    /// Someone at the keyboard, or another reader's file.
    case person

    public static func < (first: Source, second: Source) -> Bool { first.rank < second.rank }
    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  }

  /// The author of labels that come from the data file, which nobody else may be called.
  public static let fileAuthor = "file"

  public init(asset: Int, author: String, category: String, source: Source = .person) {
    self.asset = asset
    self.author = author
    self.category = category
    self.source = source
  }
}

extension Collection<Label> {
  /// Of an asset's labels those of the highest rank, which alone count.
  public var deciding: [Label] {
    let highest = map(\.source).max()
    return filter { $0.source == highest }
  }
}

/// Someone who labelled assets of a data set.
public struct Labeller: Equatable, Hashable, Sendable {
  public let author: String
  /// How many assets they labelled.
  public let labels: Int
}

/// What counts as right for a data set: people's labels before the file's own categories, and these before
/// simulated labels, in whatever order they were given.
///
/// Of several people the majority decides, likewise of several simulated readers. On a tie it is the category
/// of whoever among those who chose a tied one labelled first, by their first label in this data set.
public struct Truth: Equatable, Sendable {
  /// Category key by ``Asset/id``; an asset without label and without a category in the file has none.
  public let categories: [Int: String]
  /// Where they come from: those who decide, the highest rank first, with how many assets they decide.
  public let origins: [Origin]

  /// A rank of labels and what it decides.
  public struct Origin: Equatable, Sendable {
    public let source: Label.Source
    /// Who labelled those assets, the earliest first; for the file nobody, or ``Label/fileAuthor``.
    public let authors: [String]
    public let assets: Int

    public init(_ source: Label.Source, by authors: [String] = [], assets: Int) {
      self.source = source
      self.authors = authors
      self.assets = assets
    }
  }

  public var isEmpty: Bool { origins.isEmpty }
}

/// Which of an asset's labels counts.
public struct Verdict: Equatable, Sendable {
  /// The category that counts, by key.
  public let category: String
  public let source: Label.Source
  /// Whose labels were asked: all of the highest rank that the asset has, the earliest labeller first.
  public let authors: [String]
  /// How many of them chose the category, and the earliest who did.
  public let votes: Int
  public let decider: String
  /// Whether as many chose another one, so that the earliest labeller decided.
  public let isTie: Bool

  /// - Parameters:
  ///   - labels: an asset's labels.
  ///   - ranks: the place of each author among the data set's labellers, the earliest first.
  init?(_ labels: ArraySlice<Label>, ranks: [String: Int]) {
    // Nearly all assets have one label, and a data set may have hundreds of thousands.
    if labels.count == 1, let only = labels.first {
      (category, source, decider) = (only.category, only.source, only.author)
      (authors, votes, isTie) = ([only.author], 1, false)
      return
    }
    func rank(_ label: Label) -> Int { ranks[label.author] ?? .max }
    let voters = labels.deciding.sorted { rank($0) < rank($1) }
    let votes = Dictionary(grouping: voters, by: \.category)
    let most = votes.values.map(\.count).max() ?? 0
    // Voters stand in their order, so the first whose category has most votes is the earliest of them.
    guard let first = voters.first(where: { votes[$0.category]?.count == most }) else { return nil }
    category = first.category
    source = first.source
    authors = voters.map(\.author)
    decider = first.author
    self.votes = most
    isTie = votes.values.count { $0.count == most } > 1
  }
}

/// A text with the category that a model should learn for it.
public struct TrainingExample: Equatable, Hashable, Sendable {
  /// The asset's ``Asset/id``.
  public let asset: Int
  public let text: String
  /// The category's key.
  public let category: String

  package init(asset: Int, text: String, category: String) {
    (self.asset, self.text, self.category) = (asset, text, category)
  }
}
