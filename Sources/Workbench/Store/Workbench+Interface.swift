import Foundation
import GRDB

/// What setting the interface did.
public struct InterfaceChange: Equatable, Sendable {
  /// It was the same already: nothing was changed.
  public let isUnchanged: Bool
  /// Complete prediction runs that went, since they chose among other categories. Of those that other shells are at, or that were
  /// stopped, a replay knows nothing.
  public let removedRuns: [RemovedRun]
  /// Categories that people labelled with and the new interface lacks, with how many labels; the labels stay. Not those of projects,
  /// which have interfaces of their own.
  public let orphanedLabels: [CategoryCount]

  public struct RemovedRun: Equatable, Sendable {
    public let dataset: String
    public let model: String

    public init(dataset: String, model: String) {
      self.dataset = dataset
      self.model = model
    }
  }
}

extension Workbench {
  /// The interface; nil while there is none.
  public func interface() throws -> Interface? {
    guard let row = try Row.fetchOne(db, sql: "SELECT json FROM interface") else { return nil }
    do {
      return try Interface(parsing: Data(try row.text(0).utf8), file: "interface")
    } catch is InterfaceError {
      // It was one when it was set.
      throw DamagedValue()
    }
  }

  /// Sets the interface. Where its categories are others than before, predictions go that were made by their names
  /// alone; a tuned model knows the categories of its own head, and its predictions stay.
  @discardableResult
  public func set(interface: Interface) throws -> InterfaceChange {
    let before = try self.interface()
    if before != interface {
      try db.execute(
        sql: "INSERT INTO interface VALUES (1, ?) ON CONFLICT DO UPDATE SET json = excluded.json",
        arguments: [interface.json])
    }
    func choices(_ interface: Interface?) -> [[String]]? { interface?.classes.map { [$0.key, $0.name] } }
    let runs = choices(before) == choices(interface) ? [] : try removeRunsByNames()
    let counts = try Row.fetchAll(
      db,
      sql: """
        SELECT labels.category, count(*) FROM labels JOIN assets ON assets.id = asset_id
        WHERE source = 'person' AND dataset_id NOT IN (SELECT dataset_id FROM projects)
        GROUP BY labels.category ORDER BY labels.category
        """
    )
    let keys = Set(interface.categories.map(\.key))
    let orphaned = try counts.map { CategoryCount(name: try $0.text(0), count: try $0.count(1)) }
      .filter { !keys.contains($0.name) }
    return InterfaceChange(isUnchanged: before == interface, removedRuns: runs, orphanedLabels: orphaned)
  }

  private func removeRunsByNames() throws -> [InterfaceChange.RemovedRun] {
    let isByNames = "model NOT IN (SELECT name FROM models) AND signature <> '\(PredictionRun.given)'"
    let runs = try Row.fetchAll(
      db,
      sql: """
        SELECT datasets.name, model FROM runs JOIN datasets ON datasets.id = dataset_id
        WHERE \(isByNames) AND finished IS NOT NULL ORDER BY runs.id
        """
    ).map { InterfaceChange.RemovedRun(dataset: try $0.text(0), model: try $0.text(1)) }
    try db.execute(sql: "DELETE FROM runs WHERE \(isByNames)")
    return runs
  }
}
