import Foundation

/// Takes shards through the network and back, with memory of its own: one a thread.
/// Sendable unchecked: used by one thread at a time: the pool's worker that it belongs to.
final class Worker: @unchecked Sendable {
  private let pass: any Pass
  private let objective: ClassificationObjective
  private let parameters: ParameterStore
  /// `[texts, hidden]`.
  private let pooled: Floats

  private var hidden: Int { parameters.layout.head.hidden }
  /// The word table, `[words, hidden]`.
  private var words: UnsafePointer<Float> {
    UnsafePointer(parameters[parameters.layout.wordTable?.start ?? 0])
  }

  /// - Parameter longest: tokens of the longest text.
  /// - Throws: `ModelError`.
  init(_ network: any Network, _ objective: ClassificationObjective, longest: Int) throws {
    parameters = objective.parameters
    self.objective = objective
    let rows = BatchPlan.largestShard(longest: longest)
    pass = try network.pass(parameters, rows: rows, longest: longest, isTraining: true)
    pooled = Floats(count: rows * parameters.layout.head.hidden)
  }

  /// Leaves in `memory`, from row `firstRow` on, what the matrices' gradients are made of, and in `vectors` those of the
  /// vectors; nothing below layer `lowest`. Returns the sum of the losses; the gradients are of `scale` times that.
  func run(
    _ examples: [TrainingExample], firstRow: Int, vectors: Floats, memory: BatchMemory, lowest: Int?,
    scale: Float, randomNumbers: (_ text: Int) -> RandomNumbers
  ) throws -> Float {
    let texts = packed(examples)
    let products = memory.products.products(from: firstRow)
    let states = try pass.forward(texts, words: words, blocks: [0..<texts.rows], products: products)
    memset(vectors.base, 0, vectors.count * 4)
    // Laid out as the parameters are, and begins where their vectors begin.
    let vectors = vectors.base - parameters.layout.vectors.lowerBound
    let gradient = memory.embeddings.base + firstRow * hidden
    let loss = objective.lossAndGradient(
      states, texts, examples, scale: scale, pooled: pooled.base, gradient: gradient, vectors: vectors,
      randomNumbers: randomNumbers)
    try pass.backward(texts, gradient: gradient, products: products, vectors: vectors, lowest: lowest)
    return loss
  }

  /// The most probable category of each example.
  func predict(_ examples: [TrainingExample]) throws -> [Int] {
    let texts = packed(examples)
    let states = try pass.forward(
      texts, words: words, blocks: MatMul.blocks(texts.ranges), products: nil)
    return objective.predict(states, texts, pooled: pooled.base)
  }

  private func packed(_ examples: [TrainingExample]) -> PackedTexts {
    var texts = PackedTexts()
    for example in examples { texts.append(example.words) }
    return texts
  }
}
