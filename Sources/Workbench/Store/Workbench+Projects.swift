import Foundation
import GRDB

/// A data set that came to `serve` text by text, as a project of Kili's platform: with an interface of its own, which the workspace's
/// leaves alone.
public struct Project: Equatable, Sendable, Identifiable {
  /// What clients call it.
  public var id: String
  /// The data set's ``Dataset/id``.
  public var dataset: Int
  public var title: String
  public var description: String
  /// Kili's JSON, as the client gave it.
  public var interface: String

  /// - Throws: ``WorkspaceError`` where another program has written what is no interface.
  public var categories: Interface {
    get throws {
      guard let interface = try? Interface(parsing: Data(interface.utf8), file: "jsonInterface") else {
        throw DamagedValue()
      }
      return interface
    }
  }
}

/// A project's text, but for the text itself.
public struct ProjectAsset: Equatable, Sendable, Identifiable {
  /// What clients call it, in any project.
  public var id: String
  /// The asset's ``Asset/id``.
  public var asset: Int
  public var externalID: String
  /// A JSON object, as the client gave it.
  public var metadata: String
  /// Milliseconds since 1970.
  public var created: Int
}

/// A text to put into a project.
public struct NewProjectAsset: Equatable, Sendable {
  public var id: String
  public var externalID: String
  public var text: String
  /// A JSON object.
  public var metadata: String

  public init(id: String, externalID: String, text: String, metadata: String = "{}") {
    (self.id, self.externalID, self.text, self.metadata) = (id, externalID, text, metadata)
  }
}

/// A label with when it was given.
public struct DatedLabel: Equatable, Sendable {
  /// Stays where its author changes their mind.
  public var id: Int
  public var label: Label
  /// Milliseconds since 1970; nil for one of an older workspace.
  public var given: Int?
}

extension Workbench {
  static var milliseconds: Int { Int(Date().timeIntervalSince1970 * 1000) }

  private static let projectColumns = "id, dataset_id, title, description, interface"

  /// Makes a project, and its data set under the title's name, or the next that is free. The interface becomes the workspace's where
  /// that has none.
  ///
  /// - Parameter interface: Kili's JSON.
  /// - Throws: ``InterfaceError``.
  public func insertProject(
    id: String, title: String, description: String, interface: String
  ) throws -> Project {
    let parsed = try Interface(parsing: Data(interface.utf8), file: "jsonInterface")
    let made = String(Name.make(from: title).prefix(90))
    let wanted = made.isEmpty ? Dataset.project : made
    let taken = Set(try datasets().map(\.name))
    var (name, number) = (wanted, 1)
    while taken.contains(name) {
      number += 1
      name = "\(wanted)-\(number)"
    }
    try db.execute(
      sql: """
        INSERT INTO datasets (name, digest, options, source, format, assets, categories, bytes, skipped)
        VALUES (?, '', '', '', ?, 0, 0, 0, 0)
        """, arguments: [name, Dataset.project])
    let project = Project(
      id: id, dataset: Int(db.lastInsertedRowID), title: title.storable, description: description.storable,
      interface: interface)
    try db.execute(
      sql: "INSERT INTO projects (\(Self.projectColumns)) VALUES (?, ?, ?, ?, ?)",
      arguments: [id, project.dataset, project.title, project.description, project.interface])
    if try self.interface() == nil { try set(interface: parsed) }
    return project
  }

  /// The oldest first.
  public func projects() throws -> [Project] {
    try Row.fetchAll(db, sql: "SELECT \(Self.projectColumns) FROM projects ORDER BY dataset_id")
      .map(Project.init)
  }

  public func project(_ id: String) throws -> Project? {
    try Row.fetchOne(db, sql: "SELECT \(Self.projectColumns) FROM projects WHERE id = ?", arguments: [id])
      .map(Project.init)
  }

  /// Nil for a data set that was read from a file.
  public func project(of dataset: Dataset) throws -> Project? {
    try Row.fetchOne(
      db, sql: "SELECT \(Self.projectColumns) FROM projects WHERE dataset_id = ?", arguments: [dataset.id]
    ).map(Project.init)
  }

  public func dataset(of project: Project) throws -> Dataset {
    guard let dataset = try dataset(id: project.dataset) else { throw DamagedValue() }
    return dataset
  }

  // MARK: - Texts

  /// All of a project, in the order they came in.
  public func assets(of project: Project) throws -> [ProjectAsset] {
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT project_assets.id, assets.id, external_id, metadata, created
        FROM assets JOIN project_assets ON asset_id = assets.id WHERE dataset_id = ? ORDER BY assets.id
        """, arguments: [project.dataset])
    return try Array(
      rows.map { row in
        ProjectAsset(
          id: try row.text(0), asset: try row.count(1), externalID: try row.text(2),
          metadata: try row.text(3), created: try row.optionalTime(4) ?? 0)
      })
  }

  /// Adds texts to a project; the caller has seen to it that both ids are new.
  public func insert(assets: [NewProjectAsset], into project: Project) throws {
    let now = Self.milliseconds
    var line = try dataset(of: project).assets
    for asset in assets {
      line += 1
      try db.execute(
        sql: "INSERT INTO assets (dataset_id, external_id, line, text) VALUES (?, ?, ?, ?)",
        arguments: [project.dataset, asset.externalID.storable, line, asset.text.storable])
      try db.execute(
        sql: "INSERT INTO project_assets (asset_id, id, metadata, created) VALUES (?, ?, ?, ?)",
        arguments: [db.lastInsertedRowID, asset.id.storable, asset.metadata.storable, now])
    }
    try db.execute(
      sql: "UPDATE datasets SET assets = assets + ?, bytes = bytes + ? WHERE id = ?",
      arguments: [assets.count, assets.reduce(0) { $0 + $1.text.utf8.count }, project.dataset])
  }

  /// The project that has an asset; nil where none has.
  public func project(ofAsset id: String) throws -> Project? {
    try Row.fetchOne(
      db,
      sql: """
        SELECT \(Self.projectColumns) FROM projects WHERE dataset_id =
          (SELECT dataset_id FROM assets WHERE id = (SELECT asset_id FROM project_assets WHERE id = ?))
        """, arguments: [id]
    ).map(Project.init)
  }

  public func text(ofProjectAsset id: String) throws -> String? {
    try Row.fetchOne(
      db, sql: "SELECT text FROM assets WHERE id = (SELECT asset_id FROM project_assets WHERE id = ?)",
      arguments: [id]
    )?.text(0)
  }

  // MARK: - Uploads

  /// Keeps a text until an asset takes it, for a day; one that was uploaded to the same place goes.
  public func insert(upload text: String, at path: String) throws {
    let now = Self.milliseconds
    try db.execute(sql: "DELETE FROM uploads WHERE created < ?", arguments: [now - 86_400_000])
    try db.execute(
      sql: "INSERT OR REPLACE INTO uploads (path, created, text) VALUES (?, ?, ?)",
      arguments: [path, now, text.storable])
  }

  public func upload(at path: String) throws -> String? {
    try Row.fetchOne(db, sql: "SELECT text FROM uploads WHERE path = ?", arguments: [path])?.text(0)
  }

  public func remove(upload path: String) throws {
    try db.execute(sql: "DELETE FROM uploads WHERE path = ?", arguments: [path])
  }

  // MARK: - Labels

  /// All DEFAULT labels of a data set, by asset in its order, then in the order they were first given.
  public func datedLabels(of dataset: Dataset) throws -> [DatedLabel] {
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT asset_id, author, labels.category, labels.source, labels.id, given
        FROM assets JOIN labels ON labels.asset_id = assets.id
        WHERE dataset_id = ? ORDER BY asset_id, labels.id
        """, arguments: [dataset.id])
    return try Array(
      rows.map { DatedLabel(id: try $0.count(4), label: try Label($0), given: try $0.optionalTime(5)) })
  }

  /// A run's predictions without their texts, in the data set's order.
  public func choices(of run: PredictionRun) throws -> [Prediction] {
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT asset_id, category, confidence, reason, answer FROM predictions
        WHERE run_id = ? ORDER BY asset_id
        """,
      arguments: [run.id])
    return try Array(
      rows.map { row in
        Prediction(
          asset: try row.count(0), category: try row.text(1), confidence: try row.optionalShare(2),
          reason: try row.optionalText(3), answer: try row.optionalText(4))
      })
  }

  /// Keeps what a model that is not asked here has predicted; a new prediction for an asset takes the place of the old. The model is
  /// the one that predicted last.
  ///
  /// - Throws: ``WorkspaceError/nameTaken(kind:name:)`` where a model of fettle's own has predicted the data set under that name.
  public func insert(given predictions: [Prediction], of model: String, over dataset: Dataset) throws
    -> PredictionRun
  {
    let model = model.storable
    if let run = try predictionRun(dataset: dataset, model: model), run.signature != PredictionRun.given {
      throw WorkspaceError.nameTaken(kind: "model", name: model)
    }
    let run = try beginRun(dataset: dataset, model: model, signature: PredictionRun.given)
    try insert(predictions: predictions, into: run)
    return try complete(run)
  }
}

extension Project {
  /// - Throws: ``DamagedValue``.
  fileprivate init(_ row: Row) throws {
    self.init(
      id: try row.text(0), dataset: try row.count(1), title: try row.text(2), description: try row.text(3),
      interface: try row.text(4))
  }
}
