import ArgumentParser
import Encoder
import Foundation

/// Tokens a second of embedding; and how good the vectors are for zero-shot classification.
struct EmbedBench: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "embed", abstract: "Embedding texts.")

  @OptionGroup var model: ModelOptions

  @Option(help: "Times to run; the fastest counts.")
  var runs = 3

  @Option(help: "Keep the vectors in this file: f32 numbers, one row a text, not normalised.")
  var save: String?

  @Argument(help: "Files with lines of text|category.")
  var files: [String]

  func run() throws {
    let base = try model.load()
    let data = try LabelledTexts(files)
    let encodings = data.texts.map { base.tokenizer.encode($0, maximumLength: base.maximumLength) }
    var embedder: Embedder?
    let start = try seconds {
      embedder = try Embedder(model: base, threads: model.threads, precision: model.precision)
    }
    guard let embedder else { return }
    var pooled: [[Float]] = []
    let best = try (0..<runs).map { _ in try seconds { pooled = try embedder.pooled(encodings) } }.min() ?? 0
    if let save { try write(pooled, to: save) }
    let tokens = encodings.reduce(0) { $0 + $1.ids.count }
    try printRow([
      "benchmark": "embed", "precision": model.precision.rawValue, "texts": data.texts.count,
      "tokens": tokens,
      "seconds": rounded(best), "tokens_per_second": Int(Double(tokens) / best),
      "start_seconds": rounded(start),
      "zero_shot_accuracy": rounded(try zeroShot(pooled, data, base, embedder), 10_000),
    ])
  }

  /// Share of texts that are nearest to "This text is about" their category, by cosine.
  private func zeroShot(
    _ pooled: [[Float]], _ data: LabelledTexts, _ base: PretrainedModel, _ embedder: Embedder
  ) throws -> Double {
    let categories = Set(data.categories).sorted()
    let prompts = categories.map {
      base.tokenizer.encode("This text is about \($0).", maximumLength: base.maximumLength)
    }
    let prototypes = try embedder.pooled(prompts).map(unit)
    let right = zip(pooled, data.categories).count { vector, category in
      let vector = unit(vector)
      let scores = prototypes.map { zip($0, vector).reduce(Float(0)) { $0 + $1.0 * $1.1 } }
      return scores.indices.max { scores[$0] < scores[$1] }.map { categories[$0] } == category
    }
    return Double(right) / Double(pooled.count)
  }

  private func unit(_ vector: [Float]) -> [Float] {
    let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return vector.map { $0 / length }
  }
}

/// Numbers as numpy's `fromfile` reads them.
func write(_ vectors: [[Float]], to file: String) throws {
  try vectors.reduce(into: Data()) { data, row in row.withUnsafeBytes { data.append(contentsOf: $0) } }
    .write(to: URL(fileURLWithPath: file))
}
