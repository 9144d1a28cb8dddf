import CKernels
import Foundation

/// Trains an encoder and its head, step by step.
///
/// A step has four parts, each shared out in tasks of which the result does not depend on who does them:
/// 1. each shard goes through the encoder, the loss, and back (`Worker`);
/// 2. the gradients of matrices are made, a product over all rows of the microBatch; those of vectors are summed over the shards;
/// 3. the gradient's length is measured;
/// 4. AdamW changes the weights.
final class Trainer {
  let weights: Weights
  /// Of what may learn; laid out as the weights are, from the first number on that does.
  private let gradientMemory: Floats
  let words: TrainingWords
  let examples: [TrainingExample]
  private let moments: (Floats, Floats)
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
  /// Steps that a section has learned in, by where it begins: AdamW's moments of one that joins later are as young.
  private var stepsOfSection: [Int: Int] = [:]

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
    weights = try Weights(model, words: words.tokens, categories: head.categories, pool: pool)
    weights.set(head)
    normalises = head.normalises
    // The vectors' gradients are summed as one stretch, whichever of them learn.
    let vectors = weights.layout.vectors.lowerBound
    firstLearned = min(weights.layout.sections.first(where: scope.includes)?.start ?? vectors, vectors)
    let learned = weights.layout.count - firstLearned
    gradientMemory = Floats(count: learned)
    moments = (Floats(count: learned), Floats(count: learned))

    let longest = examples.lazy.map(\.encoding.ids.count).max() ?? 1
    let rows = max(longest, min(BatchPlan.rowsInMicroBatch, options.batchSize * longest))
    let dtype = try options.precision.resolved().dtype
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

  /// One step of AdamW with what `forwardBackward` left. `rate` gives a section's learning rate, 0 where it does not learn.
  func optimizerStep(clipping: Float, weightDecay: Float, rate: (WeightLayout.Section) -> Float) throws {
    steps += 1
    let slices = layout.sections.filter { rate($0) > 0 }.flatMap(\.slices)

    var scale: Float = 1
    if clipping > 0 {
      let encoder = layout.sections.filter { rate($0) > 0 && $0.kind != .head }.flatMap { section in
        stride(from: 0, to: section.count, by: 1 << 16).map {
          (start: section.start + $0, count: min(1 << 16, section.count - $0))
        }
      }
      var squares = [Double](repeating: 0, count: encoder.count)
      try squares.withUnsafeMutableBufferPointer { squares in
        try pool.run(encoder.count) { task, _ in
          squares[task] = fettle_sum_of_squares(gradients + encoder[task].start, encoder[task].count)
        }
      }
      let length = squares.reduce(0, +).squareRoot()
      scale = min(1, clipping / Float(length + 1e-6))
    }

    let beta1: Float = 0.9
    let beta2: Float = 0.999
    for section in layout.sections where rate(section) > 0 { stepsOfSection[section.start, default: 0] += 1 }
    let corrections = slices.map { slice in
      let steps = Double(stepsOfSection[slice.section.start, default: 1])
      return (Float(1 - pow(Double(beta1), steps)), Float(1 - pow(Double(beta2), steps)))
    }
    let rates = slices.map { rate($0.section) }
    try pool.run(slices.count) { task, _ in
      let start = slices[task].start
      fettle_adamw(
        weights.base + start, gradients + start, moments.0.base + (start - firstLearned),
        moments.1.base + (start - firstLearned),
        slices[task].count, slices[task].section.kind == .head ? 1 : scale, rates[task], beta1, beta2, 1e-8,
        weightDecay, corrections[task].0, corrections[task].1)
      prepare(slices[task])
    }
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
