import Foundation

/// A model's files, of which no weight is read: a folder with `config.json`, `model.safetensors` and what its tokenizer needs.
package struct Checkpoint: Sendable {
  package let folder: URL
  /// What `config.json` calls its `model_type`. BERT's first models do not say.
  package let family: String

  private struct Named: Decodable {
    var family: String?
    enum CodingKeys: String, CodingKey { case family = "model_type" }
  }

  /// Whether the files are there and make sense is for the family to say.
  package init(folder: URL) {
    self.folder = folder
    let named = try? JSONDecoder().decode(
      Named.self, from: ModelFile.read(folder.appendingPathComponent("config.json")))
    family = named?.family ?? "bert"
  }

  /// - Throws: `ModelError` where the file cannot be read.
  package func contents(of name: String) throws -> Data {
    try ModelFile.read(folder.appendingPathComponent(name))
  }

  /// Nil where there is no such file.
  /// - Throws: `ModelError` where it cannot be read.
  package func contentsIfPresent(of name: String) throws -> Data? {
    try ModelFile.readIfPresent(folder.appendingPathComponent(name))
  }

  package func has(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path)
  }

  /// Maps the weights; numbers are read from the disk when they are needed.
  /// - Parameter required: as in `SafeTensors.open`.
  /// - Throws: `ModelError`.
  package func tensors(required: (String) -> Bool) throws -> [String: Tensor] {
    try checkFormat()
    return try SafeTensors.open(folder.appendingPathComponent("model.safetensors"), required: required)
      .tensors
  }

  /// Says where the weights are, if they are there in another form.
  private func checkFormat() throws {
    guard !has("model.safetensors") else { return }
    for other in ["model.safetensors.index.json", "pytorch_model.bin", "tf_model.h5", "flax_model.msgpack"]
    where has(other) {
      throw ModelError.otherWeights(other, folder: folder.lastPathComponent)
    }
  }
}
