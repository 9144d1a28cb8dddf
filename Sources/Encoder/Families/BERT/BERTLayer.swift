import CKernels

/// One layer of a BERT: self-attention, then a feed-forward network, each added to its input and normalised (Vaswani et al.
/// 2017, Devlin et al. 2019).
struct BERTLayer {
  let configuration: BERTConfiguration
  let layout: BERTNetwork.Layer
  let products: LinearProducts
  let saved: BERTActivations
  let scratch: BERTScratch
  let passing: PassingProducts
  /// Where operands are kept for the matrices' gradients; nil: nowhere.
  let kept: SavedProducts?

  var hidden: Int { configuration.hiddenSize }
  private var inner: Int { configuration.intermediateSize }
  var parameters: ParameterStore { products.parameters }

  /// Where a product finds what it reads.
  func input(of linear: BERTNetwork.Linear) -> Operand {
    kept?.input(of: linear.weight) ?? passing.input(of: linear.weight)
  }

  /// Where the gradient of what it gives is left.
  func outputGradient(of linear: BERTNetwork.Linear) -> Operand {
    kept?.outputGradient(of: linear.weight) ?? passing.outputGradient(of: linear.weight)
  }

  /// y: `[rows, hidden]` from x: `[rows, hidden]`, which `input(of: layout.projections)` holds already; y may be x.
  ///
  /// - Parameters:
  ///   - texts: rows that attend to each other.
  ///   - blocks: rows that are multiplied at once. A product's last bits may depend on how many rows it has, never on others' values.
  func forward(
    x: FloatPointer, y: FloatPointer, texts: [Range<Int>], blocks: [Range<Int>]
  ) throws {
    guard let rows = blocks.last?.upperBound else { return }
    try project(0..<rows, blocks)

    // context = softmax(q kᵀ / √size) v, for each text and head: [rows, hidden]
    let width = layout.projections.weight.outputs
    let context = context(0)
    var probabilities = saved.probabilities.base
    for text in texts {
      fettle_attention_forward(
        saved.projections.base + text.lowerBound * width, context + text.lowerBound * hidden, probabilities,
        scratch.attention.base, text.count, configuration.attentionHeads, configuration.headSize)
      probabilities += fettle_attention_probabilities(text.count, configuration.attentionHeads)
    }
    try finish(x: x, y: y, 0..<rows, blocks)
  }

  /// The same for some of the rows, while other threads have the others: between this one's two steps all have to have taken the first.
  /// Nothing can go back, and there must be no adapters.
  func attendAndFinish(
    x: FloatPointer, y: FloatPointer, texts: [Range<Int>], rows: Range<Int>, attention: FloatPointer
  ) throws {
    let width = layout.projections.weight.outputs
    let context = context(rows.lowerBound) - rows.lowerBound * hidden
    for text in texts where text.overlaps(rows) {
      let own = text.clamped(to: rows)
      fettle_attention_rows(
        saved.projections.base + text.lowerBound * width, context + text.lowerBound * hidden, attention,
        text.count, own.lowerBound - text.lowerBound, own.count, configuration.attentionHeads,
        configuration.headSize)
    }
    try finish(x: x, y: y, rows, [rows])
  }

  /// projections = x Wqkv + b: [rows, 3 hidden]
  func project(_ rows: Range<Int>, _ blocks: [Range<Int>]) throws {
    let width = layout.projections.weight.outputs
    let projections = saved.projections.base
    try products.forward(
      input(of: layout.projections), layout.projections.weight, into: projections, blocks)
    fettle_add_bias(
      projections + rows.lowerBound * width, parameters[layout.projections.bias], rows.count, width)
  }

  /// Where rows from `first` on are written that become an operand, `[rows, width]`.
  private func wide(_ operand: Operand, _ first: Int, _ width: Int) -> FloatPointer {
    // Each thread's rows of any width begin where the widest would.
    operand.dtype == .bf16
      ? scratch.wide.base + first * scratch.widest : operand.advanced(by: first * width).floats
  }

  private func context(_ first: Int) -> FloatPointer { wide(input(of: layout.output), first, hidden) }

  /// What follows attention, whose context stands where `context` says.
  private func finish(x: FloatPointer, y: FloatPointer, _ rows: Range<Int>, _ blocks: [Range<Int>]) throws {
    let first = rows.lowerBound
    let start = first * hidden
    let count = rows.count * hidden
    input(of: layout.output).advanced(by: start).store(context(first), count: count)

    // middle = norm(x + context Wo + b): [rows, hidden]
    let sum = scratch.sum.base
    let normalised = input(of: layout.up)
    let middle = normalised.scratch(scratch.middle)
    try products.forward(input(of: layout.output), layout.output.weight, into: sum, blocks)
    let outputBias = try adapterForward(
      sum, bias: layout.output.bias, layout.attentionAdapter, saved.attentionAdapter.base, blocks)
    fettle_layer_norm_forward(
      sum + start, parameters[outputBias], x + start, parameters[layout.attentionNorm.weight],
      parameters[layout.attentionNorm.bias], middle + start, saved.attentionXhat.base + start,
      saved.attentionRstd.base + first, rows.count, hidden, configuration.layerNormEpsilon)
    normalised.advanced(by: start).store(middle + start, count: count)

    // activated = GELU(middle Wup + b): [rows, intermediate]
    let read = input(of: layout.down)
    let activated = wide(read, first, inner)
    try products.forward(normalised, layout.up.weight, into: saved.preActivation.base, blocks)
    fettle_gelu_forward(
      saved.preActivation.base + first * inner, parameters[layout.up.bias], activated, rows.count, inner)
    read.advanced(by: first * inner).store(activated, count: rows.count * inner)

    // y = norm(middle + activated Wdown + b): [rows, hidden]
    try products.forward(read, layout.down.weight, into: sum, blocks)
    let downBias = try adapterForward(
      sum, bias: layout.down.bias, layout.outputAdapter, saved.outputAdapter.base, blocks)
    fettle_layer_norm_forward(
      sum + start, parameters[downBias], middle + start, parameters[layout.outputNorm.weight],
      parameters[layout.outputNorm.bias], y + start, saved.outputXhat.base + start,
      saved.outputRstd.base + first, rows.count, hidden, configuration.layerNormEpsilon)
  }

  /// `gradient`: `[rows, hidden]`, of y on the way in and of x on the way out.
  ///
  /// - Parameter vectors: the gradients of biases and layer norms, laid out as the parameters are; added to.
  func backward(
    gradient: FloatPointer, vectors: FloatPointer, texts: [Range<Int>]
  ) throws {
    guard let rows = texts.last?.upperBound else { return }

    // y = norm(middle + activated Wdown + b)
    fettle_layer_norm_backward(
      gradient, saved.outputXhat.base, saved.outputRstd.base, parameters[layout.outputNorm.weight],
      vectors + layout.outputNorm.weight, vectors + layout.outputNorm.bias, rows, hidden)
    let downGradient = outputGradient(of: layout.down)
    try adapterBackward(
      gradient, layout.outputAdapter, saved.outputAdapter.base, into: downGradient, bias: layout.down.bias,
      vectors, rows)

    // activated = GELU(middle Wup + b)
    let upGradient = outputGradient(of: layout.up)
    let up = upGradient.scratch(scratch.wide)
    try products.backward(downGradient, layout.down.weight, into: up, rows)
    fettle_gelu_backward(saved.preActivation.base, up, rows * inner)
    upGradient.store(up, count: rows * inner)
    fettle_add_column_sums(up, vectors + layout.up.bias, rows, inner)
    try products.backward(upGradient, layout.up.weight, into: gradient, adding: true, rows)

    // middle = norm(x + context Wo + b)
    fettle_layer_norm_backward(
      gradient, saved.attentionXhat.base, saved.attentionRstd.base, parameters[layout.attentionNorm.weight],
      vectors + layout.attentionNorm.weight, vectors + layout.attentionNorm.bias, rows, hidden)
    let contextGradient = outputGradient(of: layout.output)
    try adapterBackward(
      gradient, layout.attentionAdapter, saved.attentionAdapter.base, into: contextGradient,
      bias: layout.output.bias, vectors, rows)

    // context = softmax(q kᵀ / √size) v
    let context = scratch.sum.base
    try products.backward(contextGradient, layout.output.weight, into: context, rows)
    let width = layout.projections.weight.outputs
    let projectionGradient = outputGradient(of: layout.projections)
    let projections = projectionGradient.scratch(scratch.wide)
    var probabilities = saved.probabilities.base
    for text in texts {
      fettle_attention_backward(
        saved.projections.base + text.lowerBound * width, probabilities, context + text.lowerBound * hidden,
        projections + text.lowerBound * width, scratch.attention.base, text.count,
        configuration.attentionHeads,
        configuration.headSize)
      probabilities += fettle_attention_probabilities(text.count, configuration.attentionHeads)
    }
    projectionGradient.store(projections, count: rows * width)
    fettle_add_column_sums(projections, vectors + layout.projections.bias, rows, width)

    // projections = x Wqkv + b
    try products.backward(
      projectionGradient, layout.projections.weight, into: gradient, adding: true, rows)
  }
}
