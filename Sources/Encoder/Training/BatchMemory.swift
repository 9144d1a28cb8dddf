/// What one wave of a batch leaves for the gradients of matrices and tables: for each layer what its products read and the
/// gradients of what they gave, for all rows of the wave; and of each shard the gradients of the vectors.
final class BatchMemory: Sendable {
  private let read: [[OperandStorage]]
  private let given: [[OperandStorage]]
  /// `[rows, hidden]`: of the embeddings' sums.
  let embeddings: Floats
  let shardVectors: [Floats]
  private let layout: WeightLayout

  init(_ layout: WeightLayout, rows: Int, shards: Int, isRounded: Bool) {
    self.layout = layout
    func storage(_ width: (WeightLayout.Linear) -> Int) -> [[OperandStorage]] {
      layout.layers.map { layer in
        layer.linears.map { OperandStorage(count: rows * width($0), isRounded: isRounded) }
      }
    }
    read = storage(\.inputs)
    given = storage(\.outputs)
    embeddings = Floats(count: rows * layout.configuration.hiddenSize)
    shardVectors = (0..<shards).map { _ in Floats(count: layout.vectors.count) }
  }

  /// What the products of a layer read, from row `row` on.
  func inputs(layer: Int, row: Int = 0) -> [Operand] {
    zip(read[layer], layout.layers[layer].linears).map { $0.operand.advanced(by: row * $1.inputs) }
  }

  /// The gradients of what they gave, from row `row` on.
  func gradients(layer: Int, row: Int = 0) -> LayerGradients {
    let operands = given[layer].map(\.operand)
    return LayerGradients(
      projections: operands[0], output: operands[1], up: operands[2], down: operands[3],
      adapters: Array(operands[4...])
    ).advanced(byRows: row, layout)
  }
}
