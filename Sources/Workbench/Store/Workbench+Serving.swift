import Foundation
import GRDB

// What `serve` keeps for its clients. It is the session's, as models are: it is set aside with them.

/// A file that a client has uploaded, or that a job has made.
public struct StoredFile: Codable, Equatable, Sendable, Identifiable {
  /// `file-` and 32 hexadecimal digits.
  public var id: String
  public var name: String
  /// What it is for: `fine-tune`, `fine-tune-results`.
  public var purpose: String
  public var bytes: Int
  /// Seconds since 1970.
  public var created: Int
  /// From when on it is there no more; nil for one that stays.
  public var expires: Int?

  public init(id: String, name: String, purpose: String, bytes: Int, created: Int, expires: Int? = nil) {
    (self.id, self.name, self.purpose) = (id, name, purpose)
    (self.bytes, self.created, self.expires) = (bytes, created, expires)
  }
}

extension Workbench {
  private static let fileColumns = "id, name, purpose, bytes, created, expires"

  public func insert(file: StoredFile, content: Data) throws {
    try db.execute(
      sql: "INSERT INTO files (\(Self.fileColumns), content) VALUES (?, ?, ?, ?, ?, ?, ?)",
      arguments: [
        file.id, file.name.storable, file.purpose.storable, content.count, file.created, file.expires,
        content,
      ])
  }

  /// All of them, the oldest first.
  public func files() throws -> [StoredFile] {
    try Row.fetchAll(db, sql: "SELECT \(Self.fileColumns) FROM files ORDER BY number").map(StoredFile.init)
  }

  public func file(_ id: String) throws -> StoredFile? {
    try Row.fetchOne(db, sql: "SELECT \(Self.fileColumns) FROM files WHERE id = ?", arguments: [id])
      .map(StoredFile.init)
  }

  /// Nil where there is no such file.
  public func content(ofFile id: String) throws -> Data? {
    try Row.fetchOne(db, sql: "SELECT content FROM files WHERE id = ?", arguments: [id])?.data(0)
  }

  public func remove(file id: String) throws {
    try db.execute(sql: "DELETE FROM files WHERE id = ?", arguments: [id])
  }

  /// - Parameter now: seconds since 1970.
  public func removeFiles(expiredBy now: Int) throws {
    try db.execute(sql: "DELETE FROM files WHERE expires <= ?", arguments: [now])
  }
}

extension StoredFile {
  /// - Throws: ``DamagedValue``.
  fileprivate init(_ row: Row) throws {
    self.init(
      id: try row.text(0), name: try row.text(1), purpose: try row.text(2), bytes: try row.count(3),
      created: try row.count(4), expires: try row.optionalCount(5))
  }
}

/// A training that a client of `serve` has ordered.
public struct StoredJob: Equatable, Sendable, Identifiable {
  public var id: String
  /// A word by which jobs are looked for.
  public var status: String
  /// All that is known of it, a JSON object.
  public var json: String

  public init(id: String, status: String, json: String) {
    (self.id, self.status, self.json) = (id, status, json)
  }
}

/// What happened to a job.
public struct StoredJobEvent: Equatable, Sendable, Identifiable {
  /// Grows with every event of any job.
  public var id: Int
  /// A JSON object.
  public var json: String
}

extension Workbench {
  public func insert(job: StoredJob) throws {
    try db.execute(
      sql: "INSERT INTO jobs (id, status, json) VALUES (?, ?, ?)",
      arguments: [job.id, job.status, job.json.storable])
  }

  public func update(job: StoredJob) throws {
    try db.execute(
      sql: "UPDATE jobs SET status = ?, json = ? WHERE id = ?",
      arguments: [job.status, job.json.storable, job.id])
  }

  /// The oldest first.
  /// - Parameter status: nil for all.
  public func jobs(status: String? = nil) throws -> [StoredJob] {
    try Row.fetchAll(
      db, sql: "SELECT id, status, json FROM jobs WHERE ?1 IS NULL OR status = ?1 ORDER BY number",
      arguments: [status]
    ).map(StoredJob.init)
  }

  public func job(_ id: String) throws -> StoredJob? {
    try Row.fetchOne(db, sql: "SELECT id, status, json FROM jobs WHERE id = ?", arguments: [id])
      .map(StoredJob.init)
  }

  /// Adds to the events of a job that is there.
  public func insert(event json: String, ofJob id: String) throws {
    try db.execute(
      sql: "INSERT INTO job_events (job, json) SELECT number, ? FROM jobs WHERE id = ?",
      arguments: [json.storable, id])
  }

  /// The events of a job behind one, the oldest first.
  public func events(ofJob id: String, after event: Int = 0) throws -> [StoredJobEvent] {
    try Row.fetchAll(
      db,
      sql: """
        SELECT number, json FROM job_events
        WHERE job = (SELECT number FROM jobs WHERE id = ?) AND number > ? ORDER BY number
        """,
      arguments: [id, event]
    ).map { StoredJobEvent(id: try $0.count(0), json: try $0.text(1)) }
  }
}

extension StoredJob {
  /// - Throws: ``DamagedValue``.
  fileprivate init(_ row: Row) throws {
    self.init(id: try row.text(0), status: try row.text(1), json: try row.text(2))
  }
}
