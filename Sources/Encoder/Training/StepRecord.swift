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
      let gradients = trainer.layout.tensors { trainer.gradients + $0 }
      try trainer.optimizerStep(clipping: options.clipping, weightDecay: options.weightDecay) { section in
        section.kind == .head ? options.headLearningRate : options.learningRate
      }
      return StepRecord(
        loss: loss, gradients: gradients, parameters: trainer.layout.tensors { trainer.parameters[$0] },
        words: trainer.words.tokens)
    }
  }
}

extension ParameterLayout {
  /// What stands in a block of this layout, as a file's tensors would hold it. `at` gives the numbers from a place on.
  fileprivate func tensors(at numbers: (Int) -> FloatPointer) -> [String: [Float]] {
    func array(_ start: Int, _ count: Int) -> [Float] {
      Array(UnsafeBufferPointer(start: numbers(start), count: count))
    }
    var tensors: [String: [Float]] = [:]
    for entry in entries {
      let count = entry.shape.reduce(1, *)
      if let stride = entry.stride {
        let inputs = entry.shape[1]
        let base = numbers(entry.start)
        tensors[entry.name] = (0..<count).map { base[$0 % inputs * stride + $0 / inputs] }
      } else {
        tensors[entry.name] = array(entry.start, count)
      }
    }
    if let words = wordTable { tensors[wordTableName] = array(words.start, words.rows * words.columns) }
    tensors["head.weight"] = array(head.weight, head.categories * head.hidden)
    tensors["head.bias"] = array(head.bias, head.categories)
    return tensors
  }
}
