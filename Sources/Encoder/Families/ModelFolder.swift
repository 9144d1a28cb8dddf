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
    return try Families.family(of: checkpoint).fileNames(of: checkpoint).filter(checkpoint.has)
  }

  /// All of a model's folder besides its weights that decides what it makes of a text: for telling models apart. The same for
  /// folders that say the same in other words.
  /// - Throws: `ModelError`.
  public static func settings(of folder: URL) throws -> Data {
    let checkpoint = try Checkpoint(folder)
    return try Families.family(of: checkpoint).identity(of: checkpoint)
  }
}

extension TextReader {
  /// The reader of a model's folder.
  /// - Throws: `ModelError`.
  public init(folder: URL) throws {
    self.init(try Families.backbone(of: Checkpoint(folder)))
  }
}
