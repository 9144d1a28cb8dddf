import Basics
import Classifiers
import Workbench

/// Which model is meant.
public enum ModelSelection: Equatable, Sendable {
  /// The encoder that is `base` in the workspace, by similarity to the categories' names.
  case base
  /// Another encoder, asked in the same way: what a tuned model stands on that was trained before `base` became another.
  case encoder(EncoderReference)
  case tuned(TunedModel)
  /// An installed language model by its name, and how it is asked.
  case language(String, AnswerWay)

  /// The model's name; of a language model with the way that it is asked, `smollm2+decide`: its predictions by that way stand
  /// beside those by another.
  public var name: String {
    switch self {
    case .base: Workbench.baseModel
    case .encoder(let reference): reference.name ?? Workbench.baseModel
    case .tuned(let model): model.name
    case .language(let name, let way): name + way.suffix
    }
  }

  /// Whether it answers in words or by them.
  public var isLanguageModel: Bool { if case .language = self { true } else { false } }
}

extension ModelLibrary {
  /// The model of that name: the workspace's own, or an installed language model.
  /// - Throws: `TaskError.unknownModel`.
  public func model(named name: String, _ workbench: Workbench) throws -> ModelSelection {
    if name == Workbench.baseModel { return .base }
    if let model = try workbench.model(named: name) { return .tuned(model) }
    if try workbench.chosenBase()?.name == name { return .base }
    if let encoder = try workbench.encoders().first(where: { $0.name == name }) { return .encoder(encoder) }
    let (plain, way) = AnswerWay.split(name)
    if cache.languageModels.contains(where: { $0.name == plain }) { return .language(plain, way) }
    throw TaskError.unknownModel(name, nearest: nearest(name, among: try modelNames(workbench)))
  }

  /// All names that ``model(named:_:)`` takes, language models without the ways of asking them.
  public func modelNames(_ workbench: Workbench) throws -> [String] {
    let base = try workbench.chosenBase()?.name
    let encoders = try workbench.encoders().compactMap(\.name).filter { $0 != base }
    let own = try [Workbench.baseModel] + workbench.models().map(\.name)
    return own + [base].compactMap(\.self) + encoders + cache.languageModels.map(\.name)
  }
}
