import Foundation

/// Adapters are kept in a file of their own: what `adapter` has learned, without the model that it was added to.
extension PretrainedModel {
  /// The file's name in a tuned model's folder.
  public static let adapterName = "adapter.safetensors"

  /// The model in `folder` with the adapters and layer norms of the file `adapter`, which `save(adapterTo:)` wrote for it.
  /// - Throws: `ModelError`.
  public static func load(folder: URL, adapter: URL) throws -> PretrainedModel {
    let base = try load(folder: folder)
    let names = Set(AdapterFile.contents(base.configuration, size: 1).map(\.name))
    let (stored, _) = try SafeTensors.open(adapter, required: names.contains)
    let size = AdapterFile.size(in: stored)
    guard size > 0 else { throw ModelError.missingTensor(AdapterFile.firstName) }
    let needed = AdapterFile.contents(base.configuration, size: size)
    try check(stored, needed)
    var tensors = base.tensors.filter { !$0.key.contains(AdapterFile.mark) }
    for (name, _) in needed { tensors[name] = stored[name] }
    return PretrainedModel(
      configuration: base.configuration, tokenizer: base.tokenizer, maximumLength: base.maximumLength,
      tensors: tensors, adapterSize: size)
  }

  /// Writes the file `adapter.safetensors` into `folder`; a few hundred kilobytes.
  /// - Throws: `ModelError.cannotWrite`; `ModelError.missingTensor` where this model has no adapters.
  public func save(adapterTo folder: URL) throws {
    guard adapterSize > 0 else { throw ModelError.missingTensor(AdapterFile.firstName) }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw ModelError.cannotWrite(folder.lastPathComponent, reason: "the folder cannot be made")
    }
    let names = Set(AdapterFile.contents(configuration, size: adapterSize).map(\.name))
    try SafeTensors.write(
      tensors.filter { names.contains($0.key) }, to: folder.appendingPathComponent(Self.adapterName))
  }

  /// This model with new adapters that change nothing yet; with its own where it has some. The way up begins at nothing, so that
  /// training starts from the model as it was; the way down with small random numbers, as PyTorch's linear layer.
  func withAdapters(seed: UInt64) -> PretrainedModel {
    guard adapterSize == 0 else { return self }
    var randomNumbers = RandomNumbers(seed: seed, stream: 4)
    let bound = 1 / Float(configuration.hiddenSize).squareRoot()
    var tensors = tensors
    for (name, shape) in AdapterFile.contents(configuration, size: AdapterFile.newSize)
    where name.contains(AdapterFile.mark) {
      let numbers = Floats(count: shape.reduce(1, *))
      if name.hasSuffix("down.weight") {
        for i in 0..<numbers.count { numbers.base[i] = (randomNumbers.uniform() * 2 - 1) * bound }
      }
      tensors[name] = Tensor(shape: shape, floats: numbers)
    }
    return PretrainedModel(
      configuration: configuration, tokenizer: tokenizer, maximumLength: maximumLength, tensors: tensors,
      adapterSize: AdapterFile.newSize)
  }
}

/// What an adapter file holds.
enum AdapterFile {
  /// Width of a new bottleneck.
  static let newSize = 16
  static let mark = ".adapter."
  static let firstName = "encoder.layer.0.attention.output.adapter.down.weight"

  /// The bottleneck's width, by the first adapter; 0: there are none.
  static func size(in tensors: [String: Tensor]) -> Int { tensors[firstName]?.shape.first ?? 0 }

  /// Adapters and the layers' norms.
  static func contents(_ configuration: BERTConfiguration, size: Int) -> [(name: String, shape: [Int])] {
    WeightLayout.files(configuration, adapterSize: size).filter {
      $0.name.contains(mark) || ($0.name.hasPrefix("encoder.") && $0.name.contains("LayerNorm"))
    }
  }
}
