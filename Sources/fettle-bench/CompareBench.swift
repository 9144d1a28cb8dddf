import ArgumentParser
import Encoder
import Foundation

/// fettle beside what a user would take instead, each a process of its own, in turns, in one table of ratios.
struct CompareBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "fettle beside its peers, in one table of ratios.")

  enum Part: String, CaseIterable, ExpressibleByArgument {
    case finetune, embed, linear, wordpiece, load, threads, generate, lora, serve, endurance
  }

  @OptionGroup var peers: PeerOptions

  @Option(help: "Rounds; medians count.")
  var rounds = 3

  @Option(help: "Epochs of full fine-tuning.")
  var epochs = 5

  @Option(help: "Examples a step.")
  var batch = 32

  @Option(
    help:
      "The language model's GGUF file; without it there are no rows generate and lora, and serve has no language model."
  )
  var languageModel: String?

  @Option(help: "Texts that a language model answers.")
  var predictions = 800

  @Option(help: "Texts that a language model is taught.")
  var lessons = 200

  @Option(help: "Seconds in which a server is asked, a round.")
  var asking = 5.0

  @Option(help: "Requests over which a server's memory is watched.")
  var endured = 100_000

  @Option(
    parsing: .upToNextOption,
    help:
      "Which rows: finetune embed linear wordpiece load threads generate lora serve endurance; all unless given."
  )
  var rows: [Part] = Part.allCases

  func run() throws {
    let comparison = Comparison(
      model: peers.model, material: try peers.material(forAccuracy: false), peers: try peers.find(),
      rounds: max(rounds, 1), epochs: max(epochs, 1), batch: max(batch, 1))
    var table = RatioTable()
    for part in rows {
      switch part {
      case .finetune: try comparison.fineTuning(&table)
      case .embed: try comparison.embedding(&table)
      case .linear: try comparison.linear(&table)
      case .wordpiece: try comparison.wordPiece(&table)
      case .load: try comparison.load(&table)
      case .threads: try comparison.threads(&table)
      case .generate:
        guard let languageModel else { continue }
        try comparison.generating(&table, languageModel, predictions: max(predictions, 1))
      case .lora:
        guard let languageModel else { continue }
        try comparison.teaching(&table, languageModel, examples: max(lessons, 8))
      case .serve: try comparison.serving(&table, languageModel, seconds: max(asking, 0.1))
      case .endurance: try comparison.endurance(&table, requests: max(endured, 1))
      }
    }
    table.note("Medians of \(comparison.rounds) rounds in turns; tokens are the texts' own, without padding.")
    table.draw()
  }
}

/// Where the peers, the model and the texts are.
struct PeerOptions: ParsableArguments {
  @Option(help: "The folder of the pre-trained model.")
  var model: String

  @Option(help: "A Python with the peers' packages.")
  var python = "python3"

  @Option(help: "Texts to train on, any file that load takes; the samples unless given.")
  var train: String?

  @Option(help: "Texts to test on.")
  var test: String?

  @Option(help: "The folder of the project.")
  var project = "."

  func find() throws -> Peers? { try Peers(python: python, project: project) }

  func material(forAccuracy: Bool) throws -> Material {
    try Material(train: train, test: test, project: project, forAccuracy: forAccuracy)
  }
}
