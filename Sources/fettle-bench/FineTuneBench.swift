import ArgumentParser
import Encoder
import Foundation

/// Tokens a second of fine-tuning, and the accuracy on other texts.
struct FineTuneBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "finetune", abstract: "Fine-tuning, by any method.")

  @OptionGroup var model: ModelOptions

  @Option(help: "linear, full, gradual or adapter.")
  var method: Method = .full

  @Option var epochs: Int?
  @Option var batch: Int?
  @Option var learningRate: Float?
  @Option var headRate: Float?
  @Option var dropout: Float?
  @Option var weightDecay: Float?
  @Option var warmup: Double?
  @Flag(inversion: .prefixedNo) var linearStart: Bool?
  @Option var layerDecay: Float?

  @Option(help: "One run for each.")
  var seeds = "0"

  @Option(help: "Keep this share of the training file out, and test on it instead of on a test file.")
  var holdout = 0.0

  @Option(help: "Keep the last run's model in this folder, the head beside it as head.safetensors.")
  var save: String?

  @Argument(help: "Files to train on, with lines of text|category, a comma between two.")
  var train: String

  @Argument(help: "Files to test on.")
  var test: String?

  func run() throws {
    let base = try model.load()
    let data = try LabelledTexts(train.split(separator: ",").map(String.init))
    let categories = Set(data.categories).sorted()
    let numbers = Dictionary(uniqueKeysWithValues: categories.enumerated().map { ($1, $0) })
    func encode(_ data: LabelledTexts) -> [(encoding: Encoding, category: Int)] {
      zip(data.texts, data.categories).compactMap { text, category in
        numbers[category].map { (base.tokenizer.encode(text, maximumLength: base.maximumLength), $0) }
      }
    }
    let examples = encode(data)
    let tests = try test.map { encode(try LabelledTexts($0.split(separator: ",").map(String.init))) }
    for seed in seeds.split(separator: ",").compactMap({ UInt64($0) }) {
      var options = TrainingOptions.defaults(for: method)
      options.seed = seed
      options.threads = model.threads
      options.precision = model.precision
      options.holdout = holdout
      options.epochs = epochs ?? options.epochs
      options.batchSize = batch ?? options.batchSize
      options.learningRate = learningRate ?? options.learningRate
      options.headLearningRate = headRate ?? options.headLearningRate
      options.dropout = dropout ?? options.dropout
      options.weightDecay = weightDecay ?? options.weightDecay
      options.warmup = warmup ?? options.warmup
      options.startsFromLinear = linearStart ?? options.startsFromLinear
      options.layerDecay = layerDecay ?? options.layerDecay
      let result = try fineTune(
        base, head: nil, examples: examples, categories: categories.count, options: options)
      let training = result.epochs.map(\.seconds).reduce(0, +)
      var row: [String: any Sendable] = [
        "benchmark": "finetune", "method": method.rawValue, "precision": model.precision.rawValue,
        "seed": seed,
        "examples": examples.count, "seconds": rounded(result.seconds), "tokens": result.tokens,
        "tokens_per_second": Int(Double(result.tokens) / training),
        "final_loss": rounded(result.finalLoss, 10_000), "trainable_parameters": result.trainableParameters,
      ]
      if let accuracy = result.heldOutAccuracy {
        row["held_out_accuracy"] = rounded(accuracy, 10_000)
        row["held_out_by_epoch"] = result.epochs.map { rounded($0.heldOutAccuracy ?? 0, 10_000) }
      }
      if let tests {
        let (accuracy, loss) = try measure(result, tests)
        row["test_accuracy"] = rounded(accuracy, 10_000)
        row["test_loss"] = rounded(loss, 10_000)
      }
      if let save {
        let folder = URL(fileURLWithPath: save)
        try result.model.save(to: folder)
        try result.head.save(to: folder.appendingPathComponent("head.safetensors"))
      }
      try printRow(row)
    }
  }

  /// Share of the tests that are right, and their mean cross-entropy in nats, which tells close methods apart sooner.
  private func measure(
    _ result: TrainingResult, _ tests: [(encoding: Encoding, category: Int)]
  ) throws -> (accuracy: Double, loss: Double) {
    let pooled = try Embedder(model: result.model, threads: model.threads, precision: model.precision)
      .pooled(tests.map(\.encoding))
    var right = 0
    var loss = 0.0
    for (vector, test) in zip(pooled, tests) {
      let logits = result.head.logits(vector).map(Double.init)
      let top = logits.max() ?? 0
      if logits[test.category] == top { right += 1 }
      loss += top + log(logits.reduce(0) { $0 + exp($1 - top) }) - logits[test.category]
    }
    return (Double(right) / Double(tests.count), loss / Double(tests.count))
  }
}
