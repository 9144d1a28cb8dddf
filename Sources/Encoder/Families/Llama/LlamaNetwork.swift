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
  }

  let configuration: LlamaConfiguration
  let layers: [Layer]
  let norm: Int
  /// `[hidden, vocabulary]`; nil where the word table is that too.
  let outputMatrix: ParameterLayout.Matrix?

  init(_ configuration: LlamaConfiguration, in layout: inout ParameterLayout, words: Int) {
    self.configuration = configuration
    let hidden = configuration.hiddenSize
    let inner = configuration.intermediateSize
    let width = configuration.queryWidth + 2 * configuration.keyWidth
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
    layers = matrices.enumerated().map { number, matrices in
      Layer(
        projections: matrices[0],
        projectionBias: configuration.hasAttentionBias
          ? layout.placeVector(width, .vector, layer: number) : nil,
        output: matrices[1], gateAndUp: matrices[2], down: matrices[3],
        attentionNorm: layout.placeVector(hidden, .norm, layer: number),
        feedForwardNorm: layout.placeVector(hidden, .norm, layer: number))
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
    }
    layout.file("model.norm.weight", shape: [hidden], at: norm)
    if let outputMatrix { layout.file("lm_head.weight", in: outputMatrix) }
  }

  func numbersInRow(longest: Int) -> (savedInLayer: Int, scratch: Int) {
    let width = configuration.queryWidth + 2 * configuration.keyWidth
    return (
      0,
      3 * configuration.hiddenSize + width + configuration.queryWidth + 3 * configuration.intermediateSize
    )
  }

  func pass(_ parameters: ParameterStore, rows: Int, longest: Int, isTraining: Bool) throws -> any Pass {
    try LlamaPass(self, parameters, rows: rows)
  }
}
