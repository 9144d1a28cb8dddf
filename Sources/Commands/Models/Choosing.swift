import ArgumentParser
import Basics
import Foundation
import Shell
import Tasks
import Workbench

/// What a verb works on by default, and may be told by name.
protocol Choice: ParsableArguments {
  associatedtype Chosen
  /// As it is typed: `--dataset`.
  static var option: String { get }
  var given: Text? { get }
  func resolve(_ workbench: Workbench) throws -> Chosen
  static func name(of chosen: Chosen) -> String
}

extension Choice {
  /// What the recorded command has to name, now that the verb has worked on `used`: the default may be another by now.
  func additions(_ used: Chosen, _ workbench: Workbench) throws -> [String] {
    let name = Self.name(of: used)
    guard given == nil, (try? resolve(workbench)).map(Self.name(of:)) != name else { return [] }
    return [Self.option, Language.quoted(name)]
  }
}

/// `--dataset NAME`, on every verb that works on one.
struct DatasetOption: Choice {
  static let option = "--dataset"
  static func name(of dataset: Dataset) -> String { dataset.name }
  var given: Text? { dataset }

  @Option(help: ArgumentHelp("The data set; the one loaded last if left out.", valueName: "dataset"))
  var dataset: Text?

  func resolve(_ workbench: Workbench) throws -> Dataset {
    if let name = dataset?.description { return try Self.named(name, workbench) }
    guard let current = try workbench.currentDataset() else { throw Fault.noDataset }
    return current
  }

  static func named(_ name: String, _ workbench: Workbench) throws -> Dataset {
    if let found = try workbench.dataset(named: name) { return found }
    let names = try workbench.datasets().map(\.name)
    throw names.isEmpty ? Fault.noDataset : .unknownDataset(name, nearest: nearest(name, among: names))
  }
}

/// `--model NAME`, on every verb that asks a model.
struct ModelOption: Choice {
  static let option = "--model"
  static func name(of model: ModelSelection) -> String { model.name }
  var given: Text? { model }

  @Option(
    help: ArgumentHelp(
      "The model: base, or a tuned one; if left out the newest that knows the interface's categories.",
      valueName: "model"))
  var model: Text?

  /// The named model, else the standard one.
  func resolve(_ workbench: Workbench) throws -> ModelSelection {
    if let name = model?.description { return try .named(name, workbench) }
    return try StandardModel(workbench).chosen
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

/// What the models' answers depend on besides the models: another shell may change it while they work.
struct Basis {
  private let interface: Interface?
  private let base: EncoderReference?

  init(_ workbench: Workbench) throws {
    (interface, base) = (try workbench.interface(), try workbench.chosenBase())
  }

  func isCurrent(_ workbench: Workbench) throws -> Bool {
    try workbench.interface() == interface && workbench.chosenBase() == base
  }
}
