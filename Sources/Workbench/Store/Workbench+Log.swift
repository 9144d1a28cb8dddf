import GRDB

extension Workbench {
  /// Adds a step to the log; returns it with its id.
  @discardableResult
  public func log(_ step: LoggedStep) throws -> LoggedStep {
    try db.execute(
      sql: "INSERT INTO steps (verb, command, answer, json, status) VALUES (?, ?, ?, ?, ?)",
      arguments: [
        step.verb, step.command.storable, step.answer.storable, step.json.storable, step.status.rawValue,
      ])
    return LoggedStep(
      id: Int(db.lastInsertedRowID), verb: step.verb, command: step.command.storable,
      answer: step.answer.storable, json: step.json.storable, status: step.status)
  }

  /// The steps after one, in their order; all of them after 0.
  public func steps(after id: Int = 0) throws -> [LoggedStep] {
    let rows = try Row.fetchAll(
      db, sql: "SELECT id, verb, command, answer, json, status FROM steps WHERE id > ? ORDER BY id",
      arguments: [id])
    return rows.map { row in
      LoggedStep(
        id: row[0], verb: row[1], command: row[2], answer: row[3], json: row[4],
        status: LoggedStep.Status(rawValue: row[5]) ?? .failed)
    }
  }

  /// The id of the last step; 0 where there is none.
  public func lastStepID() throws -> Int { try Int.fetchOne(db, sql: "SELECT max(id) FROM steps") ?? 0 }

  /// The JSON that a verb gave when it last succeeded.
  public func lastJSON(ofVerb verb: String) throws -> String? {
    try String.fetchOne(
      db, sql: "SELECT json FROM steps WHERE verb = ? AND status = 'done' ORDER BY id DESC LIMIT 1",
      arguments: [verb])
  }
}
