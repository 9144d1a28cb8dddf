import CKernels
import Foundation

/// The first layer: a word's row, its position's and the segment's are added and normalised.
struct EmbeddingLayer {
  let layout: WeightLayout
  /// `[words, hidden]`.
  let words: UnsafePointer<Float>
  let weights: FloatPointer

  private var hidden: Int { layout.configuration.hiddenSize }

  /// y: `[rows, hidden]`; `xhat` and `rstd` are kept for the backward pass.
  func forward(
    _ texts: PackedTexts, y: FloatPointer, xhat: FloatPointer, rstd: FloatPointer, scratch: Scratch
  ) {
    let rows = scratch.sum.base
    for (row, word) in texts.words.enumerated() {
      memcpy(rows + row * hidden, words + Int(word) * hidden, hidden * 4)
    }
    // Positions begin anew with each text, so that its rows are added to the first rows of their table.
    for text in texts.ranges {
      let start = text.lowerBound * hidden
      fettle_layer_norm_forward(
        rows + start, weights + layout.typeTable, weights + layout.positionTable,
        weights + layout.embeddingNorm.weight,
        weights + layout.embeddingNorm.bias, y + start, xhat + start, rstd + text.lowerBound,
        text.count,
        hidden, layout.configuration.layerNormEpsilon)
    }
  }

  /// `gradient`: `[rows, hidden]`, of y on the way in and of the sum of the three rows on the way out.
  func backward(
    gradient: FloatPointer, xhat: FloatPointer, rstd: FloatPointer, vectors: FloatPointer, rows: Int
  ) {
    fettle_layer_norm_backward(
      gradient, xhat, rstd, weights + layout.embeddingNorm.weight, vectors + layout.embeddingNorm.weight,
      vectors + layout.embeddingNorm.bias, rows, hidden)
  }
}
