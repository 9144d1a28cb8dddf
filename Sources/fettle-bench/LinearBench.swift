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
    let labels = data.categories.map { numbers[$0] ?? 0 }
    let encodings = data.texts.map { base.tokenizer.encode($0, maximumLength: base.maximumLength) }
    let pooled = try Embedder(model: base, threads: model.threads, precision: model.precision)
      .pooled(encodings)
    let fits = try (0..<max(runs, 1)).map { _ in
      try seconds {
        _ = try fitLinear(
          pooled, labels: labels, categories: categories.count, seed: 42, threads: model.threads)
      }
    }
    if let save { try write(pooled, to: save) }
    try printRow([
      "benchmark": "linear", "examples": labels.count, "seconds": rounded(fits.min() ?? 0, 10_000),
    ])
  }
}
