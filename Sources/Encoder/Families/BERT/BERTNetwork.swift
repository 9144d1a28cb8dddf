import CKernels

/// A BERT whose parameters have their places in a layout.
struct BERTNetwork: Network {
  /// y = x w + bias.
  struct Linear: Sendable {
    var weight: ParameterLayout.Matrix
    var bias: Int
  }

  /// A layer norm's weight (gamma) and bias (beta).
  struct Norm: Sendable {
    var weight: Int
    var bias: Int
  }

  /// A bottleneck beside the way: y = x + up(GELU(down(x))).
  struct Adapter: Sendable {
    var down: Linear
    var up: Linear
  }

  struct Layer: Sendable {
    /// Queries, keys and values side by side.
    var projections: Linear
    var output: Linear
    var attentionNorm: Norm
    var up: Linear
    var down: Linear
    var outputNorm: Norm
    /// After the attention's output and after the feed-forward network's; nil in a model without adapters.
    var attentionAdapter: Adapter?
    var outputAdapter: Adapter?
  }

  let configuration: BERTConfiguration
  /// Width of the adapters' bottlenecks; 0: there are none.
  let adapterSize: Int
  let positions: ParameterLayout.Table
  let types: ParameterLayout.Table
  let embeddingNorm: Norm
  let layers: [Layer]

  /// Of queries, keys and values together.
  var projectionWidth: Int { 3 * configuration.hiddenSize }

  init(
    _ configuration: BERTConfiguration, in layout: inout ParameterLayout, words: Int, adapterSize: Int
  ) {
    self.configuration = configuration
    self.adapterSize = adapterSize
    let hidden = configuration.hiddenSize
    let inner = configuration.intermediateSize
    layout.placeWords(
      "embeddings.word_embeddings.weight", rows: words, vocabulary: configuration.vocabularySize,
      columns: hidden)
    positions = layout.placeTable(
      "embeddings.position_embeddings.weight", rows: configuration.maximumPositions, columns: hidden,
      by: .position)
    types = layout.placeTable(
      "embeddings.token_type_embeddings.weight", rows: configuration.segmentTypes, columns: hidden, by: .first
    )

    func matrices(_ shapes: [(Int, Int)], from slot: Int, isAdapter: Bool = false)
      -> [[ParameterLayout.Matrix]]
    {
      (0..<configuration.layers).map { layer in
        shapes.enumerated().map { number, shape in
          layout.placeMatrix(
            inputs: shape.0, outputs: shape.1, layer: layer, slot: slot + number, isAdapter: isAdapter)
        }
      }
    }
    let plain = matrices([(hidden, 3 * hidden), (hidden, hidden), (hidden, inner), (inner, hidden)], from: 0)
    let bottleneck = [(hidden, adapterSize), (adapterSize, hidden)]
    let adapters = matrices(adapterSize > 0 ? bottleneck + bottleneck : [], from: 4, isAdapter: true)

    func norm(layer: Int?) -> Norm {
      Norm(
        weight: layout.placeVector(hidden, .norm, layer: layer),
        bias: layout.placeVector(hidden, .norm, layer: layer))
    }
    func linear(_ matrix: ParameterLayout.Matrix, _ kind: ParameterLayout.Section.Kind, layer: Int) -> Linear
    {
      Linear(weight: matrix, bias: layout.placeVector(matrix.outputs, kind, layer: layer))
    }
    embeddingNorm = norm(layer: nil)
    layers = plain.indices.map { layer in
      let linears = plain[layer].map { linear($0, .vector, layer: layer) }
      let small = adapters[layer].map { linear($0, .adapter, layer: layer) }
      return Layer(
        projections: linears[0], output: linears[1], attentionNorm: norm(layer: layer), up: linears[2],
        down: linears[3], outputNorm: norm(layer: layer),
        attentionAdapter: small.isEmpty ? nil : Adapter(down: small[0], up: small[1]),
        outputAdapter: small.isEmpty ? nil : Adapter(down: small[2], up: small[3]))
    }
    nameTensors(in: &layout)
  }

  /// The file's tensors, by the names of Hugging Face's BertModel; adapters by fettle's own.
  private func nameTensors(in layout: inout ParameterLayout) {
    let hidden = configuration.hiddenSize
    func file(_ name: String, _ norm: Norm) {
      layout.file(name + ".weight", shape: [hidden], at: norm.weight)
      layout.file(name + ".bias", shape: [hidden], at: norm.bias)
    }
    func file(_ name: String, _ linear: Linear, initial: ParameterLayout.Initial = .zero) {
      layout.file(name + ".weight", in: linear.weight, initial: initial)
      layout.file(name + ".bias", shape: [linear.weight.outputs], at: linear.bias)
    }
    file("embeddings.LayerNorm", embeddingNorm)
    for (number, layer) in layers.enumerated() {
      let prefix = "encoder.layer.\(number)."
      for (part, name) in ["query", "key", "value"].enumerated() {
        let name = prefix + "attention.self.\(name)"
        layout.file(name + ".weight", in: layer.projections.weight, column: part * hidden, outputs: hidden)
        layout.file(name + ".bias", shape: [hidden], at: layer.projections.bias + part * hidden)
      }
      file(prefix + "attention.output.dense", layer.output)
      file(prefix + "attention.output.LayerNorm", layer.attentionNorm)
      file(prefix + "intermediate.dense", layer.up)
      file(prefix + "output.dense", layer.down)
      file(prefix + "output.LayerNorm", layer.outputNorm)
      for (place, adapter) in [
        ("attention.output", layer.attentionAdapter), ("output", layer.outputAdapter),
      ] {
        guard let adapter else { continue }
        file(prefix + place + ".adapter.down", adapter.down, initial: .uniform)
        file(prefix + place + ".adapter.up", adapter.up)
      }
    }
  }

  func numbersInRow(longest: Int) -> (savedInLayer: Int, scratch: Int) {
    let hidden = configuration.hiddenSize
    let inner = configuration.intermediateSize
    let probabilities = configuration.attentionHeads * BERTActivations.padded(longest)
    return (
      5 * hidden + probabilities + inner + 2 + 2 * adapterSize,
      7 * hidden + max(inner, projectionWidth) + inner
    )
  }

  func pass(_ parameters: ParameterStore, rows: Int, longest: Int, isTraining: Bool) throws -> any Pass {
    try BERTPass(self, parameters, rows: rows, longest: longest, isTraining: isTraining)
  }
}
