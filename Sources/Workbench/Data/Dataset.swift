/// A named set of assets, read from one file with one choice of options.
public struct Dataset: Equatable, Hashable, Sendable, Identifiable {
  public let id: Int
  /// What the learner calls it; the file's name without its extension unless chosen.
  public let name: String
  /// SHA-256 of the file's bytes, 64 hexadecimal digits.
  public let digest: String
  /// The options it was read with, in one canonical line (`sample=100 seed=42`); empty for none.
  public let options: String
  /// The file's path, absolute. For telling files apart, never for a report.
  public let source: String
  /// `CSV`, `JSON lines`, `text|CATEGORY` or ``project``.
  public let format: String
  /// How many assets it has.
  public let assets: Int
  /// How many different categories the file gives them; 0 when it gives none.
  public let categories: Int
  /// UTF-8 bytes of all texts together.
  public let bytes: Int
  /// Bad rows that `--skip-bad` left out.
  public let skipped: Int

  /// The format of a data set that no file was read into: its texts came to `serve`, and its digest and source are empty.
  public static let project = "project"
  public var isProject: Bool { format == Self.project }

  package init(
    id: Int, name: String, digest: String, options: String, source: String, format: String, assets: Int,
    categories: Int, bytes: Int, skipped: Int
  ) {
    self.id = id
    self.name = name
    self.digest = digest
    self.options = options
    self.source = source
    self.format = format
    self.assets = assets
    self.categories = categories
    self.bytes = bytes
    self.skipped = skipped
  }
}

/// One text to classify.
public struct Asset: Equatable, Hashable, Sendable, Identifiable {
  /// Unique in the workspace; within a data set it grows in file order.
  public let id: Int
  /// The file's own id, or `text_N` with N the row's number in the file, from 0. Unique in its data set.
  public let externalID: String
  /// The physical line of the file on which its row begins.
  public let line: Int
  /// The text as the file has it; show it through ``Swift/String/visible``.
  public let text: String
  /// The file's own category, in the first spelling that the file has for it.
  public let category: String?

  package init(id: Int, externalID: String, line: Int, text: String, category: String?) {
    self.id = id
    self.externalID = externalID
    self.line = line
    self.text = text
    self.category = category
  }
}

/// How often a data set's file uses a category.
public struct CategoryCount: Equatable, Hashable, Sendable {
  /// As the file writes it (its first spelling).
  public let name: String
  public let count: Int

  public init(name: String, count: Int) {
    self.name = name
    self.count = count
  }
}

/// A category of a data set that the interface lacks.
public struct UnknownCategory: Equatable, Sendable {
  /// As the file writes it.
  public let name: String
  /// How many assets have it.
  public let count: Int
  /// The interface's category that is spelled most like it.
  public let nearest: Interface.Category?
}
