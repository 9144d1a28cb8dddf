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

  @Option(
    help: "Test on this file of text|category: the accuracy of a head that knows the categories' names.")
  var test: String?

  @Option(
    help: "Take the features of the texts, then of the test's, from this file, as embed --save writes them.")
  var features: String?

  @Argument(help: "A file with lines of text|category.")
  var train: String

  func run() throws {
    let base = try model.load()
    let embedder = try Embedder(model: base, threads: model.threads, precision: model.precision)
    func pooled(_ texts: [String]) throws -> [[Float]] {
      try embedder.pooled(texts.map { base.tokenizer.encode($0, maximumLength: base.maximumLength) })
    }
    let (data, tests) = (try LabelledTexts([train]), try LabelledTexts(test.map { [$0] } ?? []))
    let categories = Set(data.categories).sorted()
    let numbers = Dictionary(uniqueKeysWithValues: categories.enumerated().map { ($1, $0) })
    let labels = data.categories.map { numbers[$0] ?? 0 }
    let all =
      try features.map { try read($0, width: base.shape.hiddenSize) }
      ?? pooled(data.texts + tests.texts)
    guard all.count == data.texts.count + tests.texts.count else {
      throw ValidationError("--features has \(all.count) rows, and the files have other texts.")
    }
    let vectors = Array(all.prefix(labels.count))
    let prototypes =
      test == nil
      ? []
      : try pooled(
        categories.map { "This text is about \($0.replacingOccurrences(of: "_", with: " "))." })
    var head: Head?
    let fits = try (0..<max(runs, 1)).map { _ in
      try seconds {
        head = try fitLinear(
          vectors, labels: labels, categories: categories.count, prototypes: prototypes, seed: 42,
          threads: model.threads)
      }
    }
    if let save { try write(vectors, to: save) }
    var row: [String: any Sendable] = [
      "benchmark": "linear", "examples": labels.count, "seconds": rounded(fits.min() ?? 0, 10_000),
    ]
    if let head, test != nil {
      let right = zip(all.dropFirst(labels.count), tests.categories).count { vector, category in
        let logits = head.logits(vector)
        return logits.indices.max { logits[$0] < logits[$1] }.map { categories[$0] } == category
      }
      row["accuracy"] = rounded(Double(right) / Double(max(tests.texts.count, 1)), 10_000)
    }
    try printRow(row)
  }

  private func read(_ file: String, width: Int) throws -> [[Float]] {
    let data = try Data(contentsOf: URL(fileURLWithPath: file))
    return stride(from: 0, to: data.count, by: width * 4).map { start in
      var row = [Float](repeating: 0, count: width)
      _ = row.withUnsafeMutableBytes { data[start..<min(start + width * 4, data.count)].copyBytes(to: $0) }
      return row
    }
  }
}
