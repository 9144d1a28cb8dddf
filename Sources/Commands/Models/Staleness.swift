import Shell
import Tasks
import Workbench

extension Context {
  /// What a report on predictions says of those that the model would not make today, since another embedded model has taken the
  /// place of the one that made them; nothing where a model is not at hand to be asked, or the verb itself finds a fault.
  ///
  /// - Parameter models: nil for the one that predicted last.
  func staleness(of models: [Text?], over data: DatasetOption) -> [String] {
    let found = try? workspace.read { workbench in
      let dataset = try data.resolve(workbench)
      return try models.map { name in
        let run = try workbench.completeRun(of: name?.description, over: dataset, in: self.models)
        return (run, try self.models.model(named: run.model, workbench), dataset)
      }
    }
    return (found ?? []).compactMap { run, model, dataset in
      // Another precision makes no other model.
      let (now, then) = (
        (try? self.models.signature(of: model))?.split(separator: " "), run.signature.split(separator: " ")
      )
      guard let now, now.count == then.count, now.count >= 2, now[1...] != then[1...] else { return nil }
      let change =
        now[1] == then[1]
        ? "The prompt or its categories are others now than when \(model.name.visible) predicted \(dataset.name.visible)."
        : "\(model.name.visible) is another model now than the one that predicted \(dataset.name.visible)."
      return
        "\(change) Make its predictions anew: predict --model \(Language.quoted(model.name)) "
        + "--dataset \(Language.quoted(dataset.name))"
    }
  }
}
