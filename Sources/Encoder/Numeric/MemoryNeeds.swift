import Basics

/// How much memory a work takes, estimated from above, for asking whether there is as much before it begins.
struct MemoryNeeds {
  let layout: WeightLayout
  let dtype: DType
  let threads: Int
  /// Tokens of the longest text.
  let longest: Int

  private var hidden: Double { Double(layout.configuration.hiddenSize) }
  private var inner: Double { Double(layout.configuration.intermediateSize) }
  private var weights: Double { Double(layout.count) * 4 }
  /// The products' code, the threads' stacks, and what huge pages round up to.
  private var overhead: Double { Double(threads) * 48e6 }

  /// Numbers a row of what one layer saves for the backward pass, or computes in.
  private var savedWidth: Double {
    let probabilities = Double(layout.configuration.attentionHeads) * Double((longest + 15) / 16 * 16)
    return 5 * hidden + probabilities + inner + 2 + 2 * Double(layout.adapterSize)
  }

  private var scratchWidth: Double { 4 * hidden + max(inner, 3 * hidden) + 3 * hidden + inner }

  /// - Throws: `AddressSpace.Shortage`.
  func requireToEmbed(rows: Int) throws {
    let workplace = Double(rows) * (savedWidth + scratchWidth) * 4
    try require(weights * (dtype == .bf16 ? 1.5 : 1) + Double(threads) * workplace + overhead)
  }

  /// - Parameters:
  ///   - rows: of a micro-batch.
  ///   - shardRows: of the largest shard.
  /// - Throws: `AddressSpace.Shortage`.
  func requireToTrain(rows: Int, shardRows: Int) throws {
    let layers = Double(layout.configuration.layers)
    let products = layers * Double(rows) * (6 * hidden + 2 * inner + 4 * Double(layout.adapterSize)) * 4
    let pass = Double(shardRows) * ((layers + 1) * savedWidth + scratchWidth + 2 * hidden) * 4
    let table = Double(layout.configuration.vocabularySize) * hidden * 4
    // Weights, gradients, two moments, what products read; then those of the best epoch and of the model that comes of it.
    try require(weights * 8 + table + products + Double(threads) * pass + overhead)
  }

  private func require(_ bytes: Double) throws {
    try AddressSpace.require(Int(min(bytes, 1e18)))
  }
}
