/// A person's (or the simulated person's) choice of category for an asset: a DEFAULT label in Kili's terms.
public struct Label: Equatable, Hashable, Sendable {
  /// The asset's ``Asset/id``.
  public let asset: Int
  public let author: String
  /// The category's key.
  public let category: String
  public let source: Source

  /// Who stands behind a label; the later cases outrank the earlier ones.
  public enum Source: String, CaseIterable, Sendable {
    /// A pretended reader.
    case simulated
    /// The data file's own category.
    case file
    /// Someone at the keyboard, or another reader's file.
    case person
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

/// Someone who labelled assets of a data set.
public struct Labeller: Equatable, Hashable, Sendable {
  public let author: String
  /// How many assets they labelled.
  public let labels: Int
}

/// What counts as right for a data set: the DEFAULT labels, else the file's own categories.
///
/// An asset's truth is the category that most of its labellers chose. On a tie it is the one chosen by the
/// earliest labeller among those who chose a tied category, earliest by their first label in this data set.
public struct Truth: Equatable, Sendable {
  /// Category key by ``Asset/id``; an asset without label and without a category in the file has none.
  public let categories: [Int: String]
  /// Who labelled, the earliest first.
  public let authors: [String]
  /// Assets whose truth comes from labels.
  public let fromLabels: Int
  /// Assets whose truth comes from the file.
  public let fromFile: Int

  /// Where the truth comes from, for a report's first line.
  public enum Source: Equatable, Sendable {
    case labels(by: [String])
    case file
    /// Some assets are labelled, for the others the file's own category stands.
    case both(by: [String], labelled: Int, fromFile: Int)
    case none
  }

  public var source: Source {
    switch (fromLabels > 0, fromFile > 0) {
    case (true, true): .both(by: authors, labelled: fromLabels, fromFile: fromFile)
    case (true, false): .labels(by: authors)
    case (false, true): .file
    case (false, false): .none
    }
  }
}

/// A text with the category that a model should learn for it.
public struct TrainingExample: Equatable, Hashable, Sendable {
  /// The asset's ``Asset/id``.
  public let asset: Int
  public let text: String
  /// The category's key.
  public let category: String
}
