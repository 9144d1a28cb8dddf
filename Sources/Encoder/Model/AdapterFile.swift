import Foundation

/// Adapters are kept in a file of their own: what `adapter` has learned, without the model that it was added to.
extension PretrainedModel {
  /// The file's name in a tuned model's folder.
  public static let adapterName = "adapter.safetensors"

  /// This model with the adapters and norms of the file `adapter`, which `save(adapterTo:)` wrote for it.
  /// - Throws: `ModelError`.
  public func with(adapter: URL) throws -> PretrainedModel {
    let names = Set(adapterTensors(size: 1).map(\.name))
    let (stored, _) = try SafeTensors.open(adapter, required: names.contains)
    let size = backbone.adapterSize(in: stored)
    let layout = Self.layout(backbone, adapterSize: max(size, 1))
    let needed = adapterTensors(size: max(size, 1)).map { ($0.name, $0.shape) }
    guard size > 0 else { throw ModelError.missingTensor(Self.firstAdapter(layout)) }
    try Self.check(stored, needed)
    var tensors = tensorsWithoutAdapters
    for (name, _) in needed { tensors[name] = stored[name] }
    return with(tensors)
  }

  /// Writes the file `adapter.safetensors` into `folder`; a few hundred kilobytes.
  /// - Throws: `ModelError.cannotWrite`; `ModelError.missingTensor` where this model has no adapters.
  public func save(adapterTo folder: URL) throws {
    guard adapterSize > 0 else {
      throw ModelError.missingTensor(Self.firstAdapter(Self.layout(backbone, adapterSize: 1)))
    }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw ModelError.cannotWrite(folder.lastPathComponent, reason: "the folder cannot be made")
    }
    let names = Set(adapterTensors(size: adapterSize).map(\.name))
    try SafeTensors.write(
      tensors.filter { names.contains($0.key) }, to: folder.appendingPathComponent(Self.adapterName))
  }

  /// This model with new adapters that change nothing yet; with its own where it has some. The way up begins at nothing, so that
  /// training starts from the model as it was; the way down with small random numbers.
  /// - Throws: `ModelError.noAdapters` where its family has none.
  /// - Parameter size: of new ones; nil: as its family has them.
  func withAdapters(seed: UInt64, size: Int? = nil) throws -> PretrainedModel {
    guard adapterSize == 0 else { return self }
    let size = type(of: backbone).newAdapterSize > 0 ? size ?? type(of: backbone).newAdapterSize : 0
    guard size > 0 else { throw ModelError.noAdapters }
    var randomNumbers = RandomNumbers(seed: seed, stream: 4)
    var tensors = tensors
    let layout = Self.layout(backbone, adapterSize: size)
    for entry in layout.entries where layout.section(at: entry.start)?.kind == .adapter {
      let numbers = Floats(count: entry.shape.reduce(1, *))
      if entry.initial == .uniform {
        let bound = 1 / Float(entry.shape[1]).squareRoot()
        for i in 0..<numbers.count { numbers.base[i] = (randomNumbers.uniform() * 2 - 1) * bound }
      }
      tensors[entry.name] = Tensor(shape: entry.shape, floats: numbers)
    }
    return with(tensors)
  }

  /// The tensors of an adapter file: adapters, and the layers' norms where they learn with them.
  func adapterTensors(size: Int) -> [ParameterLayout.FileEntry] {
    let layout = Self.layout(backbone, adapterSize: size)
    let norms = type(of: backbone).adaptersTuneNorms
    return layout.entries.filter { entry in
      guard let section = layout.section(at: entry.start) else { return false }
      return section.kind == .adapter || norms && section.kind == .norm && section.layer != nil
    }
  }

  private static func firstAdapter(_ layout: ParameterLayout) -> String {
    layout.entries.first { layout.section(at: $0.start)?.kind == .adapter }?.name ?? adapterName
  }

  /// What a file for others holds.
  var tensorsWithoutAdapters: [String: Tensor] {
    let layout = Self.layout(backbone, adapterSize: max(adapterSize, 1))
    let adapters = Set(
      layout.entries.lazy.filter { layout.section(at: $0.start)?.kind == .adapter }.map(\.name))
    return tensors.filter { !adapters.contains($0.key) }
  }
}
