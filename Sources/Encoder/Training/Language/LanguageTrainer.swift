import Foundation

/// Trains a language model on prompts and completions, step by step.
final class LanguageTrainer {
  let parameters: ParameterStore
  let pass: any CompletionPass
  /// Rows that went through the model.
  private(set) var rows = 0
  private let network: any Network
  private let shape: ModelShape
  /// Of what may learn; laid out as the parameters are, from the first number on that does.
  private let gradientMemory: Floats
  private let optimizer: AdamW
  private let words: EmbeddingTable
  private let objective: NextTokenObjective
  private let pool: ThreadPool
  private let prefix: [Int32]
  private let gradientOfStates: Floats
  private let rowsAtOnce: Int

  var layout: ParameterLayout { parameters.layout }
  var gradients: FloatPointer { gradientMemory.base - parameters.firstLearned }

  /// Numbers that the activations may take for all rows that are in memory at once: 304 MB, with which LoRA of 135 million parameters in
  /// f32 stays below a gigabyte. With 360 MB an epoch of the tutorial computes a twentieth less.
  private static let activations = 76_000_000

  /// - Parameters:
  ///   - prefix: tokens that all prompts begin with; the examples are without them.
  ///   - longest: rows of the longest example.
  ///   - completion: tokens of the longest completion.
  ///   - batch: examples in a step.
  ///   - scope: the most that any step will change.
  /// - Throws: `ModelError`.
  init(
    _ model: PretrainedModel, prefix: [Int32], longest: Int, completion: Int, batch: Int,
    scope: TrainableScope, precision: Precision, pool: ThreadPool
  ) throws {
    self.pool = pool
    self.prefix = prefix
    shape = model.shape
    let dtype = try precision.resolved().dtype
    // A word table that does not learn stays in its file.
    let laidOut = scope.includesTables ? model.shape.vocabularySize : 0
    let (layout, network) = model.place(words: laidOut)
    self.network = network
    let inRow = network.numbersInRow(longest: longest).savedInLayer * model.shape.layers
    rowsAtOnce = max(
      prefix.count + longest, min(Self.activations / max(inRow, 1), prefix.count + batch * longest))
    try MemoryNeeds(
      layout: layout, network: network, shape: model.shape, dtype: dtype, threads: pool.count,
      longest: longest
    ).requireToTrain(completionsOf: rowsAtOnce, scope)
    parameters = try ParameterStore(
      model, layout, words: (0..<laidOut).map(Int32.init), dtype: dtype, learns: scope.includes, pool: pool)
    gradientMemory = Floats(count: layout.count - parameters.firstLearned)
    optimizer = AdamW(parameters.firstLearned..<layout.count)
    words = try EmbeddingTable(parameters, isMultiplied: network.outputMatrix == nil, pool: pool)
    objective = try NextTokenObjective(parameters, words, matrix: network.outputMatrix, pool: pool)
    pass = try network.completionPass(parameters, scope: scope, pool: pool)
    pass.reserve(
      CompletionRoom(rows: rowsAtOnce, needed: batch * completion, texts: batch + 1, prefix: prefix.count))
    gradientOfStates = Floats(count: batch * completion * model.shape.hiddenSize)
  }

  /// The gradient of the mean loss over a batch's completion tokens, left in `gradients`, and the sum of the losses.
  func forwardBackward(_ examples: [PromptedExample], _ scope: TrainableScope) throws -> Double {
    let tokens = examples.reduce(0) { $0 + $1.completion.count }
    let learnsTable = scope.includesTables
    let learnsOutput =
      network.outputMatrix.map { layout.section(of: $0).map(scope.includes) ?? false } ?? learnsTable
    // Gradients of matrices are written by the first part of a batch, all others added to.
    if learnsTable, let table = layout.wordTable {
      memset(gradients + table.start, 0, table.rows * table.columns * 4)
    }
    memset(gradients + layout.vectors.lowerBound, 0, layout.vectors.count * 4)
    var loss = 0.0
    for (number, part) in microBatches(examples).enumerated() {
      let batch = CompletionBatch(part, after: prefix)
      let states = try pass.forward(batch)
      rows += batch.texts.rows
      loss += try objective.lossAndGradient(
        states, targets: batch.targets, scale: 1 / Float(tokens), gradient: gradientOfStates.base,
        gradients: learnsOutput ? gradients : nil, adding: number > 0)
      try pass.backward(
        batch, gradient: gradientOfStates.base, into: gradients, adding: number > 0, scope: scope)
    }
    return loss
  }

  /// A language model that writes with the weights as they are now, for as long as they do not change.
  func language(_ model: PretrainedModel) throws -> LanguageModel {
    // It needs room of its own, and what the last step left is read no more.
    pass.release()
    return try LanguageModel(model, parameters, words, network, pool)
  }

  /// As many neighbours as may be in memory at once; each such part computes the prefix anew.
  private func microBatches(_ examples: [PromptedExample]) -> [ArraySlice<PromptedExample>] {
    var parts: [ArraySlice<PromptedExample>] = []
    var start = 0
    var rows = prefix.count
    for (number, example) in examples.enumerated() {
      if number > start, rows + example.rows > rowsAtOnce {
        parts.append(examples[start..<number])
        (start, rows) = (number, prefix.count)
      }
      rows += example.rows
    }
    parts.append(examples[start...])
    return parts
  }

  /// One step of the optimizer with what `forwardBackward` left. `rate` gives a section's learning rate, 0 where it does not learn.
  func optimizerStep(clipping: Float, weightDecay: Float, rate: (ParameterLayout.Section) -> Float) throws {
    try optimizer.step(
      parameters, gradients, clipping: clipping, weightDecay: weightDecay, pool: pool, rate: rate)
    if let table = layout.wordTable, let section = layout.section(at: table.start), rate(section) > 0 {
      try words.refresh()
    }
  }
}
