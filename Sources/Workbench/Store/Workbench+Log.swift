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

  /// Takes the steps after one out of the document: the next that is logged stands for all of them. What they answered stays
  /// known (``lastJSON(ofVerb:)``).
  ///
  /// - Parameter count: how many there should be. Where there are more, another process has logged its own among them:
  ///   nothing is done, and false is returned.
  public func fold(stepsAfter id: Int, count: Int) throws -> Bool {
    guard try steps(after: id).count == count else { return false }
    try db.execute(
      sql: "UPDATE steps SET status = 'folded' WHERE id > ? AND status = 'done'", arguments: [id])
    return true
  }

  /// Takes a step out of the log for good.
  public func forget(step id: Int) throws {
    try db.execute(sql: "DELETE FROM steps WHERE id = ?", arguments: [id])
  }

  /// The steps after one, in their order; all of them after 0.
  public func steps(after id: Int = 0) throws -> [LoggedStep] {
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT id, verb, command, answer, json, status FROM steps WHERE id > ? AND status <> 'folded' ORDER BY id
        """,
      arguments: [id])
    return try rows.map { row in
      guard let status = LoggedStep.Status(rawValue: try row.text(5)) else { throw DamagedValue() }
      return LoggedStep(
        id: try row.count(0), verb: try row.text(1), command: try row.text(2), answer: try row.text(3),
        json: try row.text(4), status: status)
    }
  }

  /// The id of the last step; 0 where there is none.
  public func lastStepID() throws -> Int {
    try Row.fetchOne(db, sql: "SELECT max(id) FROM steps")?.optionalCount(0) ?? 0
  }

  /// The JSON that a verb, or one of its subcommands, gave when it last succeeded.
  public func lastJSON(ofVerb verb: String) throws -> String? {
    try Row.fetchOne(
      db,
      sql: """
        SELECT json FROM steps
        WHERE (verb = :verb OR verb >= :verb || ' ' AND verb < :verb || '!') AND status IN ('done', 'folded')
        ORDER BY id DESC LIMIT 1
        """,
      arguments: ["verb": verb])?.text(0)
  }
}
