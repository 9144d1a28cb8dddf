/// What one micro-batch of a batch leaves for the gradients of matrices and tables.
final class BatchMemory: Sendable {
  let products: ProductMemory
  /// `[rows, hidden]`: the gradient of the sums of the tables' rows.
  let embeddings: Floats
  /// Of each shard the gradients of the vectors.
  let shardVectors: [Floats]

  /// - Parameter scope: the most that any step will change.
  init(_ layout: ParameterLayout, _ scope: TrainableScope, hidden: Int, rows: Int, shards: Int, dtype: DType)
  {
    products = ProductMemory(layout, rows: rows, dtype: dtype, learns: scope.includes)
    embeddings = Floats(count: rows * hidden)
    shardVectors = (0..<shards).map { _ in Floats(count: layout.vectors.count) }
  }
}
