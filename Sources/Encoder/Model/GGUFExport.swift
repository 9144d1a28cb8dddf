import Foundation

extension PretrainedModel {
  /// Whether its weights stand in a GGUF file: most of them in fewer bits, from which they are dequantised.
  public var isFromGGUF: Bool { ((try? backbone.ggufEntries()) ?? nil) != nil }

  /// Writes a model that came from a GGUF file as one again, which llama.cpp loads; with a LoRA, merged.
  ///
  /// - Parameter halves: what has not changed stands in it as it stood in the other, and a matrix that has in half precision; else
  ///   all numbers are f32.
  /// - Throws: `ModelError.cannotWrite`; `ModelError.noGGUF` where it came from a folder.
  public func save(gguf file: URL, halves: Bool = true) throws {
    guard var entries = try backbone.ggufEntries() else { throw ModelError.noGGUF }
    // Another's places are not ours.
    entries.removeAll { $0.key == "general.alignment" }
    let type = "general.file_type"
    var hasChanged = false
    var tensors: [String: Tensor] = [:]
    for (name, tensor) in withMergedAdapters().tensors {
      let isNew = tensor.type == .f32 && tensor.shape.count > 1
      hasChanged = hasChanged || isNew
      let (own, rows) = backbone.ggufTensor(
        halves ? isNew ? tensor.halved() : tensor : tensor.whole, name: name)
      tensors[own] = rows
    }
    if hasChanged || !halves {
      // The type that most matrices have, by ggml's numbers of file types.
      entries.removeAll { $0.key == type }
      entries.append(GGUFWriter.entry(type, halves ? 1 : 0))
    }
    try GGUFWriter(entries, alignment: 32, tensors: tensors).write(to: file)
  }
}
