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

  /// Trains a language model on all examples as one batch, `steps` times, at a constant rate; everything learns, or, in a model
  /// with adapters, these alone.
  /// - Parameter prefix: tokens that all prompts begin with; the examples are without them.
  package static func record(
    steps: Int, _ model: PretrainedModel, prefix: [Int32], examples: [PromptedExample], learningRate: Float,
    weightDecay: Float, threads: Int, precision: Precision = .f32
  ) throws -> [StepRecord] {
    let scope =
      model.adapterSize > 0
      ? TrainableScope(.adapter, epoch: 1, epochs: 1, layers: model.shape.layers, tunesNorms: false)
      : .everything
    let trainer = try LanguageTrainer(
      model, prefix: prefix, longest: examples.map(\.rows).max() ?? 0,
      completion: examples.map(\.completion.count).max() ?? 0, batch: examples.count, scope: scope,
      precision: precision, pool: ThreadPool(threads: threads))
    let learned = trainer.parameters.firstLearned
    let tokens = examples.reduce(0) { $0 + $1.completion.count }
    return try (0..<steps).map { _ in
      let loss = try trainer.forwardBackward(examples, scope) / Double(tokens)
      let gradients = trainer.layout.tensors(from: learned) { trainer.gradients + $0 }
      try trainer.optimizerStep(clipping: 0, weightDecay: weightDecay) { section in
        scope.includes(section) ? learningRate : 0
      }
      return StepRecord(
        loss: loss, gradients: gradients,
        parameters: trainer.layout.tensors(from: learned) { trainer.parameters[$0] },
        words: (0..<Int32(model.shape.vocabularySize)).map { $0 })
    }
  }
}

extension ParameterLayout {
  /// What stands in a block of this layout from number `first` on, as a file's tensors would hold it. `at` gives the numbers from a
  /// place on.
  fileprivate func tensors(from first: Int = 0, at numbers: (Int) -> FloatPointer) -> [String: [Float]] {
    func array(_ start: Int, _ count: Int) -> [Float] {
      Array(UnsafeBufferPointer(start: numbers(start), count: count))
    }
    var tensors: [String: [Float]] = [:]
    for entry in entries where entry.start >= first {
      let count = entry.shape.reduce(1, *)
      if let stride = entry.stride {
        let inputs = entry.shape[1]
        let base = numbers(entry.start)
        tensors[entry.name] = (0..<count).map { base[$0 % inputs * stride + $0 / inputs] }
      } else {
        tensors[entry.name] = array(entry.start, count)
      }
    }
    if let words = wordTable, words.start >= first {
      tensors[wordTableName] = array(words.start, words.rows * words.columns)
    }
    tensors["head.weight"] = array(head.weight, head.categories * head.hidden)
    tensors["head.bias"] = array(head.bias, head.categories)
    return tensors
  }
}
