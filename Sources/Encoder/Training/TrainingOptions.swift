/// How to fine-tune. `defaults(for:)` gives what served best on held-out parts of the tutorial's own data.
public struct TrainingOptions: Sendable {
  public var method: Method
  /// Times that every example is seen. `linear` is trained until it changes no more, and counts as one.
  public var epochs: Int
  /// Examples a step.
  public var batchSize: Int
  /// The encoder's learning rate at its highest.
  public var learningRate: Float
  /// The head's learning rate at its highest.
  public var headLearningRate: Float
  /// Whether a new head begins as `linear` would fit it to the encoder as it is, rather than with random numbers: the first steps
  /// then do not distort the encoder for a head that knows nothing (Kumar et al. 2022, section 4).
  public var startsFromLinear: Bool
  /// A layer's learning rate as a share of that of the layer above it; the embeddings count as the layer below the first.
  public var layerDecay: Float
  /// Share of the steps in which the rate rises from nothing; after them it falls to nothing, both along straight lines.
  public var warmup: Double
  /// AdamW's decay of weights.
  public var weightDecay: Float
  /// Share of the numbers that a training step leaves out, in the layers and before the head.
  public var dropout: Float
  /// The longest gradient, in its Euclidean norm over the encoder, that is taken as it is; longer ones are shortened. 0: all are.
  public var clipping: Float
  /// Settles the order of examples and what dropout leaves out.
  public var seed: UInt64
  /// Threads to work with; nil: one a core. The result does not depend on it.
  public var threads: Int?
  public var precision: Precision
  /// Share of the examples that are kept out of training to measure accuracy after each epoch; 0: none. `linear` learns from all
  /// and keeps none out: with any share but 0 it reports the accuracy of its cross-validation, which leaves out each in turn.
  public var holdout: Double
  /// Whether `linear` is judged by its cross-validation over all examples; if not, by what that says of the examples which the
  /// other methods hold out, so that the four can be compared.
  public var crossValidates = true
  /// Epochs without a better held-out accuracy after which training stops; the best epoch's weights are kept. 0: never.
  public var patience: Int
  /// Of a language model's new LoRA: its rank, and what its products are multiplied by, times the rank.
  public var rank = 8
  public var alpha: Float = 16

  public init(
    method: Method, epochs: Int, batchSize: Int, learningRate: Float, headLearningRate: Float,
    startsFromLinear: Bool = false, layerDecay: Float = 1,
    warmup: Double = 0.1,
    weightDecay: Float = 0.01, dropout: Float = 0.1, clipping: Float = 1, seed: UInt64 = 42,
    threads: Int? = nil,
    precision: Precision = .f32, holdout: Double = 0, patience: Int = 0
  ) {
    self.method = method
    self.epochs = epochs
    self.batchSize = batchSize
    self.learningRate = learningRate
    self.headLearningRate = headLearningRate
    self.startsFromLinear = startsFromLinear
    self.layerDecay = layerDecay
    self.warmup = warmup
    self.weightDecay = weightDecay
    self.dropout = dropout
    self.clipping = clipping
    self.seed = seed
    self.threads = threads
    self.precision = precision
    self.holdout = holdout
    self.patience = patience
  }

  public static func defaults(for method: Method) -> TrainingOptions {
    switch method {
    case .linear:
      TrainingOptions(
        method: method, epochs: 1, batchSize: 32, learningRate: 0, headLearningRate: 0, holdout: 0.1)
    case .full:
      TrainingOptions(
        method: method, epochs: 5, batchSize: 32, learningRate: 1e-4, headLearningRate: 2e-3,
        startsFromLinear: true, holdout: 0.1)
    case .gradual:
      TrainingOptions(
        method: method, epochs: 6, batchSize: 32, learningRate: 3e-4, headLearningRate: 2e-3,
        startsFromLinear: true, layerDecay: 1 / 2.6, holdout: 0.1)
    case .adapter:
      TrainingOptions(
        method: method, epochs: 6, batchSize: 32, learningRate: 1e-3, headLearningRate: 2e-3,
        startsFromLinear: true, holdout: 0.1)
    }
  }

  /// For a language model. LoRA's are those that served best with PyTorch: small batches learn much better there than large ones. After
  /// three passes over 800 texts 0.78 to 0.81 of others are right, by the seed.
  public static func languageDefaults(for method: Method) -> TrainingOptions {
    func options(epochs: Int, learningRate: Float, layerDecay: Float = 1) -> TrainingOptions {
      TrainingOptions(
        method: method, epochs: epochs, batchSize: 8, learningRate: learningRate, headLearningRate: 0,
        layerDecay: layerDecay, warmup: 0.06, weightDecay: 0, dropout: 0)
    }
    return switch method {
    case .linear: options(epochs: 1, learningRate: 0)
    case .full: options(epochs: 2, learningRate: 5e-5)
    case .gradual: options(epochs: 3, learningRate: 2e-4, layerDecay: 0.9)
    case .adapter: options(epochs: 3, learningRate: 2e-3)
    }
  }

  /// - Throws: `ModelError.invalidOption`.
  func check() throws {
    try TrainingLimits.rank.check(rank)
    try TrainingLimits.alpha.check(Double(alpha))
    try TrainingLimits.epochs.check(epochs)
    try TrainingLimits.batch.check(batchSize)
    try TrainingLimits.learningRate.check(Double(learningRate))
    try TrainingLimits.headLearningRate.check(Double(headLearningRate))
    try TrainingLimits.warmup.check(warmup)
    try TrainingLimits.weightDecay.check(Double(weightDecay))
    try TrainingLimits.dropout.check(Double(dropout))
    try TrainingLimits.clip.check(Double(clipping))
    try TrainingLimits.holdout.check(holdout)
    try TrainingLimits.patience.check(patience)
    try TrainingLimits.threads.check(threads)
    guard layerDecay > 0 && layerDecay <= 1 else {
      throw ModelError.invalidOption(
        name: "the layers' decay", value: "\(layerDecay)", allowed: "more than 0 to 1")
    }
  }
}
