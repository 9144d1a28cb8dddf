import ArgumentParser
import Encoder
import Foundation

/// Tokens a second of teaching a language model the categories' names, and how many of other texts it then names rightly.
struct LanguageTrainingBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "finetune-language", abstract: "Fine-tuning a language model on prompts and completions.")

  @OptionGroup var model: ModelOptions

  @Option(help: "full, gradual or adapter, which is LoRA.")
  var method: Method = .adapter

  @Option var epochs: Int?
  @Option var batch: Int?
  @Option var learningRate: Float?
  @Option var seed: UInt64 = 0
  @Option(help: "Train on so many texts, the first; the files' are repeated as needed.")
  var examples: Int?
  @Option(help: "Tokens of each text, made of one after another; the texts as they are unless given.")
  var length: Int?
  @Option(help: "Keep so many of the model's layers, the first.")
  var layers: Int?
  @Option(help: "Test on so many texts, drawn by seed.")
  var testLimit: Int?

  @Argument(help: "Files to train on, with lines of text|category, a comma between two.")
  var train: String

  @Argument(help: "Files to test on, with the same categories.")
  var test: String?

  func run() throws {
    let base = try layers.map { try Self.first($0, of: model.load()) } ?? model.load()
    guard let tokenizer = base.tokenizer as? BytePair, method != .linear else {
      throw ValidationError("That is no language model, or nothing is trained: linear fits a head.")
    }
    let data = try LabelledTexts(train.split(separator: ",").map(String.init))
    let learned = PromptedTexts(data, tokenizer, count: examples ?? data.texts.count, length: length)
    var options = TrainingOptions.languageDefaults(for: method)
    options.threads = model.threads
    options.precision = model.precision
    options.seed = seed
    options.epochs = epochs ?? options.epochs
    options.batchSize = batch ?? options.batchSize
    options.learningRate = learningRate ?? options.learningRate
    let material = zip(learned.rest, learned.completions).map {
      PromptedExample(prompt: $0, completion: $1)
    }
    let before = processorSeconds()
    let trained = try LanguageTraining(model: base, options: options).run(material, after: learned.prefix)
    let used = processorSeconds() - before
    let seconds = trained.epochs.map(\.seconds).reduce(0, +)
    let completions = material.reduce(0) { $0 + $1.completion.count }
    let whole =
      options.epochs
      * material.reduce(0) { $0 + learned.prefix.count + $1.prompt.count + $1.completion.count }
    // Forward and back; frozen weights have no gradient of their own.
    let products = try ProductShapes(base)
    let operations =
      2
      * (Double(trained.tokens) * products.operationsPerToken + Double(options.epochs * completions)
        * products.operationsPerOutput)
    var row: [String: any Sendable] = [
      "benchmark": "finetune-language", "method": method.rawValue, "precision": model.precision.rawValue,
      "seed": seed, "examples": material.count, "layers": base.shape.layers, "tokens": whole,
      "computed_tokens": trained.tokens, "seconds": rounded(seconds), "processor_seconds": rounded(used),
      "tokens_per_second": rounded(Double(whole) / seconds),
      "computed_tokens_per_second": rounded(Double(trained.tokens) / seconds),
      "computed_tokens_per_processor_second": rounded(Double(trained.tokens) / used),
      "loss_by_epoch": trained.epochs.map { rounded($0.loss, 10_000) },
      "trainable_parameters": trained.trainableParameters,
    ]
    if method == .adapter { row["gigaflops"] = rounded(operations / seconds / 1e9) }
    if let test {
      row["training_peak_mb"] = peakMegabytes()
      let asked = try LabelledTexts(test.split(separator: ",").map(String.init)).drawn(testLimit)
      let tests = PromptedTexts(asked, tokenizer, count: asked.texts.count, length: nil, names: learned.names)
      let language = try LanguageModel(
        model: trained.model, threads: model.threads, precision: model.precision)
      let answers = try language.complete(
        tests.rest, after: tests.prefix, maximum: PromptedTexts.maximum, ends: tests.ends)
      let right = zip(answers, tests.categories).count { tests.isRight($0, $1) }
      row["tests"] = answers.count
      row["accuracy"] = rounded(Double(right) / Double(max(answers.count, 1)), 10_000)
    }
    try printRow(row)
  }

  /// As a folder whose configuration says fewer layers, which then read no more of its tensors.
  private static func first(_ layers: Int, of model: PretrainedModel) throws -> PretrainedModel {
    let scratch = try ScratchFolder()
    let folder = URL(fileURLWithPath: scratch.path("model"))
    try model.save(to: folder)
    let file = folder.appending(path: "config.json")
    guard var settings = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
    else { throw ValidationError("The model's config.json is no object.") }
    settings["num_hidden_layers"] = layers
    try JSONSerialization.data(withJSONObject: settings).write(to: file)
    return try withExtendedLifetime(scratch) { try PretrainedModel.load(folder: folder) }
  }
}

/// Of all threads.
private func processorSeconds() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }
