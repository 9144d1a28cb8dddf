import CKernels
import Foundation

/// Trains an encoder and its head, step by step.
///
/// A step has three parts, each shared out in tasks of which the result does not depend on who does them:
/// 1. each shard goes through the encoder, the loss, and back (`Worker`);
/// 2. the gradients of matrices are made, a product over all rows of the micro-batch; those of vectors are summed over the shards;
/// 3. the optimizer changes the weights.
final class Trainer {
  let weights: Weights
  /// Of what may learn; laid out as the weights are, from the first number on that does.
  private let gradientMemory: Floats
  let words: TrainingWords
  let examples: [TrainingExample]
  private let optimizer: AdamW
  private let firstLearned: Int
  private let pool: ThreadPool
  private let memory: BatchMemory
  private let passes: [Worker]
  /// One a thread.
  private let matmul: [MatMul]
  /// The weights as the products read them where that is bf16: made anew after each step from the f32 ones, which AdamW changes.
  private let rounded: OperandStorage?
  /// The matrices `[out, in]`, where they are f32: oneDNN's product with a matrix that it must transpose while reading is a sixth
  /// slower. In bf16 there is no difference.
  private let transposed: Floats?
  private let dropout: Float
  private let seed: UInt64
  private let normalises: Bool
  private var steps = 0

  var layout: WeightLayout { weights.layout }

  /// Laid out as the weights are; there is none of what does not learn.
  var gradients: FloatPointer { gradientMemory.base - firstLearned }

  /// - Parameter scope: the most that any step will change.
  /// - Throws: `ModelError`.
  init(
    _ model: PretrainedModel, head: Head, examples: [(encoding: Encoding, category: Int)],
    options: TrainingOptions, scope: TrainableScope, pool: ThreadPool
  ) throws {
    self.pool = pool
    dropout = options.dropout
    seed = options.seed
    words = TrainingWords(examples.lazy.map(\.encoding.ids), vocabulary: model.configuration.vocabularySize)
    let words = words
    self.examples = examples.map {
      TrainingExample(words: words.rows(of: $0.encoding.ids), category: $0.category)
    }
    let longest = examples.lazy.map(\.encoding.ids.count).max() ?? 1
    let rows = max(longest, min(BatchPlan.rowsInMicroBatch, options.batchSize * longest))
    let dtype = try options.precision.resolved().dtype
    try MemoryNeeds(
      layout: WeightLayout(
        model.configuration, words: words.tokens.count, categories: head.categories,
        adapterSize: model.adapterSize),
      dtype: dtype, threads: pool.count, longest: longest
    ).requireToTrain(rows: rows, shardRows: BatchPlan.largestShard(longest: longest))
    weights = try Weights(model, words: words.tokens, categories: head.categories, pool: pool)
    weights.set(head)
    normalises = head.normalises
    // The vectors' gradients are summed as one stretch, whichever of them learn.
    let vectors = weights.layout.vectors.lowerBound
    firstLearned = min(weights.layout.sections.first(where: scope.includes)?.start ?? vectors, vectors)
    gradientMemory = Floats(count: weights.layout.count - firstLearned)
    optimizer = AdamW(firstLearned..<weights.layout.count)

    rounded = dtype == .bf16 ? OperandStorage(count: weights.layout.count, dtype: .bf16) : nil
    transposed = dtype == .bf16 ? nil : Floats(count: weights.layout.count)
    memory = BatchMemory(
      weights.layout, scope, rows: rows, shards: BatchPlan.mostShards(rows: rows), dtype: dtype)
    let matmul = try (0..<pool.count).map { _ in try MatMul() }
    self.matmul = matmul
    let operands = rounded?.operand ?? weights.operand
    let transposed = transposed.map { Operand(base: UnsafeMutableRawPointer($0.base), dtype: .f32) }
    let weights = weights
    let normalises = normalises
    passes = matmul.map { matmul in
      let transformer = Transformer(
        layout: weights.layout, words: UnsafePointer(weights.base + weights.layout.wordTable),
        weights: weights.base, operands: operands, transposed: transposed, matmul: matmul)
      return Worker(transformer, longest: longest, normalises: normalises, dtype: dtype)
    }
    let slices = layout.sections.flatMap(\.slices)
    try pool.run(slices.count) { task, _ in prepare(slices[task]) }
  }

  /// Makes what products read of weights that have changed.
  private func prepare(_ slice: WeightLayout.Slice) {
    guard let columns = slice.section.columns else { return }
    let numbers = weights.base + slice.start
    rounded?.operand.advanced(by: slice.start).store(numbers, count: slice.count)
    if let transposed {
      let row = (slice.start - slice.section.start) / columns
      fettle_transpose(
        numbers, columns, transposed.base + slice.section.start + row, slice.section.count / columns,
        slice.count / columns, columns)
    }
  }

  /// As it is now.
  var head: Head {
    var head = weights.head
    head.normalises = normalises
    return head
  }

  /// The weights that learn, and the head's; of the word table also the rows that no text uses.
  func trainableParameters(_ scope: TrainableScope) -> Int {
    let table = (layout.configuration.vocabularySize - layout.words) * layout.configuration.hiddenSize
    return layout.sections.filter(scope.includes).reduce(scope.lowest == nil ? table : 0) { $0 + $1.count }
  }

  /// The gradient of the mean loss over a batch, left in `gradients`, and the sum of the losses.
  func forwardBackward(_ batch: [Int], _ scope: TrainableScope = .everything) throws -> Double {
    let plan = BatchPlan(batch) { examples[$0].words.count }
    var loss = 0.0
    for (number, microBatch) in plan.microBatches.enumerated() {
      let losses = Floats(count: microBatch.shards.count)
      try pool.run(microBatch.shards.count) { task, worker in
        let shard = microBatch.shards[task]
        losses.base[task] = try passes[worker].run(
          shard.examples.map { examples[$0] }, firstRow: shard.firstRow, vectors: memory.shardVectors[task],
          memory: memory, lowest: scope.lowest, scale: 1 / Float(batch.count), dropout: dropout
        ) { text in RandomNumbers(seed: seed, stream: UInt64(steps) << 32 | UInt64(shard.examples[text])) }
      }
      loss += losses.array.reduce(0) { $0 + Double($1) }
      let tasks = GradientTask.all(layout, scope)
      try pool.run(tasks.count) { task, worker in
        try tasks[task].run(
          into: gradients, layout: layout, memory: memory, microBatch: microBatch, examples: examples,
          adding: number > 0, matmul: matmul[worker])
      }
    }
    return loss
  }

  /// One step of the optimizer with what `forwardBackward` left. `rate` gives a section's learning rate, 0 where it does not learn.
  func optimizerStep(clipping: Float, weightDecay: Float, rate: (WeightLayout.Section) -> Float) throws {
    steps += 1
    try optimizer.step(
      weights.base, gradients, layout.sections, clipping: clipping, weightDecay: weightDecay, pool: pool,
      rate: rate, changed: prepare)
  }

  /// The most probable category of each example, as the weights are now.
  func predict(_ numbers: [Int]) throws -> [Int] {
    let plan = BatchPlan(numbers) { examples[$0].words.count }
    let shards = plan.microBatches.flatMap(\.shards)
    var results = [[Int]](repeating: [], count: shards.count)
    try results.withUnsafeMutableBufferPointer { results in
      try pool.run(shards.count) { task, worker in
        results[task] = try passes[worker].predict(shards[task].examples.map { examples[$0] })
      }
    }
    return results.flatMap { $0 }
  }
}
