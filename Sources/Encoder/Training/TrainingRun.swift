import Foundation

/// One fine-tuning, checked and ready to go.
struct TrainingRun {
  let base: TextFeatures
  let head: Head?
  let prototypes: [[Float]]
  let examples: [(encoding: Encoding, category: Int)]
  let categories: Int
  let options: TrainingOptions
  let groups: TextGroups
  let split: Split
  let pool: ThreadPool
  let started: ContinuousClock.Instant
  /// Told how many texts have been embedded before the first step, for the head that the encoder's training starts from.
  let preparing: @Sendable (Int, Int) -> Void

  private var model: PretrainedModel { base.model }

  // MARK: linear

  func linear(
    step: @Sendable (Int, Int) -> Void, epoch: @Sendable (EpochReport) -> Void,
    isCancelled: @Sendable () -> Bool
  ) throws -> TrainingResult {
    let count = examples.count
    let features = try base.pooled(
      examples.map(\.encoding), threads: options.threads, isCancelled: isCancelled
    ) { step($0, count) }
    let fit = try LinearProbe(
      pooled: features, labels: examples.map(\.category), categories: categories, prototypes: prototypes,
      groups: groups, pool: pool
    ).fit(seed: options.seed, isCancelled: isCancelled)
    // Every example is left out once while the penalty is chosen, so none needs to be kept out of the final fit.
    let judged = options.crossValidates ? Array(examples.indices) : split.heldOut
    let right = options.holdout > 0 && !judged.isEmpty ? fit.crossValidated : nil
    let heldOut = right.map { right in HeldOutResult(judged, groups) { right[$0] } }
    let tokens = examples.reduce(0) { $0 + $1.encoding.ids.count }
    let report = EpochReport(
      epoch: 1, epochs: 1, loss: fit.loss, heldOutAccuracy: heldOut?.accuracy, tokens: tokens,
      seconds: seconds)
    epoch(report)
    return try result(
      model: model, head: fit.head, epochs: [report], heldOut: heldOut,
      trainable: fit.head.weight.count + fit.head.bias.count)
  }

  /// Fitted to the examples that are trained on.
  private func linearHead(isCancelled: @Sendable () -> Bool) throws -> Head {
    let training = split.training.map { examples[$0] }
    let features = try base.pooled(
      training.map(\.encoding), threads: options.threads, isCancelled: isCancelled
    ) {
      preparing($0, training.count)
    }
    return try LinearProbe(
      pooled: features, labels: training.map(\.category), categories: categories, prototypes: prototypes,
      groups: TextGroups(training.lazy.map(\.encoding)), pool: pool
    ).fit(seed: options.seed, isCancelled: isCancelled).head
  }

  // MARK: methods that change the encoder

  func encoder(
    step: @Sendable (Int, Int) -> Void, epoch: @Sendable (EpochReport) -> Void,
    isCancelled: @Sendable () -> Bool
  ) throws -> TrainingResult {
    let start = options.method == .adapter ? try model.withAdapters(seed: options.seed) : model
    let head = try head ?? newHead(isCancelled: isCancelled)
    base.embedder.rest()
    let trained = try train(start, head: head, step: step, epoch: epoch, isCancelled: isCancelled)
    return try result(
      model: trained.parameters.model(from: start, words: trained.words, learned: widestScope),
      head: trained.head, epochs: trained.epochs, heldOut: trained.heldOut, trainable: trained.trainable)
  }

  /// What the last epoch changes, and so all that any does.
  private var widestScope: TrainableScope {
    TrainableScope(
      options.method, epoch: options.epochs, epochs: options.epochs, layers: model.shape.layers)
  }

  /// What remains of a trainer, whose memory is free again.
  private struct Trained {
    var parameters: ParameterStore
    var words: [Int32]
    var head: Head
    var epochs: [EpochReport]
    var heldOut: HeldOutResult?
    var trainable: Int
  }

  private func train(
    _ start: PretrainedModel, head: Head, step: @Sendable (Int, Int) -> Void,
    epoch: @Sendable (EpochReport) -> Void, isCancelled: @Sendable () -> Bool
  ) throws -> Trained {
    let trainer = try Trainer(
      start, head: head, examples: examples, options: options, scope: widestScope, pool: pool)
    start.releasePages()
    let batchesInEpoch = (split.training.count + options.batchSize - 1) / options.batchSize
    let steps = options.epochs * batchesInEpoch
    let schedule = Schedule(steps: steps, warmup: options.warmup)
    var reports: [EpochReport] = []
    var best: (heldOut: HeldOutResult, epoch: Int, learned: Floats)?
    var last: HeldOutResult?
    for number in 1...options.epochs {
      let epochStarted = ContinuousClock.now
      var randomNumbers = RandomNumbers(seed: options.seed, stream: 1000 + UInt64(number))
      let order = randomNumbers.permutation(split.training.count).map { split.training[$0] }
      var loss = 0.0
      let scope = TrainableScope(
        options.method, epoch: number, epochs: options.epochs, layers: model.shape.layers)
      for batch in 0..<batchesInEpoch {
        if isCancelled() { throw CancellationError() }
        let done = (number - 1) * batchesInEpoch + batch
        let first = batch * options.batchSize
        loss += try trainer.forwardBackward(
          Array(order[first..<min(first + options.batchSize, order.count)]), scope)
        guard loss.isFinite else { throw ModelError.diverged(epoch: number) }
        let share = schedule.share(done)
        try trainer.optimizerStep(clipping: options.clipping, weightDecay: options.weightDecay) { section in
          scope.includes(section) ? share * rate(section) : 0
        }
        step(done + 1, steps)
      }
      let heldOut = try heldOutResult(trainer)
      last = heldOut
      let report = EpochReport(
        epoch: number, epochs: options.epochs, loss: loss / Double(split.training.count),
        heldOutAccuracy: heldOut?.accuracy,
        tokens: split.training.reduce(0) { $0 + examples[$1].encoding.ids.count },
        seconds: epochStarted.duration(to: .now).seconds)
      reports.append(report)
      epoch(report)
      guard options.patience > 0, let heldOut else { continue }
      if heldOut.accuracy > best?.heldOut.accuracy ?? -1 {
        best = (heldOut, number, trainer.parameters.copyOfLearned())
      } else if let best, number - best.epoch >= options.patience {
        break
      }
    }
    if let best { trainer.parameters.restore(best.learned) }
    guard trainer.parameters.isFinite else { throw ModelError.diverged(epoch: reports.count) }
    return Trained(
      parameters: trainer.parameters, words: trainer.words.tokens, head: trainer.head, epochs: reports,
      heldOut: best?.heldOut ?? last, trainable: trainer.trainableParameters(widestScope))
  }

  private func heldOutResult(_ trainer: Trainer) throws -> HeldOutResult? {
    guard !split.heldOut.isEmpty else { return nil }
    let predicted = Dictionary(
      uniqueKeysWithValues: zip(split.heldOut, try trainer.predict(split.heldOut)))
    return HeldOutResult(split.heldOut, groups) { predicted[$0] == examples[$0].category }
  }

  /// A section's highest learning rate.
  private func rate(_ section: ParameterLayout.Section) -> Float {
    guard section.kind != .head else { return options.headLearningRate }
    let depth = model.shape.layers - 1 - (section.layer ?? -1)
    return options.learningRate * pow(options.layerDecay, Float(depth))
  }

  /// The linear method's; or small random numbers, as PyTorch's linear layer begins with.
  private func newHead(isCancelled: @Sendable () -> Bool) throws -> Head {
    if options.startsFromLinear { return try linearHead(isCancelled: isCancelled) }
    let hidden = model.shape.hiddenSize
    var randomNumbers = RandomNumbers(seed: options.seed, stream: 3)
    let bound = 1 / Float(hidden).squareRoot()
    func draw(_ count: Int) -> [Float] { (0..<count).map { _ in (randomNumbers.uniform() * 2 - 1) * bound } }
    return Head(weight: draw(categories * hidden), bias: draw(categories))
  }

  // MARK: results

  private var seconds: Double { started.duration(to: .now).seconds }

  /// - Throws: `ModelError.notANumber`: a model of nothing but zeros, say, leaves a head without numbers.
  private func result(
    model: PretrainedModel, head: Head, epochs: [EpochReport], heldOut: HeldOutResult?, trainable: Int
  ) throws -> TrainingResult {
    let loss = epochs.last?.loss ?? .nan
    guard loss.isFinite, head.isFinite else { throw ModelError.notANumber(where: "what training made of it") }
    return TrainingResult(
      model: model, head: head, epochs: epochs, finalLoss: loss, heldOut: heldOut,
      trainableParameters: trainable,
      tokens: epochs.reduce(0) { $0 + $1.tokens },
      seconds: seconds)
  }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
