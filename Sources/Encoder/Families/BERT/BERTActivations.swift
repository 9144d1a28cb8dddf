import CKernels

/// Memory that one thread computes in, for up to `rows` rows in texts of up to `longest`.
final class BERTScratch: Sendable {
  /// `[rows, hidden]`: the residual stream, where it does not stand among the saved activations already.
  let hidden: Floats
  let middle: Floats
  let sum: Floats
  /// `[rows, widest]`.
  let wide: Floats
  let widest: Int
  let attention: Floats

  init(_ network: BERTNetwork, rows: Int, longest: Int) {
    let configuration = network.configuration
    let narrow = rows * configuration.hiddenSize
    hidden = Floats(count: narrow)
    middle = Floats(count: narrow)
    sum = Floats(count: narrow)
    widest = max(configuration.intermediateSize, network.projectionWidth)
    wide = Floats(count: rows * widest)
    attention = Floats(count: fettle_attention_scratch(longest, configuration.headSize))
  }
}

/// One thread's memory for what the forward pass through a layer leaves for the backward pass, but for what its products read.
final class BERTActivations: Sendable {
  /// Queries, keys and values, `[rows, 3 hidden]`.
  let projections: Floats
  /// Of each text and head, `[length, length]` with rows padded to whole vectors.
  let probabilities: Floats
  /// What GELU was taken of, `[rows, intermediate]`; in the two adapters, `[rows, bottleneck]`.
  let preActivation: Floats
  let attentionAdapter: Floats
  let outputAdapter: Floats
  /// Both layer norms before weight and bias, `[rows, hidden]`, and what they were divided by, `[rows]`.
  let attentionXhat: Floats
  let attentionRstd: Floats
  let outputXhat: Floats
  let outputRstd: Floats

  init(_ network: BERTNetwork, rows: Int, longest: Int) {
    let hidden = network.configuration.hiddenSize
    projections = Floats(count: rows * network.projectionWidth)
    // Texts of `longest` tokens are those whose probabilities take most room a row.
    probabilities = Floats(
      count: rows * network.configuration.attentionHeads * BERTActivations.padded(longest))
    preActivation = Floats(count: rows * network.configuration.intermediateSize)
    attentionAdapter = Floats(count: rows * network.adapterSize)
    outputAdapter = Floats(count: rows * network.adapterSize)
    attentionXhat = Floats(count: rows * hidden)
    attentionRstd = Floats(count: rows)
    outputXhat = Floats(count: rows * hidden)
    outputRstd = Floats(count: rows)
  }

  /// A row of a text's probabilities, in whole vectors.
  static func padded(_ length: Int) -> Int { (length + 15) / 16 * 16 }
}
