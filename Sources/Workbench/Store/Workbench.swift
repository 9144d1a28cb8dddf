import Foundation
import GRDB

/// What lies on the learner's bench: data sets, interface, labels, predictions, models, the log of steps.
///
/// Lives inside one transaction, ``Workspace/read(_:)`` or ``Workspace/write(_:)``, and must not leave it.
/// Its methods are in one file a noun.
public struct Workbench {
  let db: Database
  let layout: Layout
}

// MARK: - Settings

extension Workbench {
  /// A setting's value; nil where it was never set.
  public func setting(_ key: String) throws -> String? {
    try Row.fetchOne(db, sql: "SELECT value FROM settings WHERE key = ?", arguments: [key])?.text(0)
  }

  /// Sets or, with nil, forgets a setting.
  public func set(_ key: String, to value: String?) throws {
    guard let value else {
      return try db.execute(sql: "DELETE FROM settings WHERE key = ?", arguments: [key])
    }
    try db.execute(
      sql: "INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
      arguments: [key, value.storable])
  }

  /// All settings, sorted by key.
  public func settings() throws -> [(key: String, value: String)] {
    try Row.fetchAll(db, sql: "SELECT key, value FROM settings ORDER BY key").map {
      (try $0.text(0), try $0.text(1))
    }
  }
}

extension String {
  /// The text without NUL, at which SQLite's texts end; shown by its symbol instead.
  var storable: String { utf8.contains(0) ? replacing("\0", with: "\u{2400}") : self }
}
