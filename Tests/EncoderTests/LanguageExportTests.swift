import CKernels
import Encoder
import Foundation
import Testing

/// A tuned language model as others are to load it, read again by fettle itself.
@Suite struct LanguageExportTests {
  private let ids: [Int32] = [1, 70, 71, 9, 14, 200, 33, 90, 12, 2]

  private func model(_ kind: String) throws -> PretrainedModel {
    try PretrainedModel.load(
      folder: TestFiles.reference("tiny-llama").appendingPathComponent("model-\(kind).gguf"))
  }

  private func tuned(_ model: PretrainedModel) throws -> PretrainedModel {
    var options = TrainingOptions.languageDefaults(for: .adapter)
    (options.epochs, options.learningRate) = (3, 1e-2)
    return try LanguageTraining(model: model, options: options).run(
      [PromptedExample(prompt: [1, 70, 71], completion: [9, 14]), .init(prompt: [1, 5], completion: [7])]
    ).model
  }

  private func logits(_ model: PretrainedModel) throws -> [Float] {
    try LanguageModel(model: model, threads: 1).states(of: ids).logits.flatMap { $0 }
  }

  @Test("a GGUF of what was tuned holds the same model, in f32 to the last bits, in halves nearly")
  func gguf() throws {
    let tuned = try tuned(model("q8_0"))
    let expected = try logits(tuned)
    #expect(try zip(logits(model("q8_0")), expected).contains { abs($0 - $1) > 0.1 })
    try TestFiles.withTemporaryFolder { place in
      for (halves, bound) in [(false, Float(1e-4)), (true, 0.02)] {
        let file = place.appendingPathComponent("tuned-\(halves).gguf")
        try tuned.save(gguf: file, halves: halves)
        let again = try PretrainedModel.load(folder: file)
        #expect(try zip(logits(again), expected).allSatisfy { abs($0 - $1) < bound })
        #expect(again.adapterSize == 0)
        let text = "In 2017, a naïve café"
        #expect(
          again.tokenizer.encode(text, maximumLength: 99).ids
            == tuned.tokenizer.encode(text, maximumLength: 99).ids)
      }
      // All matrices in half precision, the word table too.
      let file = try GGUF(place.appendingPathComponent("tuned-true.gguf"))
      #expect(file.tensors["token_embd.weight"]?.type == .f16)
      #expect(file.tensors["blk.1.attn_q.weight"]?.type == .f16)
      #expect(file.tensors["blk.1.attn_norm.weight"]?.type == .f32)
      #expect(try file.integer("general.file_type") == 1)
    }
  }

  @Test("a model that is written unchanged is the same file's tensors, byte for byte") func unchanged() throws
  {
    try TestFiles.withTemporaryFolder { place in
      let file = place.appendingPathComponent("again.gguf")
      let source = try TestFiles.reference("tiny-llama").appendingPathComponent("model-q4_1.gguf")
      try PretrainedModel.load(folder: source).save(gguf: file)
      let (one, other) = (try GGUF(source), try GGUF(file))
      #expect(one.tensors.keys.sorted() == other.tensors.keys.sorted() && one.tensors.count == 29)
      for (name, tensor) in one.tensors {
        #expect(
          other.tensors[name]?.type == tensor.type && other.tensors[name]?.array == tensor.array, "\(name)")
      }
      for key in one.keys { #expect(try one.value(key) == other.value(key), "\(key)") }
    }
  }

  @Test("a folder of what was tuned from a GGUF is one that fettle and transformers read") func folder()
    throws
  {
    let tuned = try tuned(model("q4_1"))
    try TestFiles.withTemporaryFolder { place in
      try tuned.withMergedAdapters().save(to: place)
      let again = try PretrainedModel.load(folder: place)
      #expect(try zip(logits(again), logits(tuned)).allSatisfy { abs($0 - $1) < 1e-4 })
      for text in ["In 2017, a naïve café's", "<|im_end|> 3.14\n\n x", "日本語"] {
        #expect(
          again.tokenizer.encode(text, maximumLength: 99).ids
            == tuned.tokenizer.encode(text, maximumLength: 99).ids)
      }
      let settings = try #require(
        JSONSerialization.jsonObject(with: Data(contentsOf: place.appendingPathComponent("config.json")))
          as? [String: Any])
      #expect(settings["architectures"] as? [String] == ["LlamaForCausalLM"])
      #expect(settings["tie_word_embeddings"] as? Bool == true && settings["eos_token_id"] as? Int == 2)
    }
  }

  @Test("a model from a folder is not written as a GGUF") func noGGUF() throws {
    let model = try PretrainedModel.load(folder: TestFiles.reference("tiny-llama"))
    try TestFiles.withTemporaryFolder { place in
      _ = #expect(throws: ModelError.noGGUF) { try model.save(gguf: place.appendingPathComponent("x.gguf")) }
    }
  }

  @Test("every half-precision number comes back from f32, and what lies between is rounded to even")
  func halves() {
    let all = (0...UInt16.max).map { $0 }
    var wide = [Float](repeating: 0, count: all.count)
    all.withUnsafeBytes { fettle_decode_f16($0.baseAddress, &wide, all.count) }
    var again = [UInt16](repeating: 0, count: all.count)
    fettle_encode_f16(wide, &again, wide.count)
    for (number, (one, other)) in zip(wide, zip(all, again)).enumerated() where !one.isNaN {
      #expect(other.0 == other.1, "\(number)")
    }
    let between: [Float] = [1 + 0x1p-11, 1 + 3 * 0x1p-11, 65519, 65520, 0x1p-25, 0x1p-25 * 1.01, -1e9]
    var found = [UInt16](repeating: 0, count: between.count)
    fettle_encode_f16(between, &found, between.count)
    #expect(found == [0x3c00, 0x3c02, 0x7bff, 0x7c00, 0, 1, 0xfc00])
  }
}
