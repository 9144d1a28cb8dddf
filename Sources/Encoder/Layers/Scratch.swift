import CKernels

/// Memory that one thread computes in, for up to `rows` rows in texts of up to `longest`.
final class Scratch: Sendable {
  let rows: Int
  /// `[rows, hidden]`: the residual stream, where it does not stand in a trace already.
  let hidden: Floats
  let middle: Floats
  let sum: Floats
  let gradient: Floats
  /// `[rows, widest]`.
  let wide: Floats
  let attention: Floats

  init(_ configuration: BERTConfiguration, rows: Int, longest: Int, isTraining: Bool) {
    self.rows = rows
    let narrow = rows * configuration.hiddenSize
    hidden = Floats(count: narrow)
    middle = Floats(count: narrow)
    sum = Floats(count: narrow)
    gradient = Floats(count: isTraining ? narrow : 0)
    wide = Floats(count: rows * max(configuration.intermediateSize, 3 * configuration.hiddenSize))
    attention = Floats(count: fettle_attention_scratch(longest, configuration.headSize))
  }
}

/// What the way forward through a layer leaves for the way back, and for the gradients of the layer's matrices.
struct LayerTrace {
  /// What the four products read: `[rows, hidden]`, and `[rows, intermediate]` the last.
  var input: Operand
  var context: Operand
  var middle: Operand
  var activated: Operand
  /// Queries, keys and values, `[rows, 3 hidden]`.
  var projections: FloatPointer
  /// Of each text and head, `[length, length]` with rows padded to whole vectors.
  var probabilities: FloatPointer
  /// What GELU was taken of, `[rows, intermediate]`.
  var preActivation: FloatPointer
  /// Both layer norms before gain and shift, `[rows, hidden]`, and what they were divided by, `[rows]`.
  var attentionNormalised: FloatPointer
  var attentionInverse: FloatPointer
  var outputNormalised: FloatPointer
  var outputInverse: FloatPointer
}

/// The gradients of what the four products of a layer gave.
struct LayerGradients {
  var projections: Operand
  var output: Operand
  var up: Operand
  var down: Operand

  var all: [Operand] { [projections, output, up, down] }

  func advanced(byRows rows: Int, _ configuration: BERTConfiguration) -> LayerGradients {
    LayerGradients(
      projections: projections.advanced(by: rows * 3 * configuration.hiddenSize),
      output: output.advanced(by: rows * configuration.hiddenSize),
      up: up.advanced(by: rows * configuration.intermediateSize),
      down: down.advanced(by: rows * configuration.hiddenSize))
  }
}

/// Memory for one layer's trace.
final class TraceStorage: Sendable {
  private let products: [OperandStorage]
  private let kept: [Floats]

  /// With `products` false there is no room for the four operands: they stand elsewhere.
  init(_ configuration: BERTConfiguration, rows: Int, longest: Int, isRounded: Bool, hasProducts: Bool = true)
  {
    let hidden = configuration.hiddenSize
    let inner = configuration.intermediateSize
    products = (hasProducts ? [hidden, hidden, hidden, inner] : []).map {
      OperandStorage(count: rows * $0, isRounded: isRounded)
    }
    // Texts of `longest` tokens are those whose probabilities take most room a row.
    let probabilities = configuration.attentionHeads * ((longest + 15) / 16 * 16)
    kept = [3 * hidden, probabilities, inner, hidden, 1, hidden, 1].map { Floats(count: rows * $0) }
  }

  var trace: LayerTrace { trace(products: products.map(\.operand)) }

  func trace(products: [Operand]) -> LayerTrace {
    LayerTrace(
      input: products[0], context: products[1], middle: products[2], activated: products[3],
      projections: kept[0].base, probabilities: kept[1].base, preActivation: kept[2].base,
      attentionNormalised: kept[3].base, attentionInverse: kept[4].base, outputNormalised: kept[5].base,
      outputInverse: kept[6].base)
  }
}
