import Foundation

/// What training has made of a language model.
package struct TrainedLanguageModel: Sendable {
  /// With its LoRA, or with other weights.
  package var model: PretrainedModel
  package var epochs: [EpochReport]
  package var trainableParameters: Int
  /// Rows that went through the model, all epochs together: a beginning that a batch shares counts once.
  package var tokens: Int
  /// Wall-clock time, all in all.
  package var seconds: Double

  /// The last epoch's loss, in nats a token of the completions.
  package var finalLoss: Double { epochs.last?.loss ?? .nan }
}

/// Teaches a language model what to write after a prompt: the loss is that of the completions' tokens alone.
///
///     let training = try LanguageTraining(model: model, options: .languageDefaults(for: .adapter))
///     let trained = try training.run(
///       examples, after: instruction,
///       epoch: { report, language in
///         print(report.loss, try language().complete(prompts, after: instruction, maximum: 10, ends: ends))
///       })
///     try trained.model.save(loraTo: folder)
package struct LanguageTraining: Sendable {
  private let model: PretrainedModel
  private let options: TrainingOptions

  /// - Parameters:
  ///   - model: one with a LoRA goes on from that.
  ///   - options: `adapter` is LoRA; `headLearningRate`, `dropout`, `holdout` and `patience` count for nothing.
  /// - Throws: `ModelError`.
  package init(model: PretrainedModel, options: TrainingOptions) throws {
    guard type(of: model.backbone).isGenerative else { throw ModelError.noGeneration }
    try options.check()
    (self.model, self.options) = (model, options)
  }

  /// Trains by `full`, `gradual` or `adapter`.
  ///
  /// The same seed gives the same weights, bit for bit, whatever the number of threads.
  /// - Parameters:
  ///   - prefix: tokens that all prompts begin with, computed once a batch; the examples are without them.
  ///   - step: called after each batch, with the batches done and all there will be.
  ///   - epoch: called after each epoch, with a way to have the model as it is now write; what it gives must not be kept.
  ///   - isCancelled: asked once a batch.
  /// - Throws: `ModelError`, `CancellationError`, `AddressSpace.Shortage`, and what `epoch` throws.
  package func run(
    _ examples: [PromptedExample], after prefix: [Int32] = [],
    step: (_ done: Int, _ all: Int) -> Void = { _, _ in },
    epoch: (EpochReport, _ language: () throws -> LanguageModel) throws -> Void = { _, _ in },
    isCancelled: () -> Bool = { false }
  ) throws -> TrainedLanguageModel {
    precondition(options.method != .linear, "a head is fitted, not trained")
    let started = ContinuousClock.now
    guard !examples.isEmpty else { throw ModelError.noExamples }
    for example in examples { try check(prefix + example.prompt, example.completion) }
    let pool = ThreadPool(threads: options.threads)
    let start = try startingModel()
    let widest = scope(epoch: options.epochs)
    let trainer = try LanguageTrainer(
      start, prefix: prefix, longest: examples.map(\.rows).max() ?? 0,
      completion: examples.map(\.completion.count).max() ?? 0, batch: min(options.batchSize, examples.count),
      scope: widest, precision: options.precision, pool: pool)
    start.releasePages()
    let batches = (examples.count + options.batchSize - 1) / options.batchSize
    let schedule = Schedule(steps: options.epochs * batches, warmup: options.warmup)
    var reports: [EpochReport] = []
    for number in 1...options.epochs {
      let epochStarted = ContinuousClock.now
      let rowsBefore = trainer.rows
      let scope = scope(epoch: number)
      var loss = 0.0
      for (batch, members) in order(examples, epoch: number).enumerated() {
        if isCancelled() { throw CancellationError() }
        let done = (number - 1) * batches + batch
        loss += try trainer.forwardBackward(members.map { examples[$0] }, scope)
        guard loss.isFinite else { throw ModelError.diverged(epoch: number) }
        let share = schedule.share(done)
        try trainer.optimizerStep(clipping: options.clipping, weightDecay: options.weightDecay) { section in
          scope.includes(section) ? share * rate(section) : 0
        }
        step(done + 1, options.epochs * batches)
      }
      let report = EpochReport(
        epoch: number, epochs: options.epochs,
        loss: loss / Double(examples.reduce(0) { $0 + $1.completion.count }), heldOutAccuracy: nil,
        tokens: trainer.rows - rowsBefore, seconds: epochStarted.duration(to: .now).seconds)
      reports.append(report)
      try epoch(report) { try trainer.language(start) }
    }
    guard trainer.parameters.isFinite else { throw ModelError.diverged(epoch: options.epochs) }
    return TrainedLanguageModel(
      model: trainer.parameters.model(
        from: start, words: widest.lowest == nil ? Array(0..<Int32(model.shape.vocabularySize)) : [],
        learned: widest),
      epochs: reports,
      trainableParameters: trainer.layout.sections.filter(widest.includes).reduce(0) { $0 + $1.count },
      tokens: trainer.rows, seconds: started.duration(to: .now).seconds)
  }

  // MARK: -

  private func startingModel() throws -> PretrainedModel {
    guard options.method == .adapter else { return model.withMergedAdapters() }
    guard model.adapterSize == 0 else { return model }
    guard let backbone = model.backbone.with(adapterAlpha: options.alpha) else { throw ModelError.noAdapters }
    return try PretrainedModel(backbone: backbone, tensors: model.tensors)
      .withAdapters(seed: options.seed, size: options.rank)
  }

  private func scope(epoch: Int) -> TrainableScope {
    TrainableScope(
      options.method, epoch: epoch, epochs: options.epochs, layers: model.shape.layers,
      tunesNorms: type(of: model.backbone).adaptersTuneNorms)
  }

  /// A section's highest learning rate.
  private func rate(_ section: ParameterLayout.Section) -> Float {
    let depth = max(0, model.shape.layers - 1 - (section.layer ?? -1))
    return options.learningRate * pow(options.layerDecay, Float(depth))
  }

  /// Batches whose examples are about equally long, so that threads and memory are used well: shuffled, then sorted by length
  /// within windows of ten batches, whose batches are shuffled again.
  private func order(_ examples: [PromptedExample], epoch: Int) -> [[Int]] {
    var randomNumbers = RandomNumbers(seed: options.seed, stream: 1000 + UInt64(epoch))
    let shuffled = randomNumbers.permutation(examples.count)
    let window = 10 * options.batchSize
    return stride(from: 0, to: shuffled.count, by: window).flatMap { start in
      let sorted = shuffled[start..<min(start + window, shuffled.count)].sorted {
        (examples[$0].rows, $0) < (examples[$1].rows, $1)
      }
      let batches = stride(from: 0, to: sorted.count, by: options.batchSize).map {
        Array(sorted[$0..<min($0 + options.batchSize, sorted.count)])
      }
      return randomNumbers.permutation(batches.count).map { batches[$0] }
    }
  }

  private func check(_ prompt: [Int32], _ completion: [Int32]) throws {
    let ids = prompt + completion
    guard !prompt.isEmpty, !completion.isEmpty, ids.count <= model.shape.maximumPositions else {
      throw ModelError.textTooLong(tokens: ids.count, maximum: model.shape.maximumPositions)
    }
    for id in ids where id < 0 || id >= model.shape.vocabularySize {
      throw ModelError.tokenOutOfRange(id: Int(id), vocabulary: model.shape.vocabularySize)
    }
  }
}
