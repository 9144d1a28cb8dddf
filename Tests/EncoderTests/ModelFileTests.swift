import Encoder
import Foundation
import Testing

/// Folders that hold no proper model: each gets an error that says what is wrong, and none a crash.
@Suite struct ModelFileTests {
  /// The tiny model's folder, with one file changed.
  private func load(_ name: String, _ change: (inout Data) throws -> Void) throws -> ModelError? {
    try TestFiles.withTemporaryFolder { folder in
      let tiny = try TestFiles.reference("tiny-bert")
      for file in ["config.json", "vocab.txt", "model.safetensors"] {
        var data = try Data(contentsOf: tiny.appendingPathComponent(file))
        if file == name { try change(&data) }
        try data.write(to: folder.appendingPathComponent(file))
      }
      do {
        _ = try PretrainedModel.load(folder: folder)
        return nil
      } catch {
        return error as? ModelError
      }
    }
  }

  /// With the header of the weights rewritten.
  private func loadWeights(_ edit: (inout [String: Any]) -> Void) throws -> ModelError? {
    try load("model.safetensors") { data in
      let length = data.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
      var header = try #require(
        JSONSerialization.jsonObject(with: data[8..<8 + length]) as? [String: Any])
      edit(&header)
      let json = try JSONSerialization.data(withJSONObject: header)
      data = file(header: json, numbers: data[(8 + length)...])
    }
  }

  private func file(length: UInt64? = nil, header: Data, numbers: Data) -> Data {
    withUnsafeBytes(of: (length ?? UInt64(header.count)).littleEndian) { Data($0) } + header + numbers
  }

  private func isMalformed(_ error: ModelError?, _ words: String) -> Bool {
    guard case .malformedWeights(_, let reason) = error else { return false }
    return reason.contains(words)
  }

  @Test("The tiny model loads as it is") func whole() throws {
    #expect(try load("config.json") { _ in } == nil)
  }

  @Test("A file cut anywhere is refused", arguments: [0, 3, 8, 100, 5000, 47_000]) func truncated(_ size: Int)
    throws
  {
    let error = try load("model.safetensors") { $0 = $0.prefix(size) }
    #expect(error?.code == "model-weights-malformed")
  }

  @Test(
    "A header that claims more bytes than there are, or than there can be",
    arguments: [1 << 20, UInt64.max, 1 << 63])
  func hugeHeader(_ length: UInt64) throws {
    let error = try load("model.safetensors") {
      $0 = file(length: length, header: Data("{}".utf8), numbers: Data())
    }
    #expect(error?.code == "model-weights-malformed")
  }

  @Test(
    "A header that is no JSON, or of another shape",
    arguments: ["", "[]", "{", "{\"a\":1}", "{\"a\":{\"dtype\":\"F32\"}}"])
  func noHeader(_ text: String) throws {
    let error = try load("model.safetensors") { $0 = file(header: Data(text.utf8), numbers: Data()) }
    #expect(error?.code == "model-weights-malformed")
  }

  @Test("JSON nested a million deep") func deepHeader() throws {
    let error = try load("model.safetensors") {
      $0 = file(header: Data(repeating: UInt8(ascii: "["), count: 1_000_000), numbers: Data())
    }
    #expect(isMalformed(error, "JSON"))
  }

  private let name = "embeddings.LayerNorm.weight"

  @Test("Tensors that overlap") func overlap() throws {
    let error = try loadWeights { header in
      header[name] = header["embeddings.LayerNorm.bias"]
    }
    #expect(isMalformed(error, "overlap"))
  }

  @Test(
    "Places outside the file, or the wrong way round",
    arguments: [[0, 1 << 40], [-96, 0], [96, 0], [0], [0, 1, 2]])
  func outside(_ offsets: [Int]) throws {
    let error = try loadWeights {
      $0[name] = ["dtype": "F32", "shape": [24], "data_offsets": offsets] as [String: Any]
    }
    #expect(error?.code == "model-weights-malformed")
  }

  @Test(
    "Shapes of which the product overflows, or is negative",
    arguments: [[1 << 62, 1 << 62], [-1, -24], [4_611_686_018_427_387_904, 4]])
  func overflow(_ shape: [Int]) throws {
    let error = try loadWeights {
      $0[name] = ["dtype": "F32", "shape": shape, "data_offsets": [0, 96]] as [String: Any]
    }
    #expect(isMalformed(error, "impossible shape"))
  }

  @Test("A tensor of the wrong shape, a missing one, one of whole numbers") func wrongTensors() throws {
    let wrong = try load("config.json") { data in
      data = Data(
        String(decoding: data, as: UTF8.self).replacing("\"vocab_size\": 61", with: "\"vocab_size\": 62").utf8
      )
    }
    #expect(
      wrong == .wrongShape(tensor: "embeddings.word_embeddings.weight", expected: [62, 24], found: [61, 24]))
    #expect(try loadWeights { $0[name] = nil } == .missingTensor(name))
    // Blocks are known from another kind of file, and are not safetensors'.
    for type in ["I32", "Q4_0"] {
      let error = try loadWeights { header in
        var entry = header[name] as? [String: Any] ?? [:]
        entry["dtype"] = type
        header[name] = entry
      }
      #expect(error == .unsupportedType(tensor: name, type: type))
    }
  }

  @Test("Weights that are no numbers are found when they are used") func notANumber() throws {
    try TestFiles.withTemporaryFolder { folder in
      let tiny = try TestFiles.reference("tiny-bert")
      for file in ["config.json", "vocab.txt", "model.safetensors"] {
        var data = try Data(contentsOf: tiny.appendingPathComponent(file))
        // The last number of the file belongs to a layer.
        if file == "model.safetensors" {
          data.replaceSubrange(data.count - 4..<data.count, with: [0, 0, 0xc0, 0x7f])
        }
        try data.write(to: folder.appendingPathComponent(file))
      }
      let model = try PretrainedModel.load(folder: folder)
      #expect(throws: ModelError.notANumber(where: "layer 1 of the model")) { try Embedder(model: model) }
    }
  }

  @Test(
    "Configurations that are none",
    arguments: [
      "", "[]", "{}", "{\"vocab_size\": \"many\"}", "{\"vocab_size\": 1e30}",
    ])
  func badConfiguration(_ text: String) throws {
    #expect(try load("config.json") { $0 = Data(text.utf8) }?.code == "model-configuration")
  }

  @Test(
    "Configurations of networks that fettle does not run",
    arguments: [
      ("\"hidden_size\": 24", "\"hidden_size\": 25"), ("\"hidden_size\": 24", "\"hidden_size\": -24"),
      ("\"num_attention_heads\": 3", "\"num_attention_heads\": 0"), ("\"gelu\"", "\"relu\""),
      ("\"bert\"", "\"gpt2\""),
      ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 4611686018427387904"),
      ("\"max_position_embeddings\": 16", "\"max_position_embeddings\": 1"),
    ])
  func unfitConfiguration(_ was: String, _ becomes: String) throws {
    let error = try load("config.json") { data in
      let text = String(decoding: data, as: UTF8.self)
      try #require(text.contains(was))
      data = Data(text.replacing(was, with: becomes).utf8)
    }
    #expect(error?.code == "model-configuration")
  }

  @Test(
    "Vocabularies that are none",
    arguments: [Data(), Data("a\nb\n".utf8), Data([0xff, 0xfe, 10]), Data(repeating: 10, count: 1000)])
  func badVocabulary(_ data: Data) throws {
    #expect(try load("vocab.txt") { $0 = data }?.code == "model-vocabulary")
  }

  @Test("A vocabulary larger than the model's table") func longVocabulary() throws {
    #expect(try load("vocab.txt") { $0 += Data("one\nmore\n".utf8) }?.code == "model-vocabulary")
  }

  @Test("Folders that lack a file") func missing() throws {
    try TestFiles.withTemporaryFolder { folder in
      let error = #expect(throws: ModelError.self) { try PretrainedModel.load(folder: folder) }
      #expect(error == .missingFile("config.json", folder: folder.lastPathComponent))
      #expect(error?.description.contains("model install") == true)
    }
  }

  @Test("Names with a leading bert., as BertForSequenceClassification saves them") func prefixed() throws {
    #expect(
      try loadWeights { header in
        header = Dictionary(uniqueKeysWithValues: header.map { ("bert." + $0.key, $0.value) })
      } == nil)
  }

  @Test("What is saved loads again, with every number") func roundTrip() throws {
    let model = try PretrainedModel.load(folder: TestFiles.reference("tiny-bert"))
    try TestFiles.withTemporaryFolder { folder in
      try model.save(to: folder)
      let again = try PretrainedModel.load(folder: folder)
      #expect(again.shape == model.shape)
      #expect(again.maximumLength == model.maximumLength)
      let encoding = model.tokenizer.encode("the news of a b.", maximumLength: 16)
      #expect(again.tokenizer.encode("the news of a b.", maximumLength: 16) == encoding)
      #expect(try Embedder(model: again).pooled([encoding]) == Embedder(model: model).pooled([encoding]))
      let size = try FileManager.default.contentsOfDirectory(atPath: folder.path).reduce(0) { sum, name in
        try sum + Data(contentsOf: folder.appendingPathComponent(name)).count
      }
      #expect(abs(size - model.bytesOnDisk) < 20_000)
    }
  }

  @Test("A folder that cannot be written") func cannotWrite() throws {
    let model = try PretrainedModel.load(folder: TestFiles.reference("tiny-bert"))
    try TestFiles.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("file")
      try Data().write(to: file)
      #expect(throws: ModelError.self) { try model.save(to: file.appendingPathComponent("model")) }
    }
  }

  @Test("A head is saved and loaded; a damaged one is refused") func head() throws {
    try TestFiles.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("head.safetensors")
      let head = Head(weight: [1, 2, 3, 4, 5, 6], bias: [0.5, -0.5])
      try head.save(to: file)
      #expect(try Head.load(from: file) == head)
      #expect(head.logits([1, 1, 1]) == [6.5, 14.5])
      let normalising = Head(weight: [1, 2, 3, 4, 5, 6], bias: [0.5, -0.5], normalises: true)
      try normalising.save(to: file)
      #expect(try Head.load(from: file) == normalising)
      #expect(normalising.logits([0, 0, 8]) == [3.5, 5.5])
      try Head(weight: [.nan, 2], bias: [1, 2]).save(to: file)
      #expect(throws: ModelError.notANumber(where: "head.safetensors")) { try Head.load(from: file) }
    }
  }
}
