import CKernels

/// One layer of a BERT: self-attention, then a feed-forward network, each added to its input and normalised (Vaswani et al.
/// 2017, Devlin et al. 2019).
struct EncoderLayer {
  let configuration: BERTConfiguration
  let layout: WeightLayout.Layer
  /// The weights as f32, for the vectors, and as the products read them.
  let weights: FloatPointer
  let operands: Operand
  /// As `Transformer.transposed`.
  let transposed: Operand?
  let matmul: MatMul

  var hidden: Int { configuration.hiddenSize }
  private var inner: Int { configuration.intermediateSize }

  /// y: `[rows, hidden]` from x: `[rows, hidden]`, which `saved.input` holds already; y may be x.
  ///
  /// - Parameters:
  ///   - texts: rows that attend to each other.
  ///   - blocks: rows that are multiplied at once. A product's last bits may depend on how many rows it has, never on others' values.
  func forward(
    x: FloatPointer, y: FloatPointer, _ saved: LayerActivations, texts: [Range<Int>], blocks: [Range<Int>],
    scratch: Scratch
  ) throws {
    guard let rows = blocks.last?.upperBound else { return }

    // projections = x Wqkv + b: [rows, 3 hidden]
    try linearForward(saved.input, layout.projections, into: saved.projections, blocks)
    fettle_add_bias(saved.projections, weights + layout.projections.bias, rows, 3 * hidden)

    // context = softmax(q kᵀ / √size) v, for each text and head: [rows, hidden]
    let context = saved.context.scratch(scratch.wide)
    var probabilities = saved.probabilities
    for text in texts {
      fettle_attention_forward(
        saved.projections + text.lowerBound * 3 * hidden, context + text.lowerBound * hidden, probabilities,
        scratch.attention.base, text.count, configuration.attentionHeads, configuration.headSize)
      probabilities += fettle_attention_probabilities(text.count, configuration.attentionHeads)
    }
    saved.context.store(context, count: rows * hidden)

    // middle = norm(x + context Wo + b): [rows, hidden]
    let sum = scratch.sum.base
    let middle = saved.middle.scratch(scratch.middle)
    try linearForward(saved.context, layout.output, into: sum, blocks)
    let outputBias = try adapterForward(
      sum, bias: layout.output.bias, layout.attentionAdapter, saved.attentionAdapter, blocks, scratch)
    fettle_layer_norm_forward(
      sum, weights + outputBias, x, weights + layout.attentionNorm.weight,
      weights + layout.attentionNorm.bias,
      middle, saved.attentionXhat, saved.attentionRstd, rows, hidden, configuration.layerNormEpsilon)
    saved.middle.store(middle, count: rows * hidden)

    // activated = GELU(middle Wup + b): [rows, intermediate]
    let activated = saved.activated.scratch(scratch.wide)
    try linearForward(saved.middle, layout.up, into: saved.preActivation, blocks)
    fettle_gelu_forward(saved.preActivation, weights + layout.up.bias, activated, rows, inner)
    saved.activated.store(activated, count: rows * inner)

    // y = norm(middle + activated Wdown + b): [rows, hidden]
    try linearForward(saved.activated, layout.down, into: sum, blocks)
    let downBias = try adapterForward(
      sum, bias: layout.down.bias, layout.outputAdapter, saved.outputAdapter, blocks, scratch)
    fettle_layer_norm_forward(
      sum, weights + downBias, middle, weights + layout.outputNorm.weight,
      weights + layout.outputNorm.bias, y,
      saved.outputXhat, saved.outputRstd, rows, hidden, configuration.layerNormEpsilon)
  }

  /// `gradient`: `[rows, hidden]`, of y on the way in and of x on the way out.
  ///
  /// - Parameters:
  ///   - outputGradients: takes the gradients of the four products' results, of which the matrices' gradients are made later.
  ///   - vectors: the gradients of biases and layer norms, laid out as the weights are; added to.
  func backward(
    gradient: FloatPointer, _ saved: LayerActivations, outputGradients: OutputGradients,
    vectors: FloatPointer,
    texts: [Range<Int>],
    scratch: Scratch
  ) throws {
    guard let rows = texts.last?.upperBound else { return }

    // y = norm(middle + activated Wdown + b)
    fettle_layer_norm_backward(
      gradient, saved.outputXhat, saved.outputRstd, weights + layout.outputNorm.weight,
      vectors + layout.outputNorm.weight, vectors + layout.outputNorm.bias, rows, hidden)
    try adapterBackward(
      gradient, layout.outputAdapter, saved.outputAdapter, outputGradients.adapters.suffix(2),
      into: outputGradients.down,
      bias: layout.down.bias, vectors, rows, scratch)

    // activated = GELU(middle Wup + b)
    let up = outputGradients.up.scratch(scratch.wide)
    try linearBackward(outputGradients.down, layout.down, into: up, rows)
    fettle_gelu_backward(saved.preActivation, up, rows * inner)
    outputGradients.up.store(up, count: rows * inner)
    fettle_add_column_sums(up, vectors + layout.up.bias, rows, inner)
    try linearBackward(outputGradients.up, layout.up, into: gradient, adding: true, rows)

    // middle = norm(x + context Wo + b)
    fettle_layer_norm_backward(
      gradient, saved.attentionXhat, saved.attentionRstd, weights + layout.attentionNorm.weight,
      vectors + layout.attentionNorm.weight, vectors + layout.attentionNorm.bias, rows, hidden)
    try adapterBackward(
      gradient, layout.attentionAdapter, saved.attentionAdapter, outputGradients.adapters.prefix(2),
      into: outputGradients.output,
      bias: layout.output.bias, vectors, rows, scratch)

    // context = softmax(q kᵀ / √size) v
    let context = scratch.sum.base
    try linearBackward(outputGradients.output, layout.output, into: context, rows)
    let projections = outputGradients.projections.scratch(scratch.wide)
    var probabilities = saved.probabilities
    for text in texts {
      fettle_attention_backward(
        saved.projections + text.lowerBound * 3 * hidden, probabilities, context + text.lowerBound * hidden,
        projections + text.lowerBound * 3 * hidden, scratch.attention.base, text.count,
        configuration.attentionHeads,
        configuration.headSize)
      probabilities += fettle_attention_probabilities(text.count, configuration.attentionHeads)
    }
    outputGradients.projections.store(projections, count: rows * 3 * hidden)
    fettle_add_column_sums(projections, vectors + layout.projections.bias, rows, 3 * hidden)

    // projections = x Wqkv + b
    try linearBackward(outputGradients.projections, layout.projections, into: gradient, adding: true, rows)
  }

  func linearForward(
    _ x: Operand, _ linear: WeightLayout.Linear, into y: FloatPointer, adding: Bool = false,
    _ blocks: [Range<Int>]
  ) throws {
    for block in blocks {
      try matmul.forward(
        x.advanced(by: block.lowerBound * linear.inputs), operands.advanced(by: linear.weight),
        into: y + block.lowerBound * linear.outputs, adding: adding, rows: block.count, k: linear.inputs,
        columns: linear.outputs)
    }
  }

  func linearBackward(
    _ dy: Operand, _ linear: WeightLayout.Linear, into dx: FloatPointer, adding: Bool = false, _ rows: Int
  ) throws {
    if let transposed {
      try matmul.forward(
        dy, transposed.advanced(by: linear.weight), into: dx, adding: adding, rows: rows, k: linear.outputs,
        columns: linear.inputs)
    } else {
      try matmul.backward(
        dy, operands.advanced(by: linear.weight), into: dx, adding: adding, rows: rows, k: linear.inputs,
        columns: linear.outputs)
    }
  }
}
