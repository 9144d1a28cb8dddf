import Basics

/// How much memory a work takes, estimated from above, for asking whether there is as much before it begins.
struct MemoryNeeds {
  let layout: ParameterLayout
  let network: any Network
  let shape: ModelShape
  let dtype: DType
  let threads: Int
  /// Tokens of the longest text.
  let longest: Int

  private var weights: Double { Double(layout.count) * 4 }
  /// A language model's word table, beside its file.
  private var words: Double { dtype == .bf16 ? Double(shape.vocabularySize * shape.hiddenSize) * 2 : 0 }
  /// The products' code, the threads' stacks, and what huge pages round up to.
  private var overhead: Double { Double(threads) * 48e6 }
  private var numbersInRow: (saved: Double, scratch: Double) {
    let numbers = network.numbersInRow(longest: longest)
    return (Double(numbers.savedInLayer), Double(numbers.scratch))
  }

  /// - Throws: `AddressSpace.Shortage`.
  func requireToEmbed(rows: Int) throws {
    let workplace = Double(rows) * (numbersInRow.saved + numbersInRow.scratch) * 4
    try require(weights * (dtype == .bf16 ? 1.5 : 1) + Double(threads) * workplace + overhead)
  }

  /// For a language model, without what its texts' keys and values take.
  /// - Throws: `AddressSpace.Shortage`.
  func requireToGenerate(rows: Int) throws {
    let workplace =
      Double(rows) * (numbersInRow.saved + numbersInRow.scratch) * 4
      + Double(OutputLayer.numbers(hidden: shape.hiddenSize)) * 4
    try require(
      weights * (dtype == .bf16 ? 1.5 : 1 + PackedMatrix.share) + words + Double(threads) * workplace
        + overhead)
  }

  /// - Parameters:
  ///   - rows: of a micro-batch.
  ///   - shardRows: of the largest shard.
  /// - Throws: `AddressSpace.Shortage`.
  func requireToTrain(rows: Int, shardRows: Int) throws {
    let products = layout.matrices.reduce(0.0) { $0 + Double($1.inputs + $1.outputs) } * Double(rows) * 4
    let hidden = Double(shape.hiddenSize)
    let numbers = numbersInRow
    let pass =
      Double(shardRows) * (Double(shape.layers + 1) * numbers.saved + numbers.scratch + 2 * hidden) * 4
    let table = Double(shape.vocabularySize) * hidden * 4
    // Weights, gradients, two moments, what products read; then those of the best epoch and of the model that comes of it.
    try require(weights * 8 + table + products + Double(threads) * pass + overhead)
  }

  /// For a language model's prompts and completions.
  /// - Parameter rows: that are in memory at once.
  /// - Throws: `AddressSpace.Shortage`.
  func requireToTrain(completionsOf rows: Int, _ scope: TrainableScope) throws {
    let learned = layout.sections.filter(scope.includes).map(\.start).min() ?? layout.count
    let numbers = numbersInRow
    let pass = Double(rows) * (Double(shape.layers) * numbers.saved + 3 * numbers.scratch) * 4
    let logits =
      Double(NextTokenObjective.positions) * Double(shape.vocabularySize) * 6
      + Double(threads * NextTokenObjective.tokensInBlock * shape.hiddenSize) * 4
    // Of what learns: gradients, two moments, and the model that comes of it.
    try require(
      weights * (dtype == .bf16 ? 1.5 : 1) + words + Double(layout.count - learned) * 16 + pass + logits
        + overhead)
  }

  private func require(_ bytes: Double) throws {
    try AddressSpace.require(Int(min(bytes, 1e18)))
  }
}
