/// What one micro-batch of a batch leaves for the gradients of matrices and tables: of each product whose matrix may learn what it read and
/// the gradient of what it gave, for all rows of the micro-batch; and of each shard the gradients of the vectors.
final class BatchMemory: Sendable {
  /// Nil where the matrix does not learn: its product's operands stand in the thread's own memory, until the next layer's.
  private let inputs: [[OperandStorage?]]
  private let outputGradients: [[OperandStorage?]]
  /// `[rows, hidden]`: of the embeddings' sums.
  let embeddings: Floats
  let shardVectors: [Floats]
  private let layout: WeightLayout

  /// - Parameter scope: the most that any step will change.
  init(_ layout: WeightLayout, _ scope: TrainableScope, rows: Int, shards: Int, dtype: DType) {
    self.layout = layout
    func storage(_ width: (WeightLayout.Linear) -> Int) -> [[OperandStorage?]] {
      layout.layers.map { layer in
        layer.linears.map { linear in
          guard let section = layout.section(at: linear.weight), scope.includes(section) else { return nil }
          return OperandStorage(count: rows * width(linear), dtype: dtype)
        }
      }
    }
    inputs = storage(\.inputs)
    outputGradients = storage(\.outputs)
    embeddings = Floats(count: rows * layout.configuration.hiddenSize)
    shardVectors = (0..<shards).map { _ in Floats(count: layout.vectors.count) }
  }

  /// What the products of a layer inputs, from row `row` on; of those whose matrices do not learn what stands in `passing`.
  func inputs(layer: Int, row: Int, passing: [Operand]) -> [Operand] {
    operands(inputs[layer], layer, row, passing, width: \.inputs)
  }

  /// The gradients of what they gave, likewise.
  func gradients(layer: Int, row: Int, passing: [Operand]) -> OutputGradients {
    let operands = operands(outputGradients[layer], layer, row, passing, width: \.outputs)
    return OutputGradients(
      projections: operands[0], output: operands[1], up: operands[2], down: operands[3],
      adapters: Array(operands[4...]))
  }

  private func operands(
    _ storage: [OperandStorage?], _ layer: Int, _ row: Int, _ passing: [Operand],
    width: (WeightLayout.Linear) -> Int
  ) -> [Operand] {
    layout.layers[layer].linears.enumerated().map { number, linear in
      storage[number]?.operand.advanced(by: row * width(linear)) ?? passing[number]
    }
  }

  /// For the gradient of a matrix that learns, all rows of the micro-batch: what its product read, and the gradient of what it gave.
  func product(layer: Int, matrix: Int) -> (input: Operand, gradient: Operand)? {
    guard let input = inputs[layer][matrix], let gradient = outputGradients[layer][matrix] else { return nil }
    return (input.operand, gradient.operand)
  }
}
