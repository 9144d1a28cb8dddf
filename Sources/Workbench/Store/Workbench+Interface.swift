import Foundation
import GRDB

/// What setting the interface did.
public struct InterfaceChange: Equatable, Sendable {
  /// It was the same already: nothing was changed.
  public let isUnchanged: Bool
  /// Prediction runs that went, since they chose among other categories.
  public let runsRemoved: Int
  /// Categories of labels that the new interface lacks; the labels stay.
  public let orphanedLabels: [CategoryCount]
}

extension Workbench {
  /// The interface; nil while there is none.
  public func interface() throws -> Interface? {
    guard let json = try String.fetchOne(db, sql: "SELECT json FROM interface") else { return nil }
    return try Interface(parsing: Data(json.utf8), file: "interface")
  }

  /// Sets the interface. Predictions that were made under another one go.
  @discardableResult
  public func set(interface: Interface) throws -> InterfaceChange {
    let isUnchanged = try self.interface() == interface
    var runs = 0
    if !isUnchanged {
      try db.execute(
        sql: "INSERT INTO interface VALUES (1, ?) ON CONFLICT DO UPDATE SET json = excluded.json",
        arguments: [interface.json])
      try db.execute(sql: "DELETE FROM runs")
      runs = db.changesCount
    }
    let counts = try Row.fetchAll(
      db, sql: "SELECT category, count(*) FROM labels GROUP BY category ORDER BY category")
    let keys = Set(interface.categories.map(\.key))
    let orphaned = counts.map { CategoryCount(name: $0[0], count: $0[1]) }.filter { !keys.contains($0.name) }
    return InterfaceChange(isUnchanged: isUnchanged, runsRemoved: runs, orphanedLabels: orphaned)
  }
}
