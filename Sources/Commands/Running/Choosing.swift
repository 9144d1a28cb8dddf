import ArgumentParser
import Classifiers
import Encoder
import Foundation
import Shell
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
  static func name(of model: ChosenModel) -> String { model.name }
  var given: Text? { model }

  @Option(
    help: ArgumentHelp(
      "The model: base, or a tuned one; if left out the newest that knows the interface's categories.",
      valueName: "model"))
  var model: Text?

  /// The named model, else the standard one.
  func resolve(_ workbench: Workbench) throws -> ChosenModel {
    if let name = model?.description { return try .named(name, workbench) }
    return try StandardModel(workbench).chosen
  }
}

/// Which model a verb speaks of.
enum ChosenModel: Equatable {
  case base
  case tuned(TunedModel)

  var name: String {
    switch self {
    case .base: Workbench.baseModel
    case .tuned(let model): model.name
    }
  }

  static func named(_ name: String, _ workbench: Workbench) throws -> ChosenModel {
    if name == Workbench.baseModel { return .base }
    let models = try workbench.models()
    if let found = models.first(where: { $0.name == name }) { return .tuned(found) }
    throw Fault.unknownModel(name, nearest: nearest(name, among: models.map(\.name) + [Workbench.baseModel]))
  }
}

/// What the models' answers depend on besides the models: another shell may change it while they work.
struct Basis {
  private let interface: Interface?

  init(_ workbench: Workbench) throws { interface = try workbench.interface() }

  func isCurrent(_ workbench: Workbench) throws -> Bool { try workbench.interface() == interface }
}

extension Context {
  /// The model's encoder: a tuned model keeps only what its method changed, and takes the rest from its base.
  /// - Throws: `Fault`, `ModelError`.
  func encoder(of model: ChosenModel) throws -> EncoderSource {
    let precision = try workspace.read { try Settings($0).precision }
    let place = try place(of: model)
    return try encoders.encoder(in: place.folder, adapter: place.adapter, precision: precision)
  }

  /// Where the model's encoder lies: a whole one, and the adapters that were trained on top of it.
  /// - Throws: `Fault.modelIncomplete`, `Fault.otherBase`, `Fault.modelMissing`, `ModelError`.
  func place(of model: ChosenModel) throws -> (folder: URL, adapter: URL?) {
    var chosen = model
    var adapter: URL?
    var seen: Set<String> = []
    while case .tuned(let tuned) = chosen {
      guard seen.insert(tuned.name).inserted else { throw workspace.damage }
      let folder = self.folder(of: tuned)
      for file in tuned.files where !has(file, in: folder) {
        throw Fault.modelIncomplete(model: tuned.name, file: file)
      }
      if has("model.safetensors", in: folder) { return (folder, adapter) }
      if adapter == nil, has(PretrainedModel.adapterName, in: folder) {
        adapter = folder.appending(path: PretrainedModel.adapterName)
      }
      if tuned.base == Workbench.baseModel, encoders.isInstalled { try checkBase(of: tuned) }
      chosen = try workspace.read { try .named(tuned.base, $0) }
    }
    guard encoders.isInstalled else { throw Fault.modelMissing }
    return (encoders.embeddedFolder, adapter)
  }

  private func has(_ file: String, in folder: URL) -> Bool {
    FileManager.default.fileExists(atPath: folder.appending(path: file).path)
  }

  func folder(of model: TunedModel) -> URL {
    workspace.folder(of: model)
  }

  func headFile(of model: TunedModel) -> URL { folder(of: model).appending(path: Self.headName) }
  static let headName = TunedModel.headName

  /// A tuned model's head, which fits its encoder.
  /// - Throws: `Fault.otherBase`, `ModelError`.
  func head(of model: TunedModel, for encoder: PretrainedModel) throws -> Head {
    let head = try Head.load(from: headFile(of: model))
    guard head.categories == model.categories.count else {
      throw ModelError.headMismatch(expected: model.categories.count, found: head.categories)
    }
    let width = encoder.configuration.hiddenSize
    guard head.hiddenSize == width else {
      throw Fault.otherBase(
        model: model.name, trainedOn: "a model of width \(head.hiddenSize)",
        now: "one of width \(width)")
    }
    return head
  }

  /// The model as a classifier.
  ///
  /// - Throws: `Fault.noInterface` for the base model without an interface; `ModelError`; `Fault.modelMissing`.
  func classifier(for model: ChosenModel) throws -> any Classifier {
    switch model {
    case .base:
      guard let interface = try workspace.read({ try $0.interface() }) else { throw Fault.noInterface }
      let categories = interface.classes.map { (key: $0.key, name: $0.name) }
      return try ZeroShotClassifier(encoder: encoder(of: .base), categories: categories)
    case .tuned(let tuned):
      let encoder = try encoder(of: model)
      return TunedClassifier(
        name: tuned.name, encoder: encoder, head: try head(of: tuned, for: encoder.model),
        categories: tuned.categories)
    }
  }
}

extension TunedModel {
  /// The files without which it is not whole.
  fileprivate var files: [String] {
    switch Method(rawValue: method) {
    case .full, .gradual: [Self.headName, "model.safetensors"]
    case .adapter: [Self.headName, PretrainedModel.adapterName]
    case .linear, nil: [Self.headName]
    }
  }
}

extension Workbench {
  /// How people read a category: the interface's name for it, else the data files', else one made from its key.
  func name(ofCategory key: String) throws -> String {
    try interface()?.categories.first { $0.key == key }?.name ?? fileName(ofCategory: key)
      ?? CategoryKey.name(forKey: key)
  }

  /// The interface's names of all its categories, by key: for many at once.
  func categoryNames() throws -> [String: String] {
    Dictionary(
      try interface()?.categories.map { ($0.key, $0.name) } ?? [], uniquingKeysWith: { first, _ in first })
  }

  /// The order in which categories are shown: the interface's, then any others by name.
  func order(of keys: Set<String>) throws -> [String] {
    let known = try interface()?.categories.map(\.key) ?? []
    return known.filter(keys.contains) + keys.subtracting(known).sorted()
  }
}
