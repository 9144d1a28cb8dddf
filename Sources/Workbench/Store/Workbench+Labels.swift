import GRDB

extension Workbench {
  /// Keeps DEFAULT labels; one author's new label for an asset takes the place of the old.
  ///
  /// What a person gave stays under its author where a simulation would take its place.
  ///
  /// - Returns: how many were kept.
  @discardableResult
  public func insert(labels: [Label]) throws -> Int {
    let insert = try db.cachedStatement(
      sql: """
        INSERT INTO labels (asset_id, author, category, source) VALUES (?, ?, ?, ?)
        ON CONFLICT (asset_id, author) DO UPDATE SET category = excluded.category, source = excluded.source
        WHERE excluded.source = 'person' OR labels.source <> 'person'
        """)
    var kept = 0
    for label in labels {
      try insert.execute(
        arguments: [label.asset, label.author.storable, label.category, label.source.rawValue])
      kept += db.changesCount
    }
    return kept
  }

  /// Removes one author's labels of a data set; how many there were.
  @discardableResult
  public func removeLabels(of dataset: Dataset, by author: String) throws -> Int {
    try db.execute(
      sql: "DELETE FROM labels WHERE author = ? AND asset_id IN (SELECT id FROM assets WHERE dataset_id = ?)",
      arguments: [author, dataset.id])
    return db.changesCount
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
    return try Array(
      rows.map { row in
        Label(
          asset: row[0], author: row[1], category: row[2],
          source: Label.Source(rawValue: row[3]) ?? .person)
      })
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
    return Dictionary(rows.map { ($0[0], $0[1]) }, uniquingKeysWith: { first, _ in first })
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
    ).map { Labeller(author: $0[0], labels: $0[1]) }
  }

  /// What counts as right: see ``Truth``.
  public func truth(of dataset: Dataset) throws -> Truth {
    let authors = try labellers(of: dataset).map(\.author)
    var categories = try labelledTruth(of: dataset, authors: authors)
    let fromLabels = categories.count
    if fromLabels < dataset.assets {
      categories.merge(try fileCategories(of: dataset)) { label, _ in label }
    }
    return Truth(
      categories: categories, authors: authors, fromLabels: fromLabels,
      fromFile: categories.count - fromLabels)
  }

  /// The key of the category that the file gives an asset, by ``Asset/id``.
  public func fileCategories(of dataset: Dataset) throws -> [Int: String] {
    let interface = try interface()
    var keys: [Int: String] = [:]
    for row in try Row.fetchAll(
      db, sql: "SELECT number, name FROM categories WHERE dataset_id = ?", arguments: [dataset.id])
    {
      let name: String = row[1]
      keys[row[0]] = interface?.key(name) ?? CategoryKey.key(forName: name)
    }
    guard !keys.isEmpty else { return [:] }
    var categories: [Int: String] = [:]
    let rows = try Row.fetchCursor(
      db, sql: "SELECT id, category FROM assets WHERE dataset_id = ? AND category IS NOT NULL",
      arguments: [dataset.id])
    while let row = try rows.next() { categories[row[0]] = keys[row[1]] }
    return categories
  }

  /// The texts that DEFAULT labels say the category of, in file order, `UNABLE_TO_CLASSIFY` among them.
  public func trainingExamples(of dataset: Dataset) throws -> [TrainingExample] {
    let truth = try labelledTruth(of: dataset, authors: try labellers(of: dataset).map(\.author))
    guard !truth.isEmpty else { return [] }
    var examples: [TrainingExample] = []
    let rows = try Row.fetchCursor(
      db, sql: "SELECT id, text FROM assets WHERE dataset_id = ? ORDER BY id", arguments: [dataset.id])
    while let row = try rows.next() {
      guard let category = truth[row[0]] else { continue }
      examples.append(TrainingExample(asset: row[0], text: row[1], category: category))
    }
    return examples
  }

  private func labelledTruth(of dataset: Dataset, authors: [String]) throws -> [Int: String] {
    let ranks = Dictionary(uniqueKeysWithValues: authors.enumerated().map { ($1, $0) })
    var truth: [Int: String] = [:]
    var votes: [(category: String, rank: Int)] = []
    var voted: Int?
    func count() {
      guard let asset = voted else { return }
      truth[asset] = Self.majority(votes)
      votes.removeAll(keepingCapacity: true)
    }
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT asset_id, author, labels.category FROM assets JOIN labels ON labels.asset_id = assets.id
        WHERE dataset_id = ? ORDER BY asset_id
        """,
      arguments: [dataset.id])
    while let row = try rows.next() {
      if voted != row[0] {
        count()
        voted = row[0]
      }
      votes.append((row[2], ranks[row[1]] ?? .max))
    }
    count()
    return truth
  }

  private static func majority(_ votes: [(category: String, rank: Int)]) -> String? {
    var tally: [String: (votes: Int, rank: Int)] = [:]
    for vote in votes {
      let before = tally[vote.category] ?? (0, .max)
      tally[vote.category] = (before.votes + 1, min(before.rank, vote.rank))
    }
    // No two categories have one rank, so the order of a dictionary does not show.
    return tally.min { ($1.value.votes, $0.value.rank) < ($0.value.votes, $1.value.rank) }?.key
  }
}
