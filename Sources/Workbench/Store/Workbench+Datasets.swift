import GRDB

extension Workbench {
  static let datasetColumns =
    "id, name, digest, options, source, format, assets, categories, bytes, skipped"
  static let assetColumns = "assets.id, external_id, line, text, categories.name, assets.category"
  /// Assets with their categories' names.
  static let assetTables = """
    assets LEFT JOIN categories
      ON categories.dataset_id = assets.dataset_id AND categories.number = assets.category
    """

  /// All data sets in the order they were loaded.
  public func datasets() throws -> [Dataset] {
    try Row.fetchAll(db, sql: "SELECT \(Self.datasetColumns) FROM datasets ORDER BY id").map(Dataset.init)
  }

  public func dataset(named name: String) throws -> Dataset? {
    try Row.fetchOne(
      db, sql: "SELECT \(Self.datasetColumns) FROM datasets WHERE name = ?", arguments: [name]
    ).map(Dataset.init)
  }

  func dataset(id: Int) throws -> Dataset? {
    try Row.fetchOne(
      db, sql: "SELECT \(Self.datasetColumns) FROM datasets WHERE id = ?", arguments: [id]
    ).map(Dataset.init)
  }

  /// The data set that verbs speak of unless told otherwise: the last one loaded; nil where there is none.
  public func currentDataset() throws -> Dataset? {
    if let name = try setting("dataset"), let dataset = try dataset(named: name) { return dataset }
    return try Row.fetchOne(
      db, sql: "SELECT \(Self.datasetColumns) FROM datasets ORDER BY id DESC LIMIT 1"
    ).map(Dataset.init)
  }

  public func makeCurrent(_ dataset: Dataset) throws { try set("dataset", to: dataset.name) }

  /// Removes a data set with its assets, labels and predictions. Models trained on it stay.
  public func remove(dataset: Dataset) throws {
    try db.execute(sql: "DELETE FROM datasets WHERE id = ?", arguments: [dataset.id])
  }

  /// Assets in file order, from after one on.
  public func assets(of dataset: Dataset, after id: Int? = nil, limit: Int = .max) throws -> [Asset] {
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT \(Self.assetColumns) FROM \(Self.assetTables)
        WHERE assets.dataset_id = ? AND assets.id > ? ORDER BY assets.id LIMIT ?
        """,
      arguments: [dataset.id, id ?? 0, limit])
    return try Array(rows.map(Asset.init))
  }

  /// The asset that has an external id.
  public func asset(id externalID: String, in dataset: Dataset) throws -> Asset? {
    try Row.fetchOne(
      db,
      sql: """
        SELECT \(Self.assetColumns) FROM \(Self.assetTables)
        WHERE assets.dataset_id = ? AND external_id = ?
        """,
      arguments: [dataset.id, externalID]
    ).map(Asset.init)
  }

  /// The categories that the file gives, sorted by name, with how many assets have each.
  public func categories(of dataset: Dataset) throws -> [CategoryCount] {
    try Row.fetchAll(
      db, sql: "SELECT name, assets FROM categories WHERE dataset_id = ? ORDER BY name",
      arguments: [dataset.id]
    ).map { CategoryCount(name: try $0.text(0), count: try $0.count(1)) }
  }

  /// What the data files call a category, the first that was loaded; nil where none has it.
  public func fileName(ofCategory key: String) throws -> String? {
    try String.fetchAll(db, sql: "SELECT name FROM categories ORDER BY dataset_id, number")
      .first { CategoryKey.key(forName: $0) == key }
  }

  /// The categories of a data set that the interface lacks; empty where there is no interface yet.
  public func unknownCategories(of dataset: Dataset) throws -> [UnknownCategory] {
    guard let interface = try interface() else { return [] }
    return try categories(of: dataset)
      .filter { interface.category($0.name) == nil }
      .map { UnknownCategory(name: $0.name, count: $0.count, nearest: interface.nearest(to: $0.name)) }
  }
}

extension Dataset {
  /// - Throws: ``DamagedValue``.
  init(_ row: Row) throws {
    self.init(
      id: try row.count(0), name: try row.text(1), digest: try row.text(2), options: try row.text(3),
      source: try row.text(4), format: try row.text(5), assets: try row.count(6),
      categories: try row.count(7), bytes: try row.count(8), skipped: try row.count(9))
  }
}

extension Asset {
  /// - Throws: ``DamagedValue``, also where its category's number names nothing.
  init(_ row: Row) throws {
    let category = try row.optionalText(4)
    guard try (row.optionalCount(5) == nil) == (category == nil) else { throw DamagedValue() }
    self.init(
      id: try row.count(0), externalID: try row.text(1), line: try row.count(2), text: try row.text(3),
      category: category)
  }
}
