import Foundation
import GRDB

extension Workbench {
  /// Keeps DEFAULT labels; one author's new label for an asset takes the place of the old.
  ///
  /// What a person gave stays under its author where a simulation would take its place.
  public func insert(labels: [Label]) throws {
    let insert = try db.cachedStatement(
      sql: """
        INSERT INTO labels (asset_id, author, category, source, given) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (asset_id, author) DO UPDATE
        SET category = excluded.category, source = excluded.source, given = excluded.given
        WHERE excluded.source = 'person' OR labels.source <> 'person'
        """)
    let now = Self.milliseconds
    for label in labels {
      try insert.execute(
        arguments: [label.asset, label.author.storable, label.category, label.source.rawValue, now])
    }
  }

  /// Removes one label.
  public func removeLabel(of asset: Asset, by author: String) throws {
    try db.execute(
      sql: "DELETE FROM labels WHERE asset_id = ? AND author = ?", arguments: [asset.id, author.storable])
  }

  /// All DEFAULT labels of a data set, by asset in file order, then in the order they were first given.
  public func labels(of dataset: Dataset) throws -> [Label] {
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT asset_id, author, labels.category, labels.source
        FROM assets JOIN labels ON labels.asset_id = assets.id
        WHERE dataset_id = ? ORDER BY asset_id, labels.id
        """,
      arguments: [dataset.id])
    return try Array(rows.map(Label.init))
  }

  /// One author's labels of a data set: category key by ``Asset/id``.
  public func labels(of dataset: Dataset, by author: String) throws -> [Int: String] {
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT asset_id, labels.category FROM assets JOIN labels ON labels.asset_id = assets.id
        WHERE dataset_id = ? AND author = ?
        """,
      arguments: [dataset.id, author.storable])
    return Dictionary(
      try rows.map { (try $0.count(0), try $0.text(1)) }, uniquingKeysWith: { first, _ in first })
  }

  /// Who labelled a data set, the earliest by their first label first.
  public func labellers(of dataset: Dataset) throws -> [Labeller] {
    try Row.fetchAll(
      db,
      sql: """
        SELECT author, count(*) FROM assets JOIN labels ON labels.asset_id = assets.id
        WHERE dataset_id = ? GROUP BY author ORDER BY min(labels.id)
        """,
      arguments: [dataset.id]
    ).map { Labeller(author: try $0.text(0), labels: try $0.count(1)) }
  }

  /// What counts as right, the file's own category where nobody labelled: see ``Truth``.
  public func truth(of dataset: Dataset) throws -> Truth {
    try truth(of: dataset, verdicts: verdicts(of: dataset), unlabelled: fileCategories(of: dataset))
  }

  /// The same by labels alone: what a model learns from.
  public func labelledTruth(of dataset: Dataset) throws -> Truth {
    try truth(of: dataset, verdicts: verdicts(of: dataset), unlabelled: [:])
  }

  private func truth(
    of dataset: Dataset, verdicts: [Int: Verdict], unlabelled: [Int: String]
  ) throws -> Truth {
    let order = try labellers(of: dataset).map(\.author)
    var authors: [Label.Source: Set<String>] = [:]
    var assets: [Label.Source: Int] = [:]
    for verdict in verdicts.values {
      authors[verdict.source, default: []].formUnion(verdict.authors)
      assets[verdict.source, default: 0] += 1
    }
    let rest = unlabelled.filter { verdicts[$0.key] == nil }
    if !rest.isEmpty { assets[.file, default: 0] += rest.count }
    return Truth(
      categories: verdicts.mapValues(\.category).merging(rest) { label, _ in label },
      origins: Label.Source.allCases.reversed().compactMap { source in
        assets[source].map { count in
          Truth.Origin(
            source, by: order.filter { authors[source]?.contains($0) ?? false }, assets: count)
        }
      })
  }

  /// Which label counts for one asset; nil where it has none.
  public func verdict(of asset: Asset, in dataset: Dataset) throws -> Verdict? {
    let labels = try labels(of: asset)
    // Only where several decide is it asked who labelled first, among all labels of the data set.
    let authors = labels.count > 1 ? try labellers(of: dataset).map(\.author) : labels.map(\.author)
    return Verdict(
      labels[...], ranks: Dictionary(authors.enumerated().map { ($1, $0) }, uniquingKeysWith: min))
  }

  /// One asset's labels, in the order they were first given.
  public func labels(of asset: Asset) throws -> [Label] {
    try Row.fetchAll(
      db, sql: "SELECT asset_id, author, category, source FROM labels WHERE asset_id = ? ORDER BY id",
      arguments: [asset.id]
    ).map(Label.init)
  }

  /// Whether an asset has neither a label nor a category in the file.
  public func hasUnlabelled(_ dataset: Dataset) throws -> Bool {
    guard try categorised(in: dataset) < dataset.assets else { return false }
    return try Bool.fetchOne(
      db,
      sql: """
        SELECT EXISTS (
          SELECT 1 FROM assets WHERE dataset_id = ? AND category IS NULL
            AND NOT EXISTS (SELECT 1 FROM labels WHERE asset_id = assets.id))
        """,
      arguments: [dataset.id]) ?? false
  }

  /// How many assets have a category in the file.
  public func categorised(in dataset: Dataset) throws -> Int {
    try Row.fetchOne(
      db, sql: "SELECT sum(assets) FROM categories WHERE dataset_id = ?", arguments: [dataset.id]
    )?.optionalCount(0) ?? 0
  }

  /// Which label counts, for each asset that has any, by ``Asset/id``.
  public func verdicts(of dataset: Dataset) throws -> [Int: Verdict] {
    let authors = try labellers(of: dataset).map(\.author)
    let ranks = Dictionary(authors.enumerated().map { ($1, $0) }, uniquingKeysWith: min)
    var verdicts: [Int: Verdict] = [:]
    var rest = try labels(of: dataset)[...]
    while let first = rest.first {
      let own = rest.prefix { $0.asset == first.asset }
      verdicts[first.asset] = Verdict(own, ranks: ranks)
      rest = rest.dropFirst(own.count)
    }
    return verdicts
  }

  /// The key of the category that the file gives an asset, by ``Asset/id``.
  public func fileCategories(of dataset: Dataset) throws -> [Int: String] {
    let interface = try interface()
    var keys: [Int: String] = [:]
    for row in try Row.fetchAll(
      db, sql: "SELECT number, name FROM categories WHERE dataset_id = ?", arguments: [dataset.id])
    {
      let name = try row.text(1)
      keys[try row.count(0)] = interface?.key(name) ?? CategoryKey.key(forName: name)
    }
    var categories: [Int: String] = [:]
    let rows = try Row.fetchCursor(
      db, sql: "SELECT id, category FROM assets WHERE dataset_id = ? AND category IS NOT NULL",
      arguments: [dataset.id])
    while let row = try rows.next() {
      guard let key = keys[try row.count(1)] else { throw DamagedValue() }
      categories[try row.count(0)] = key
    }
    return categories
  }

  /// The texts that DEFAULT labels say the category of, in file order, `UNABLE_TO_CLASSIFY` among them.
  public func trainingExamples(of dataset: Dataset) throws -> [TrainingExample] {
    let verdicts = try verdicts(of: dataset)
    guard !verdicts.isEmpty else { return [] }
    var examples: [TrainingExample] = []
    let rows = try Row.fetchCursor(
      db, sql: "SELECT id, text FROM assets WHERE dataset_id = ? ORDER BY id", arguments: [dataset.id])
    while let row = try rows.next() {
      let asset = try row.count(0)
      guard let verdict = verdicts[asset] else { continue }
      examples.append(TrainingExample(asset: asset, text: try row.text(1), category: verdict.category))
    }
    return examples
  }
}

extension Label {
  /// - Throws: ``DamagedValue``.
  init(_ row: Row) throws {
    guard let source = Source(rawValue: try row.text(3)) else { throw DamagedValue() }
    self.init(asset: try row.count(0), author: try row.text(1), category: try row.text(2), source: source)
  }
}
