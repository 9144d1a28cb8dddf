import ArgumentParser
import Encoder
import Foundation

/// Tokens a second of WordPiece, on one thread.
struct WordPieceBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wordpiece", abstract: "Cutting texts into tokens.")

  @OptionGroup var model: ModelOptions

  @Option(help: "Times to run; the fastest counts.")
  var runs = 5

  @Argument(help: "Files with lines of text|category.")
  var files: [String]

  func run() throws {
    var tokenizer: WordPiece?
    let start = try seconds { tokenizer = try WordPiece(folder: URL(fileURLWithPath: model.model)) }
    guard let tokenizer else { return }
    let texts = try LabelledTexts(files).texts
    var tokens = 0
    let best =
      (0..<runs).map { _ in
        seconds { tokens = texts.reduce(0) { $0 + tokenizer.encode($1, maximumLength: 256).ids.count } }
      }.min() ?? 0
    try printRow([
      "benchmark": "wordpiece", "texts": texts.count, "tokens": tokens, "seconds": rounded(best, 1e6),
      "tokens_per_second": Int(Double(tokens) / best), "start_seconds": rounded(start),
    ])
  }
}
