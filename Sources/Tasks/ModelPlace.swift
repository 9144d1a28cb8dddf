import Encoder
import Foundation

/// Where a model lies: a whole one, and what was trained on top of it.
package struct ModelPlace: Hashable, Sendable {
  package var folder: URL
  /// A language model's other weights.
  var weights: URL?
  /// An encoder's adapters.
  var adapter: URL?
  /// A language model's LoRA, a folder.
  var lora: URL?

  package init(folder: URL) { self.folder = folder }

  /// What stands on top, as files.
  var files: [URL] {
    let pair = [PretrainedModel.loraConfigurationName, PretrainedModel.loraWeightsName]
    return [weights, adapter].compactMap(\.self)
      + (lora.map { folder in pair.map { folder.appending(path: $0) } } ?? [])
  }

  /// - Throws: `ModelError`.
  func load() throws -> PretrainedModel {
    var model = try PretrainedModel.load(folder: folder)
    if let weights { model = try model.with(weights: weights) }
    if let adapter { model = try model.with(adapter: adapter) }
    if let lora { model = try model.with(lora: lora) }
    return model
  }
}
