import Basics
import Workbench

/// Which model is meant.
public enum ModelSelection: Equatable, Sendable {
  /// The encoder that is `base` in the workspace, by similarity to the categories' names.
  case base
  /// Another encoder, asked in the same way: what a tuned model stands on that was trained before `base` became another.
  case encoder(EncoderReference)
  case tuned(TunedModel)

  public var name: String {
    switch self {
    case .base: Workbench.baseModel
    case .encoder(let reference): reference.name ?? Workbench.baseModel
    case .tuned(let model): model.name
    }
  }

  /// The model of that name, as far as the workspace knows it.
  /// - Throws: `TaskError.unknownModel`.
  public static func named(_ name: String, _ workbench: Workbench) throws -> ModelSelection {
    if name == Workbench.baseModel { return .base }
    if let model = try workbench.model(named: name) { return .tuned(model) }
    if try workbench.chosenBase()?.name == name { return .base }
    if let encoder = try workbench.encoders().first(where: { $0.name == name }) { return .encoder(encoder) }
    throw TaskError.unknownModel(name, nearest: nearest(name, among: try names(workbench)))
  }

  /// All names that ``named(_:_:)`` takes.
  public static func names(_ workbench: Workbench) throws -> [String] {
    let base = try workbench.chosenBase()?.name
    let encoders = try workbench.encoders().compactMap(\.name).filter { $0 != base }
    return try [Workbench.baseModel] + workbench.models().map(\.name) + [base].compactMap(\.self) + encoders
  }
}
