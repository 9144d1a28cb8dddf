import Foundation

/// All weights of a model that was tuned as a whole, without what goes with them: a GGUF file has neither `config.json` nor
/// `tokenizer.json`, and what it was tuned from has its own.
extension PretrainedModel {
  /// The file's name in a tuned model's folder.
  package static let tunedWeightsName = "weights.safetensors"

  /// This model with the weights that `save(weightsTo:)` wrote, and without adapters.
  /// - Throws: `ModelError`.
  package func with(weights file: URL) throws -> PretrainedModel {
    let needed = Self.layout(backbone, adapterSize: 0).tensors
    let names = Set(needed.map(\.name))
    let (stored, _) = try SafeTensors.open(file, required: names.contains)
    try Self.check(stored, needed)
    return with(stored.filter { names.contains($0.key) })
  }

  /// Writes the file into `folder`, adapters merged.
  /// - Throws: `ModelError.cannotWrite`.
  package func save(weightsTo folder: URL) throws {
    let names = Set(Self.layout(backbone, adapterSize: 0).tensors.map(\.name))
    try SafeTensors.write(
      withMergedAdapters().tensors.filter { names.contains($0.key) },
      to: folder.appendingPathComponent(Self.tunedWeightsName))
  }

  /// Bytes that a language model of this one tuned by `options` takes on the disk, its head of `categories` too.
  package func languageBytesOnDisk(tunedBy options: TrainingOptions, categories: Int) -> Int {
    switch options.method {
    case .linear: 4 * categories * (shape.hiddenSize + 1)
    case .adapter:
      adapterTensors(size: adapterSize > 0 ? adapterSize : options.rank)
        .reduce(0) { $0 + 4 * $1.shape.reduce(1, *) }
    case .full, .gradual:
      Self.layout(backbone, adapterSize: 0).tensors.reduce(0) { $0 + 4 * $1.shape.reduce(1, *) }
    }
  }
}
