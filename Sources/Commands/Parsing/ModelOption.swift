import ArgumentParser
import Tasks
import Workbench

/// `--model NAME`, on every verb that asks a model.
struct ModelOption: NamedOption {
  static let option = "--model"
  static func name(of model: ModelSelection) -> String { model.name }
  var given: Text? { model }

  @Option(
    help: ArgumentHelp(
      "The model: base, a tuned one, or an installed language model; if left out the newest that knows the interface's categories.",
      valueName: "model"))
  var model: Text?

  /// The one that is asked where none is named.
  func resolve(_ workbench: Workbench) throws -> ModelSelection { try StandardModel(workbench).chosen }

  /// The named model, else the standard one.
  func resolve(_ workbench: Workbench, in models: ModelLibrary) throws -> ModelSelection {
    try model.map { try models.model(named: $0.description, workbench) } ?? resolve(workbench)
  }
}

extension ModelOption {
  /// What the answer says of a newer model that was passed over.
  func remark(_ workbench: Workbench) throws -> String? {
    try model == nil ? StandardModel(workbench).remark : nil
  }

  /// A tuned model, for verbs that are about one.
  ///
  /// - Parameter error: what is wrong where the base model is named.
  /// - Throws: that; `CommandError` where no tuned model is there, or none fits the interface.
  func tuned(
    _ workbench: Workbench, in models: ModelLibrary, insteadOfBase error: CommandError
  ) throws -> TunedModel {
    let found = try resolve(workbench, in: models)
    if case .tuned(let tuned, _) = found { return tuned }
    if case .language(let name, _, _) = found {
      throw CommandError.other(
        code: "not-tuned",
        "\(name.visible) is a language model that nobody has tuned, and a tuned model is wanted here. See: models"
      )
    }
    guard model == nil else { throw error }
    guard let passedOver = try StandardModel(workbench).passedOver else { throw CommandError.noTunedModel }
    throw CommandError.other(
      code: "no-tuned-model",
      "No tuned model has learned all categories of the interface; \(passedOver.name) lacks "
        + "\(StandardModel.list(passedOver.lacking)). Name one (--model \(passedOver.name)), or finetune.")
  }
}
