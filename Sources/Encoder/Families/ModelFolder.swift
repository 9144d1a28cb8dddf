import Foundation

/// Models from folders, whatever their family.
extension PretrainedModel {
  /// Maps the weights and checks all shapes; numbers are read from the disk when they are needed.
  /// - Throws: `ModelError`.
  public static func load(folder: URL) throws -> PretrainedModel {
    let checkpoint = try Checkpoint(folder)
    let backbone = try Families.backbone(of: checkpoint)
    // A model with adapters that has been tuned in full holds them among its weights.
    let names = Set(layout(backbone, adapterSize: 1).tensors.map(\.name))
    var tensors: [String: Tensor] = [:]
    for (name, tensor) in try checkpoint.tensors(required: { names.contains(backbone.ownName($0)) }) {
      let name = backbone.ownName(name)
      tensors[name] = backbone.own(tensor, name: name)
    }
    let model = PretrainedModel(backbone: backbone, tensors: tensors)
    try check(tensors, layout(backbone, adapterSize: model.adapterSize).tensors)
    return model
  }

  /// The names of the files in `folder` that its family reads.
  /// - Throws: `ModelError`.
  public static func fileNames(in folder: URL) throws -> [String] {
    let checkpoint = try Checkpoint(folder)
    if let gguf = checkpoint.gguf { return [gguf.file] }
    return try Families.family(of: checkpoint).fileNames(of: checkpoint).filter(checkpoint.has)
  }

  /// All of a model's folder besides the file of its weights that decides what it makes of a text: for telling models apart. The
  /// same for folders that say the same in other words; nothing for a GGUF file, which holds it all.
  /// - Throws: `ModelError`.
  public static func settings(of folder: URL) throws -> Data {
    let checkpoint = try Checkpoint(folder)
    return try Families.family(of: checkpoint).identity(of: checkpoint)
  }

  /// The file that holds the weights of the model in a folder, or that is the model itself; nil where none is.
  public static func weights(at place: URL) -> URL? { Checkpoint.weights(at: place) }
}

/// What a model's files say about it before it is loaded: read in a millisecond or two, for neither weights nor vocabulary are.
public struct ModelSummary: Equatable, Sendable {
  /// What the files call it: `bert`, `llama`.
  public let family: String
  /// Whether it writes: a language model, no encoder.
  public let isGenerative: Bool
  /// Tokens of the longest text that it reads whole; nil where the files do not say, or of a family that fettle does not run.
  public let longest: Int?
  /// As a GGUF names it: `apache-2.0`.
  public let licence: String?
  /// Codes of languages, as a GGUF has them.
  public let languages: [String]

  /// - Throws: `ModelError` where a GGUF file is not whole.
  public init(of place: URL) throws {
    let checkpoint = try Checkpoint(place)
    let known = try? Families.family(of: checkpoint)
    family = checkpoint.family
    isGenerative = known?.isGenerative ?? false
    longest = try? known?.maximumLength(of: checkpoint)
    licence = try? checkpoint.gguf?.string("general.license")
    languages = (try? checkpoint.gguf?.strings("general.languages")) ?? []
  }
}

extension TextReader {
  /// The reader of a model's folder.
  /// - Throws: `ModelError`.
  public init(folder: URL) throws {
    self.init(try Families.backbone(of: Checkpoint(folder)))
  }
}
