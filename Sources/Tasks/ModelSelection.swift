import Basics
import Classifiers
import Encoder
import Workbench

/// Which model is meant.
public enum ModelSelection: Equatable, Sendable {
  /// The encoder that is `base` in the workspace, by similarity to the categories' names.
  case base
  /// Another encoder, asked in the same way: what a tuned model stands on that was trained before `base` became another.
  case encoder(EncoderReference)
  /// A language model with the way that it is asked; an encoder knows one alone.
  case tuned(TunedModel, AnswerWay = .free)
  /// An installed language model by its name, and how it is asked: with the workspace's prompt, or, to be compared with a tuned
  /// model, as that was taught.
  case language(String, AnswerWay, TunedModel? = nil)

  /// The model's name; of a language model with the way that it is asked, `smollm2+decide`: its predictions by that way stand
  /// beside those by another. Asked as a tuned one was taught it is `smollm2@tuned-1`.
  public var name: String {
    switch self {
    case .base: Workbench.baseModel
    case .encoder(let reference): reference.name ?? Workbench.baseModel
    case .tuned(let model, let way): model.name + way.suffix
    case .language(let name, let way, let tuned): name + (tuned.map { "@" + $0.name } ?? "") + way.suffix
    }
  }

  /// How it is prompted; nil for what compares or has a head.
  public var way: AnswerWay? {
    switch self {
    case .base, .encoder: nil
    case .tuned(let model, let way): model.isPrompted ? way : nil
    case .language(_, let way, _): way
    }
  }

  /// Whether it answers in words or by them.
  public var isLanguageModel: Bool { way != nil }

  /// The same, asked in another way; nil for what is not prompted.
  public func asked(_ way: AnswerWay) -> ModelSelection? {
    switch self {
    case .tuned(let model, _) where model.isPrompted: .tuned(model, way)
    case .language(let name, _, let tuned): .language(name, way, tuned)
    default: nil
    }
  }
}

extension TunedModel {
  /// Whether it is a language model that writes or weighs words, and has no head.
  public var isPrompted: Bool { taught != nil && Method(rawValue: method) != .linear }
}

extension ModelLibrary {
  /// The model of that name: the workspace's own, or an installed language model.
  /// - Throws: `TaskError.unknownModel`.
  public func model(named name: String, _ workbench: Workbench) throws -> ModelSelection {
    if name == Workbench.baseModel { return .base }
    let (asked, way) = AnswerWay.split(name)
    if let model = try workbench.model(named: asked), way == .free || model.isPrompted {
      return .tuned(model, way)
    }
    if try workbench.chosenBase()?.name == name { return .base }
    if let encoder = try workbench.encoders().first(where: { $0.name == name }) { return .encoder(encoder) }
    let parts = asked.split(separator: "@", maxSplits: 1).map(String.init)
    let tuned = try parts.count == 2 ? workbench.model(named: parts[1]) : nil
    if let plain = parts.first, parts.count == 1 || tuned?.isPrompted == true,
      cache.languageModels.contains(where: { $0.name == plain })
    {
      return .language(plain, way, tuned)
    }
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
