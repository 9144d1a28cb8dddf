import Encoder
import Foundation
import Testing

/// What a Llama may have besides: an output matrix of its own, and biases of queries, keys and values, as Qwen2's. Its gradients are the
/// slopes of the loss, which the pass that writes computes, not the one that trains.
@Suite struct LlamaVariationTests {
  enum Variation: String, CaseIterable { case untied, biases }

  /// Both prompts begin with token 1, which they share.
  private let examples = [
    PromptedExample(prompt: [70, 71, 9, 14], completion: [200, 33, 2]),
    PromptedExample(prompt: [5, 300, 12, 90, 8, 71], completion: [33, 150]),
  ]

  private var options: TrainingOptions {
    var options = TrainingOptions.languageDefaults(for: .adapter)
    (options.epochs, options.learningRate, options.threads) = (3, 1e-2, 2)
    return options
  }

  /// tiny-llama with random numbers for what it has not.
  private func make(_ variation: Variation, in place: URL) throws {
    let source = try TestFiles.reference("tiny-llama")
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
      try FileManager.default.copyItem(
        at: source.appendingPathComponent(name), to: place.appendingPathComponent(name))
    }
    let file = place.appendingPathComponent("config.json")
    var settings = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    var random = RandomNumbers(seed: 7)
    func drawn(_ count: Int, upTo bound: Float) -> [Float] {
      (0..<count).map { _ in (2 * random.uniform() - 1) * bound }
    }
    var added: [String: (shape: [Int], numbers: [Float])] = [:]
    switch variation {
    case .untied:
      settings["tie_word_embeddings"] = false
      added["lm_head.weight"] = ([384, 64], drawn(384 * 64, upTo: 0.14))
    case .biases:
      settings["model_type"] = "qwen2"
      settings["attention_bias"] = nil
      for layer in 0..<3 {
        for (name, width) in [("q", 64), ("k", 32), ("v", 32)] {
          added["model.layers.\(layer).self_attn.\(name)_proj.bias"] = ([width], drawn(width, upTo: 0.5))
        }
      }
    }
    try JSONSerialization.data(withJSONObject: settings).write(to: file)
    try WeightsFile.add(added, to: place.appendingPathComponent("model.safetensors"))
  }

  private func loss(_ model: PretrainedModel) throws -> Double {
    try LanguageModel(model: model, threads: 1).loss(
      of: examples.map { PromptedExample(prompt: [1] + $0.prompt, completion: $0.completion) })
  }

  private func record(_ model: PretrainedModel) throws -> StepRecord {
    try #require(
      StepRecord.record(
        steps: 1, model, prefix: [1], examples: examples, learningRate: 0, weightDecay: 0, threads: 2
      ).first)
  }

  /// Goes a little up and down along each of these gradients, in all of its numbers and in every other one.
  /// - Parameters:
  ///   - file: holds the tensors, with `prefix` before their names.
  ///   - model: what comes of the file as it is now.
  private func expectSlopes(
    of names: [String], _ record: StepRecord, in file: URL, prefix: String = "",
    _ model: () throws -> PretrainedModel
  ) throws {
    let kept = try Data(contentsOf: file)
    let step: Float = 0.02
    for name in names {
      let gradient = try #require(record.gradients[name], "\(name)")
      for stride in [1, 2] {
        let some = gradient.enumerated().map { $0.offset % stride == 0 ? $0.element : 0 }
        let length = some.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
        #expect(length > 5e-3, "\(name): too little to tell")
        let losses = try [step, -step].map { step in
          try WeightsFile.change(file) { tensor, place, number in
            tensor == prefix + name ? number + step * some[place] / length : number
          }
          defer { try? kept.write(to: file) }
          return try loss(model())
        }
        let slope = (losses[0] - losses[1]) / Double(2 * step)
        #expect(
          abs(slope - Double(length)) < max(2e-4, 0.01 * Double(length)),
          "\(name), every \(stride): \(length), and the loss rises by \(slope)")
      }
    }
  }

  @Test("every kind of gradient is the slope of the loss", arguments: Variation.allCases)
  func full(variation: Variation) throws {
    try TestFiles.withTemporaryFolder { place in
      try make(variation, in: place)
      let model = try PretrainedModel.load(folder: place)
      let record = try record(model)
      #expect(try abs(record.loss - loss(model)) < 1e-5)
      let names = record.gradients.filter { !$0.value.isEmpty }.keys.filter {
        !$0.hasPrefix("model.layers.") || $0.hasPrefix("model.layers.0.") || $0.hasSuffix("bias")
      }.sorted()
      #expect(
        names.count { $0 == "lm_head.weight" || $0.hasSuffix("bias") } == (variation == .untied ? 1 : 9))
      try expectSlopes(of: names, record, in: place.appendingPathComponent("model.safetensors")) {
        try PretrainedModel.load(folder: place)
      }
    }
  }

  @Test("so are LoRA's", arguments: Variation.allCases)
  func lowRank(variation: Variation) throws {
    try TestFiles.withTemporaryFolder { place in
      try make(variation, in: place)
      let model = try PretrainedModel.load(folder: place)
      // B begins at zero, and A would have no slope.
      let begun: TrainedLanguageModel = try LanguageTraining(model: model, options: options).run(
        examples, after: [1])
      let lora = place.appendingPathComponent("lora")
      try FileManager.default.createDirectory(at: lora, withIntermediateDirectories: true)
      try begun.model.save(loraTo: lora)
      let tuned = try model.with(lora: lora)
      let record = try record(tuned)
      #expect(try abs(record.loss - loss(tuned)) < 1e-5)
      let names = record.gradients.keys.filter { $0.hasPrefix("model.layers.1.") && $0.contains(".lora_") }
        .sorted()
      #expect(names.count == 14)
      try expectSlopes(
        of: names, record, in: lora.appendingPathComponent("adapter_model.safetensors"),
        prefix: "base_model.model."
      ) { try model.with(lora: lora) }
    }
  }

  @Test("what was learned as a whole is in the model that is saved", arguments: Variation.allCases)
  func saved(variation: Variation) throws {
    try TestFiles.withTemporaryFolder { place in
      try make(variation, in: place)
      let model = try PretrainedModel.load(folder: place)
      var options = TrainingOptions.languageDefaults(for: .full)
      (options.epochs, options.learningRate, options.threads) = (40, 3e-3, 2)
      let trained: TrainedLanguageModel = try LanguageTraining(model: model, options: options).run(
        examples, after: [1])
      let other = place.appendingPathComponent("trained")
      try trained.model.save(to: other)
      let again = try LanguageModel(model: PretrainedModel.load(folder: other), threads: 1)
      for example in examples {
        let answer = try again.complete(
          [[1] + example.prompt], maximum: example.completion.count, ends: [])
        #expect(answer == [example.completion])
      }
      let files = [place, other].map { $0.appendingPathComponent("model.safetensors") }
      let (before, after) = (try WeightsFile.tensors(files[0]), try WeightsFile.tensors(files[1]))
      #expect(before.keys.sorted() == after.keys.sorted())
      for (name, numbers) in before { #expect(after[name] != numbers, "\(name)") }
    }
  }
}
