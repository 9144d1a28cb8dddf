/// Where each of a BERT's weights stands in one block of f32 memory, and which tensor of a file it is.
///
/// Matrices come first, `[in, out]` and so transposed against the file's `[out, in]`; queries, keys and values stand side by side in
/// one. The vectors (biases and layer norms, the head) stand together at the end, because their gradients are summed over
/// shards, while a matrix's gradient is one product.
struct WeightLayout: Sendable {
  /// A stretch of the block.
  struct Section: Sendable {
    enum Kind: Sendable { case embedding, matrix, vector, norm, adapter, head }
    var start: Int
    var count: Int
    var kind: Kind
    /// The encoder layer, from 0 at the bottom; nil for embeddings and head.
    var layer: Int?
    /// Numbers in a row; nil where the section is not a linear map's matrix.
    var columns: Int?

    var range: Range<Int> { start..<start + count }

    /// Each small enough to stay in a core's own cache with its gradient and moments.
    var slices: [Slice] {
      let size = max(1, (1 << 16) / (16 * (columns ?? 1))) * 16 * (columns ?? 1)
      return stride(from: 0, to: count, by: size).map {
        Slice(start: start + $0, count: min(size, count - $0), section: self)
      }
    }
  }

  /// A linear map: y = x w + bias.
  struct Linear: Sendable {
    var weight: Int
    var bias: Int
    var inputs: Int
    var outputs: Int
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
    var projections: Linear
    var output: Linear
    var attentionNorm: Norm
    var up: Linear
    var down: Linear
    var outputNorm: Norm
    /// After the attention's output and after the feed-forward network's; nil in a model without adapters.
    var attentionAdapter: Adapter?
    var outputAdapter: Adapter?

    static let plainLinears = 4
    /// The four in the order of the forward pass, then the adapters'.
    var linears: [Linear] {
      [projections, output, up, down]
        + [attentionAdapter, outputAdapter].compactMap { $0 }.flatMap { [$0.down, $0.up] }
    }
  }

  let configuration: BERTConfiguration
  /// Width of the adapters' bottlenecks; 0: there are none.
  let adapterSize: Int
  /// Rows of the word table: as many as the training's texts use, or none where the table stays in its file.
  let words: Int
  let wordTable: Int
  let positionTable: Int
  let typeTable: Int
  let embeddingNorm: Norm
  let layers: [Layer]
  let headWeight: Int
  let headBias: Int
  let categories: Int
  let sections: [Section]
  /// The stretch of the vectors.
  let vectors: Range<Int>
  let count: Int

  /// The section that holds number `place`.
  func section(at place: Int) -> Section? { sections.last { $0.start <= place } }

  init(_ configuration: BERTConfiguration, words: Int, categories: Int, adapterSize: Int = 0) {
    self.configuration = configuration
    self.adapterSize = adapterSize
    self.words = words
    self.categories = categories
    let hidden = configuration.hiddenSize
    let inner = configuration.intermediateSize
    var sections: [Section] = []
    var end = 0
    func place(_ count: Int, _ kind: Section.Kind, layer: Int? = nil, columns: Int? = nil) -> Int {
      let start = end
      if count > 0 {
        sections.append(Section(start: start, count: count, kind: kind, layer: layer, columns: columns))
      }
      end += (count + 15) / 16 * 16  // whole vectors, so that each section begins aligned
      return start
    }
    wordTable = place(words * hidden, .embedding)
    positionTable = place(configuration.maximumPositions * hidden, .embedding)
    typeTable = place(configuration.segmentTypes * hidden, .embedding)
    func matrices(_ shapes: [(Int, Int)], _ kind: Section.Kind) -> [[Linear]] {
      (0..<configuration.layers).map { layer in
        shapes.map { inputs, outputs in
          Linear(
            weight: place(inputs * outputs, kind, layer: layer, columns: outputs), bias: 0, inputs: inputs,
            outputs: outputs)
        }
      }
    }
    let bottleneck = [(hidden, adapterSize), (adapterSize, hidden)]
    let plain = matrices([(hidden, 3 * hidden), (hidden, hidden), (hidden, inner), (inner, hidden)], .matrix)
    let adapters = matrices(adapterSize > 0 ? bottleneck + bottleneck : [], .adapter)
    let vectorStart = end
    func norm(layer: Int?) -> Norm {
      Norm(weight: place(hidden, .norm, layer: layer), bias: place(hidden, .norm, layer: layer))
    }
    embeddingNorm = norm(layer: nil)
    layers = plain.indices.map { layer in
      func withBias(_ matrix: Linear, _ kind: Section.Kind) -> Linear {
        var linear = matrix
        linear.bias = place(matrix.outputs, kind, layer: layer)
        return linear
      }
      let linear = plain[layer].map { withBias($0, .vector) }
      let small = adapters[layer].map { withBias($0, .adapter) }
      return Layer(
        projections: linear[0], output: linear[1], attentionNorm: norm(layer: layer), up: linear[2],
        down: linear[3], outputNorm: norm(layer: layer),
        attentionAdapter: small.isEmpty ? nil : Adapter(down: small[0], up: small[1]),
        outputAdapter: small.isEmpty ? nil : Adapter(down: small[2], up: small[3]))
    }
    headWeight = place(categories * hidden, .head)
    headBias = place(categories, .head)
    vectors = vectorStart..<end
    count = end
    self.sections = sections
  }
}

extension WeightLayout {
  /// A part of a section that one task changes: of a matrix whole rows, sixteen at a time, so that it can be transposed.
  struct Slice: Sendable {
    var start: Int
    var count: Int
    var section: Section
  }

  /// A tensor of a file and where it goes: transposed, every `stride` numbers a new input, or as it is.
  struct FileEntry {
    var name: String
    var shape: [Int]
    var start: Int
    /// The distance of two inputs' rows; nil where the tensor is not transposed.
    var stride: Int?
  }

  /// All tensors of the encoder but the word table.
  var entries: [FileEntry] {
    let hidden = configuration.hiddenSize
    func norm(_ name: String, _ norm: Norm) -> [FileEntry] {
      [
        FileEntry(name: name + ".weight", shape: [hidden], start: norm.weight),
        FileEntry(name: name + ".bias", shape: [hidden], start: norm.bias),
      ]
    }
    func linear(_ name: String, _ linear: Linear) -> [FileEntry] {
      [
        FileEntry(
          name: name + ".weight", shape: [linear.outputs, linear.inputs], start: linear.weight,
          stride: linear.outputs),
        FileEntry(name: name + ".bias", shape: [linear.outputs], start: linear.bias),
      ]
    }
    var entries = [
      FileEntry(
        name: "embeddings.position_embeddings.weight", shape: [configuration.maximumPositions, hidden],
        start: positionTable),
      FileEntry(
        name: "embeddings.token_type_embeddings.weight", shape: [configuration.segmentTypes, hidden],
        start: typeTable),
    ]
    entries += norm("embeddings.LayerNorm", embeddingNorm)
    for (number, layer) in layers.enumerated() {
      let prefix = "encoder.layer.\(number)."
      for (part, name) in ["query", "key", "value"].enumerated() {
        entries.append(
          FileEntry(
            name: prefix + "attention.self.\(name).weight", shape: [hidden, hidden],
            start: layer.projections.weight + part * hidden, stride: 3 * hidden))
        entries.append(
          FileEntry(
            name: prefix + "attention.self.\(name).bias", shape: [hidden],
            start: layer.projections.bias + part * hidden))
      }
      entries += linear(prefix + "attention.output.dense", layer.output)
      entries += norm(prefix + "attention.output.LayerNorm", layer.attentionNorm)
      entries += linear(prefix + "intermediate.dense", layer.up)
      entries += linear(prefix + "output.dense", layer.down)
      entries += norm(prefix + "output.LayerNorm", layer.outputNorm)
      for (place, adapter) in [
        ("attention.output", layer.attentionAdapter), ("output", layer.outputAdapter),
      ] {
        guard let adapter else { continue }
        entries += linear(prefix + place + ".adapter.down", adapter.down)
        entries += linear(prefix + place + ".adapter.up", adapter.up)
      }
    }
    return entries
  }

  static let wordTableName = "embeddings.word_embeddings.weight"

  /// The tensors that a file must hold, and their shapes.
  static func files(_ configuration: BERTConfiguration, adapterSize: Int = 0) -> [(
    name: String, shape: [Int]
  )] {
    [(wordTableName, [configuration.vocabularySize, configuration.hiddenSize])]
      + WeightLayout(configuration, words: 0, categories: 0, adapterSize: adapterSize).entries.map {
        ($0.name, $0.shape)
      }
  }
}
