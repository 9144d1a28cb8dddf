import Foundation

/// Fine-tunes a model to tell `categories` apart, by `options.method`.
///
/// - Parameters:
///   - base: the model's vectors of texts. Given to several trainings in turn it embeds each text once. Its embedder rests while
///     the encoder is trained.
///   - head: the head of a tuned model to go on from; nil starts a new one.
///   - prototypes: `[categories][hidden]`, pooled vectors of sentences that say what each category is about; a new head begins
///     from them (`LinearProbe`). Empty where there are none.
///   - examples: texts as `model.tokenizer` encodes them, each with the number of its category, from 0. Of texts with equal tokens
///     either all are learned from or all are held out.
///   - preparing: called with the texts that have been embedded for the starting head, and all of them.
///   - step: called after each batch, with the batches done and all there will be.
///   - epoch: called after each epoch.
///   - isCancelled: asked once a batch.
/// - Throws: `ModelError`, `CancellationError`.
public func fineTune(
  _ base: TextFeatures, head: Head?, prototypes: [[Float]] = [],
  examples: [(encoding: Encoding, category: Int)], categories: Int,
  options: TrainingOptions, preparing: @escaping @Sendable (_ done: Int, _ all: Int) -> Void = { _, _ in },
  step: @Sendable (_ done: Int, _ all: Int) -> Void = { _, _ in },
  epoch: @Sendable (EpochReport) -> Void = { _ in }, isCancelled: @Sendable () -> Bool = { false }
) throws -> TrainingResult {
  let started = ContinuousClock.now
  let model = base.model
  try options.check()
  try check(examples, categories: categories, head: head, model: model)
  guard prototypes.isEmpty || prototypes.count == categories else {
    throw ModelError.headMismatch(expected: categories, found: prototypes.count)
  }
  let groups = TextGroups(examples.lazy.map(\.encoding))
  let split = Split(examples.map(\.category), groups, share: options.holdout, seed: options.seed)
  let run = TrainingRun(
    base: base, head: head, prototypes: prototypes, examples: examples, categories: categories,
    options: options, groups: groups, split: split,
    pool: ThreadPool(threads: options.threads), started: started, preparing: preparing)
  switch options.method {
  case .linear: return try run.linear(step: step, epoch: epoch, isCancelled: isCancelled)
  case .full, .gradual, .adapter: return try run.encoder(step: step, epoch: epoch, isCancelled: isCancelled)
  }
}

/// The same for a model of which no vectors are at hand.
public func fineTune(
  _ model: PretrainedModel, head: Head?, prototypes: [[Float]] = [],
  examples: [(encoding: Encoding, category: Int)], categories: Int,
  options: TrainingOptions, preparing: @escaping @Sendable (_ done: Int, _ all: Int) -> Void = { _, _ in },
  step: @Sendable (_ done: Int, _ all: Int) -> Void = { _, _ in },
  epoch: @Sendable (EpochReport) -> Void = { _ in }, isCancelled: @Sendable () -> Bool = { false }
) throws -> TrainingResult {
  let embedder = try Embedder(
    model: model, pool: ThreadPool(threads: options.threads), precision: options.precision)
  return try fineTune(
    TextFeatures(embedder), head: head, prototypes: prototypes, examples: examples, categories: categories,
    options: options, preparing: preparing, step: step, epoch: epoch, isCancelled: isCancelled)
}

private func check(
  _ examples: [(encoding: Encoding, category: Int)], categories: Int, head: Head?, model: PretrainedModel
) throws {
  guard !examples.isEmpty else { throw ModelError.noExamples }
  if let head {
    guard head.categories == categories else {
      throw ModelError.headMismatch(expected: categories, found: head.categories)
    }
    guard head.hiddenSize == model.shape.hiddenSize else {
      throw ModelError.wrongShape(
        tensor: "weight", expected: [categories, model.shape.hiddenSize],
        found: [categories, head.hiddenSize])
    }
  }
  for (encoding, category) in examples {
    guard (0..<categories).contains(category) else {
      throw ModelError.categoryOutOfRange(category: category, categories: categories)
    }
    try model.check(encoding)
  }
  guard Set(examples.map(\.category)).count > 1 else { throw ModelError.oneCategory }
}

/// What `linear` does once the pooled vectors `[examples][hidden]` are there, for measuring it alone.
package func fitLinear(
  _ pooled: [[Float]], labels: [Int], categories: Int, prototypes: [[Float]] = [], seed: UInt64, threads: Int?
) throws -> Head {
  try LinearProbe(
    pooled: pooled, labels: labels, categories: categories, prototypes: prototypes,
    pool: ThreadPool(threads: threads)
  ).fit(seed: seed, isCancelled: { false }).head
}
