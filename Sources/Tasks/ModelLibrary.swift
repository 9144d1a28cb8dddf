import Basics
import Classifiers
import Encoder
import Foundation
import Workbench

/// The models of a workspace, from their names to what classifies.
///
/// A value that any number of threads may use at once: the workspace takes turns for each read and write, and the cache gives the
/// same loaded encoder to all.
public struct ModelLibrary: Sendable {
  public let workspace: Workspace
  public let cache: ModelCache

  public init(_ workspace: Workspace, _ cache: ModelCache) {
    self.workspace = workspace
    self.cache = cache
  }

  /// The same for work of many units, which fails once another session has taken the place of this one.
  func keepingSession() throws -> ModelLibrary { ModelLibrary(try workspace.keepingSession(), cache) }

  // MARK: - The base

  /// The encoder that is `base`: the one that `FETTLE_MODEL` names, else the workspace's own.
  /// - Throws: `TaskError.modelMissing`, `.baseMissing`, `.overrideMissing`, `.overrideGenerative`.
  public func base(_ workbench: Workbench) throws -> InstalledModel {
    if let error = cache.overrideError { throw error }
    if let override = cache.overriding { return override }
    guard let chosen = try workbench.chosenBase() else {
      guard let initial = cache.initial else { throw TaskError.modelMissing }
      return initial
    }
    guard let model = cache.model(chosen) else {
      let found = try? chosen.name.map { try cache.reference(to: cache.model(named: $0)) }
      throw TaskError.baseMissing(chosen, found: found ?? nil)
    }
    return model
  }

  /// What `base` is; nil where nothing is installed.
  public func baseReference(_ workbench: Workbench) throws -> EncoderReference? {
    if cache.override != nil { return cache.overriding.flatMap { try? cache.reference(to: $0) } }
    return try ownBaseReference(workbench)
  }

  /// What `base` is where no `FETTLE_MODEL` is set.
  public func ownBaseReference(_ workbench: Workbench) throws -> EncoderReference? {
    try workbench.chosenBase() ?? cache.initial.flatMap { try? cache.reference(to: $0) }
  }

  /// The installed model that a tuned one stands on in the end.
  ///
  /// - Throws: `TaskError.otherBase` where it is not installed.
  private func foundation(of tuned: TunedModel) throws -> InstalledModel {
    guard let wanted = tuned.foundation else { return try workspace.read(base) }
    if let model = cache.model(wanted) { return model }
    guard tuned.taught == nil else {
      throw TaskError.languageBaseMissing(model: tuned.name, trainedOn: wanted)
    }
    throw TaskError.otherBase(
      model: tuned.name, trainedOn: wanted, now: try workspace.read(baseReference))
  }

  /// The model that a tuned one was made from, as it is asked by itself; a language model with the prompt that the tuned one was
  /// taught with.
  ///
  /// - Throws: `TaskError.otherBase` where that is not installed, and another one is.
  public func base(of tuned: TunedModel, _ way: AnswerWay = .free) throws -> ModelSelection {
    if let taught = try tuned.lesson {
      if let model = try workspace.read({ try $0.model(named: tuned.base) }) {
        return .tuned(model, model.isPrompted ? way : .free)
      }
      let name = try foundation(of: tuned).name
      let isAskedSo = try workspace.read { try $0.asks(as: taught) }
      return .language(name, way, isAskedSo ? nil : tuned)
    }
    guard tuned.base == Workbench.baseModel else {
      return try workspace.read { try model(named: tuned.base, $0) }
    }
    guard let wanted = tuned.encoder, let now = try workspace.read(baseReference), now.digest != wanted.digest
    else { return .base }
    return .encoder(try cache.reference(to: foundation(of: tuned)))
  }

  /// What a model that is trained from this one will stand on; nil where nobody kept it.
  public func reference(under base: ModelSelection) throws -> EncoderReference? {
    switch base {
    case .base: try cache.reference(to: workspace.read(self.base))
    case .encoder(let reference): reference
    case .tuned(let tuned, _): tuned.foundation
    case .language(let name, _, _): try cache.reference(to: cache.model(named: name))
    }
  }

  /// The name of the model whose weights a tuned one's LoRA goes with: an installed one, or one that was tuned as a whole.
  ///
  /// - Throws: `TaskError.otherBase` where that is not installed.
  public func model(underLoRA tuned: TunedModel) throws -> String {
    var model = tuned
    // The place is known only where no model stands on itself.
    _ = try place(of: .tuned(tuned))
    while let under = try workspace.read({ try $0.model(named: model.base) }) {
      if [.full, .gradual].contains(Method(rawValue: under.method)) { return under.name }
      model = under
    }
    return try foundation(of: model).name
  }

  // MARK: - Files

  /// Where the model's encoder, or its language model, lies.
  /// - Throws: `TaskError`, `ModelError`.
  func place(of model: ModelSelection) throws -> ModelPlace {
    var chosen = model
    var place = ModelPlace(folder: cache.folder)
    func on(_ folder: URL) -> ModelPlace {
      place.folder = folder
      return place
    }
    var seen: Set<String> = []
    while true {
      switch chosen {
      case .base: return on(try workspace.read(base).folder)
      case .encoder(let reference):
        guard let model = cache.model(reference) else { throw TaskError.baseMissing(reference, found: nil) }
        return on(model.folder)
      case .language(let name, _, _): return on(try cache.model(named: name).folder)
      case .tuned(let tuned, _):
        guard seen.insert(tuned.name).inserted else { throw workspace.damage }
        let folder = workspace.folder(of: tuned)
        for file in tuned.files where !has(file, in: folder) {
          throw TaskError.modelIncomplete(model: tuned.name, file: file)
        }
        guard tuned.taught == nil else {
          if place.weights == nil, place.lora == nil, has(PretrainedModel.loraWeightsName, in: folder) {
            place.lora = folder
          }
          if place.weights == nil, has(PretrainedModel.tunedWeightsName, in: folder) {
            place.weights = folder.appending(path: PretrainedModel.tunedWeightsName)
          }
          guard let under = try workspace.read({ try $0.model(named: tuned.base) }) else {
            return on(try foundation(of: tuned).folder)
          }
          chosen = .tuned(under)
          continue
        }
        if has("model.safetensors", in: folder) { return on(folder) }
        if place.adapter == nil, has(PretrainedModel.adapterName, in: folder) {
          place.adapter = folder.appending(path: PretrainedModel.adapterName)
        }
        if tuned.base == Workbench.baseModel { return on(try foundation(of: tuned).folder) }
        chosen = try workspace.read { try self.model(named: tuned.base, $0) }
      }
    }
  }

  private func has(_ file: String, in folder: URL) -> Bool {
    FileManager.default.fileExists(atPath: folder.appending(path: file).path)
  }

  private func headFile(of model: TunedModel) -> URL {
    workspace.folder(of: model).appending(path: TunedModel.headName)
  }

  /// What decides a model's predictions, besides the interface that an encoder is asked by: a run that was made under another
  /// signature is no part of this one.
  /// - Throws: `ModelError`, `TaskError`.
  public func signature(of selection: ModelSelection) throws -> String {
    let precision = try workspace.read { try $0.precision }
    let place = try place(of: selection)
    var hash = SHA256()
    hash.update(Data(try cache.identity(of: place.folder).utf8))
    var files = place.files
    if case .tuned(let tuned, _) = selection, !tuned.isPrompted { files.append(headFile(of: tuned)) }
    for file in files { hash.update(Data(try cache.digests.sha256(of: file).utf8)) }
    let model = "\(precision.rawValue) \(hash.finalize().hexadecimal)"
    switch selection {
    case .base, .encoder: return model
    case .tuned(let tuned, let way), .language(_, let way, .some(let tuned)):
      return try tuned.lesson.map { "\(model) \(try $0.digest(way))" } ?? model
    case .language(_, let way, nil): return "\(model) \(try promptDigest(way))"
    }
  }

  // MARK: - What they do

  /// The weights of a language model, or of an encoder without its head, as training leaves them.
  /// - Throws: `ModelError`, `TaskError`.
  public func pretrained(_ model: ModelSelection) throws -> PretrainedModel { try place(of: model).load() }

  /// What the model reads of a text.
  /// - Throws: `ModelError`, `TaskError`.
  public func reader(of model: ModelSelection) throws -> TextReader {
    try TextReader(folder: place(of: model).folder)
  }

  /// The model's encoder: a tuned model keeps only what its method changed, and takes the rest from its base.
  /// - Throws: `TaskError`, `ModelError`.
  public func encoder(of model: ModelSelection) throws -> SentenceEncoder {
    let precision = try workspace.read { try $0.precision }
    let place = try place(of: model)
    return try cache.encoder(in: place, precision: precision)
  }

  /// The same for one caller alone, who may compute with it for long.
  func ownEncoder(of model: ModelSelection, precision: Precision) throws -> SentenceEncoder {
    let place = try place(of: model)
    return try cache.ownEncoder(in: place, precision: precision)
  }

  /// A tuned model's head, which fits its encoder.
  /// - Throws: `TaskError.headDoesNotFit`, `ModelError`.
  public func head(of model: TunedModel, for encoder: PretrainedModel) throws -> Head {
    let head = try Head.load(from: headFile(of: model))
    guard head.categories == model.categories.count else {
      throw ModelError.headMismatch(expected: model.categories.count, found: head.categories)
    }
    let width = encoder.shape.hiddenSize
    guard head.hiddenSize == width else {
      throw TaskError.headDoesNotFit(model: model.name, width: head.hiddenSize, encoder: width)
    }
    return head
  }

  /// The model as a classifier.
  ///
  /// - Throws: `TaskError.noInterface` for an encoder without an interface; `ModelError`; `TaskError`.
  public func classifier(for model: ModelSelection) throws -> any Classifier {
    if case .language(let name, let way, nil) = model { return try languageClassifier(name, way) }
    if case .language(_, let way, .some(let tuned)) = model, let taught = try tuned.lesson {
      return try LanguageClassifier(
        name: model.name, model: languageModel(model), taught: taught, way: way, isTaught: false)
    }
    if case .tuned(let tuned, let way) = model, let taught = try tuned.lesson {
      let language = try languageModel(model)
      guard !tuned.isPrompted else {
        return try LanguageClassifier(name: model.name, model: language, taught: taught, way: way)
      }
      return try LanguageHeadClassifier(
        name: model.name, model: language, head: head(of: tuned, for: language.model), taught: taught)
    }
    guard case .tuned(let tuned, _) = model else {
      guard let interface = try workspace.read({ try $0.interface() }) else { throw TaskError.noInterface }
      let categories = interface.classes.map { (key: $0.key, name: $0.name) }
      return try ZeroShotClassifier(
        name: model.name, encoder: encoder(of: model), categories: categories)
    }
    let encoder = try encoder(of: model)
    let classifier = TunedClassifier(
      name: tuned.name, encoder: encoder, head: try head(of: tuned, for: encoder.model),
      categories: tuned.categories)
    if let lesson = tuned.fileLesson { return FileTaughtClassifier(lesson: lesson, tuned: classifier) }
    return classifier
  }
}

extension Workbench {
  /// In which numbers models compute here.
  public var precision: Precision {
    get throws { try setting("precision").flatMap(Precision.init) ?? .f32 }
  }
}

extension TunedModel {
  /// The files without which it is not whole.
  fileprivate var files: [String] {
    if taught != nil {
      return mainFile == Self.loraName ? [mainFile, PretrainedModel.loraConfigurationName] : [mainFile]
    }
    return switch Method(rawValue: method) {
    case .full, .gradual: [Self.headName, "model.safetensors"]
    case .adapter: [Self.headName, PretrainedModel.adapterName]
    case .linear, nil: [Self.headName]
    }
  }
}
