import Foundation

extension PretrainedModel {
  /// Whether its weights stand in a GGUF file: most of them in fewer bits, from which they are dequantised.
  public var isFromGGUF: Bool { ((try? backbone.ggufEntries()) ?? nil) != nil }

  /// Writes a model that came from a GGUF file as one again, which llama.cpp loads; with a LoRA, merged.
  ///
  /// A model of which nothing has changed stands in it as it stood in the other. In one that was tuned the word table too is in half
  /// precision: what stays in blocks llama.cpp multiplies with 8 bits, and logits come out 0.4 away in place of 0.05.
  /// - Parameter halves: whether matrices are in half precision; else all numbers are f32.
  /// - Throws: `ModelError.cannotWrite`; `ModelError.noGGUF` where it came from a folder.
  public func save(gguf file: URL, halves: Bool = true) throws {
    guard var entries = try backbone.ggufEntries() else { throw ModelError.noGGUF }
    let whole = withMergedAdapters().tensors
    let hasChanged = whole.values.contains { $0.type == .f32 && $0.shape.count > 1 }
    var tensors: [String: Tensor] = [:]
    for (name, tensor) in whole {
      let stored = !halves ? tensor.whole : hasChanged && tensor.shape.count > 1 ? tensor.halved() : tensor
      let (own, rows) = backbone.ggufTensor(stored, name: name)
      tensors[own] = rows
    }
    // Another's places are not ours.
    entries.removeAll { $0.key == "general.alignment" }
    if hasChanged || !halves {
      // The type that most matrices have, by ggml's numbers of file types.
      let type = "general.file_type"
      entries.removeAll { $0.key == type }
      entries.append(GGUFWriter.entry(type, halves ? 1 : 0))
    }
    try GGUFWriter(entries, alignment: 32, tensors: tensors).write(to: file)
  }
}
