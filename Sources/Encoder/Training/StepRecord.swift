/// Every number of one training step, for comparing with another implementation.
package struct StepRecord: Sendable {
  package var loss: Double
  /// By the names and in the shapes of a file's tensors; the word table's rows are those of `words`.
  package var gradients: [String: [Float]]
  /// After the step.
  package var parameters: [String: [Float]]
  /// The tokens whose rows the word table holds.
  package var words: [Int32]

  /// Trains on all examples as one batch, `steps` times, at the constant rates of `options`.
  package static func record(
    steps: Int, _ model: PretrainedModel, head: Head, examples: [(encoding: Encoding, category: Int)],
    options: TrainingOptions
  ) throws -> [StepRecord] {
    let trainer = try Trainer(
      model, head: head, examples: examples, options: options, scope: .everything,
      pool: ThreadPool(threads: options.threads))
    return try (0..<steps).map { _ in
      let loss = try trainer.forwardBackward(Array(examples.indices)) / Double(examples.count)
      let gradients = trainer.layout.tensors(at: trainer.gradients)
      try trainer.optimizerStep(clipping: options.clipping, weightDecay: options.weightDecay) { section in
        section.kind == .head ? options.headLearningRate : options.learningRate
      }
      return StepRecord(
        loss: loss, gradients: gradients, parameters: trainer.layout.tensors(at: trainer.weights.base),
        words: trainer.words.tokens)
    }
  }
}

extension WeightLayout {
  /// What stands in a block of this layout, as a file's tensors would hold it.
  fileprivate func tensors(at base: FloatPointer) -> [String: [Float]] {
    let hidden = configuration.hiddenSize
    var tensors: [String: [Float]] = [:]
    for entry in entries {
      let count = entry.shape.reduce(1, *)
      if let stride = entry.stride {
        let inputs = entry.shape[1]
        tensors[entry.name] = (0..<count).map { base[entry.start + $0 % inputs * stride + $0 / inputs] }
      } else {
        tensors[entry.name] = (0..<count).map { base[entry.start + $0] }
      }
    }
    tensors[WeightLayout.wordTableName] = (0..<words * hidden).map { base[wordTable + $0] }
    tensors["head.weight"] = (0..<categories * hidden).map { base[headWeight + $0] }
    tensors["head.bias"] = (0..<categories).map { base[headBias + $0] }
    return tensors
  }
}
