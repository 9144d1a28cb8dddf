import ArgumentParser
import Encoder
import Foundation
import Shell
import Workbench

/// The options of a training, each with the method's own default.
struct TrainingFlags: ParsableArguments {
  @Option(parsing: .unconditional, help: ArgumentHelp("Passes over the examples.", valueName: "n"))
  var epochs: Int?
  @Option(parsing: .unconditional, help: ArgumentHelp("Examples a step.", valueName: "n")) var batch: Int?
  @Option(parsing: .unconditional, help: ArgumentHelp("The encoder's learning rate.", valueName: "rate"))
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

  func validate() throws {
    do {
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
  func options(for method: Method, among choice: MethodChoice, seed: UInt64, precision: Precision) throws
    -> TrainingOptions
  {
    if choice == .linear, let option = iterative.first(where: { $0.isGiven })?.name {
      throw CommandError.usage(
        "\(option) is not for linear, which is trained until it changes no more. Leave it out, or use --method full."
      )
    }
    var options = TrainingOptions.defaults(for: method)
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
  func json(_ options: TrainingOptions, embedded: String?) -> JSONValue {
    .object([
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
