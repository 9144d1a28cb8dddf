import GRDB

extension Workbench {
  private static let runColumns = """
    id, dataset_id, model, signature, finished IS NOT NULL,
    (SELECT count(*) FROM predictions WHERE run_id = runs.id)
    """

  /// The run of a model over a data set, complete or not; nil where it was never begun.
  public func predictionRun(dataset: Dataset, model: String) throws -> PredictionRun? {
    try Row.fetchOne(
      db, sql: "SELECT \(Self.runColumns) FROM runs WHERE dataset_id = ? AND model = ?",
      arguments: [dataset.id, model]
    ).map(PredictionRun.init)
  }

  /// The complete runs over a data set, the last one last.
  public func completeRuns(dataset: Dataset) throws -> [PredictionRun] {
    try Row.fetchAll(
      db,
      sql:
        "SELECT \(Self.runColumns) FROM runs WHERE dataset_id = ? AND finished IS NOT NULL ORDER BY finished",
      arguments: [dataset.id]
    ).map(PredictionRun.init)
  }

  /// The run of the model that predicted a data set last; nil where none has done all of it.
  public func lastCompleteRun(dataset: Dataset) throws -> PredictionRun? {
    try Row.fetchOne(
      db,
      sql: """
        SELECT \(Self.runColumns) FROM runs WHERE dataset_id = ? AND finished IS NOT NULL
        ORDER BY finished DESC LIMIT 1
        """,
      arguments: [dataset.id]
    ).map(PredictionRun.init)
  }

  /// The names of all models that have predicted something here, in full.
  public func predictedModels() throws -> [String] {
    try Row.fetchAll(db, sql: "SELECT DISTINCT model FROM runs WHERE finished IS NOT NULL ORDER BY model").map
    {
      try $0.text(0)
    }
  }

  /// Begins a run, or returns the one that is there to go on with. One that was made under another signature
  /// is thrown away first.
  ///
  /// - Parameter signature: what else decides the predictions: precision, threshold, the weights' digest.
  public func beginRun(dataset: Dataset, model: String, signature: String = "") throws -> PredictionRun {
    try db.execute(
      sql: "DELETE FROM runs WHERE dataset_id = ? AND model = ? AND signature <> ?",
      arguments: [dataset.id, model, signature])
    try db.execute(
      sql: "INSERT INTO runs (dataset_id, model, signature) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      arguments: [dataset.id, model, signature])
    guard let run = try predictionRun(dataset: dataset, model: model) else {
      throw WorkspaceError.runGone(model: model)
    }
    return run
  }

  /// Assets that a run has not predicted yet, in file order, from after one on: give the last one's id to
  /// look at none twice.
  ///
  /// Throws ``WorkspaceError/runGone(model:)`` when the run went meanwhile.
  public func nextUnpredicted(_ run: PredictionRun, after id: Int = 0, limit: Int) throws -> [Asset] {
    try check(run)
    return try Row.fetchAll(
      db,
      sql: """
        SELECT \(Self.assetColumns) FROM \(Self.assetTables)
        WHERE assets.dataset_id = ? AND assets.id > ?
          AND NOT EXISTS (SELECT 1 FROM predictions WHERE run_id = ? AND asset_id = assets.id)
        ORDER BY assets.id LIMIT ?
        """,
      arguments: [run.dataset, id, run.id, limit]
    ).map(Asset.init)
  }

  /// Keeps a batch of predictions. Throws ``WorkspaceError/runGone(model:)`` when the run went meanwhile.
  public func insert(predictions: [Prediction], into run: PredictionRun) throws {
    try check(run)
    let insert = try db.cachedStatement(
      sql: """
        INSERT INTO predictions VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET category = excluded.category, confidence = excluded.confidence,
          reason = excluded.reason, answer = excluded.answer
        """)
    for prediction in predictions {
      try insert.execute(arguments: [
        run.id, prediction.asset, prediction.category, prediction.confidence, prediction.reason?.storable,
        prediction.answer?.storable,
      ])
    }
  }

  /// Makes a run visible to whoever reads predictions, and its model the one that predicted last. Of a run
  /// that is complete already only the latter.
  ///
  /// Throws ``WorkspaceError/runGone(model:)`` when the run went meanwhile.
  @discardableResult
  public func complete(_ run: PredictionRun) throws -> PredictionRun {
    try check(run)
    try db.execute(
      sql: "UPDATE runs SET finished = 1 + (SELECT coalesce(max(finished), 0) FROM runs) WHERE id = ?",
      arguments: [run.id])
    return try Row.fetchOne(db, sql: "SELECT \(Self.runColumns) FROM runs WHERE id = ?", arguments: [run.id])
      .map(PredictionRun.init) ?? run
  }

  /// A run's predictions with their assets, in file order.
  public func predictions(of run: PredictionRun) throws -> [PredictedAsset] {
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT \(Self.assetColumns), predictions.category, confidence, reason, answer
        FROM predictions JOIN assets ON assets.id = asset_id LEFT JOIN categories
          ON categories.dataset_id = assets.dataset_id AND categories.number = assets.category
        WHERE run_id = ? ORDER BY asset_id
        """,
      arguments: [run.id])
    return try Array(
      rows.map { row in
        let asset = try Asset(row)
        return PredictedAsset(
          asset: asset,
          prediction: Prediction(
            asset: asset.id, category: try row.text(6), confidence: try row.optionalShare(7),
            reason: try row.optionalText(8),
            answer: try row.optionalText(9)))
      })
  }

  private func check(_ run: PredictionRun) throws {
    let isThere = try Bool.fetchOne(
      db,
      sql:
        "SELECT EXISTS (SELECT 1 FROM runs WHERE id = ? AND dataset_id = ? AND model = ? AND signature = ?)",
      arguments: [run.id, run.dataset, run.model, run.signature])
    guard isThere == true else { throw WorkspaceError.runGone(model: run.model) }
  }
}

extension PredictionRun {
  /// - Throws: ``DamagedValue``.
  init(_ row: Row) throws {
    self.init(
      id: try row.count(0), dataset: try row.count(1), model: try row.text(2), signature: try row.text(3),
      isComplete: try row.flag(4), predictions: try row.count(5))
  }
}
