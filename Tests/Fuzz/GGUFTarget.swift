import Encoder
import Foundation

extension Target {
  static let gguf = Target(
    name: "gguf",
    corpus: {
      let folder = repository.appending(path: "Tests/EncoderTests/Reference/tiny-llama")
      let whole = try ["q4_0", "q8_0"].map {
        [UInt8](try Data(contentsOf: folder.appending(path: "model-\($0).gguf")))
      }
      // Most of a whole file are numbers, which may be any; most inputs are to hit what is checked.
      return whole + Array(repeating: smallFile, count: 6)
    },
    words: [
      "GGUF\u{3}\0\0\0", "GGUF\u{2}\0\0\0", "\0\0\0\0\0\0\0\0", "\u{1}\0\0\0\0\0\0\0", "\0\0\0\0\0\0\0\u{40}",
      "\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}", "\u{8}\0\0\0", "\u{9}\0\0\0",
      "\u{9}\0\0\0\u{1}\0\0\0\0\0\0\0",
      "\u{c}\0\0\0", "general.architecture", "general.alignment", "split.count", "llama",
    ],
    read: { bytes, folder in
      let place = folder.appending(path: "fuzz.gguf")
      try Data(bytes).write(to: place)
      let file = try GGUF(place)
      for key in file.keys {
        do { _ = try file.value(key) } catch is ModelError {}
        _ = try? file.strings(key)
        _ = try? file.integers(key)
        _ = try? file.number(key)
      }
      for tensor in file.tensors.values {
        let numbers = tensor.array
        try Finding.require(
          numbers.count == tensor.shape.reduce(1, *), "a tensor holds more or less than its shape")
      }
      _ = try ModelSummary(of: place)
      try complete(PretrainedModel.load(folder: place))
    })

  /// The configuration, a zero, and the tokenizer of a folder with sound weights.
  static let llama = Target(
    name: "llama",
    corpus: {
      let folder = repository.appending(path: "Tests/EncoderTests/Reference")
      let configuration = [UInt8](try Data(contentsOf: folder.appending(path: "tiny-llama/config.json")))
      return try ["tiny-llama", "tiny-llama", "byte-pair"].map { name in
        let tokenizer = try Data(contentsOf: folder.appending(path: "\(name)/tokenizer.json"))
        return configuration + [0] + [UInt8](tokenizer)
      }
    },
    words: [
      "\"rope_scaling\":{\"type\":\"yarn\"},", "\"rope_theta\":", "\"num_hidden_layers\":", "\"head_dim\":",
      "\"merges\":[\"a b\",", "\"vocab\":{", "\"a\":0,", "\"added_tokens\":[{\"id\":7,\"content\":\"a\"},",
      "{\"type\":\"Sequence\",\"pretokenizers\":[", "\"special\":false", "1e999", "-1", "4611686018427387904",
      "{", "}",
      "[", "]", "\\u0120", "\\ud800",
    ],
    read: { bytes, folder in
      let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
      try Data(parts[0]).write(to: folder.appending(path: "config.json"))
      try Data(parts.dropFirst().first ?? []).write(to: folder.appending(path: "tokenizer.json"))
      let weights = folder.appending(path: "model.safetensors")
      if !FileManager.default.fileExists(atPath: weights.path) {
        let sound = repository.appending(path: "Tests/EncoderTests/Reference/tiny-llama/model.safetensors")
        try FileManager.default.copyItem(at: sound, to: weights)
      }
      _ = try ModelSummary(of: folder)
      try complete(PretrainedModel.load(folder: folder))
    })

  /// Asks a model that was believed.
  private static func complete(_ model: PretrainedModel) throws {
    let tokens = model.tokenizer.encode("News of the day <|im_end|> 東京\u{0}", maximumLength: 16)
    _ = tokens.tokens
    guard !tokens.ids.isEmpty else { return }
    let answers = try LanguageModel(model: model, threads: 1).complete([tokens.ids], maximum: 3, ends: [2])
    try Finding.require((1...3).contains(answers[0].count), "an answer of \(answers[0].count) tokens")
    try Finding.require(
      answers[0].allSatisfy { (0..<Int32(model.shape.vocabularySize)).contains($0) },
      "a token that there is not")
  }

  /// A few keys, and a block of each type.
  private static let smallFile: [UInt8] = {
    func number(_ value: Int, bytes: Int) -> [UInt8] {
      (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    func text(_ text: String) -> [UInt8] { number(text.utf8.count, bytes: 8) + text.utf8 }
    func array(_ type: Int, _ elements: [[UInt8]]) -> [UInt8] {
      number(type, bytes: 4) + number(elements.count, bytes: 8) + elements.joined()
    }
    let keys: [(name: String, type: Int, bytes: [UInt8])] = [
      ("general.architecture", 8, text("llama")), ("general.alignment", 4, number(32, bytes: 4)),
      ("split.count", 2, number(1, bytes: 2)), ("strings", 9, array(8, ["a", "", "b c"].map(text))),
      ("booleans", 9, array(7, [[0], [1]])), ("floats", 9, array(6, [number(0x3f80_0000, bytes: 4)])),
      ("arrays", 9, array(9, [array(0, [[1], [2]]), array(9, [array(8, [text("d")])])])),
      ("long", 10, number(1 << 40, bytes: 8)), ("double", 12, number(1, bytes: 8)),
    ]
    // ggml's number of each type, and the numbers and bytes of a block.
    let types = [
      (0, 1, 4), (1, 1, 2), (30, 1, 2), (2, 32, 18), (3, 32, 20), (6, 32, 22), (7, 32, 24), (8, 32, 34),
      (12, 256, 144), (13, 256, 176), (14, 256, 210),
    ]
    var file = Array("GGUF".utf8) + number(3, bytes: 4)
    file += number(types.count, bytes: 8) + number(keys.count, bytes: 8)
    for key in keys { file += text(key.name) + number(key.type, bytes: 4) + key.bytes }
    var numbers: [UInt8] = []
    for (type, count, bytes) in types {
      file += text("blk.\(type)") + number(2, bytes: 4) + number(count, bytes: 8) + number(1, bytes: 8)
      file += number(type, bytes: 4) + number(numbers.count, bytes: 8)
      numbers += (0..<(bytes + 31) / 32 * 32).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    }
    return file + Array(repeating: 0, count: (32 - file.count % 32) % 32) + numbers
  }()
}
