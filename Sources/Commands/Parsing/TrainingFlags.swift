import ArgumentParser
import Classifiers
import Encoder
import Foundation
import Shell
import Tasks
import Workbench

/// The options of a training, each with the method's own default.
struct TrainingFlags: ParsableArguments {
  @Option(parsing: .unconditional, help: ArgumentHelp("Passes over the examples.", valueName: "n"))
  var epochs: Int?
  @Option(parsing: .unconditional, help: ArgumentHelp("Examples a step.", valueName: "n")) var batch: Int?
  @Option(parsing: .unconditional, help: ArgumentHelp("The model's learning rate.", valueName: "rate"))
  var learningRate: Double?
  @Option(parsing: .unconditional, help: ArgumentHelp("The head's learning rate.", valueName: "rate"))
  var headLearningRate: Double?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The share of steps in which the rates rise.", valueName: "share")) var warmup: Double?
  @Option(parsing: .unconditional, help: ArgumentHelp("AdamW's weight decay.", valueName: "decay"))
  var weightDecay: Double?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The share of pooled values dropped in training.", valueName: "share"))
  var dropout: Double?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The longest gradient that is taken as it is, 0 for any.", valueName: "length"))
  var clip: Double?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The share of examples held out, 0 for none.", valueName: "share")) var holdout:
    Double?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Epochs without a better held-out accuracy after which training stops; the best one's weights are kept.",
      valueName: "n")) var patience: Int?
  @Option(
    help: ArgumentHelp(
      "In which numbers products are computed: f32, bf16 (faster where the CPU has it) or auto.",
      valueName: "precision")) var precision: Precision?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Threads to compute with; changes the speed, never the weights.", valueName: "n"))
  var threads: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The rank of a language model's LoRA; 8 if left out.", valueName: "rank"))
  var rank: Int?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "What LoRA's products are multiplied by, times the rank; 16 if left out.", valueName: "alpha"))
  var alpha: Double?
  @Option(
    help: ArgumentHelp(
      "What a language model is taught to write: names (WORLD NEWS, if left out) or keys (WORLD_NEWS).",
      valueName: "completions"))
  var completions: Taught.Completions?

  func validate() throws {
    do {
      try TrainingLimits.rank.check(rank)
      try TrainingLimits.alpha.check(alpha)
      try TrainingLimits.epochs.check(epochs)
      try TrainingLimits.batch.check(batch)
      try TrainingLimits.threads.check(threads)
      try TrainingLimits.learningRate.check(learningRate)
      try TrainingLimits.headLearningRate.check(headLearningRate)
      try TrainingLimits.warmup.check(warmup)
      try TrainingLimits.weightDecay.check(weightDecay)
      try TrainingLimits.dropout.check(dropout)
      try TrainingLimits.clip.check(clip)
      try TrainingLimits.holdout.check(holdout)
      try TrainingLimits.patience.check(patience)
    } catch let error as ModelError {
      throw ValidationError(error.description)
    }
    if patience != nil, holdout == 0 {
      throw ValidationError("--patience needs held-out examples to watch: leave out --holdout 0")
    }
  }

  /// - Parameters:
  ///   - choice: what the learner chose; with `all`, linear passes over the options that are not for it.
  ///   - precision: the workspace's, where none is given.
  ///   - isLanguage: whether a language model is trained.
  func options(
    for method: Method, among choice: MethodChoice, seed: UInt64, precision: Precision, isLanguage: Bool
  ) throws -> TrainingOptions {
    if !isLanguage, let option = ofLanguageModels.first(where: { $0.isGiven })?.name {
      throw CommandError.usage(
        "\(option) is for language models, and the base compares texts. Leave it out, or name one: --base "
          + ModelCache.standardLanguageModelName)
    }
    if isLanguage, let option = ofEncoders.first(where: { $0.isGiven })?.name {
      throw CommandError.usage("\(option) is for encoders, and the base is a language model. Leave it out.")
    }
    if isLanguage, choice != .adapter, choice != .all, rank != nil || alpha != nil {
      throw CommandError.usage(
        "\(rank != nil ? "--rank" : "--alpha") is for LoRA. Leave it out, or use --method adapter.")
    }
    if choice == .linear, let option = iterative.first(where: { $0.isGiven })?.name {
      throw CommandError.usage(
        "\(option) is not for linear, which is trained until it changes no more. Leave it out, or use --method full."
      )
    }
    var options = isLanguage ? .languageDefaults(for: method) : TrainingOptions.defaults(for: method)
    if isLanguage { options.holdout = TrainingOptions.defaults(for: method).holdout }
    if let rank { options.rank = rank }
    if let alpha { options.alpha = Float(alpha) }
    options.seed = seed
    options.precision = self.precision ?? precision
    if let epochs { options.epochs = epochs }
    if let batch { options.batchSize = batch }
    if let learningRate { options.learningRate = Float(learningRate) }
    if let headLearningRate { options.headLearningRate = Float(headLearningRate) }
    if let warmup { options.warmup = warmup }
    if let weightDecay { options.weightDecay = Float(weightDecay) }
    if let dropout { options.dropout = Float(dropout) }
    if let clip { options.clipping = Float(clip) }
    if let holdout { options.holdout = holdout }
    if let patience { options.patience = patience }
    if let threads { options.threads = threads }
    return options
  }

  private var ofLanguageModels: [(name: String, isGiven: Bool)] {
    [("--rank", rank != nil), ("--alpha", alpha != nil), ("--completions", completions != nil)]
  }

  private var ofEncoders: [(name: String, isGiven: Bool)] {
    [
      ("--head-learning-rate", headLearningRate != nil), ("--dropout", dropout != nil),
      ("--patience", patience != nil),
    ]
  }

  /// Options of training in steps.
  private var iterative: [(name: String, isGiven: Bool)] {
    [
      ("--epochs", epochs != nil), ("--batch", batch != nil), ("--learning-rate", learningRate != nil),
      ("--head-learning-rate", headLearningRate != nil), ("--warmup", warmup != nil),
      ("--weight-decay", weightDecay != nil), ("--dropout", dropout != nil), ("--clip", clip != nil),
      ("--patience", patience != nil),
    ]
  }

  /// The options as they were, for the model's row.
  func json(_ options: TrainingOptions, embedded: String?, taught: Taught?) -> JSONValue {
    guard taught == nil else {
      var json: [String: JSONValue] = [
        TunedModel.encoderKey: embedded.map(JSONValue.string) ?? .null,
        "epochs": .int(options.epochs), "batch": .int(options.batchSize),
        "learning_rate": .double(Double(options.learningRate)), "warmup": .double(options.warmup),
        "weight_decay": .double(Double(options.weightDecay)), "clip": .double(Double(options.clipping)),
        "precision": .string(options.precision.rawValue), "holdout": .double(options.holdout),
        "seed": JSONValue(seed: options.seed),
      ]
      if options.method == .adapter {
        json["rank"] = .int(options.rank)
        json["alpha"] = .double(Double(options.alpha))
      }
      return .object(json)
    }
    return .object([
      TunedModel.encoderKey: embedded.map(JSONValue.string) ?? .null,
      "epochs": .int(options.epochs), "batch": .int(options.batchSize),
      "learning_rate": .double(Double(options.learningRate)),
      "head_learning_rate": .double(Double(options.headLearningRate)), "warmup": .double(options.warmup),
      "weight_decay": .double(Double(options.weightDecay)), "dropout": .double(Double(options.dropout)),
      "clip": .double(Double(options.clipping)), "patience": .int(options.patience),
      "precision": .string(options.precision.rawValue), "holdout": .double(options.holdout),
      "seed": JSONValue(seed: options.seed),
    ])
  }
}

extension Precision: ExpressibleByArgument {}
extension Taught.Completions: ExpressibleByArgument {}
