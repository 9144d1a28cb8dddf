import ArgumentParser
import Encoder
import Foundation

/// Tokens a second of teaching a language model the categories' names, and how many of other texts it then names rightly.
struct LanguageTrainingBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "finetune-language", abstract: "Fine-tuning a language model on prompts and completions.")

  @OptionGroup var model: ModelOptions

  @Option(help: "linear, full, gradual or adapter, which is LoRA.")
  var method: Method = .adapter

  @Option var epochs: Int?
  @Option var batch: Int?
  @Option var learningRate: Float?
  @Option var seed: UInt64 = 0
  @Option(help: "Train on the first so many texts.")
  var limit: Int?
  @Option(help: "Test on so many texts, drawn by seed.")
  var testLimit: Int?

  @Argument(help: "Files to train on, with lines of text|category, a comma between two.")
  var train: String

  @Argument(help: "Files to test on.")
  var test: String?

  func run() throws {
    let base = try model.load()
    let data = try LabelledTexts(train.split(separator: ",").map(String.init))
    let categories = Set(data.categories).sorted()
    let names = categories.map { $0.replacing("&", with: "AND") }
    let instruction =
      "Classify the text of the following message as exactly one of the following: "
      + names.joined(separator: ", ") + ".\nmessage:"
    func ids(_ text: String) -> [Int32] {
      base.tokenizer.encode(text, maximumLength: base.maximumLength).ids
    }
    let prefix = ids(instruction)
    func prompt(_ text: String) -> [Int32] { ids(" " + text + "\ncategory:") }
    let numbers = Dictionary(uniqueKeysWithValues: categories.enumerated().map { ($1, $0) })
    func examples(_ data: LabelledTexts) -> [(prompt: [Int32], category: Int)] {
      zip(data.texts, data.categories).map { (prompt($0), numbers[$1] ?? 0) }
    }
    let learned = Array(examples(data).prefix(limit ?? .max))
    var options = TrainingOptions.languageDefaults(for: method)
    options.threads = model.threads
    options.precision = model.precision
    options.seed = seed
    options.epochs = epochs ?? options.epochs
    options.batchSize = batch ?? options.batchSize
    options.learningRate = learningRate ?? options.learningRate
    let training = try LanguageTraining(model: base, options: options)
    let tests = try test.map { examples(try LabelledTexts($0.split(separator: ",").map(String.init))) }
    let end = ids("\n")
    var row: [String: any Sendable] = [
      "benchmark": "finetune-language", "method": method.rawValue, "precision": model.precision.rawValue,
      "seed": seed, "examples": learned.count,
    ]
    if method == .linear {
      let before = processorSeconds()
      let head = try training.linear(learned, after: prefix, categories: categories.count)
      row["processor_seconds"] = rounded(processorSeconds() - before)
      if let tests = tests.map(draw) {
        let states = try training.lastStates(of: tests.map(\.prompt), after: prefix)
        row["accuracy"] = accuracy(
          zip(states, tests).map { states, test in
            let logits = head.logits(states)
            return logits.indices.max { logits[$0] < logits[$1] } == test.category
          })
      }
      return try printRow(row)
    }
    let before = processorSeconds()
    let trained = try training.run(
      learned.map { PromptedExample(prompt: $0.prompt, completion: ids(" " + names[$0.category]) + end) },
      after: prefix)
    let used = processorSeconds() - before
    row["tokens"] = trained.tokens
    row["seconds"] = rounded(trained.seconds)
    row["processor_seconds"] = rounded(used)
    row["tokens_per_second"] = Int(Double(trained.tokens) / trained.epochs.map(\.seconds).reduce(0, +))
    row["tokens_per_processor_second"] = rounded(Double(trained.tokens) / used, 10)
    row["loss_by_epoch"] = trained.epochs.map { rounded($0.loss, 10_000) }
    row["trainable_parameters"] = trained.trainableParameters
    row["training_peak_mb"] = peakMegabytes()
    if let tests = tests.map(draw) {
      let language = try LanguageModel(
        model: trained.model, threads: model.threads, precision: model.precision)
      let answers = try language.complete(
        tests.map(\.prompt), after: prefix, maximum: 10, ends: Set(end).union([0, 2]))
      row["accuracy"] = accuracy(
        zip(answers, tests).map { answer, test in
          let text = ((base.tokenizer as? BytePair)?.decode(answer) ?? "").uppercased()
          let first = names.indices.compactMap { name in
            text.range(of: names[name]).map { (at: $0.lowerBound, name: name) }
          }.min { $0.at < $1.at }
          return first?.name == test.category
        })
    }
    try printRow(row)
  }

  private func draw<Example>(_ examples: [Example]) -> [Example] {
    var random = RandomNumbers(seed: 0)
    return Array(examples.shuffled(using: &random).prefix(testLimit ?? .max))
  }

  private func accuracy(_ isRight: [Bool]) -> Double {
    rounded(Double(isRight.count { $0 }) / Double(max(isRight.count, 1)), 10_000)
  }
}

/// Of all threads.
private func processorSeconds() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }
