import CKernels
import Foundation

extension ParameterStore {
  /// The model that these parameters make of `model`: what has not `learned` is taken over from it. `words` as in `init`.
  func model(from model: PretrainedModel, words: [Int32], learned: TrainableScope) -> PretrainedModel {
    func includes(_ place: Int) -> Bool { layout.section(at: place).map(learned.includes) ?? false }
    var tensors = model.tensors
    for entry in layout.entries where includes(entry.start) {
      let count = entry.shape.reduce(1, *)
      let copy = Floats(count: count)
      if let stride = entry.stride {
        fettle_transpose(
          self[entry.start], stride, copy.base, entry.shape[1], entry.shape[1], entry.shape[0])
      } else {
        memcpy(copy.base, self[entry.start], count * 4)
      }
      tensors[entry.name] = Tensor(shape: entry.shape, floats: copy)
    }
    if !words.isEmpty, let place = layout.wordTable, includes(place.start),
      let table = model.tensors[layout.wordTableName]
    {
      let hidden = place.columns
      let copy = Floats(count: table.count)
      table.copy(count: table.count, to: copy.base)
      for (row, word) in words.enumerated() {
        memcpy(copy.base + Int(word) * hidden, self[place.start + row * hidden], hidden * 4)
      }
      tensors[layout.wordTableName] = Tensor(shape: table.shape, floats: copy)
    }
    return model.with(tensors)
  }
}
