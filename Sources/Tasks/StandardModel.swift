import Workbench

extension Workbench {
  /// The tuned models that steps of the document have made, the newest last.
  public func recordedModels() throws -> [TunedModel] { try models().filter { !$0.isOrdered } }
}

/// Which model is asked where none is named: the newest tuned one that has learned all categories of the interface, else
/// the base. One that a request to `serve` has made is asked by its name alone.
public struct StandardModel {
  public let chosen: ModelSelection
  /// A newer tuned model that was passed over, and the interface's categories that it has not learned, by name.
  public let passedOver: (name: String, lacking: [String])?
  /// The newest tuned model, where its files are gone: it is passed over too.
  public let incomplete: String?

  public init(_ workbench: Workbench) throws {
    let all = try workbench.recordedModels()
    let models = all.filter(workbench.isAskable)
    incomplete = all.last.flatMap { $0 == models.last ? nil : $0.name }
    let classes = try workbench.interface()?.classes ?? []
    let fitting = models.last { model in classes.allSatisfy { model.categories.contains($0.key) } }
    chosen = fitting.map { .tuned($0) } ?? .base
    passedOver =
      models.last == fitting
      ? nil
      : models.last.map { newest in
        (newest.name, classes.filter { !newest.categories.contains($0.key) }.map(\.name))
      }
  }

  /// Says which model was passed over and how to ask it all the same; nil where the newest is asked.
  public var remark: String? {
    if let incomplete {
      return
        "\(incomplete) is newer, but its files are not all there: models remove \(incomplete) forgets it."
    }
    return passedOver.map { model in
      "\(model.name) is newer, but has not learned \(Self.list(model.lacking)): --model \(model.name) asks it."
    }
  }

  public static func list(_ names: [String]) -> String {
    let rest = names.count > 3 ? " and \(names.count - 3) more" : ""
    return names.prefix(3).map(\.visible).joined(separator: ", ") + rest
  }
}
