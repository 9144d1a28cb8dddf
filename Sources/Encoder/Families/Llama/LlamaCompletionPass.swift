/// A batch's way through a decoder of Llama's kind and back.
///
/// A layer takes two turns of the pool each way: one over rows (products, norms, feed-forward network), one over texts
/// (attention). The gradients of a layer's matrices and adapters are made in the turn after the one that leaves what they are made
/// of. Of the last layer only keys and values of all rows are computed; attention's output and what comes after it where a token
/// is to be learned.
final class LlamaCompletionPass: CompletionPass {
  let network: LlamaNetwork
  let parameters: ParameterStore
  let scope: TrainableScope
  let pool: ThreadPool
  let products: [LinearProducts]
  /// Of each thread.
  var attention: [Floats]
  private(set) var saved: [LlamaActivations] = []
  private var room = CompletionRoom()
  private(set) var memory: Memory?

  var configuration: LlamaConfiguration { network.configuration }
  var hidden: Int { configuration.hiddenSize }
  var inner: Int { configuration.intermediateSize }
  var keys: Int { configuration.keyWidth }
  var queries: Int { configuration.queryWidth }
  var width: Int { queries + 2 * keys }
  var last: Int { network.layers.count - 1 }

  init(_ network: LlamaNetwork, _ parameters: ParameterStore, scope: TrainableScope, pool: ThreadPool) throws
  {
    self.network = network
    self.parameters = parameters
    self.scope = scope
    self.pool = pool
    products = try (0..<pool.count).map { _ in LinearProducts(parameters: parameters, matmul: try MatMul()) }
    attention = (0..<pool.count).map { _ in Floats(count: 0) }
  }

  /// The most pieces that rows are shared out in. Fixed, so that sums do not depend on the threads.
  static let chunks = 8
  /// With fewer a product spends too much of its time on reading the matrix.
  private static let rowsInChunk = 96

  /// Two at least, and an even number, so that two threads have equal work.
  static func share(_ rows: Int) -> [Range<Int>] {
    let count = rows < 32 ? 1 : min(chunks, max(2, rows / rowsInChunk / 2 * 2))
    return (0..<count).map { rows * $0 / count..<rows * ($0 + 1) / count }
  }

  func reserve(_ more: CompletionRoom) {
    let wanted = room.joined(more)
    guard memory == nil || wanted != room else { return }
    room = wanted
    (memory, saved) = (nil, [])
    memory = Memory(self, room)
    saved = network.layers.map { LlamaActivations(configuration, $0.adapters, rows: room.rows) }
  }

  func release() { (memory, saved) = (nil, []) }
}
