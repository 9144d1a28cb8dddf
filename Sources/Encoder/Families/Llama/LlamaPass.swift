import CKernels
import Foundation

/// One thread's way through a decoder of Llama's kind, over texts packed without padding.
/// Sendable unchecked: used by one thread at a time.
final class LlamaPass: CausalPass, @unchecked Sendable {
  private let network: LlamaNetwork
  private let products: LinearProducts
  /// What products read, by their matrices' slots.
  private let passing: PassingProducts
  /// `[rows, hidden]`: the residual stream, and what is computed in.
  private let stream: Floats
  private let normalised: Floats
  /// `[rows, queries + keys + values]`.
  private let projections: Floats
  /// `[rows, queries]`; gate and up, `[rows, 2 intermediate]`; their product.
  private let context: Floats
  private let gateAndUp: Floats
  private let activated: Floats
  /// `[rows, head size / 2]`.
  private let cosines: Floats
  private let sines: Floats
  private var attention = Floats(count: 0)
  /// What adapters reduce their inputs to.
  private let reduced: Floats

  private var configuration: LlamaConfiguration { network.configuration }
  private var parameters: ParameterStore { products.parameters }

  init(_ network: LlamaNetwork, _ parameters: ParameterStore, rows: Int) throws {
    self.network = network
    products = LinearProducts(parameters: parameters, matmul: try MatMul())
    let configuration = network.configuration
    passing = PassingProducts(parameters.layout, rows: rows, dtype: parameters.dtype, isTraining: false)
    stream = Floats(count: rows * configuration.hiddenSize)
    normalised = Floats(count: rows * configuration.hiddenSize)
    projections = Floats(count: rows * (configuration.queryWidth + 2 * configuration.keyWidth))
    context = Floats(count: rows * configuration.queryWidth)
    gateAndUp = Floats(count: rows * 2 * configuration.intermediateSize)
    activated = Floats(count: rows * configuration.intermediateSize)
    cosines = Floats(count: rows * configuration.headSize / 2)
    sines = Floats(count: rows * configuration.headSize / 2)
    let adapters = network.layers.first?.adapters
    reduced = Floats(count: rows * max(adapters?.projections.width ?? 0, adapters?.gateAndUp.width ?? 0))
  }

  func forward(
    _ texts: PackedTexts, words: UnsafePointer<Float>, blocks: [Range<Int>], products kept: SavedProducts?
  ) throws -> FloatPointer {
    try forward(texts, words: words, blocks: blocks, caches: [], tree: nil)
  }

  func forward(
    _ texts: PackedTexts, words: UnsafePointer<Float>, blocks: [Range<Int>], caches: [KeyValueCache],
    tree: TokenTree?
  ) throws -> FloatPointer {
    let hidden = configuration.hiddenSize
    let rows = texts.rows
    for (row, word) in texts.words.enumerated() {
      memcpy(stream.base + row * hidden, words + Int(word) * hidden, hidden * 4)
    }
    rotate(texts, caches, tree)
    for number in network.layers.indices {
      let layer = network.layers[number]
      norm(stream.base, layer.attentionNorm, rows)
      try attend(texts, layer, number, caches, tree, blocks)
      norm(stream.base, layer.feedForwardNorm, rows)
      try feedForward(layer, rows, blocks)
    }
    for (text, cache) in zip(texts.ranges, caches) { cache.count += text.count }
    norm(stream.base, network.norm, rows)
    return normalised.base
  }

  /// The angles of each row: its position divided by each pair's wavelength.
  private func rotate(_ texts: PackedTexts, _ caches: [KeyValueCache], _ tree: TokenTree?) {
    let half = configuration.headSize / 2
    let frequencies = configuration.rotationFrequencies
    for (number, text) in texts.ranges.enumerated() {
      let past = caches.isEmpty ? 0 : caches[number].past
      let straight = text.count - (tree?.count ?? 0)
      for row in text {
        let place = row - text.lowerBound
        let position = past + (place < straight ? place : straight + (tree?.depths[place - straight] ?? 0))
        for (pair, frequency) in frequencies.enumerated() {
          let angle = Float(position) * frequency
          cosines.base[row * half + pair] = cos(angle)
          sines.base[row * half + pair] = sin(angle)
        }
      }
    }
  }

  private func norm(_ x: FloatPointer, _ weight: Int, _ rows: Int) {
    fettle_rms_norm_forward(
      x, parameters[weight], normalised.base, rows, configuration.hiddenSize, configuration.rmsNormEpsilon)
  }

  /// stream += attention(normalised) Wo
  private func attend(
    _ texts: PackedTexts, _ layer: LlamaNetwork.Layer, _ number: Int, _ caches: [KeyValueCache],
    _ tree: TokenTree?, _ blocks: [Range<Int>]
  ) throws {
    let rows = texts.rows
    let width = layer.projections.outputs
    let size = configuration.headSize
    let input = passing.input(of: layer.projections)
    input.store(normalised.base, count: rows * configuration.hiddenSize)
    try products.forward(input, layer.projections, into: projections.base, blocks)
    add(layer.adapters?.projections, of: normalised.base, to: projections.base, rows)
    if let bias = layer.projectionBias { fettle_add_bias(projections.base, parameters[bias], rows, width) }
    fettle_rotate(
      projections.base, width, cosines.base, sines.base, rows,
      configuration.attentionHeads + configuration.keyHeads, size)
    for (text, range) in texts.ranges.enumerated() {
      let own = projections.base + range.lowerBound * width
      let context = context.base + range.lowerBound * configuration.queryWidth
      if caches.isEmpty {
        let scratch = attentionScratch(fettle_causal_attention_scratch(range.count, 0, size))
        fettle_causal_attention_forward(
          own, nil, nil, 0, context, scratch, range.count, configuration.attentionHeads,
          configuration.keyHeads, size)
      } else {
        let parts = caches[text].append(
          own + configuration.queryWidth, rows: range.count, stride: width, layer: number)
        let straight = range.count - (tree?.count ?? 0)
        let scratch = attentionScratch(
          fettle_cached_attention_scratch(
            parts.reduce(0) { $0 + $1.count }, configuration.attentionHeads, configuration.keyHeads, size))
        fettle_cached_attention(
          parts, parts.count, own, width, context, scratch, range.count, straight,
          tree.map { $0.parents.map { $0 + Int32(straight) } }, configuration.attentionHeads,
          configuration.keyHeads, size)
      }
    }
    let output = passing.input(of: layer.output)
    output.store(context.base, count: rows * configuration.queryWidth)
    try products.forward(output, layer.output, into: stream.base, adding: true, blocks)
    add(layer.adapters?.output, of: context.base, to: stream.base, rows)
  }

  private func attentionScratch(_ count: Int) -> FloatPointer {
    if count > attention.count { attention = Floats(count: count) }
    return attention.base
  }

  /// stream += (SiLU(normalised Wgate) * normalised Wup) Wdown
  private func feedForward(_ layer: LlamaNetwork.Layer, _ rows: Int, _ blocks: [Range<Int>]) throws {
    let inner = configuration.intermediateSize
    let input = passing.input(of: layer.gateAndUp)
    input.store(normalised.base, count: rows * configuration.hiddenSize)
    try products.forward(input, layer.gateAndUp, into: gateAndUp.base, blocks)
    add(layer.adapters?.gateAndUp, of: normalised.base, to: gateAndUp.base, rows)
    let down = passing.input(of: layer.down)
    let product = down.scratch(activated)
    fettle_swiglu_forward(gateAndUp.base, product, rows, inner)
    down.store(product, count: rows * inner)
    try products.forward(down, layer.down, into: stream.base, adding: true, blocks)
    add(layer.adapters?.down, of: product, to: stream.base, rows)
  }

  private func add(_ adapter: LowRankAdapter?, of x: FloatPointer, to y: FloatPointer, _ rows: Int) {
    adapter?.forward(x, reduced: reduced.base, into: y, rows: rows, parameters)
  }

  func backward(
    _ texts: PackedTexts, gradient: FloatPointer, products kept: SavedProducts, vectors: FloatPointer,
    lowest: Int?
  ) throws {
    throw ModelError.noTraining(family: "llama")
  }
}
