import CKernels
import Foundation

/// Trains an encoder and its head, step by step.
///
/// A step has three parts, each shared out in tasks of which the result does not depend on who does them:
/// 1. each shard goes through the encoder, the loss, and back (`Worker`);
/// 2. the gradients of matrices are made, a product over all rows of the micro-batch; those of vectors are summed over the shards;
/// 3. the optimizer changes the weights.
final class Trainer {
  let parameters: ParameterStore
  /// Of what may learn; laid out as the parameters are, from the first number on that does.
  private let gradientMemory: Floats
  let words: TrainingWords
  let examples: [TrainingExample]
  private let optimizer: AdamW
  private let pool: ThreadPool
  private let memory: BatchMemory
  /// One a thread, as the products of gradients.
  private let workers: [Worker]
  private let matmul: [MatMul]
  private let seed: UInt64
  private let normalises: Bool
  private var steps = 0

  var layout: ParameterLayout { parameters.layout }

  /// Laid out as the parameters are; there is none of what does not learn.
  var gradients: FloatPointer { gradientMemory.base - parameters.firstLearned }

  /// - Parameter scope: the most that any step will change.
  /// - Throws: `ModelError`.
  init(
    _ model: PretrainedModel, head: Head, examples: [(encoding: Encoding, category: Int)],
    options: TrainingOptions, scope: TrainableScope, pool: ThreadPool
  ) throws {
    self.pool = pool
    seed = options.seed
    words = TrainingWords(examples.lazy.map(\.encoding.ids), vocabulary: model.shape.vocabularySize)
    let words = words
    self.examples = examples.map {
      TrainingExample(words: words.rows(of: $0.encoding.ids), category: $0.category)
    }
    let longest = examples.lazy.map(\.encoding.ids.count).max() ?? 1
    let rows = max(longest, min(BatchPlan.rowsInMicroBatch, options.batchSize * longest))
    let dtype = try options.precision.resolved().dtype
    let (layout, network) = model.place(words: words.tokens.count, categories: head.categories)
    try MemoryNeeds(
      layout: layout, network: network, shape: model.shape, dtype: dtype, threads: pool.count,
      longest: longest
    ).requireToTrain(rows: rows, shardRows: BatchPlan.largestShard(longest: longest))
    parameters = try ParameterStore(
      model, layout, words: words.tokens, dtype: dtype, learns: scope.includes, goesBack: true, pool: pool)
    parameters.set(head)
    normalises = head.normalises
    gradientMemory = Floats(count: layout.count - parameters.firstLearned)
    optimizer = AdamW(parameters.firstLearned..<layout.count)
    memory = BatchMemory(
      layout, scope, hidden: model.shape.hiddenSize, rows: rows, shards: BatchPlan.mostShards(rows: rows),
      dtype: dtype)
    let objective = ClassificationObjective(
      parameters: parameters, normalises: head.normalises, dropout: options.dropout)
    workers = try (0..<pool.count).map { _ in try Worker(network, objective, longest: longest) }
    matmul = try (0..<pool.count).map { _ in try MatMul() }
  }

  /// As it is now.
  var head: Head {
    var head = parameters.head
    head.normalises = normalises
    return head
  }

  /// The weights that learn, and the head's; of the word table also the rows that no text uses.
  func trainableParameters(_ scope: TrainableScope) -> Int {
    let words = layout.wordTable?.rows ?? 0
    let unused = (layout.wordTableShape[0] - words) * layout.wordTableShape[1]
    return layout.sections.filter(scope.includes).reduce(scope.lowest == nil ? unused : 0) { $0 + $1.count }
  }

  /// The gradient of the mean loss over a batch, left in `gradients`, and the sum of the losses.
  func forwardBackward(_ batch: [Int], _ scope: TrainableScope = .everything) throws -> Double {
    let plan = BatchPlan(batch) { examples[$0].words.count }
    var loss = 0.0
    for (number, microBatch) in plan.microBatches.enumerated() {
      let losses = Floats(count: microBatch.shards.count)
      try pool.run(microBatch.shards.count) { task, worker in
        let shard = microBatch.shards[task]
        losses.base[task] = try workers[worker].run(
          shard.examples.map { examples[$0] }, firstRow: shard.firstRow, vectors: memory.shardVectors[task],
          memory: memory, lowest: scope.lowest, scale: 1 / Float(batch.count)
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
  func optimizerStep(clipping: Float, weightDecay: Float, rate: (ParameterLayout.Section) -> Float) throws {
    steps += 1
    try optimizer.step(
      parameters, gradients, clipping: clipping, weightDecay: weightDecay, pool: pool, rate: rate)
  }

  /// The most probable category of each example, as the weights are now.
  func predict(_ numbers: [Int]) throws -> [Int] {
    let plan = BatchPlan(numbers) { examples[$0].words.count }
    let shards = plan.microBatches.flatMap(\.shards)
    var results = [[Int]](repeating: [], count: shards.count)
    try results.withUnsafeMutableBufferPointer { results in
      try pool.run(shards.count) { task, worker in
        results[task] = try workers[worker].predict(shards[task].examples.map { examples[$0] })
      }
    }
    return results.flatMap { $0 }
  }
}
