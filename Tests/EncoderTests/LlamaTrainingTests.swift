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
