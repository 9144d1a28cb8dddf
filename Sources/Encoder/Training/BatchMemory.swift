/// What one wave of a batch leaves for the gradients of matrices and tables: for each layer what its products read and the
/// gradients of what they gave, for all rows of the wave; and of each shard the gradients of the vectors.
final class BatchMemory: Sendable {
  private let read: [[OperandStorage]]
  private let given: [[OperandStorage]]
  /// `[rows, hidden]`: of the embeddings' sums.
  let embeddings: Floats
  let shardVectors: [Floats]
  private let configuration: BERTConfiguration

  init(_ layout: WeightLayout, rows: Int, shards: Int, isRounded: Bool) {
    configuration = layout.configuration
    let hidden = configuration.hiddenSize
    let inner = configuration.intermediateSize
    func storage(_ widths: [Int]) -> [[OperandStorage]] {
      (0..<layout.configuration.layers).map { _ in
        widths.map { OperandStorage(count: rows * $0, isRounded: isRounded) }
      }
    }
    read = storage([hidden, hidden, hidden, inner])
    given = storage([3 * hidden, hidden, inner, hidden])
    embeddings = Floats(count: rows * hidden)
    shardVectors = (0..<shards).map { _ in Floats(count: layout.vectors.count) }
  }

  /// What the four products of a layer read, from row `row` on.
  func inputs(layer: Int, row: Int = 0) -> [Operand] {
    let widths = [
      configuration.hiddenSize, configuration.hiddenSize, configuration.hiddenSize,
      configuration.intermediateSize,
    ]
    return zip(read[layer], widths).map { $0.operand.advanced(by: row * $1) }
  }

  /// The gradients of what they gave, from row `row` on.
  func gradients(layer: Int, row: Int = 0) -> LayerGradients {
    let operands = given[layer].map(\.operand)
    return LayerGradients(
      projections: operands[0], output: operands[1], up: operands[2], down: operands[3]
    ).advanced(byRows: row, configuration)
  }
}
