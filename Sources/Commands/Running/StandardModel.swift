import Workbench

/// Which model is asked where none is named: the newest tuned one that has learned all categories of the interface, else
/// the base.
struct StandardModel {
  let chosen: ChosenModel
  /// A newer tuned model that was passed over, and the interface's categories that it has not learned, by name.
  let passedOver: (name: String, lacking: [String])?
  /// The newest tuned model, where its files are gone: it is passed over too.
  let incomplete: String?

  init(_ workbench: Workbench) throws {
    let all = try workbench.models()
    let models = all.filter(workbench.hasHead)
    incomplete = all.last.flatMap { $0 == models.last ? nil : $0.name }
    let classes = try workbench.interface()?.classes ?? []
    let fitting = models.last { model in classes.allSatisfy { model.categories.contains($0.key) } }
    chosen = fitting.map(ChosenModel.tuned) ?? .base
    passedOver =
      models.last == fitting
      ? nil
      : models.last.map { newest in
        (newest.name, classes.filter { !newest.categories.contains($0.key) }.map(\.name))
      }
  }

  /// Says which model was passed over and how to ask it all the same; nil where the newest is asked.
  var remark: String? {
    if let incomplete {
      return
        "\(incomplete) is newer, but its files are not all there: models remove \(incomplete) forgets it."
    }
    return passedOver.map { model in
      "\(model.name) is newer, but has not learned \(Self.list(model.lacking)): --model \(model.name) asks it."
    }
  }

  fileprivate static func list(_ names: [String]) -> String {
    let rest = names.count > 3 ? " and \(names.count - 3) more" : ""
    return names.prefix(3).map(\.visible).joined(separator: ", ") + rest
  }
}

extension ModelOption {
  /// What the answer says of a newer model that was passed over.
  func remark(_ workbench: Workbench) throws -> String? {
    try model == nil ? StandardModel(workbench).remark : nil
  }

  /// A tuned model, for verbs that are about one.
  ///
  /// - Parameter fault: what is wrong where the base model is named.
  /// - Throws: that; `Fault` where no tuned model is there, or none fits the interface.
  func tuned(_ workbench: Workbench, insteadOfBase fault: Fault) throws -> TunedModel {
    if case .tuned(let tuned) = try resolve(workbench) { return tuned }
    guard model == nil else { throw fault }
    guard let passedOver = try StandardModel(workbench).passedOver else { throw Fault.noTunedModel }
    throw Fault.other(
      code: "no-tuned-model",
      "No tuned model has learned all categories of the interface; \(passedOver.name) lacks "
        + "\(StandardModel.list(passedOver.lacking)). Name one (--model \(passedOver.name)), or finetune.")
  }
}
