import GRDB

/// What loading a file did.
public struct Loading: Equatable, Sendable {
  public let dataset: Dataset
  /// The file's categories, sorted by name.
  public let categories: [CategoryCount]
  /// The same file with the same options was there already: nothing was changed.
  public let isUnchanged: Bool
  /// Whether another data set of the name went.
  public let isReplacement: Bool
  /// Why rows were left out as bad, for the first few (show their ``LoadError/reason``); ``Dataset/skipped`` counts them all.
  public let reasons: [LoadError]
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
    var isReplacement = false
    if let existing = try dataset(named: file.name) {
      if existing.digest == file.digest, existing.options == file.options.canonical {
        try makeCurrent(existing)
        return Loading(
          dataset: existing, categories: try categories(of: existing), isUnchanged: true,
          isReplacement: false,
          reasons: [])
      }
      guard replacing else { throw refusal(of: file, besides: existing) }
      try remove(dataset: existing)
      isReplacement = true
    }
    var watch = Watch(total: file.size, isCancelled: isCancelled, progress: progress)
    let sample = try sample(of: file, &watch)
    let (id, rows) = try insertAssets(of: file, sample: sample?.ordinals, &watch)
    guard let dataset = try dataset(id: id) else {
      throw WorkspaceError.failed(folder: layout.name, number: 0)
    }
    try makeCurrent(dataset)
    return Loading(
      dataset: dataset, categories: try categories(of: dataset), isUnchanged: false,
      isReplacement: isReplacement, reasons: rows.reasons)
  }

  private func refusal(of file: AssetFile, besides existing: Dataset) -> LoadError {
    if existing.digest == file.digest {
      return .otherOptions(name: file.name, file: file.file, loaded: existing.options)
    }
    return existing.source == file.path
      ? .changed(name: file.name, file: file.file) : .nameTaken(name: file.name, file: file.file)
  }

  /// The pass that chooses a sample's rows; nil where all are kept.
  ///
  /// Ids that come twice must be found in rows that the sample leaves out too, else a file would be right or
  /// wrong by the seed. They are kept in a temporary table, which goes to the disk where it grows.
  private func sample(of file: AssetFile, _ watch: inout Watch) throws -> Sample? {
    let options = file.options
    guard let size = options.sample ?? options.perCategory else { return nil }
    try db.execute(
      sql: """
        DROP TABLE IF EXISTS temp.seen;
        CREATE TEMP TABLE seen (external_id TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID
        """)
    let see = try db.makeStatement(sql: "INSERT INTO temp.seen VALUES (?, ?) ON CONFLICT DO NOTHING")
    var groups: [String: Sample.Smallest] = [:]
    var rows = try file.rows()
    while let row = try rows.next() {
      try watch.tick(rows.bytesRead)
      try see.execute(arguments: [row.externalID, row.line])
      if db.changesCount == 0 {
        let first = try Int.fetchOne(
          db, sql: "SELECT line FROM temp.seen WHERE external_id = ?", arguments: [row.externalID])
        try rows.refuse(duplicate: row, firstLine: first ?? 0, in: file)
        continue
      }
      let group = options.perCategory == nil ? "" : CategoryKey.key(forName: row.category ?? "")
      let priority = Sample.priority(ofRow: row.ordinal, seed: options.seed)
      groups[group, default: Sample.Smallest(size: size)].offer(
        Sample.Kept(priority: priority, ordinal: row.ordinal))
    }
    try db.execute(sql: "DROP TABLE temp.seen")
    return Sample(
      groups.values.flatMap { group in
        var group = group
        return group.result()
      })
  }

  private func insertAssets(
    of file: AssetFile, sample: [Int]?, _ watch: inout Watch
  ) throws -> (dataset: Int, rows: AssetRows) {
    try db.execute(
      sql: """
        INSERT INTO datasets (name, digest, options, source, format, assets, categories, bytes, skipped)
        VALUES (?, ?, ?, ?, ?, 0, 0, 0, 0)
        """,
      arguments: [file.name, file.digest, file.options.canonical, file.path, file.format.name])
    let dataset = Int(db.lastInsertedRowID)
    var insert = try AssetInsertion(db, dataset: dataset)
    var tally = CategoryTally()
    var (assets, bytes) = (0, 0)
    var wanted = sample?.makeIterator()
    var nextWanted = wanted?.next()
    var rows = try file.rows()
    while let row = try rows.next() {
      try watch.tick(rows.bytesRead)
      if sample != nil {
        guard row.ordinal == nextWanted else { continue }
        nextWanted = wanted?.next()
      }
      let category = row.category.map { tally.number(of: $0) }
      guard tally.names.count <= Self.mostCategories else {
        throw LoadError.tooManyCategories(
          file: file.file, column: file.categoryColumn, limit: Self.mostCategories)
      }
      guard try insert(row, category: category) else {
        try rows.refuse(duplicate: row, firstLine: try insert.line(of: row.externalID), in: file)
        continue
      }
      if let category { tally.counts[category] += 1 }
      assets += 1
      bytes += row.text.utf8.count
    }
    guard assets > 0 else {
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
    return (dataset, rows)
  }
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

  /// False where the id is there already.
  mutating func callAsFunction(_ row: AssetRow, category: Int?) throws -> Bool {
    statement.setUncheckedArguments([dataset, row.externalID, row.line, category, row.text])
    try statement.execute()
    return db.changesCount > 0
  }

  func line(of externalID: String) throws -> Int {
    try Int.fetchOne(
      db, sql: "SELECT line FROM assets WHERE dataset_id = ? AND external_id = ?",
      arguments: [dataset, externalID]) ?? 0
  }
}

/// Numbers for category names as they come; names with one key are one category, called as it was first
/// spelled.
private struct CategoryTally {
  private(set) var names: [String] = []
  var counts: [Int] = []
  private var numberByName: [String: Int] = [:]
  private var numberByKey: [String: Int] = [:]

  mutating func number(of name: String) -> Int {
    if let number = numberByName[name] { return number }
    let key = CategoryKey.key(forName: name)
    let number = numberByKey[key] ?? names.count
    if number == names.count {
      names.append(name)
      counts.append(0)
      numberByKey[key] = number
    }
    numberByName[name] = number
    return number
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
