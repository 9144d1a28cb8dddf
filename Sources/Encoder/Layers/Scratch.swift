import CKernels

/// Memory that one thread computes in, for up to `rows` rows in texts of up to `longest`.
final class Scratch: Sendable {
  let rows: Int
  /// `[rows, hidden]`: the residual stream, where it does not stand among the saved activations already.
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

/// What the forward pass through a layer leaves for the backward pass, and for the gradients of the layer's matrices.
struct LayerActivations {
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
  /// Both layer norms before weight and bias, `[rows, hidden]`, and what they were divided by, `[rows]`.
  var attentionXhat: FloatPointer
  var attentionRstd: FloatPointer
  var outputXhat: FloatPointer
  var outputRstd: FloatPointer
  /// Nil in a model without adapters.
  var attentionAdapter: AdapterActivations?
  var outputAdapter: AdapterActivations?
}

/// What the forward pass through an adapter leaves for the backward pass.
struct AdapterActivations {
  /// What its products read: `[rows, hidden]` and `[rows, bottleneck]`.
  var input: Operand
  var activated: Operand
  /// What GELU was taken of, `[rows, bottleneck]`.
  var preActivation: FloatPointer
}

/// The gradients of what the four products of a layer gave.
struct OutputGradients {
  var projections: Operand
  var output: Operand
  var up: Operand
  var down: Operand

  /// Of the adapters' products: after the attention down and up, at the end down and up. Empty in a model without.
  var adapters: [Operand] = []
}

/// Memory for one operand a product of a layer, in the order of `WeightLayout.Layer.linears`.
final class ProductStorage: Sendable {
  private let storage: [OperandStorage]

  init(_ layout: WeightLayout, rows: Int, dtype: DType, width: (WeightLayout.Linear) -> Int) {
    storage = (layout.layers.first?.linears ?? []).map {
      OperandStorage(count: rows * width($0), dtype: dtype)
    }
  }

  var operands: [Operand] { storage.map(\.operand) }
}

/// Memory for one layer's saved activations, but for what its products read.
final class ActivationStorage: Sendable {
  private let memory: [Floats]

  init(_ layout: WeightLayout, rows: Int, longest: Int) {
    let configuration = layout.configuration
    let hidden = configuration.hiddenSize
    let inner = configuration.intermediateSize
    // Texts of `longest` tokens are those whose probabilities take most room a row.
    let probabilities = configuration.attentionHeads * ((longest + 15) / 16 * 16)
    memory = [
      3 * hidden, probabilities, inner, hidden, 1, hidden, 1, layout.adapterSize, layout.adapterSize,
    ].map { Floats(count: rows * $0) }
  }

  func saved(inputs: [Operand]) -> LayerActivations {
    func adapter(_ product: Int, _ pre: Int) -> AdapterActivations? {
      guard inputs.count > product + 1 else { return nil }
      return AdapterActivations(
        input: inputs[product], activated: inputs[product + 1], preActivation: memory[pre].base)
    }
    return LayerActivations(
      input: inputs[0], context: inputs[1], middle: inputs[2], activated: inputs[3],
      projections: memory[0].base, probabilities: memory[1].base, preActivation: memory[2].base,
      attentionXhat: memory[3].base, attentionRstd: memory[4].base, outputXhat: memory[5].base,
      outputRstd: memory[6].base, attentionAdapter: adapter(4, 7), outputAdapter: adapter(6, 8))
  }
}
