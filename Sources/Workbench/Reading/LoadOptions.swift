/// How a data file is to be read.
public struct LoadOptions: Equatable, Sendable {
  /// The data set's name; nil for the file's name without its extension.
  public var name: String?
  /// The columns (JSON lines: the keys) of the text, joined in this order; none to recognise them. A column is
  /// named, or given by its number from 1 or by a beginning that only one has.
  public var textColumns: [String]
  /// The column of the category, `none` for texts without; nil to recognise it.
  public var categoryColumn: String?
  /// Leave bad rows out instead of refusing the file.
  public var skipBad: Bool
  /// Whether a row without a category is bad, as it is in a file of labels.
  public var needsCategories: Bool
  /// Keep only the rows of these categories, by name; all where there are none.
  public var only: [String]
  /// New names for the file's categories; ``only`` speaks of the new ones.
  public var map: CategoryMap?
  /// Keep so many rows.
  public var sample: Int?
  /// Keep so many rows of each category.
  public var perCategory: Int?
  /// Decides which rows a sample keeps.
  public var seed: UInt64

  public init(
    name: String? = nil, textColumns: [String] = [], categoryColumn: String? = nil, skipBad: Bool = false,
    needsCategories: Bool = false, only: [String] = [], map: CategoryMap? = nil, sample: Int? = nil,
    perCategory: Int? = nil, seed: UInt64 = 42
  ) {
    self.name = name
    self.textColumns = textColumns
    self.categoryColumn = categoryColumn
    self.skipBad = skipBad
    self.needsCategories = needsCategories
    self.only = only
    self.map = map
    self.sample = sample
    self.perCategory = perCategory
    self.seed = seed
  }

  /// What decides which assets come of a file, in one line: with the file's digest, the identity of a data
  /// set. Of a map it has the first 16 digits of its digest.
  public var canonical: String {
    var parts = textColumns.map { "text=\($0)" }
    if let categoryColumn { parts.append("category=\(categoryColumn)") }
    if skipBad { parts.append("skip-bad") }
    if let map { parts.append("map=\(map.digest.prefix(16))") }
    if !only.isEmpty {
      parts.append("only=\(only.map(CategoryKey.key(forName:)).sorted().joined(separator: ","))")
    }
    if let sample { parts.append("sample=\(sample)") }
    if let perCategory { parts.append("per-category=\(perCategory)") }
    if sample != nil || perCategory != nil { parts.append("seed=\(seed)") }
    return parts.joined(separator: " ")
  }

  /// What chooses among the rows by their categories, as it is typed; nil where nothing does.
  var needingCategories: String? {
    if perCategory != nil { return "--per-category" }
    if map != nil { return "--map" }
    return only.isEmpty ? nil : "--only"
  }

  func check() throws {
    if sample != nil, perCategory != nil {
      throw LoadError.badOption("Choose one of --sample and --per-category.")
    }
    if let sample, sample < 1 {
      throw LoadError.badOption("--sample takes a number from 1 on, not \(sample).")
    }
    if let perCategory, perCategory < 1 {
      throw LoadError.badOption("--per-category takes a number from 1 on, not \(perCategory).")
    }
    if let name, !Name.isValid(name) { throw LoadError.badName(name: name) }
  }
}

/// Names of data sets and models: what can be typed as one word and is a file name everywhere.
package enum Name {
  package static func isValid(_ name: String) -> Bool {
    (1...100).contains(name.count) && name.first != "." && name.first != "-"
      && name.allSatisfy { $0.isLetter || $0.isNumber || "-_.".contains($0) }
  }

  /// A name made of a file's: what no name may have becomes `-`.
  package static func make(from file: String) -> String {
    let made = file.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "-" }.prefix(100)
    return String(made.drop { $0 == "." || $0 == "-" })
  }
}
