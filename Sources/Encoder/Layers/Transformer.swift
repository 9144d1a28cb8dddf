import Foundation

/// The whole encoder, forward and backward, over texts packed without padding.
struct Transformer {
  let layout: WeightLayout
  /// `[words, hidden]`.
  let words: UnsafePointer<Float>
  /// The weights as f32, for tables and vectors, and as the products read them.
  let weights: FloatPointer
  let operands: Operand
  /// The matrices once more, each `[out, in]`, where the backward pass multiplies by those; nil: it transposes them while it reads.
  var transposed: Operand?
  let matmul: MatMul

  private var configuration: BERTConfiguration { layout.configuration }

  private var embedding: EmbeddingLayer { EmbeddingLayer(layout: layout, words: words, weights: weights) }

  private func layer(_ number: Int) -> EncoderLayer {
    EncoderLayer(
      configuration: configuration, layout: layout.layers[number], weights: weights, operands: operands,
      transposed: transposed, matmul: matmul)
  }

  /// The last layer's states, `[rows, hidden]`, in memory of `scratch`.
  ///
  /// - Parameters:
  ///   - saved: one a layer, or one for all where nothing goes back.
  ///   - blocks: as in `EncoderLayer.forward`.
  func forward(
    _ texts: PackedTexts, saved: [LayerActivations], embeddingSaved: EmbeddingActivations,
    blocks: [Range<Int>],
    scratch: Scratch
  ) throws -> FloatPointer {
    func activations(_ number: Int) -> LayerActivations { saved[min(number, saved.count - 1)] }
    var x = activations(0).input.scratch(scratch.hidden)
    embedding.forward(
      texts, y: x, xhat: embeddingSaved.xhat, rstd: embeddingSaved.rstd, scratch: scratch)
    for number in 0..<configuration.layers {
      activations(number).input.store(x, count: texts.rows * configuration.hiddenSize)
      let isLast = number == configuration.layers - 1
      let y = isLast ? scratch.hidden.base : activations(number + 1).input.scratch(scratch.hidden)
      try layer(number).forward(
        x: x, y: y, activations(number), texts: texts.ranges, blocks: blocks, scratch: scratch)
      x = y
    }
    return x
  }

  /// `gradient`: `[rows, hidden]`, of the last layer's states on the way in. On the way out it is that of the embeddings' sums
  /// where `lowest` is nil, else that of the input of layer `lowest`, the lowest one that learns.
  func backward(
    _ texts: PackedTexts, gradient: FloatPointer, saved: [LayerActivations],
    embeddingSaved: EmbeddingActivations,
    outputGradients: [OutputGradients], vectors: FloatPointer, lowest: Int? = nil, scratch: Scratch
  ) throws {
    for number in stride(from: configuration.layers - 1, through: lowest ?? 0, by: -1) {
      try layer(number).backward(
        gradient: gradient, saved[number], outputGradients: outputGradients[number], vectors: vectors,
        texts: texts.ranges,
        scratch: scratch)
    }
    if lowest == nil {
      embedding.backward(
        gradient: gradient, xhat: embeddingSaved.xhat, rstd: embeddingSaved.rstd,
        vectors: vectors,
        rows: texts.rows)
    }
  }
}

/// What the embeddings' layer norm leaves for the backward pass: `[rows, hidden]` and `[rows]`.
struct EmbeddingActivations {
  var xhat: FloatPointer
  var rstd: FloatPointer
}
