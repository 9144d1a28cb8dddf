import CKernels
import Foundation

/// The first layer: a word's row, its position's and the segment's are added and normalised.
struct BERTEmbeddings {
  let network: BERTNetwork
  /// `[words, hidden]`.
  let words: UnsafePointer<Float>
  let parameters: ParameterStore

  private var hidden: Int { network.configuration.hiddenSize }

  /// y: `[rows, hidden]`; `xhat` and `rstd` are kept for the backward pass.
  func forward(
    _ texts: PackedTexts, y: FloatPointer, xhat: FloatPointer, rstd: FloatPointer, scratch: BERTScratch
  ) {
    let rows = scratch.sum.base
    for (row, word) in texts.words.enumerated() {
      memcpy(rows + row * hidden, words + Int(word) * hidden, hidden * 4)
    }
    // Positions begin anew with each text, so that its rows are added to the first rows of their table.
    for text in texts.ranges {
      let start = text.lowerBound * hidden
      fettle_layer_norm_forward(
        rows + start, parameters[network.types.start], parameters[network.positions.start],
        parameters[network.embeddingNorm.weight],
        parameters[network.embeddingNorm.bias], y + start, xhat + start, rstd + text.lowerBound,
        text.count,
        hidden, network.configuration.layerNormEpsilon)
    }
  }

  /// `gradient`: `[rows, hidden]`, of y on the way in and of the sum of the three rows on the way out.
  func backward(
    gradient: FloatPointer, xhat: FloatPointer, rstd: FloatPointer, vectors: FloatPointer, rows: Int
  ) {
    fettle_layer_norm_backward(
      gradient, xhat, rstd, parameters[network.embeddingNorm.weight], vectors + network.embeddingNorm.weight,
      vectors + network.embeddingNorm.bias, rows, hidden)
  }
}
