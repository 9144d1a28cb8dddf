import Encoder
import Foundation
import Testing

/// A random BERT of two layers, of which PyTorch has written down every number of two training steps.
@Suite struct TinyBERTTests {
  private struct Reference: Decodable {
    struct Step: Decodable {
      var pooled: [Float]
      var logits: [Float]
      var loss: Double
      var gradients: [String: [Float]]
      var after: [String: [Float]]
    }
    var sequences: [[Int32]]
    var labels: [Int]
    var headWeight: [Float]
    var headBias: [Float]
    var steps: [Step]

    enum CodingKeys: String, CodingKey {
      case sequences, labels, steps
      case headWeight = "head.weight"
      case headBias = "head.bias"
    }

    var head: Head { Head(weight: headWeight, bias: headBias) }
  }

  private let model: PretrainedModel
  private let reference: Reference
  private let examples: [(encoding: Encoding, category: Int)]

  init() throws {
    let folder = try TestFiles.reference("tiny-bert")
    let model = try PretrainedModel.load(folder: folder)
    let reference = try JSONDecoder().decode(
      Reference.self, from: Data(contentsOf: folder.appendingPathComponent("reference.json")))
    self.model = model
    self.reference = reference
    examples = zip(reference.sequences, reference.labels).map { (model.tokenizer.encoding(of: $0), $1) }
  }

  private var options: TrainingOptions {
    TrainingOptions(
      method: .full, epochs: 1, batchSize: 4, learningRate: 1e-3, headLearningRate: 1e-3, warmup: 0,
      weightDecay: 0.01, dropout: 0, clipping: 0, threads: 2)
  }

  /// Within 1e-4 of the larger, or 1e-5: what single precision and another order of sums can do.
  private func expectClose(_ ours: [Float]?, _ theirs: [Float], _ name: String) throws {
    let ours = try #require(ours, "\(name)")
    try #require(ours.count == theirs.count, "\(name)")
    let worst = zip(ours, theirs).max { excess($0) < excess($1) }
    if let worst { #expect(excess(worst) <= 0, "\(name): \(worst.0), PyTorch \(worst.1)") }
  }

  private func excess(_ pair: (Float, Float)) -> Float {
    let difference = abs(pair.0 - pair.1)
    return difference.isFinite ? difference - max(1e-5, 1e-4 * max(abs(pair.0), abs(pair.1))) : .infinity
  }

  @Test("Pooled states and logits are PyTorch's")
  func forward() throws {
    let pooled = try Embedder(model: model).pooled(examples.map(\.encoding))
    try expectClose(pooled.flatMap { $0 }, reference.steps[0].pooled, "pooled")
    try expectClose(pooled.flatMap { reference.head.logits($0) }, reference.steps[0].logits, "logits")
  }

  @Test("Loss, every gradient, and the parameters after each of two AdamW steps are PyTorch's")
  func backward() throws {
    let records = try StepRecord.record(
      steps: 2, model, head: reference.head, examples: examples, options: options)
    for (record, step) in zip(records, reference.steps) {
      #expect(abs(record.loss - step.loss) < 1e-5)
      for (name, theirs) in step.gradients {
        if name == "embeddings.word_embeddings.weight" {
          // Ours has the rows of the tokens that occur; PyTorch's others must be zero.
          var whole = [Float](repeating: 0, count: theirs.count)
          let rows = try #require(record.gradients[name])
          let hidden = model.shape.hiddenSize
          for (row, word) in record.words.enumerated() {
            for i in 0..<hidden { whole[Int(word) * hidden + i] = rows[row * hidden + i] }
          }
          try expectClose(whole, theirs, name)
        } else {
          try expectClose(record.gradients[name], theirs, "gradient of \(name)")
        }
      }
      for (name, theirs) in step.after {
        // Attention does not depend on the keys' bias, so its gradient is rounding noise on both sides, and AdamW makes a whole
        // step of any noise: these may go either way, by the rate and no more.
        let isNoise = name.hasSuffix("key.bias")
        let ours = try #require(record.parameters[name])
        if isNoise {
          #expect(try #require(step.gradients[name]).allSatisfy { abs($0) < 1e-6 })
          #expect(zip(ours, theirs).allSatisfy { abs($0 - $1) <= 4 * options.learningRate })
        } else {
          try expectClose(ours, theirs, "\(name) after the step")
        }
      }
    }
    #expect(reference.steps.allSatisfy { $0.gradients.count == 39 && !$0.after.isEmpty })
  }

  /// bf16 keeps 8 bits of a number, and a gradient goes through some twenty products that round: a few per cent of its length.
  @Test(
    "In bf16 the loss and every gradient are PyTorch's f32 ones, but for rounding", .enabled(if: hasBFloat16))
  func backwardRounded() throws {
    var options = options
    options.precision = .bf16
    let record = try #require(
      try StepRecord.record(steps: 1, model, head: reference.head, examples: examples, options: options).first
    )
    let exact = try #require(
      try StepRecord.record(steps: 1, model, head: reference.head, examples: examples, options: self.options)
        .first)
    let step = reference.steps[0]
    #expect(abs(record.loss - step.loss) < 5e-3)
    #expect(record.loss != exact.loss, "nothing was rounded")
    var compared = 0
    for (name, theirs) in exact.gradients {
      let ours = try #require(record.gradients[name])
      let length = theirs.reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard length > 1e-4 else { continue }
      let distance = zip(ours, theirs).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
      #expect(distance < 0.05 * length, "\(name): off by \(distance / length) of its length")
      compared += 1
    }
    #expect(compared > 30)
  }
}
