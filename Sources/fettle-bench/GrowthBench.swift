import ArgumentParser
import Encoder
import Foundation

/// How speed and memory go with the length and the number of the texts: of training, and of a language model that answers or learns.
struct GrowthBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "growth", abstract: "Training and answering by length, by number of texts and by depth.")

  @OptionGroup var peers: PeerOptions

  @Option(help: "f32, bf16 or auto.")
  var precision: Precision = .auto

  @Option(help: "The language model's GGUF file; without it, training alone is measured.")
  var languageModel: String?

  func run() throws {
    try training()
    if let languageModel {
      try answering(languageModel)
      try learning(languageModel)
    }
  }

  /// As many tokens of texts in all, whatever the length.
  private func answering(_ file: String) throws {
    let material = try peers.material(forAccuracy: false)
    let comparison = Comparison(
      model: file, material: material, peers: nil, rounds: 1, epochs: 1, batch: 32)
    var rows = [["answers", "tokens a text", "tokens/s", "seconds", "peak memory"]]
    for length in [16, 64, 256, 1024] {
      say("growth of answers \(length)")
      let answer = try comparison.bench(
        [
          "generate", "--model", file, "--length", "\(length)", "--texts", "\((1 << 13) / length)",
          material.train,
        ], .f32)
      rows.append([
        grouped(try answer.value("texts")), "\(length)", grouped(try answer.value("tokens_per_second")),
        String(format: "%.1f", try answer.value("seconds")), "\(grouped(answer.peakMegabytes)) MB",
      ])
    }
    print(drawTable(rows).joined(separator: "\n"))
  }

  /// LoRA, an epoch; as many tokens of texts in all, whatever the length, and then fewer of the model's layers.
  private func learning(_ file: String) throws {
    let material = try peers.material(forAccuracy: false)
    let comparison = Comparison(
      model: file, material: material, peers: nil, rounds: 1, epochs: 1, batch: 8)
    var rows = [["LoRA", "layers", "tokens a text", "computed tokens/s", "seconds", "peak memory"]]
    func measure(_ examples: Int, _ name: String, _ options: [String]) throws {
      say("growth of LoRA \(options.joined(separator: " "))")
      let answer = try comparison.bench(
        ["finetune-language", "--model", file, "--epochs", "1", "--examples", "\(examples)"] + options
          + [material.train],
        precision)
      rows.append([
        "\(examples)", grouped(try answer.value("layers")), name,
        grouped(try answer.value("computed_tokens_per_second")),
        String(format: "%.1f", try answer.value("seconds")), "\(grouped(answer.peakMegabytes)) MB",
      ])
    }
    for length in [16, 64, 256, 1024] {
      try measure((1 << 13) / length, "\(length)", ["--length", "\(length)"])
    }
    for layers in [6, 30] { try measure(128, "as they are", ["--layers", "\(layers)"]) }
    print(drawTable(rows).joined(separator: "\n"))
  }

  private func training() throws {
    let material = try peers.material(forAccuracy: false)
    let comparison = Comparison(
      model: peers.model, material: material, peers: nil, rounds: 1, epochs: 1, batch: 32)
    var rows = [["texts", "tokens a text", "tokens/s", "seconds", "peak memory"]]
    func measure(_ options: [String]) throws {
      say("growth \(options.joined(separator: " "))")
      let answer = try comparison.bench(
        ["one-epoch", "--model", peers.model] + options + [material.train], precision)
      rows.append([
        grouped(try answer.value("examples")),
        String(format: "%.0f", try answer.value("tokens") / answer.value("examples")),
        grouped(try answer.value("tokens_per_second")), String(format: "%.1f", try answer.value("seconds")),
        "\(grouped(answer.peakMegabytes)) MB",
      ])
    }
    // As many tokens in all, whatever the length.
    for length in [16, 32, 64, 128, 256] {
      try measure(["--length", "\(length)", "--examples", "\((1 << 15) / length)"])
    }
    for examples in [800, 2_000, 4_000, 8_000] { try measure(["--examples", "\(examples)"]) }
    print(drawTable(rows).joined(separator: "\n"))
  }
}

/// One epoch of full fine-tuning on so many texts of such a length, cut from the file's.
struct OneEpochBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "one-epoch", abstract: "One epoch of full fine-tuning, for growth.")

  @OptionGroup var model: ModelOptions

  @Option(help: "Texts; the file's are repeated as needed.")
  var examples: Int

  @Option(help: "Tokens of each, made of one text after another; the texts as they are unless given.")
  var length: Int?

  @Argument(help: "A file with lines of text|category.")
  var train: String

  func run() throws {
    let base = try model.load()
    let data = try LabelledTexts([train])
    guard data.texts.contains(where: { $0.contains(where: \.isLetter) }), examples > 0 else {
      throw ValidationError("There is nothing to train on.")
    }
    let categories = Set(data.categories).sorted()
    let numbers = Dictionary(uniqueKeysWithValues: categories.enumerated().map { ($1, $0) })
    var options = TrainingOptions.defaults(for: .full)
    options.epochs = 1
    options.startsFromLinear = false
    options.holdout = 0
    options.threads = model.threads
    options.precision = model.precision
    let texts = (0..<examples).map { number in
      let place = number % data.texts.count
      return (encoding: encode(data.texts, from: place, base), category: numbers[data.categories[place]] ?? 0)
    }
    let result = try fineTune(
      base, head: nil, examples: texts, categories: categories.count, options: options)
    try printRow([
      "benchmark": "one-epoch", "examples": examples, "tokens": result.tokens,
      "seconds": rounded(result.seconds),
      "tokens_per_second": Int(Double(result.tokens) / result.epochs.map(\.seconds).reduce(0, +)),
    ])
  }

  private func encode(_ texts: [String], from place: Int, _ base: PretrainedModel) -> Encoding {
    guard let length else {
      return base.tokenizer.encode(texts[place], maximumLength: base.maximumLength)
    }
    var text = texts[place]
    var next = place
    while true {
      let encoding = base.tokenizer.encode(text, maximumLength: length)
      if encoding.ids.count == length { return encoding }
      next = (next + 1) % texts.count
      text += " " + texts[next]
    }
  }
}
