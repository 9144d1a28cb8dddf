import Foundation
import GRDB
import Testing
import Workbench

/// Workspaces that anything may have happened to: whoever opens them reads them, or learns that they are damaged.
@Suite struct DamageTests {
  let folder: Folder
  let original: URL

  /// One of everything that a workspace may hold.
  init() throws {
    folder = try Folder()
    original = folder.url.appendingPathComponent("original")
    let workspace = try Workspace.open(original)
    try workspace.load(try folder.write(table((0..<40).map { $0 % 2 == 0 ? "A" : "B" }), as: "news.csv"))
    try workspace.write { bench in
      let dataset = try #require(try bench.currentDataset())
      try bench.set(interface: try Interface.define(names: ["A", "B"]))
      let assets = try bench.assets(of: dataset)
      try bench.insert(labels: assets.map { Label(asset: $0.id, author: "ana", category: "A") })
      let run = try bench.beginRun(dataset: dataset, model: "base")
      try bench.insert(
        predictions: assets.map { Prediction(asset: $0.id, category: "A", confidence: 0.5) }, into: run)
      try bench.complete(run)
      let model = TunedModel(
        name: "tuned-1", base: "base", method: "linear", dataset: "news", examples: 40, folder: "tuned-1",
        bytes: 100, categories: ["A", "B"], finalLoss: 0.1, heldOutAccuracy: 0.9)
      try bench.insert(model: model, trainedOn: assets.map { TextDigest($0.text) })
      try bench.log(LoggedStep(verb: "load", command: "load news.csv", answer: "Loaded.", json: "{}"))
      try bench.set("seed", to: "7")
    }
    try workspace.setAside(named: "x")
    try FileManager.default.moveItem(
      at: original.appendingPathComponent("sessions/x/workspace.sqlite"),
      to: folder.url.appendingPathComponent("whole.sqlite"))
  }

  private var whole: URL { folder.url.appendingPathComponent("whole.sqlite") }

  /// A workspace with that database.
  private func workspace(_ name: String, _ database: Data) throws -> URL {
    let work = folder.url.appendingPathComponent(name)
    try? FileManager.default.removeItem(at: work)
    try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
    try database.write(to: work.appendingPathComponent("workspace.sqlite"))
    return work
  }

  private func change(_ work: URL, _ body: (Database) throws -> Void) throws {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false
    configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = OFF") }
    let queue = try DatabaseQueue(
      path: work.appendingPathComponent("workspace.sqlite").path, configuration: configuration)
    try queue.writeWithoutTransaction(body)
    try queue.close()
  }

  /// Everything that can be asked of a workspace; what was damaged, in its own words, or nil.
  private func readAll(_ work: URL) throws -> WorkspaceError? {
    do {
      let workspace = try Workspace.open(work)
      try workspace.read(readAll)
      try workspace.write { bench in
        try bench.log(LoggedStep(verb: "x", command: "x", answer: "x"))
        guard let dataset = try bench.currentDataset() else { return }
        let run = try bench.beginRun(dataset: dataset, model: "tuned-1")
        _ = try bench.nextUnpredicted(run, limit: 10)
        try bench.complete(run)
        for model in try bench.models() {
          #expect(
            workspace.folder(of: model).deletingLastPathComponent().standardizedFileURL.path
              == workspace.modelsFolder.standardizedFileURL.path)
        }
      }
      return nil
    } catch let error as WorkspaceError {
      return error
    }
  }

  private func readAll(_ bench: Workbench) throws {
    _ = try bench.settings()
    _ = try bench.steps()
    _ = try bench.lastStepID()
    _ = try bench.lastJSON(ofVerb: "load")
    _ = try bench.interface()
    for model in try bench.models() { _ = try bench.trainingTexts(of: model.name) }
    _ = try bench.nextModelName()
    for dataset in try bench.datasets() {
      _ = try bench.assets(of: dataset).map(\.text)
      _ = try bench.asset(id: "a1", in: dataset)
      _ = try bench.categories(of: dataset)
      _ = try bench.unknownCategories(of: dataset)
      _ = try bench.fileCategories(of: dataset)
      _ = try bench.labels(of: dataset)
      _ = try bench.labels(of: dataset, by: "ana")
      _ = try bench.truth(of: dataset)
      _ = try bench.trainingExamples(of: dataset)
      for run in try bench.completeRuns(dataset: dataset) { _ = try bench.predictions(of: run) }
    }
    _ = try bench.datasets().reduce(0) { $0 + $1.assets + $1.bytes + $1.skipped }
    _ = try bench.models().reduce(0) { $0 + $1.bytes + $1.examples }
  }

  @Test func itIsWholeToBeginWith() throws {
    #expect(try readAll(workspace("copy", Data(contentsOf: whole))) == nil)
  }

  @Test("A value that cannot be: every column of every table, NULL, text, blob, huge, negative, not a number")
  func values() throws {
    // As a program makes it that binds itself to nothing.
    let loose = try workspace("loose", Data(contentsOf: whole))
    try change(loose) { db in
      try db.execute(
        sql: "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '')")
    }
    let source = try Data(contentsOf: loose.appendingPathComponent("workspace.sqlite"))
    let columns = try DatabaseQueue(path: whole.path).read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
          WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'
          """
      ).map { (table: $0[0] as String, column: $0[1] as String) }
    }
    #expect(columns.count > 40)
    let values = [
      "NULL", "'text'", "x'ff00'", "9223372036854775807", "-1", "1e300", "''", "'../../x'",
      "zeroblob(100000)",
    ]
    var damaged = 0
    for (table, column) in columns {
      for value in values {
        let work = try workspace("changed", source)
        do {
          try change(work) { db in
            try db.execute(
              sql: "PRAGMA ignore_check_constraints = ON; UPDATE OR IGNORE \(table) SET \(column) = \(value)")
          }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_MISMATCH {
          // A row's number is a whole number, whoever writes it.
          continue
        }
        let error = try readAll(work)
        if error != nil { damaged += 1 }
        #expect(
          error == nil || error == .corrupt(folder: "changed"),
          "\(table).\(column) = \(value): \(error as Any)")
      }
    }
    #expect(damaged > 150, "\(damaged)")
  }

  @Test(
    "What cannot be among the rows",
    arguments: [
      "UPDATE assets SET category = 77", "UPDATE interface SET json = '{\"jobs\": {'",
      "UPDATE models SET categories = '[1, 2]'", "UPDATE models SET folder = '..'",
      "UPDATE datasets SET assets = -1", "UPDATE datasets SET bytes = 1 << 62",
      "UPDATE OR REPLACE training_texts SET digest = x'00'", "UPDATE steps SET status = 'x'",
      "UPDATE predictions SET confidence = 7", "DROP TABLE labels", "DROP TABLE settings",
      "ALTER TABLE assets RENAME COLUMN text TO words", "ALTER TABLE datasets DROP COLUMN bytes",
      "PRAGMA user_version = -5", "PRAGMA user_version = 0",
      "DROP TABLE interface; CREATE VIEW interface AS SELECT 1 AS id, '' AS json",
      """
      DROP TABLE settings; CREATE VIEW settings AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
      SELECT i AS key, i AS value FROM n
      """,
      "CREATE TRIGGER evil AFTER INSERT ON steps BEGIN DELETE FROM assets; END",
      "CREATE TRIGGER refusing BEFORE INSERT ON steps BEGIN SELECT RAISE(ABORT, 'no'); END",
    ])
  func rows(sql: String) throws {
    let work = try workspace("changed", Data(contentsOf: whole))
    try change(work) { try $0.execute(sql: sql) }
    #expect(try readAll(work) == .corrupt(folder: "changed"))
    // And can be set aside, whatever it is.
    #expect(try Workspace.setAside(work) != nil)
    #expect(try Workspace.open(work).isNew)
  }

  @Test("Cut off, overwritten, with another's journal, or no file at all")
  func files() throws {
    let source = try Data(contentsOf: whole)
    var generator = Generator(state: 12)
    var damaged = 0
    for number in 0..<300 {
      var bytes = source
      switch number % 3 {
      case 0: bytes = source.prefix(Int.random(in: 1..<source.count, using: &generator))
      case 1:
        let start = Int.random(in: 0..<source.count, using: &generator)
        for index in start..<min(start + 1000, source.count) {
          bytes[index] = UInt8.random(in: 0...255, using: &generator)
        }
      default:
        for _ in 0..<20 {
          bytes[Int.random(in: 100..<source.count, using: &generator)] = .random(
            in: 0...255, using: &generator)
        }
      }
      let error = try readAll(workspace("changed", bytes))
      if error != nil { damaged += 1 }
      let isSaid = [nil, .corrupt(folder: "changed"), .foreign(folder: "changed")].contains(error)
      let isNewer = if case .newer? = error { true } else { false }
      #expect(isSaid || isNewer, "\(number): \(error as Any)")
    }
    #expect(damaged > 100, "\(damaged)")

    let work = try workspace("changed", source)
    let other = try DatabaseQueue(path: folder.url.appendingPathComponent("other.sqlite").path)
    try other.writeWithoutTransaction { db in
      try db.execute(
        sql: "PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(9000))")
    }
    try FileManager.default.copyItem(
      at: folder.url.appendingPathComponent("other.sqlite-wal"),
      to: work.appendingPathComponent("workspace.sqlite-wal"))
    _ = try readAll(work)

    let none = try workspace("changed", source)
    try FileManager.default.removeItem(at: none.appendingPathComponent("workspace.sqlite"))
    try FileManager.default.createDirectory(
      at: none.appendingPathComponent("workspace.sqlite"), withIntermediateDirectories: true)
    #expect(try readAll(none) == .corrupt(folder: "changed"))
  }
}
