/// Which columns of a table (or keys of JSON objects) hold what, as indices into their names.
struct Columns: Equatable, Sendable {
  let names: [String]
  let identifier: Int?
  let text: Int
  /// A second part of the text: the News Category Dataset's `short_description`.
  let description: Int?
  let category: Int?
  /// Who chose the category, in a file of labels.
  let author: Int?

  /// Names that people give these columns, the likeliest first; compared without case and with `_` for
  /// blanks.
  private static let identifiers = ["id", "external_id"]
  private static let texts = [
    "text", "headline", "title", "content", "sentence", "message", "review", "body", "comment", "document",
  ]
  private static let descriptions = ["headline": "short_description", "title": "description"]
  private static let categories = ["category", "label", "class", "topic", "intent", "sentiment", "target"]
  private static let authors = ["author", "labeller", "labeler", "annotator", "reader"]
  /// Columns that nobody would take for the category.
  private static let harmless: Set = [
    "", "index", "unnamed:_0", "link", "url", "author", "authors", "date", "time", "timestamp", "source",
    "lang", "language", "created_at", "length",
  ]

  /// Whether a table's header can be told by its names.
  static func recognise(_ names: [String], _ options: LoadOptions) -> Bool {
    let known = names.map(normalise)
    let asked = [options.textColumn, options.categoryColumn].compactMap { $0 }.map(normalise)
    return known.contains(where: texts.contains) || asked.contains(where: known.contains)
  }

  /// Throws ``LoadError`` when a column that was asked for is not there, and when there is no telling which
  /// is which.
  init(_ names: [String], file: String, line: Int, options: LoadOptions) throws {
    let known = names.map(Self.normalise)
    func find(_ candidates: [String]) -> Int? {
      candidates.lazy.compactMap { known.firstIndex(of: $0) }.first
    }
    func asked(_ wanted: String, _ role: LoadError.Column) throws -> Int {
      if let index = names.firstIndex(of: wanted) ?? known.firstIndex(of: Self.normalise(wanted)) {
        return index
      }
      let nearest = names.min { editDistance($0, wanted) < editDistance($1, wanted) }
      let isNear = nearest.map { editDistance($0, wanted) * 2 <= wanted.count } ?? false
      throw LoadError.noSuchColumn(
        file: file, role: role, wanted: wanted, found: names, nearest: isNear ? nearest : nil)
    }

    self.names = names
    identifier = find(Self.identifiers)
    author = find(Self.authors)
    if let wanted = options.textColumn {
      text = try asked(wanted, .text)
      description = nil
    } else {
      guard let found = find(Self.texts) else {
        throw LoadError.missingColumn(file: file, line: line, role: .text, found: names)
      }
      text = found
      description = Self.descriptions[known[found]].flatMap { known.firstIndex(of: $0) }
    }
    let used = [identifier, text, description]
    if let wanted = options.categoryColumn {
      category = wanted == "none" && !known.contains("none") ? nil : try asked(wanted, .category)
    } else if let found = find(Self.categories) {
      category = found
    } else {
      // A column that might be the category is asked about; a file of texts alone just loads.
      let others = names.indices.filter { !used.contains($0) && !Self.harmless.contains(known[$0]) }
      guard others.isEmpty else {
        throw LoadError.missingColumn(file: file, line: line, role: .category, found: names)
      }
      category = nil
    }
  }

  private static func normalise(_ name: String) -> String {
    name.trimmingBlanks.lowercased().replacing(" ", with: "_")
  }
}
