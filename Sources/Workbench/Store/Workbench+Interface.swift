import Foundation
import GRDB

/// What setting the interface did.
public struct InterfaceChange: Equatable, Sendable {
  /// It was the same already: nothing was changed.
  public let isUnchanged: Bool
  /// Prediction runs that went, since they chose among other categories.
  public let removedRuns: [RemovedRun]
  /// Categories that people labelled with and the new interface lacks, with how many labels; the labels stay.
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
    guard let json = try String.fetchOne(db, sql: "SELECT json FROM interface") else { return nil }
    return try Interface(parsing: Data(json.utf8), file: "interface")
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
      sql: "SELECT category, count(*) FROM labels WHERE source = 'person' GROUP BY category ORDER BY category"
    )
    let keys = Set(interface.categories.map(\.key))
    let orphaned = counts.map { CategoryCount(name: $0[0], count: $0[1]) }.filter { !keys.contains($0.name) }
    return InterfaceChange(isUnchanged: before == interface, removedRuns: runs, orphanedLabels: orphaned)
  }

  private func removeRunsByNames() throws -> [InterfaceChange.RemovedRun] {
    let isByNames = "model NOT IN (SELECT name FROM models)"
    let runs = try Row.fetchAll(
      db,
      sql: """
        SELECT datasets.name, model FROM runs JOIN datasets ON datasets.id = dataset_id
        WHERE \(isByNames) ORDER BY runs.id
        """
    ).map { InterfaceChange.RemovedRun(dataset: $0[0], model: $0[1]) }
    try db.execute(sql: "DELETE FROM runs WHERE \(isByNames)")
    return runs
  }
}
