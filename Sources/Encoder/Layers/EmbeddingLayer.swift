import CKernels
import Foundation

/// The first layer: a word's row, its position's and the segment's are added and normalised.
struct EmbeddingLayer {
  let layout: WeightLayout
  /// `[words, hidden]`.
  let words: UnsafePointer<Float>
  let weights: FloatPointer

  private var hidden: Int { layout.configuration.hiddenSize }

  /// y: `[rows, hidden]`; `normalised` and `inverse` are kept for the backward pass.
  func forward(
    _ texts: PackedTexts, y: FloatPointer, normalised: FloatPointer, inverse: FloatPointer, scratch: Scratch
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
        weights + layout.embeddingNorm.gain,
        weights + layout.embeddingNorm.shift, y + start, normalised + start, inverse + text.lowerBound,
        text.count,
        hidden, layout.configuration.layerNormEpsilon)
    }
  }

  /// `gradient`: `[rows, hidden]`, of y on the way in and of the sum of the three rows on the way out.
  func backward(
    gradient: FloatPointer, normalised: FloatPointer, inverse: FloatPointer, vectors: FloatPointer, rows: Int
  ) {
    fettle_layer_norm_backward(
      gradient, normalised, inverse, weights + layout.embeddingNorm.gain, vectors + layout.embeddingNorm.gain,
      vectors + layout.embeddingNorm.shift, rows, hidden)
  }
}
