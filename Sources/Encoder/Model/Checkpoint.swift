import Foundation

/// A model's files, of which no weight is read: a folder with `config.json`, `model.safetensors` and what its tokenizer needs; or
/// one GGUF file, by itself or alone in its folder.
package struct Checkpoint: Sendable {
  package let folder: URL
  /// Nil for a folder of Hugging Face's kind.
  package let gguf: GGUF?
  /// What `config.json` calls its `model_type`, or a GGUF its architecture. BERT's first models do not say.
  package let family: String

  /// Which file says what the model is.
  var settingsFile: String { gguf?.file ?? "config.json" }

  private struct Named: Decodable {
    var family: String?
    enum CodingKeys: String, CodingKey { case family = "model_type" }
  }

  /// Whether the files are there and make sense is for the family to say.
  /// - Throws: `ModelError` where a GGUF file is not whole.
  package init(_ place: URL) throws {
    if let file = Self.gguf(at: place) {
      folder = file.deletingLastPathComponent()
      let gguf = try GGUF(file)
      self.gguf = gguf
      family = gguf.architecture
    } else {
      folder = place
      gguf = nil
      let files = Self.ggufFiles(in: place)
      guard files.isEmpty else {
        throw ModelError.unreadableFile(
          place.lastPathComponent, reason: "it holds \(files.count) GGUF files, so name one of them")
      }
      let named = try? JSONDecoder().decode(
        Named.self, from: ModelFile.read(place.appendingPathComponent("config.json")))
      family = named?.family ?? "bert"
    }
  }

  /// The file that holds the weights of the model in a folder, or that is the model itself; nil where none is.
  package static func weights(at place: URL) -> URL? {
    let file = gguf(at: place) ?? place.appendingPathComponent("model.safetensors")
    return FileManager.default.fileExists(atPath: file.path) ? file : nil
  }

  private static func gguf(at place: URL) -> URL? {
    if place.pathExtension == "gguf", !place.isFolder { return place }
    let files = ggufFiles(in: place)
    return files.count == 1 ? place.appendingPathComponent(files[0]) : nil
  }

  /// None where a `config.json` says that the model is of Hugging Face's kind.
  private static func ggufFiles(in folder: URL) -> [String] {
    let manager = FileManager.default
    guard !manager.fileExists(atPath: folder.appendingPathComponent("config.json").path) else { return [] }
    return (try? manager.contentsOfDirectory(atPath: folder.path))?.filter { $0.hasSuffix(".gguf") } ?? []
  }

  func malformed(_ reason: String) -> ModelError {
    .malformedConfiguration(file: settingsFile, reason: reason)
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

  /// `config.json` as a family reads it.
  /// - Throws: `ModelError` where the file is missing, no JSON, or lacks what the family needs.
  func configuration<Configuration: Decodable>(_ type: Configuration.Type) throws -> Configuration {
    let data = try contents(of: "config.json")
    do {
      return try JSONDecoder().decode(type, from: data)
    } catch DecodingError.keyNotFound(let key, _) {
      throw malformed("\(key.stringValue) is missing")
    } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
      let name = context.codingPath.last?.stringValue ?? "its top level"
      throw malformed("\(name) has a value of the wrong kind")
    } catch DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty {
      throw malformed("\(context.codingPath.last?.stringValue ?? "") has an impossible value")
    } catch is DecodingError {
      throw malformed("it is not well-formed JSON")
    }
  }

  package func has(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path)
  }

  /// Maps the weights; numbers are read from the disk when they are needed.
  /// - Parameter required: as in `SafeTensors.open`.
  /// - Throws: `ModelError`.
  package func tensors(required: (String) -> Bool) throws -> [String: Tensor] {
    if let gguf { return gguf.tensors }
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

extension URL {
  fileprivate var isFolder: Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }
}
