import Foundation

/// Fine-tunes a model to tell `categories` apart, by `options.method`.
///
/// - Parameters:
///   - head: the head of a tuned model to go on from; nil starts a new one.
///   - examples: texts as `model.tokenizer` encodes them, each with the number of its category, from 0.
///   - step: called after each batch, with the batches done and all there will be.
///   - epoch: called after each epoch.
///   - isCancelled: asked once a batch.
/// - Throws: `ModelError`, `CancellationError`.
public func fineTune(
  _ model: PretrainedModel, head: Head?, examples: [(encoding: Encoding, category: Int)], categories: Int,
  options: TrainingOptions, step: @Sendable (_ done: Int, _ all: Int) -> Void = { _, _ in },
  epoch: @Sendable (EpochReport) -> Void = { _ in }, isCancelled: @Sendable () -> Bool = { false }
) throws -> TrainingResult {
  throw ModelError.noExamples
}
