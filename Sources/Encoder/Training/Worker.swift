import Foundation

/// Takes shards through the encoder and back, with memory of its own: one a thread.
/// Sendable unchecked: used by one thread at a time: the pool's worker that it belongs to.
final class Worker: @unchecked Sendable {
  private let transformer: Transformer
  private let scratch: Scratch
  private let saved: [ActivationStorage]
  /// What products read, and the gradients of what they gave, where the batch does not keep them.
  private let inputs: ProductStorage
  private let outputGradients: ProductStorage
  private let embeddingXhat: Floats
  private let embeddingRstd: Floats
  private let pooled: Floats
  /// As `Head.normalises`.
  private let normalises: Bool

  private var layout: WeightLayout { transformer.layout }
  private var hidden: Int { layout.configuration.hiddenSize }

  init(_ transformer: Transformer, longest: Int, normalises: Bool, dtype: DType) {
    self.transformer = transformer
    self.normalises = normalises
    let configuration = transformer.layout.configuration
    let rows = BatchPlan.largestShard(longest: longest)
    scratch = Scratch(configuration, rows: rows, longest: longest, isTraining: true)
    saved = (0..<configuration.layers).map { _ in
      ActivationStorage(transformer.layout, rows: rows, longest: longest)
    }
    inputs = ProductStorage(transformer.layout, rows: rows, dtype: dtype, width: \.inputs)
    outputGradients = ProductStorage(transformer.layout, rows: rows, dtype: dtype, width: \.outputs)
    embeddingXhat = Floats(count: rows * configuration.hiddenSize)
    embeddingRstd = Floats(count: rows)
    pooled = Floats(count: rows * configuration.hiddenSize)
  }

  private var embeddingSaved: EmbeddingActivations {
    EmbeddingActivations(xhat: embeddingXhat.base, rstd: embeddingRstd.base)
  }

  private func classification(_ weights: FloatPointer) -> Classification {
    Classification(
      weight: weights + layout.headWeight, bias: weights + layout.headBias, hidden: hidden,
      categories: layout.categories)
  }

  /// Leaves in `memory`, from row `firstRow` on, what the matrices' gradients are made of, and in `vectors` those of the
  /// vectors; nothing below layer `lowest`. Returns the sum of the losses; the gradients are of `scale` times that.
  func run(
    _ examples: [TrainingExample], firstRow: Int, vectors: Floats, memory: BatchMemory, lowest: Int?,
    scale: Float,
    dropout: Float,
    randomNumbers: (_ text: Int) -> RandomNumbers
  ) throws -> Float {
    var texts = PackedTexts()
    for example in examples { texts.append(example.words) }
    let layers = 0..<layout.configuration.layers
    let passing = inputs.operands
    let saved = layers.map { layer in
      self.saved[layer].saved(inputs: memory.inputs(layer: layer, row: firstRow, passing: passing))
    }
    let states = try transformer.forward(
      texts, saved: saved, embeddingSaved: embeddingSaved, blocks: [0..<texts.rows], scratch: scratch)
    Pooling.forward(states, texts: texts.ranges, pooled: pooled.base, hidden: hidden)

    memset(vectors.base, 0, vectors.count * 4)
    // Laid out as the weights are, and begins where their vectors begin.
    let gradients = vectors.base - layout.vectors.lowerBound
    let head = classification(transformer.weights)
    var loss = 0.0
    for (text, example) in examples.enumerated() {
      let vector = pooled.base + text * hidden
      let length = normalises ? head.normalise(vector) : 1
      let unit = normalises ? Array(UnsafeBufferPointer(start: vector, count: hidden)) : []
      let mask = Dropout.mask(hidden, share: dropout, randomNumbers(text))
      Dropout.apply(mask, to: vector)
      let (nats, probabilities) = Classification.loss(head.forward(vector), category: example.category)
      loss += nats
      head.backward(
        vector, probabilities: probabilities, category: example.category, scale: scale,
        weightGradient: gradients + layout.headWeight, biasGradient: gradients + layout.headBias)
      Dropout.apply(mask, to: vector)
      if normalises { head.normaliseBackward(vector, unit: unit, length: length) }
    }

    let gradient = memory.embeddings.base + firstRow * hidden
    Pooling.backward(pooled.base, texts: texts.ranges, gradient: gradient, hidden: hidden)
    try transformer.backward(
      texts, gradient: gradient, saved: saved, embeddingSaved: embeddingSaved,
      outputGradients: layers.map {
        memory.gradients(layer: $0, row: firstRow, passing: outputGradients.operands)
      },
      vectors: gradients, lowest: lowest,
      scratch: scratch)
    return Float(loss)
  }

  func predict(_ examples: [TrainingExample]) throws -> [Int] {
    var texts = PackedTexts()
    for example in examples { texts.append(example.words) }
    let states = try transformer.forward(
      texts, saved: saved.prefix(1).map { $0.saved(inputs: inputs.operands) },
      embeddingSaved: embeddingSaved,
      blocks: MatMul.blocks(texts.ranges),
      scratch: scratch)
    Pooling.forward(states, texts: texts.ranges, pooled: pooled.base, hidden: hidden)
    let head = classification(transformer.weights)
    return examples.indices.map { text in
      if normalises { _ = head.normalise(pooled.base + text * hidden) }
      let logits = head.forward(pooled.base + text * hidden)
      return logits.indices.max { logits[$0] < logits[$1] } ?? 0
    }
  }
}
