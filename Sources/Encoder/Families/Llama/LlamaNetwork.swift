import CKernels
import Foundation

/// A decoder of Llama's kind whose parameters have their places in a layout.
struct LlamaNetwork: Network {
  struct Layer: Sendable {
    /// Queries, keys and values side by side.
    var projections: ParameterLayout.Matrix
    /// Nil without one.
    var projectionBias: Int?
    var output: ParameterLayout.Matrix
    /// Gate and up side by side.
    var gateAndUp: ParameterLayout.Matrix
    var down: ParameterLayout.Matrix
    var attentionNorm: Int
    var feedForwardNorm: Int
    /// In a model with adapters, one beside each of its matrices.
    var adapters: Adapters?
  }

  struct Adapters: Sendable {
    var projections: LowRankAdapter
    var output: LowRankAdapter
    var gateAndUp: LowRankAdapter
    var down: LowRankAdapter
  }

  let configuration: LlamaConfiguration
  let layers: [Layer]
  let norm: Int
  /// `[hidden, vocabulary]`; nil where the word table is that too.
  let outputMatrix: ParameterLayout.Matrix?

  /// - Parameter adapters: their rank, 0 where there are none, and what their products are multiplied by.
  init(
    _ configuration: LlamaConfiguration, in layout: inout ParameterLayout, words: Int,
    adapters: (rank: Int, scale: Float)
  ) {
    self.configuration = configuration
    let hidden = configuration.hiddenSize
    let inner = configuration.intermediateSize
    let queries = configuration.queryWidth
    let keys = configuration.keyWidth
    let width = queries + 2 * keys
    layout.placeWords(
      "model.embed_tokens.weight", rows: words, vocabulary: configuration.vocabularySize, columns: hidden)
    let shapes = [(hidden, width), (configuration.queryWidth, hidden), (hidden, 2 * inner), (inner, hidden)]
    let matrices = (0..<configuration.layers).map { layer in
      shapes.enumerated().map { slot, shape in
        layout.placeMatrix(inputs: shape.0, outputs: shape.1, layer: layer, slot: slot)
      }
    }
    outputMatrix =
      configuration.isTied
      ? nil
      : layout.placeMatrix(
        inputs: hidden, outputs: configuration.vocabularySize, layer: configuration.layers, slot: 4)
    func adapter(_ layer: Int, inputs: Int, outputs: [Int]) -> LowRankAdapter {
      LowRankAdapter(
        in: &layout, layer: layer, inputs: inputs, outputs: outputs, rank: adapters.rank,
        scale: adapters.scale)
    }
    layers = matrices.enumerated().map { number, matrices in
      Layer(
        projections: matrices[0],
        projectionBias: configuration.hasAttentionBias
          ? layout.placeVector(width, .vector, layer: number) : nil,
        output: matrices[1], gateAndUp: matrices[2], down: matrices[3],
        attentionNorm: layout.placeVector(hidden, .norm, layer: number),
        feedForwardNorm: layout.placeVector(hidden, .norm, layer: number),
        adapters: adapters.rank == 0
          ? nil
          : Adapters(
            projections: adapter(number, inputs: hidden, outputs: [queries, keys, keys]),
            output: adapter(number, inputs: queries, outputs: [hidden]),
            gateAndUp: adapter(number, inputs: hidden, outputs: [inner, inner]),
            down: adapter(number, inputs: inner, outputs: [hidden])))
    }
    norm = layout.placeVector(hidden, .norm, layer: configuration.layers)
    nameTensors(in: &layout)
  }

  /// The file's tensors, by the names of Hugging Face's LlamaForCausalLM.
  private func nameTensors(in layout: inout ParameterLayout) {
    let queries = configuration.queryWidth
    let keys = configuration.keyWidth
    let inner = configuration.intermediateSize
    let hidden = configuration.hiddenSize
    for (number, layer) in layers.enumerated() {
      let prefix = "model.layers.\(number)."
      for (name, column, width) in [
        ("q_proj", 0, queries), ("k_proj", queries, keys), ("v_proj", queries + keys, keys),
      ] {
        let name = prefix + "self_attn.\(name)"
        layout.file(name + ".weight", in: layer.projections, column: column, outputs: width)
        if let bias = layer.projectionBias { layout.file(name + ".bias", shape: [width], at: bias + column) }
      }
      layout.file(prefix + "self_attn.o_proj.weight", in: layer.output)
      layout.file(prefix + "mlp.gate_proj.weight", in: layer.gateAndUp, column: 0, outputs: inner)
      layout.file(prefix + "mlp.up_proj.weight", in: layer.gateAndUp, column: inner, outputs: inner)
      layout.file(prefix + "mlp.down_proj.weight", in: layer.down)
      layout.file(prefix + "input_layernorm.weight", shape: [hidden], at: layer.attentionNorm)
      layout.file(prefix + "post_attention_layernorm.weight", shape: [hidden], at: layer.feedForwardNorm)
      guard let adapters = layer.adapters else { continue }
      adapters.projections.name(
        ["q_proj", "k_proj", "v_proj"].map { prefix + "self_attn.\($0)" }, in: &layout)
      adapters.output.name([prefix + "self_attn.o_proj"], in: &layout)
      adapters.gateAndUp.name(["gate_proj", "up_proj"].map { prefix + "mlp.\($0)" }, in: &layout)
      adapters.down.name([prefix + "mlp.down_proj"], in: &layout)
    }
    layout.file("model.norm.weight", shape: [hidden], at: norm)
    if let outputMatrix { layout.file("lm_head.weight", in: outputMatrix) }
  }

  func numbersInRow(longest: Int) -> (savedInLayer: Int, scratch: Int) {
    let width = configuration.queryWidth + 2 * configuration.keyWidth
    return (
      LlamaActivations.width(configuration),
      3 * configuration.hiddenSize + width + configuration.queryWidth + 3 * configuration.intermediateSize
    )
  }

  func completionPass(_ parameters: ParameterStore, scope: TrainableScope, pool: ThreadPool) throws
    -> any CompletionPass
  { try LlamaCompletionPass(self, parameters, scope: scope, pool: pool) }

  func pass(_ parameters: ParameterStore, rows: Int, longest: Int, isTraining: Bool) throws -> any Pass {
    try LlamaPass(self, parameters, rows: rows)
  }
}
