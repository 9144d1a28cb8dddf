import Basics
import Foundation
import GRDB

extension Workbench {
  /// The embedded model's name, which no tuned one can have.
  public static let baseModel = "base"

  private static let modelColumns = """
    name, base, method, dataset, examples, options, folder, bytes, categories, final_loss, held_out_accuracy,
    base_digest, taught
    """

  /// All tuned models, the oldest first.
  public func models() throws -> [TunedModel] {
    try Row.fetchAll(db, sql: "SELECT \(Self.modelColumns) FROM models ORDER BY id").map(TunedModel.init)
  }

  public func model(named name: String) throws -> TunedModel? {
    try Row.fetchOne(
      db, sql: "SELECT \(Self.modelColumns) FROM models WHERE name = ?", arguments: [name]
    ).map(TunedModel.init)
  }

  /// The name for a model that gets none: `tuned-1`, or one more than the highest there is.
  public func nextModelName() throws -> String {
    let numbers = try models().compactMap { model in
      model.name.hasPrefix("tuned-") ? Int(model.name.dropFirst("tuned-".count)) : nil
    }
    return "tuned-\((numbers.max() ?? 0) + 1)"
  }

  /// Throws ``WorkspaceError`` where a model cannot be named so, or another one is.
  public func checkModelName(_ name: String) throws {
    guard Name.isValid(name), name != Self.baseModel else {
      throw WorkspaceError.badName(kind: "model", name: name)
    }
    let isEncoder = try chosenBase()?.name == name || encoders().contains { $0.name == name }
    guard try model(named: name) == nil, !isEncoder else {
      throw WorkspaceError.nameTaken(kind: "model", name: name)
    }
  }

  /// Keeps a model's row; `texts` are what it was trained on, to which those of its base are added.
  ///
  /// Its folder must lie in place: see ``ModelFolder``. Throws ``WorkspaceError/nameTaken(kind:name:)``.
  public func insert(model: TunedModel, trainedOn texts: some Sequence<TextDigest>) throws {
    try checkModelName(model.name)
    let categories = "[" + model.categories.map(\.jsonQuoted).joined(separator: ",") + "]"
    try db.execute(
      sql: "INSERT INTO models (\(Self.modelColumns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      arguments: [
        model.name, model.base, model.method, model.dataset, model.examples, model.options, model.folder,
        model.bytes, categories, model.finalLoss, model.heldOutAccuracy, model.baseDigest,
        model.taught,
      ])
    let id = db.lastInsertedRowID
    // Copied, not looked up later: the base may be removed and its texts were seen all the same.
    try db.execute(
      sql: """
        INSERT INTO training_texts SELECT ?, digest FROM training_texts
        WHERE model_id = (SELECT id FROM models WHERE name = ?)
        """,
      arguments: [id, model.base])
    let insert = try db.cachedStatement(
      sql: "INSERT INTO training_texts VALUES (?, ?) ON CONFLICT DO NOTHING")
    for text in texts { try insert.execute(arguments: [id, text.data]) }
  }

  /// Removes a model's row and its predictions. Its folder is the caller's to remove, once this is committed.
  public func remove(model: TunedModel) throws {
    // A language model's other ways of being asked have names of their own: tuned-1+decide.
    try db.execute(
      sql:
        "DELETE FROM runs WHERE (model = ?1 OR substr(model, 1, length(?1) + 1) = ?1 || '+') AND signature <> ?2",
      arguments: [model.name, PredictionRun.given])
    try db.execute(sql: "DELETE FROM models WHERE name = ?", arguments: [model.name])
  }

  /// The texts that a model has seen in training, those of its bases included; empty for `base`.
  public func trainingTexts(of model: String) throws -> Set<TextDigest> {
    let rows = try Row.fetchCursor(
      db,
      sql: "SELECT digest FROM training_texts WHERE model_id = (SELECT id FROM models WHERE name = ?)",
      arguments: [model])
    return try Set(rows.map { try TextDigest($0.data(0)) })
  }
}

// MARK: - The base

extension Workbench {
  private static let baseKey = "base"

  /// The encoder that `base` was made to be here; nil where it is still what the workspace began with.
  public func chosenBase() throws -> EncoderReference? {
    guard let words = try setting(Self.baseKey)?.split(separator: " "), words.count == 2 else { return nil }
    return EncoderReference(name: String(words[1]), digest: String(words[0]))
  }

  /// Makes another encoder `base`. What the one before has predicted is kept under its own name, and what this one has predicted
  /// under its name is the base's from now on.
  ///
  /// - Parameters:
  ///   - encoder: one with a name.
  ///   - before: what `base` was; nil where nobody knows.
  /// - Throws: ``WorkspaceError/nameTaken(kind:name:)`` where a tuned model is called so.
  public func choose(base encoder: EncoderReference, insteadOf before: EncoderReference?) throws {
    let name = encoder.name ?? ""
    guard Name.isValid(name), name != Self.baseModel else {
      throw WorkspaceError.badName(kind: "model", name: name)
    }
    guard try model(named: name) == nil else { throw WorkspaceError.nameTaken(kind: "model", name: name) }
    if before?.digest != encoder.digest {
      if let old = before?.name, old != name, try model(named: old) == nil {
        try db.execute(
          sql: "UPDATE OR REPLACE runs SET model = ? WHERE model = ?", arguments: [old, Self.baseModel])
      } else {
        try db.execute(sql: "DELETE FROM runs WHERE model = ?", arguments: [Self.baseModel])
      }
      try db.execute(
        sql: "UPDATE runs SET model = ? WHERE model = ?", arguments: [Self.baseModel, name])
    }
    try set(Self.baseKey, to: "\(encoder.digest) \(name)")
  }

  /// The encoders that tuned models here stand on, as far as they have a name.
  public func encoders() throws -> [EncoderReference] {
    var seen: Set<EncoderReference> = []
    return try models().compactMap(\.encoder).filter { $0.name != nil && seen.insert($0).inserted }
  }
}

extension TunedModel {
  /// - Throws: ``DamagedValue``, also where its folder would lie elsewhere: removing it removes the folder.
  init(_ row: Row) throws {
    let json = Array(try row.text(8).utf8)
    let elements = json.withUnsafeBufferPointer { try? JSONNode(reading: $0).elements }
    guard let elements, case let categories = elements.compactMap(\.string),
      categories.count == elements.count, Name.isValid(try row.text(0)), Name.isValid(try row.text(6))
    else { throw DamagedValue() }
    self.init(
      name: try row.text(0), base: try row.text(1), baseDigest: try row.optionalText(11),
      method: try row.text(2), dataset: try row.text(3), examples: try row.count(4),
      options: try row.text(5), folder: try row.text(6), bytes: try row.count(7), categories: categories,
      finalLoss: try row.optionalNumber(9), heldOutAccuracy: try row.optionalShare(10),
      taught: try row.optionalText(12))
  }
}

extension TextDigest {
  /// 16 bytes, big-endian.
  fileprivate var data: Data {
    var data = Data(capacity: 16)
    for word in [first, second] { withUnsafeBytes(of: word.bigEndian) { data.append(contentsOf: $0) } }
    return data
  }

  /// - Throws: ``DamagedValue``.
  fileprivate init(_ data: Data) throws {
    guard data.count == 16 else { throw DamagedValue() }
    first = data.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    second = data.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }
}
