import Foundation

extension PretrainedModel {
  /// Writes a model that came from a GGUF file as one again, which llama.cpp loads; with a LoRA, merged.
  ///
  /// What has not changed stands in it as it stood in the other; a matrix that has, in half precision, or in f32.
  /// - Throws: `ModelError.cannotWrite`; `ModelError.noGGUF` where it came from a folder.
  public func save(gguf file: URL, halves: Bool = true) throws {
    let merged = withMergedAdapters()
    guard let source = try backbone.ggufEntries() else { throw ModelError.noGGUF }
    var tensors: [String: Tensor] = [:]
    for (name, tensor) in merged.tensors {
      let isWhole = tensor.type == .f32 && tensor.shape.count > 1
      let (own, rows) = backbone.ggufTensor(isWhole && halves ? tensor.halved() : tensor, name: name)
      tensors[own] = rows
    }
    // The type that most matrices have, by ggml's numbers of file types.
    var entries = source.filter { $0.key != "general.file_type" }
    entries.append(GGUFWriter.entry("general.file_type", halves ? 1 : 0))
    try GGUFWriter(entries, alignment: 32, tensors: tensors).write(to: file)
  }
}
