import CKernels
import Foundation

extension PretrainedModel {
  /// The same model without adapters, whose products are added to the weights that they stand beside: W + scale B A.
  package func withMergedAdapters() -> PretrainedModel {
    guard adapterSize > 0, let alpha = backbone.adapterAlpha else { return self }
    let scale = alpha / Float(adapterSize)
    var merged = tensors
    for (name, a) in tensors where name.hasSuffix(".lora_A.weight") {
      let matrix = String(name.dropLast("lora_A.weight".count))
      merged[name] = nil
      merged[matrix + "lora_B.weight"] = nil
      guard let b = tensors[matrix + "lora_B.weight"], let weight = tensors[matrix + "weight"] else {
        continue
      }
      let sum = Floats(count: weight.count)
      weight.copy(count: weight.count, to: sum.base)
      let (outputs, inputs) = (weight.shape[0], weight.shape[1])
      fettle_low_rank_expand(
        b.array, adapterSize, a.array, sum.base, inputs, outputs, adapterSize, inputs, scale)
      merged[matrix + "weight"] = Tensor(shape: weight.shape, floats: sum)
    }
    return with(merged)
  }
}
