/// A head on the last states of prompts: a language model's `linear`.
package struct LanguageHead: Sendable {
  package var head: Head
  /// Mean cross-entropy on all examples, in nats.
  package var loss: Double
  /// As for an encoder's `linear`: see `TrainingOptions.crossValidates`.
  package var heldOut: HeldOutResult?

  /// - Parameters:
  ///   - states: `[examples][hidden]`, as `LanguageModel.lastStates` gives them.
  ///   - heldOut: the examples that the other methods keep out.
  /// - Throws: `ModelError`, `CancellationError`.
  package init(
    fitting states: [[Float]], labels: [Int], categories: Int, groups: TextGroups, heldOut: [Int],
    options: TrainingOptions, isCancelled: () -> Bool
  ) throws {
    let fit = try LinearProbe(
      pooled: states, labels: labels, categories: categories, groups: groups,
      pool: ThreadPool(threads: options.threads)
    ).fit(seed: options.seed, isCancelled: isCancelled)
    guard fit.loss.isFinite, fit.head.isFinite else {
      throw ModelError.notANumber(where: "what training made of it")
    }
    (head, loss) = (fit.head, fit.loss)
    let judged = options.crossValidates ? Array(labels.indices) : heldOut
    guard options.holdout > 0, !judged.isEmpty, let right = fit.crossValidated else { return }
    self.heldOut = HeldOutResult(judged, groups) { right[$0] }
  }
}
