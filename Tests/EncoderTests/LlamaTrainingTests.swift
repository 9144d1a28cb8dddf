import Encoder
import Foundation
import Testing

/// Training a small Llama against what PyTorch has written down of it.
@Suite struct LlamaTrainingTests {
  private struct Reference: Decodable {
    struct After: Decodable {
      /// Of each tensor the sum of its numbers, and of their magnitudes.
      var sums: [String: [Double]]
    }
    struct LoRA: Decodable {
      var rank: Int
      var alpha: Float
      var loss: Double
      var lossAfterTwoSteps: Double
      enum CodingKeys: String, CodingKey {
        case rank, alpha, loss
        case lossAfterTwoSteps = "loss_after_two_steps"
      }
    }
    var rows: [[[Int32]]]
    var loss: Double
    var lossAfterTwoSteps: Double
    var learningRate: Float
    var weightDecay: Float
    var afterSteps: [After]
    var lora: LoRA
    enum CodingKeys: String, CodingKey {
      case rows, loss, lora
      case lossAfterTwoSteps = "loss_after_two_steps"
      case learningRate = "learning_rate"
      case weightDecay = "weight_decay"
      case afterSteps = "after_steps"
    }
  }

  private let folder: URL
  private let reference: Reference
  private let model: PretrainedModel

  init() throws {
    folder = try TestFiles.reference("tiny-llama")
    reference = try JSONDecoder().decode(
      Reference.self, from: Data(contentsOf: folder.appendingPathComponent("reference.json")))
    model = try PretrainedModel.load(folder: folder)
  }

  private func tensors(_ name: String) throws -> [String: [Float]] {
    try WeightsFile.tensors(folder.appendingPathComponent(name))
  }

  /// Both prompts begin with token 1: alone it may be the shared beginning.
  private func examples(shared: Bool) -> (prefix: [Int32], examples: [PromptedExample]) {
    (
      shared ? [1] : [],
      reference.rows.map {
        PromptedExample(prompt: Array($0[0].dropFirst(shared ? 1 : 0)), completion: $0[1])
      }
    )
  }

  private func record(_ model: PretrainedModel, steps: Int, shared: Bool, threads: Int = 2) throws
    -> [StepRecord]
  {
    let (prefix, examples) = examples(shared: shared)
    return try StepRecord.record(
      steps: steps, model, prefix: prefix, examples: examples, learningRate: reference.learningRate,
      weightDecay: reference.weightDecay, threads: threads)
  }

  /// Within 1e-4 of the larger, or 1e-5.
  private func excess(_ ours: Float, _ theirs: Float) -> Float {
    let difference = abs(ours - theirs)
    return difference.isFinite
      ? difference - max(1e-5, 1e-4 * max(abs(ours), abs(theirs))) : .infinity
  }

  private func expectClose(_ ours: [Float]?, _ theirs: [Float], _ name: String) throws {
    let ours = try #require(ours, "\(name)")
    try #require(ours.count == theirs.count, "\(name)")
    let worst = zip(ours, theirs).max { excess($0.0, $0.1) < excess($1.0, $1.1) }
    if let worst { #expect(excess(worst.0, worst.1) <= 0, "\(name): \(worst.0), PyTorch \(worst.1)") }
  }

  /// The model with the reference's adapters, from files as peft writes them.
  private func withAdapters() throws -> PretrainedModel {
    try TestFiles.withTemporaryFolder { place in
      try WeightsFile.rename(
        folder.appendingPathComponent("lora.safetensors"),
        to: place.appendingPathComponent("adapter_model.safetensors")
      ) { name in name.hasPrefix("start.") ? "base_model.model." + long(String(name.dropFirst(6))) : nil }
      let configuration =
        #"{"peft_type": "LORA", "r": \#(reference.lora.rank), "lora_alpha": \#(reference.lora.alpha)}"#
      try Data(configuration.utf8).write(to: place.appendingPathComponent("adapter_config.json"))
      return try model.with(lora: place)
    }
  }

  /// `layers.0.q_proj.A` there is `model.layers.0.self_attn.q_proj.lora_A.weight`.
  private func long(_ name: String) -> String {
    let words = name.split(separator: ".")
    let place = ["q_proj", "k_proj", "v_proj", "o_proj"].contains(words[2]) ? "self_attn" : "mlp"
    return "model.layers.\(words[1]).\(place).\(words[2]).lora_\(words[3]).weight"
  }

  @Test(
    "loss, every gradient, and the weights after two AdamW steps are PyTorch's", arguments: [false, true])
  func full(shared: Bool) throws {
    let records = try record(model, steps: 3, shared: shared)
    #expect(abs(records[0].loss - reference.loss) < 1e-4 * reference.loss)
    let gradients = try tensors("gradients.safetensors")
    #expect(gradients.count == 29)
    for (name, theirs) in gradients { try expectClose(records[0].gradients[name], theirs, name) }
    for (step, after) in reference.afterSteps.enumerated() {
      for (name, sums) in after.sums {
        let ours = try #require(records[step].parameters[name])
        let sum = ours.reduce(0.0) { $0 + Double($1) }
        let magnitude = ours.reduce(0.0) { $0 + Double(abs($1)) }
        #expect(abs(sum - sums[0]) <= 1e-5 * sums[1], "\(name) after step \(step + 1)")
        #expect(abs(magnitude - sums[1]) <= 1e-5 * sums[1], "\(name) after step \(step + 1)")
      }
    }
    #expect(abs(records[2].loss - reference.lossAfterTwoSteps) < 1e-4 * reference.lossAfterTwoSteps)
  }

  @Test("LoRA's gradients, and its weights after two AdamW steps, are PyTorch's", arguments: [false, true])
  func lowRank(shared: Bool) throws {
    let expected = try tensors("lora.safetensors")
    let records = try record(withAdapters(), steps: 3, shared: shared)
    #expect(abs(records[0].loss - reference.lora.loss) < 1e-4 * reference.lora.loss)
    let names = expected.keys.filter { $0.hasPrefix("start.") }.map { String($0.dropFirst(6)) }
    #expect(names.count == 3 * 7 * 2)
    for name in names {
      try expectClose(
        records[0].gradients[long(name)], #require(expected["gradient." + name]), "gradient of \(name)")
      try expectClose(
        records[1].parameters[long(name)], #require(expected["after_two_steps." + name]),
        "\(name) after two steps")
    }
    #expect(
      abs(records[2].loss - reference.lora.lossAfterTwoSteps) < 1e-4 * reference.lora.lossAfterTwoSteps)
  }

  @Test("the number of threads changes not a bit", arguments: [false, true])
  func threads(isLowRank: Bool) throws {
    let model = try isLowRank ? withAdapters() : model
    let one = try record(model, steps: 2, shared: true, threads: 1)
    let three = try record(model, steps: 2, shared: true, threads: 3)
    #expect(one.map(\.loss) == three.map(\.loss))
    #expect(one[1].parameters == three[1].parameters)
  }

  @Test("a model with adapters answers as the same with adapters' products added to its weights")
  func adaptersAreAdded() throws {
    let model = try withAdapters()
    let ids: [Int32] = [1, 70, 71, 9, 14, 200, 33, 90, 12, 2]
    let states = try LanguageModel(model: model, threads: 1).states(of: ids)
    let merged = try LanguageModel(model: model.withMergedAdapters(), threads: 1).states(of: ids)
    let plain = try LanguageModel(model: self.model, threads: 1).states(of: ids)
    #expect(zip(states.logits.joined(), plain.logits.joined()).contains { abs($0 - $1) > 0.1 })
    #expect(zip(states.logits.joined(), merged.logits.joined()).allSatisfy { abs($0 - $1) < 1e-4 })
  }
}

/// Whole trainings of the small Llama.
@Suite struct LanguageTrainingTests {
  private let model: PretrainedModel

  init() throws { model = try PretrainedModel.load(folder: TestFiles.reference("tiny-llama")) }

  /// Twelve prompts of different lengths; what is to be written after one is told by its last token. Token 2 is no end here: its row
  /// of the word table is zero, so that without that learning it is never written.
  private let examples: [PromptedExample] = (0..<12).map { (number: Int32) -> PromptedExample in
    let words: [Int32] = (0...number).map { 20 + 7 * $0 + number }
    return PromptedExample(
      prompt: words + [100 + number % 2], completion: number % 2 == 0 ? [90, 12, 33] : [91, 33])
  }
  private var prompts: [[Int32]] { examples.map { $0.prompt } }

  private func options(_ method: Method, epochs: Int, rate: Float) -> TrainingOptions {
    var options = TrainingOptions.languageDefaults(for: method)
    (options.epochs, options.learningRate, options.batchSize, options.threads) = (epochs, rate, 4, 2)
    return options
  }

  private func answers(_ model: PretrainedModel) throws -> [[Int32]] {
    try LanguageModel(model: model, threads: 1).complete(
      prompts, after: [1, 5, 6], maximum: 3, ends: [33])
  }

  @Test(
    "what it is taught it writes, by each method",
    arguments: [(Method.adapter, 1e-2), (.full, 3e-3), (.gradual, 1e-2)] as [(Method, Float)])
  func learns(method: Method, rate: Float) throws {
    let expected = examples.map { $0.completion }
    #expect(try answers(model) != expected)
    var steps: [Int] = []
    var losses: [Double] = []
    var during: [[Int32]] = []
    let trained = try LanguageTraining(model: model, options: options(method, epochs: 80, rate: rate)).run(
      examples, after: [1, 5, 6], step: { done, all in steps.append(all - done) },
      epoch: { report, language in
        losses.append(report.loss)
        if report.epoch == 80 {
          during = try language().complete(prompts, after: [1, 5, 6], maximum: 3, ends: [33])
        }
      })
    #expect(steps == (0..<240).reversed())
    #expect(losses.count == 80 && losses[79] < losses[0] / 2, "\(losses)")
    // In one batch of four the beginning's three tokens count once.
    let rows = examples.reduce(0) { $0 + $1.prompt.count + $1.completion.count - 1 }
    #expect(trained.tokens == 80 * (3 * 3 + rows))
    #expect(try answers(trained.model) == expected)
    #expect(during == expected)
    #expect(trained.model.adapterSize == (method == .adapter ? 8 : 0))
  }

  @Test("the same seed gives the same weights, whatever the number of threads; another seed others")
  func seeds() throws {
    func trained(seed: UInt64, threads: Int) throws -> [[Float]] {
      var options = self.options(.adapter, epochs: 2, rate: 1e-2)
      (options.seed, options.threads) = (seed, threads)
      let trained: TrainedLanguageModel = try LanguageTraining(model: model, options: options).run(
        examples, after: [1, 5, 6])
      return try LanguageModel(model: trained.model, threads: 1).states(of: [1, 5, 6, 70]).logits
    }
    let one = try trained(seed: 3, threads: 1)
    #expect(try trained(seed: 3, threads: 3) == one)
    #expect(try trained(seed: 4, threads: 1) != one)
  }

  @Test("it ends between two batches when it is cancelled") func cancelling() throws {
    let options = self.options(.adapter, epochs: 5, rate: 1e-2)
    var done = 0
    #expect(throws: CancellationError.self) {
      try LanguageTraining(model: model, options: options).run(
        examples, step: { number, _ in done = number }, isCancelled: { done == 4 })
    }
    #expect(done == 4)
  }

  @Test("LoRA is written as peft reads it, read again, and learned on from")
  func files() throws {
    let first = try LanguageTraining(model: model, options: options(.adapter, epochs: 4, rate: 1e-2)).run(
      examples, after: [1, 5, 6])
    try TestFiles.withTemporaryFolder { place in
      try first.model.save(loraTo: place)
      let names = try WeightsFile.tensors(place.appendingPathComponent("adapter_model.safetensors"))
      #expect(names.count == 3 * 7 * 2)
      #expect(names["base_model.model.model.layers.2.mlp.down_proj.lora_A.weight"]?.count == 8 * 96)
      #expect(names["base_model.model.model.layers.0.self_attn.k_proj.lora_B.weight"]?.count == 32 * 8)
      let configuration = try #require(
        JSONSerialization.jsonObject(
          with: Data(contentsOf: place.appendingPathComponent("adapter_config.json"))) as? [String: Any])
      #expect(configuration["peft_type"] as? String == "LORA")
      #expect(configuration["r"] as? Int == 8 && configuration["lora_alpha"] as? Int == 16)
      #expect((configuration["target_modules"] as? [String])?.count == 7)

      let again = try model.with(lora: place)
      let ids: [Int32] = [1, 5, 6, 70]
      let states = try LanguageModel(model: first.model, threads: 1).states(of: ids).logits
      #expect(try LanguageModel(model: again, threads: 1).states(of: ids).logits == states)

      var losses: [Double] = []
      _ = try LanguageTraining(model: again, options: options(.adapter, epochs: 1, rate: 1e-3)).run(
        examples, after: [1, 5, 6], epoch: { report, _ in losses.append(report.loss) })
      #expect(losses[0] < 0.75 * first.epochs[0].loss)
    }
  }

  @Test(
    "a LoRA of another kind or model is refused",
    arguments: [
      (#"{"peft_type": "IA3", "r": 8, "lora_alpha": 16}"#, "IA3"),
      (#"{"r": 8, "lora_alpha": 16, "use_dora": true}"#, "use_dora"),
      (#"{"r": 0, "lora_alpha": 16}"#, "r is 0"), (#"{"r": 8}"#, "not the JSON"),
      (#"{"r": 4, "lora_alpha": 16}"#, "[4, 64]"),
    ])
  func refusals(configuration: String, reason: String) throws {
    let trained = try LanguageTraining(model: model, options: options(.adapter, epochs: 1, rate: 1e-2)).run(
      Array(examples.prefix(2)))
    try TestFiles.withTemporaryFolder { place in
      try trained.model.save(loraTo: place)
      try Data(configuration.utf8).write(to: place.appendingPathComponent("adapter_config.json"))
      let error = #expect(throws: ModelError.self) { try model.with(lora: place) }
      #expect("\(try #require(error))".contains(reason))
    }
  }

  @Test("linear learns from the last token's state, which is that of the model") func linear() throws {
    let language = try LanguageModel(model: model, threads: 1)
    let states = try language.lastStates(of: prompts, after: [1, 5, 6])
    for (state, prompt) in zip(states, prompts) {
      let expected: [Float] = try #require(try language.states(of: [1, 5, 6] + prompt).states.last)
      #expect(zip(state, expected).allSatisfy { abs($0 - $1) < 1e-4 })
    }
    let fit = try LanguageHead(
      fitting: states, labels: prompts.indices.map { $0 % 2 }, categories: 2,
      groups: TextGroups(prompts.indices.map { model.tokenizer.encode("\($0)", maximumLength: 9) }),
      heldOut: [], options: options(.linear, epochs: 1, rate: 0), isCancelled: { false })
    let right = states.enumerated().count { number, state in
      let logits = fit.head.logits(state)
      return (logits[1] > logits[0]) == (number % 2 == 1)
    }
    #expect(right == 12)
  }

  @Test("what cannot be learned is refused") func badExamples() throws {
    let training = try LanguageTraining(model: model, options: options(.adapter, epochs: 1, rate: 1e-2))
    #expect(throws: ModelError.self) { try training.run([]) }
    #expect(throws: ModelError.self) { try training.run([PromptedExample(prompt: [384], completion: [2])]) }
    #expect(throws: ModelError.self) { try training.run([PromptedExample(prompt: [], completion: [2])]) }
    #expect(throws: ModelError.self) { try training.run([PromptedExample(prompt: [5], completion: [])]) }
    #expect(throws: ModelError.self) {
      try training.run([PromptedExample(prompt: Array(repeating: 5, count: 255), completion: [7, 2])])
    }
    let bert = try PretrainedModel.load(folder: TestFiles.reference("tiny-bert"))
    #expect(throws: ModelError.noGeneration) {
      try LanguageTraining(model: bert, options: options(.adapter, epochs: 1, rate: 1e-2))
    }
  }
}
