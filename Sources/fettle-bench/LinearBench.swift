import ArgumentParser
import Encoder
import Foundation

/// The linear method once its features are there.
struct LinearBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "linear", abstract: "Fitting a head to features that are there.")

  @OptionGroup var model: ModelOptions

  @Option(help: "Keep the features in this file: f32 numbers, one row a text, not normalised.")
  var save: String?

  @Option(help: "Times to run; the fastest counts.")
  var runs = 3

  @Argument(help: "A file with lines of text|category.")
  var train: String

  func run() throws {
    let base = try model.load()
    let data = try LabelledTexts([train])
    let categories = Set(data.categories).sorted()
    let numbers = Dictionary(uniqueKeysWithValues: categories.enumerated().map { ($1, $0) })
    let examples = zip(data.texts, data.categories).map { text, category in
      (
        encoding: base.tokenizer.encode(text, maximumLength: base.maximumLength),
        category: numbers[category] ?? 0
      )
    }
    let embedder = try Embedder(model: base, threads: model.threads, precision: model.precision)
    var pooled: [[Float]] = []
    var options = TrainingOptions.defaults(for: .linear)
    options.threads = model.threads
    options.precision = model.precision
    var fits: [Double] = []
    var accuracy: Double?
    for _ in 0..<max(runs, 1) {
      // The features are computed inside of the method: what they take by themselves is taken off.
      let features = try seconds { pooled = try embedder.pooled(examples.map(\.encoding)) }
      let whole = try seconds {
        accuracy = try fineTune(
          base, head: nil, examples: examples, categories: categories.count, options: options
        )
        .heldOutAccuracy
      }
      fits.append(whole - features)
    }
    if let save { try write(pooled, to: save) }
    try printRow([
      "benchmark": "linear", "examples": examples.count, "seconds": rounded(fits.min() ?? 0, 10_000),
      "cross_validated_accuracy": rounded(accuracy ?? .nan, 10_000),
    ])
  }
}
