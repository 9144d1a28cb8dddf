import CKernels
import Foundation

/// A model's weights in one block of memory, laid out for products.
final class Weights: Sendable {
  let layout: WeightLayout
  let floats: Floats

  var base: FloatPointer { floats.base }
  /// For products in f32.
  var operand: Operand { Operand(base: UnsafeMutableRawPointer(base), dtype: .f32) }

  /// Reads all but the word table. `words` are the rows of that table that are wanted, in the order they are to stand in.
  /// - Throws: `ModelError.notANumber`.
  init(_ model: PretrainedModel, words: [Int32] = [], categories: Int = 0, pool: ThreadPool) throws {
    layout = WeightLayout(
      model.configuration, words: words.count, categories: categories, adapterSize: model.adapterSize)
    floats = Floats(count: layout.count)
    let entries = layout.entries
    let base = floats.base
    try pool.run(entries.count) { task, _ in
      let entry = entries[task]
      guard let tensor = model.tensors[entry.name] else { throw ModelError.missingTensor(entry.name) }
      if let stride = entry.stride {
        tensor.copyTransposed(to: base + entry.start, stride: stride)
      } else {
        tensor.copy(count: tensor.count, to: base + entry.start)
      }
    }
    if !words.isEmpty {
      guard let table = model.tensors[WeightLayout.wordTableName] else {
        throw ModelError.missingTensor(WeightLayout.wordTableName)
      }
      let hidden = model.configuration.hiddenSize
      for (row, word) in words.enumerated() {
        table.copy(from: Int(word) * hidden, count: hidden, to: base + layout.wordTable + row * hidden)
      }
    }
    for section in layout.sections where !fettle_sum_of_squares(base + section.start, section.count).isFinite
    {
      throw ModelError.notANumber(
        where: section.layer.map { "layer \($0) of the model" } ?? "the model's embeddings")
    }
  }

  var isFinite: Bool { fettle_sum_of_squares(base, floats.count).isFinite }

  /// The model that these weights make of `model`: what has not `learned` is taken over from it. `words` as in `init`.
  func model(from model: PretrainedModel, words: [Int32], learned: TrainableScope) -> PretrainedModel {
    var tensors = model.tensors
    for entry in layout.entries {
      guard let section = layout.section(at: entry.start), learned.includes(section) else { continue }
      let count = entry.shape.reduce(1, *)
      let copy = Floats(count: count)
      if let stride = entry.stride {
        fettle_transpose(
          base + entry.start, stride, copy.base, entry.shape[1], entry.shape[1], entry.shape[0])
      } else {
        memcpy(copy.base, base + entry.start, count * 4)
      }
      tensors[entry.name] = Tensor(shape: entry.shape, floats: copy)
    }
    if !words.isEmpty, learned.lowest == nil, let table = model.tensors[WeightLayout.wordTableName] {
      let hidden = layout.configuration.hiddenSize
      let copy = Floats(count: table.count)
      table.copy(count: table.count, to: copy.base)
      for (row, word) in words.enumerated() {
        memcpy(copy.base + Int(word) * hidden, base + layout.wordTable + row * hidden, hidden * 4)
      }
      tensors[WeightLayout.wordTableName] = Tensor(shape: table.shape, floats: copy)
    }
    return PretrainedModel(
      configuration: model.configuration, tokenizer: model.tokenizer, maximumLength: model.maximumLength,
      tensors: tensors, adapterSize: model.adapterSize)
  }

  /// The head's part.
  var head: Head {
    let hidden = layout.configuration.hiddenSize
    return Head(
      weight: Array(UnsafeBufferPointer(start: base + layout.headWeight, count: layout.categories * hidden)),
      bias: Array(UnsafeBufferPointer(start: base + layout.headBias, count: layout.categories)))
  }

  func set(_ head: Head) {
    precondition(head.categories == layout.categories, "a head for other categories")
    (base + layout.headWeight).update(from: head.weight, count: head.weight.count)
    (base + layout.headBias).update(from: head.bias, count: head.bias.count)
  }
}
