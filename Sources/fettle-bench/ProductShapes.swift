import ArgumentParser
import Encoder

/// The matrix products that a model's layers are made of: what its speed is measured by.
struct ProductShapes {
  let layers: Int
  /// Of one layer, `[rows, k] x [k, columns]`.
  let ofLayer: [(k: Int, columns: Int)]
  /// Of a state that goes through the output matrix.
  let operationsPerOutput: Double

  init(_ model: PretrainedModel) throws {
    layers = model.shape.layers
    if let bert = (model.backbone as? BERT)?.configuration {
      // Queries, keys and values; the attention's output; up; down.
      let (hidden, inner) = (bert.hiddenSize, bert.intermediateSize)
      ofLayer = [(hidden, 3 * hidden), (hidden, hidden), (hidden, inner), (inner, hidden)]
      operationsPerOutput = 0
    } else if let llama = (model.backbone as? Llama)?.configuration {
      // The same, with a gate beside up.
      let (hidden, inner, queries) = (llama.hiddenSize, llama.intermediateSize, llama.queryWidth)
      ofLayer = [
        (hidden, queries + 2 * llama.keyWidth), (queries, hidden), (hidden, 2 * inner), (inner, hidden),
      ]
      operationsPerOutput = 2 * Double(hidden * llama.vocabularySize)
    } else {
      throw ValidationError("This benchmark does not know the products of such a model.")
    }
  }

  /// Of the layers' weight matrices, forward, a multiplication and an addition each. Attention's own products are not counted,
  /// nor anything element by element.
  var operationsPerToken: Double {
    Double(layers) * ofLayer.reduce(0) { $0 + 2 * Double($1.k * $1.columns) }
  }
}
