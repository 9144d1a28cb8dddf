import GRDB

/// What loading a file did.
public struct Loading: Equatable, Sendable {
  public let dataset: Dataset
  /// The file's categories, sorted by name.
  public let categories: [CategoryCount]
  /// Repeated and contradictory texts.
  public let survey: TextSurvey
  /// What a map or a choice of categories left out.
  public let leftOut: LeftOut
  /// The same file with the same options was there already: nothing was changed.
  public let isUnchanged: Bool
  /// Whether another data set of the name went.
  public let isReplacement: Bool
  /// Why rows were left out as bad, for the first few (show their ``LoadError/reason``); ``Dataset/skipped`` counts them all.
  public let reasons: [LoadError]

  /// Assets without a category.
  public var unlabelled: Int { dataset.assets - categories.reduce(0) { $0 + $1.count } }
}

extension Workbench {
  /// More categories than this are rather texts.
  private static let mostCategories = 1000

  /// Reads a file into a data set and makes it the current one.
  ///
  /// The same file with the same options again changes nothing. With `replacing`, whatever has the data set's
  /// name goes first, with its labels and predictions. Throws ``LoadError``, and `CancellationError` when
  /// `isCancelled` says so; then nothing is kept. `progress` gets bytes read and bytes to read.
  public func load(
    _ file: AssetFile, replacing: Bool = false, isCancelled: @escaping () -> Bool = { false },
    progress: @escaping (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws -> Loading {
    var watch = Watch(total: file.size, isCancelled: isCancelled, progress: progress)
    var isReplacement = false
    if let existing = try dataset(named: file.name) {
      if existing.digest == file.digest, existing.options == file.options.canonical {
        try makeCurrent(existing)
        return Loading(
          dataset: existing, categories: try categories(of: existing), survey: try survey(of: existing),
          leftOut: file.options.needingCategories == nil ? LeftOut() : try choose(from: file, &watch).leftOut,
          isUnchanged: true, isReplacement: false, reasons: [])
      }
      guard replacing else { throw refusal(of: file, besides: existing) }
      try remove(dataset: existing)
      isReplacement = true
    }
    let choice = file.options.isSample ? try choose(from: file, &watch) : nil
    let inserted = try insertAssets(of: file, chosen: choice?.ordinals, &watch)
    guard let dataset = try dataset(id: inserted.dataset) else {
      throw WorkspaceError.failed(folder: layout.name, number: 0)
    }
    try makeCurrent(dataset)
    return Loading(
      dataset: dataset, categories: try categories(of: dataset), survey: try surveyed(inserted.texts),
      leftOut: choice?.leftOut ?? inserted.leftOut, isUnchanged: false, isReplacement: isReplacement,
      reasons: inserted.reasons)
  }

  private func refusal(of file: AssetFile, besides existing: Dataset) -> LoadError {
    if existing.digest == file.digest {
      return .otherOptions(name: file.name, file: file.file, loaded: existing.options)
    }
    return existing.source == file.path
      ? .changed(name: file.name, file: file.file) : .nameTaken(name: file.name, file: file.file)
  }

  /// Which rows a sample keeps, and what its categories left out.
  private struct Choice {
    var ordinals: [Int]
    var leftOut: LeftOut
  }

  /// The pass over a file that chooses a sample's rows.
  ///
  /// Ids that come twice must be found in rows that the sample leaves out too, else a file would be right or
  /// wrong by the seed. They are kept in a temporary table, which goes to the disk where it grows.
  private func choose(from file: AssetFile, _ watch: inout Watch) throws -> Choice {
    let options = file.options
    let size = options.sample ?? options.perCategory ?? 1
    let seen = file.hasIdentifiers ? try SeenIdentifiers(db) : nil
    var tally = CategoryTally(options)
    var groups: [Int: Sample.Smallest] = [:]
    var rows = try file.rows()
    while let row = try rows.next() {
      try watch.tick(rows.bytesRead)
      if let first = try seen?.firstLine(of: row) {
        try rows.refuse(duplicate: row, firstLine: first, in: file)
        continue
      }
      let group: Int
      switch tally.place(row.category) {
      case .category(let number): group = options.perCategory == nil ? 0 : number
      case .unlabelled: group = 0
      case .byMap, .byOnly, .withoutCategory: continue
      }
      if options.perCategory != nil { try check(tally, file) }
      groups[group, default: Sample.Smallest(size: size)].offer(
        Sample.Kept(priority: Sample.priority(ofRow: row.ordinal, seed: options.seed), ordinal: row.ordinal))
    }
    try seen?.forget()
    let leftOut = try tally.concluded(file)
    if groups.isEmpty, leftOut.rows > 0 { throw LoadError.allLeftOut(file: file.file, rows: leftOut.rows) }
    let kept = groups.values.flatMap { group in
      var group = group
      return group.result()
    }
    return Choice(ordinals: Sample(kept).ordinals, leftOut: leftOut)
  }

  private func check(_ tally: CategoryTally, _ file: AssetFile) throws {
    guard tally.names.count > Self.mostCategories else { return }
    throw LoadError.tooManyCategories(
      file: file.file, column: file.categoryColumn, limit: Self.mostCategories)
  }

  private struct Inserted {
    var dataset: Int
    var texts: TextTally
    var leftOut: LeftOut
    var reasons: [LoadError]
  }

  /// - Parameter chosen: the numbers of a sample's rows, ascending; nil for all.
  private func insertAssets(
    of file: AssetFile, chosen: [Int]?, _ watch: inout Watch
  ) throws -> Inserted {
    try db.execute(
      sql: """
        INSERT INTO datasets (name, digest, options, source, format, assets, categories, bytes, skipped)
        VALUES (?, ?, ?, ?, ?, 0, 0, 0, 0)
        """,
      arguments: [file.name, file.digest, file.options.canonical, file.path, file.format.name])
    let dataset = Int(db.lastInsertedRowID)
    var insert = try AssetInsertion(db, dataset: dataset)
    var tally = CategoryTally(file.options)
    var texts = TextTally()
    var (assets, bytes) = (0, 0)
    var wanted = chosen?.makeIterator()
    var nextWanted = wanted?.next()
    var rows = try file.rows()
    while let row = try rows.next() {
      try watch.tick(rows.bytesRead)
      if chosen != nil {
        guard row.ordinal == nextWanted else { continue }
        nextWanted = wanted?.next()
      }
      let category: Int?
      switch tally.place(row.category) {
      case .category(let number): category = number
      case .unlabelled: category = nil
      case .byMap, .byOnly, .withoutCategory: continue
      }
      try check(tally, file)
      guard let asset = try insert(row, category: category) else {
        try rows.refuse(duplicate: row, firstLine: try insert.line(of: row.externalID), in: file)
        continue
      }
      if let category { tally.counts[category] += 1 }
      texts.add(row.text, asset: asset, category: category)
      assets += 1
      bytes += row.text.utf8.count
    }
    // Of a sample it is known already.
    let leftOut = chosen == nil ? try tally.concluded(file) : LeftOut()
    guard assets > 0 else {
      if leftOut.rows > 0 { throw LoadError.allLeftOut(file: file.file, rows: leftOut.rows) }
      throw rows.reasons.first.map {
        LoadError.allBad(file: file.file, rows: rows.skipped, first: $0.reason)
      } ?? LoadError.empty(file: file.file)
    }
    let used = tally.counts.indices.filter { tally.counts[$0] > 0 }
    for number in used {
      try db.execute(
        sql: "INSERT INTO categories VALUES (?, ?, ?, ?)",
        arguments: [dataset, number, tally.names[number], tally.counts[number]])
    }
    try db.execute(
      sql: "UPDATE datasets SET assets = ?, categories = ?, bytes = ?, skipped = ? WHERE id = ?",
      arguments: [assets, used.count, bytes, rows.skipped, dataset])
    return Inserted(dataset: dataset, texts: texts, leftOut: leftOut, reasons: rows.reasons)
  }

  /// Repeated and contradictory texts of a data set.
  public func survey(of dataset: Dataset) throws -> TextSurvey {
    var texts = TextTally()
    let rows = try Row.fetchCursor(
      db, sql: "SELECT id, category, text FROM assets WHERE dataset_id = ? ORDER BY id",
      arguments: [dataset.id])
    while let row = try rows.next() { texts.add(row[2], asset: row[0], category: row[1]) }
    return try surveyed(texts)
  }

  private func surveyed(_ texts: TextTally) throws -> TextSurvey {
    var survey = texts.survey
    survey.contradictions = try texts.contradictions.map { try $0.compactMap(asset(number:)) }
    return survey
  }

  private func asset(number: Int) throws -> Asset? {
    try Row.fetchOne(
      db, sql: "SELECT \(Self.assetColumns) FROM \(Self.assetTables) WHERE assets.id = ?", arguments: [number]
    ).map(Asset.init)
  }
}

extension LoadOptions {
  /// Whether a pass over the file has to choose the rows first.
  fileprivate var isSample: Bool { sample != nil || perCategory != nil }
}

extension AssetRows {
  /// A row whose id was there before: leaves it out where bad rows are left out, else throws.
  fileprivate mutating func refuse(duplicate row: AssetRow, firstLine: Int, in file: AssetFile) throws {
    let error = LoadError.duplicateIdentifier(
      file: file.file, identifier: row.externalID, line: row.line, firstLine: firstLine)
    guard file.options.skipBad else { throw error }
    skip(error)
  }
}

/// The ids that a pass over a file has met, in a temporary table.
private struct SeenIdentifiers {
  private let db: Database
  private let insert: Statement

  init(_ db: Database) throws {
    self.db = db
    try db.execute(
      sql: """
        DROP TABLE IF EXISTS temp.seen;
        CREATE TEMP TABLE seen (external_id TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID
        """)
    insert = try db.makeStatement(sql: "INSERT INTO temp.seen VALUES (?, ?) ON CONFLICT DO NOTHING")
  }

  /// The line on which the row's id stood before; nil for a new one.
  func firstLine(of row: AssetRow) throws -> Int? {
    try insert.execute(arguments: [row.externalID, row.line])
    guard db.changesCount == 0 else { return nil }
    return try Int.fetchOne(
      db, sql: "SELECT line FROM temp.seen WHERE external_id = ?", arguments: [row.externalID]) ?? 0
  }

  func forget() throws { try db.execute(sql: "DROP TABLE temp.seen") }
}

/// The prepared statement that inserts one asset.
private struct AssetInsertion {
  private let db: Database
  private let dataset: Int
  private let statement: Statement

  init(_ db: Database, dataset: Int) throws {
    self.db = db
    self.dataset = dataset
    statement = try db.makeStatement(
      sql: """
        INSERT INTO assets (dataset_id, external_id, line, category, text) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO NOTHING
        """)
  }

  /// The new asset's ``Asset/id``; nil where the id in the file is there already.
  mutating func callAsFunction(_ row: AssetRow, category: Int?) throws -> Int? {
    statement.setUncheckedArguments([dataset, row.externalID, row.line, category, row.text])
    try statement.execute()
    return db.changesCount > 0 ? Int(db.lastInsertedRowID) : nil
  }

  func line(of externalID: String) throws -> Int {
    try Int.fetchOne(
      db, sql: "SELECT line FROM assets WHERE dataset_id = ? AND external_id = ?",
      arguments: [dataset, externalID]) ?? 0
  }
}

/// Asks for cancellation and says how far it is, once in many rows.
private struct Watch {
  let total: Int
  let isCancelled: () -> Bool
  let progress: (Int, Int) -> Void
  private var rows = 0

  init(total: Int, isCancelled: @escaping () -> Bool, progress: @escaping (Int, Int) -> Void) {
    self.total = total
    self.isCancelled = isCancelled
    self.progress = progress
  }

  mutating func tick(_ done: Int) throws {
    rows += 1
    guard rows % 1024 == 0 else { return }
    if isCancelled() { throw CancellationError() }
    progress(done, total)
  }
}
