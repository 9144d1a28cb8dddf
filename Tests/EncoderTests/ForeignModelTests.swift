import Encoder
import Foundation
import Testing

/// BERTs that are not all-MiniLM-L6-v2, as other people's folders hold them. `Tests/Peers/foreign.py` compares many with transformers
/// itself; it has left one here that has most of their traits.
@Suite struct ForeignModelTests {
  private struct Line: Decodable {
    var text: String
    var ids: [Int32]
    var embedding: [Float]
  }

  @Test(
    "Two heads of 15, one segment type, f16, a leading bert., norms called gamma and beta, cased, tokenizer.json alone"
  )
  func odd() throws {
    let model = try PretrainedModel.load(folder: TestFiles.reference("odd-bert"))
    let lines = try TestFiles.lines("odd-bert/reference.jsonl", as: Line.self)
    let encodings = lines.map { model.referenceEncoding($0.text) }
    #expect(lines.count == 75)
    for (line, encoding) in zip(lines, encodings) { #expect(encoding.ids == line.ids, "\(line.text)") }
    for (precision, tolerance) in [(Precision.f32, Float(1e-5)), (.bf16, 5e-2)]
    where precision == .f32 || hasBFloat16 {
      for (line, vector) in zip(lines, try Embedder(model: model, precision: precision).pooled(encodings)) {
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let worst = zip(vector, line.embedding).map { abs($0 / length - $1) }.max() ?? .infinity
        #expect(worst < tolerance, "\(precision) \(line.text)")
      }
    }
  }

  @Test("Saved and loaded again, it reads texts alike: under today's names, with vocab.txt and its settings")
  func saved() throws {
    let model = try PretrainedModel.load(folder: TestFiles.reference("odd-bert"))
    let texts = try TestFiles.lines("odd-bert/reference.jsonl", as: Line.self).map(\.text)
    try TestFiles.withTemporaryFolder { folder in
      try model.save(to: folder)
      let again = try PretrainedModel.load(folder: folder)
      func pooled(_ model: PretrainedModel) throws -> [[Float]] {
        try Embedder(model: model).pooled(
          texts.map { model.tokenizer.encode($0, maximumLength: model.maximumLength) })
      }
      #expect(try pooled(again) == pooled(model))
    }
  }

  @Test(
    "What a tokenizer's settings leave",
    arguments: [
      (#"{"do_lower_case": true}"#, "Über É 東京", ["u", "##b", "e", "東", "京"]),
      (#"{"do_lower_case": true, "strip_accents": false}"#, "Über É 東京", ["ü", "##b", "é", "東", "京"]),
      (#"{"do_lower_case": false, "strip_accents": true}"#, "Über É 東京", ["U", "##b", "E", "東", "京"]),
      (#"{"do_lower_case": false}"#, "Über É 東京", ["Ü", "##b", "É", "東", "京"]),
      (
        #"{"do_lower_case": false, "tokenize_chinese_chars": false}"#, "Über É 東京",
        ["Ü", "##b", "É", "東", "##京"]
      ),
    ])
  func settings(_ settings: String, _ text: String, _ tokens: [String]) throws {
    try TestFiles.withTemporaryFolder { folder in
      let vocabulary = ["[UNK]", "[CLS]", "[SEP]", "##b", "##er", "##京"] + "uUüÜeEéÉ東京".map { "\($0)" }
      try vocabulary.joined(separator: "\n").write(
        to: folder.appendingPathComponent("vocab.txt"), atomically: true, encoding: .utf8)
      try settings.write(
        to: folder.appendingPathComponent("tokenizer_config.json"), atomically: true, encoding: .utf8)
      let found = try WordPiece(folder: folder).encode(text, maximumLength: 64).tokens
      #expect(found.dropFirst().dropLast().filter { $0 != "##er" } == tokens)
    }
  }

  @Test("Two spellings of one character are two tokens in tokenizer.json") func spellings() throws {
    let tokenizer = try tokenizer(
      #"{"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "\u00e9": 3, "e\u0301": 5, "\"": 4}"#, cased: true)
    #expect(tokenizer.encode("\u{e9} e\u{301} \"", maximumLength: 9).ids == [1, 3, 5, 4, 2])
  }

  @Test(
    "Files that hold no WordPiece vocabulary",
    arguments: ["{", "[]", #"{"[UNK]": 0, "[CLS]": 0}"#, #"{"[UNK]": "a"}"#, #"{"[UNK]": 99999999}"#, "{}"])
  func noVocabulary(_ vocabulary: String) throws {
    let error = #expect(throws: ModelError.self) { try tokenizer(vocabulary, cased: true) }
    #expect(error?.code == "model-file-unreadable")
  }

  private func tokenizer(_ vocabulary: String, cased: Bool) throws -> WordPiece {
    try TestFiles.withTemporaryFolder { folder in
      try
        #"{"normalizer": {"lowercase": \#(!cased)}, "model": {"type": "WordPiece", "vocab": \#(vocabulary)}}"#
        .write(to: folder.appendingPathComponent("tokenizer.json"), atomically: true, encoding: .utf8)
      return try WordPiece(folder: folder)
    }
  }

  @Test(
    "Weights in another form are named, and how to change it",
    arguments: ["pytorch_model.bin", "model.safetensors.index.json"])
  func otherForm(_ name: String) throws {
    try TestFiles.withTemporaryFolder { folder in
      let tiny = try TestFiles.reference("tiny-bert")
      for file in ["config.json", "vocab.txt"] {
        try FileManager.default.copyItem(
          at: tiny.appendingPathComponent(file), to: folder.appendingPathComponent(file))
      }
      try Data("weights".utf8).write(to: folder.appendingPathComponent(name))
      let error = #expect(throws: ModelError.self) { try PretrainedModel.load(folder: folder) }
      #expect(error == .otherWeights(name, folder: folder.lastPathComponent))
      #expect(error?.description.contains("save_pretrained") == true)
    }
  }
}
