import Foundation
import Synchronization

/// Turns texts into vectors with a model's encoder. Two callers take turns; callers of two embedders need not.
///
/// What it computes with takes twice the memory of the model's layers; `rest()` gives that back until the next text comes.
public final class Embedder: Sendable {
  /// Rows that go through a layer together: enough to read its weights seldom, few enough to stay in the nearest caches.
  private static let rowsAtOnce = 256
  /// Fewer are done sooner than another thread wakes up for them.
  private static let rowsToShare = 24

  let model: PretrainedModel
  private let pool: ThreadPool
  private let dtype: DType
  /// Nil while it rests. Its lock is also what makes callers take turns.
  private let workshop = Mutex<Workshop?>(nil)

  /// The parameters, laid out for products, and the threads' memory.
  private struct Workshop: Sendable {
    let parameters: ParameterStore
    /// One a thread.
    let passes: [any Pass]
  }

  /// Lays the weights out for products, which takes a moment.
  /// - Throws: `ModelError`.
  public convenience init(model: PretrainedModel, threads: Int? = nil, precision: Precision = .f32) throws {
    try self.init(model: model, pool: ThreadPool(threads: threads), precision: precision)
    try workshop.withLock { $0 = try makeWorkshop() }
  }

  /// Begins at rest.
  init(model: PretrainedModel, pool: ThreadPool, precision: Precision) throws {
    dtype = try precision.resolved().dtype
    self.model = model
    self.pool = pool
  }

  /// Gives back all memory but the model's own. The next call lays the weights out anew.
  func rest() {
    workshop.withLock { $0 = nil }
    model.releasePages()
  }

  private func makeWorkshop() throws -> Workshop {
    let longest = model.shape.maximumPositions
    let rows = Embedder.rowsAtOnce + longest
    let (layout, network) = model.place()
    try MemoryNeeds(
      layout: layout, network: network, shape: model.shape, dtype: dtype, threads: pool.count,
      longest: longest
    ).requireToEmbed(rows: rows)
    let parameters = try ParameterStore(model, layout, dtype: dtype, pool: pool)
    return Workshop(
      parameters: parameters,
      passes: try (0..<pool.count).map { _ in
        try network.pass(parameters, rows: rows, longest: longest, isTraining: false)
      })
  }

  /// One vector `[hidden]` a text: the mean of its tokens' last states, not normalised. A text's vector is the same, bit for
  /// bit, whatever texts stand beside it.
  /// - Parameter threads: at most so many, of those that the embedder may use.
  /// - Throws: `ModelError`, `CancellationError`.
  public func pooled(
    _ encodings: [Encoding], threads: Int? = nil, isCancelled: @Sendable () -> Bool = { false },
    progress: @Sendable (_ done: Int) -> Void = { _ in }
  ) throws -> [[Float]] {
    try self.workshop.withLock { current in
      for encoding in encodings { try model.check(encoding) }
      let workshop = try current ?? makeWorkshop()
      current = workshop
      let groups = group(encodings)
      let done = Mutex(0)
      let hidden = model.shape.hiddenSize
      let pooled = Floats(count: encodings.count * hidden)
      let pool = ThreadPool(threads: min(threads ?? pool.count, pool.count))
      if groups.count == 1, let passes = passes(for: encodings, workshop, pool) {
        try embed(encodings[...], into: pooled.base, workshop) { texts, words in
          try BERTPass.forward(texts, words: words, by: passes, pool)
        }
        progress(encodings.count)
      } else {
        try pool.run(groups.count) { task, worker in
          if isCancelled() { throw CancellationError() }
          let group = groups[task]
          try embed(encodings[group], into: pooled.base + group.lowerBound * hidden, workshop) {
            texts, words in
            try workshop.passes[worker].forward(
              texts, words: words, blocks: MatMul.blocks(texts.ranges), products: nil)
          }
          done.withLock { count in
            count += group.count
            progress(count)
          }
        }
      }
      return (0..<encodings.count).map { text in
        Array(UnsafeBufferPointer(start: pooled.base + text * hidden, count: hidden))
      }
    }
  }

  /// Neighbours, as many as fit `rowsAtOnce`, at least one; fewer where there would be no work for some thread.
  private func group(_ encodings: [Encoding]) -> [Range<Int>] {
    let all = encodings.reduce(0) { $0 + $1.ids.count }
    let rowsAtOnce = min(Embedder.rowsAtOnce, max(32, all / (2 * pool.count)))
    var groups: [Range<Int>] = []
    var start = 0
    var rows = 0
    for (number, encoding) in encodings.enumerated() {
      if rows > 0, rows + encoding.ids.count > rowsAtOnce {
        groups.append(start..<number)
        start = number
        rows = 0
      }
      rows += encoding.ids.count
    }
    if start < encodings.count { groups.append(start..<encodings.count) }
    return groups
  }

  /// Those of all threads, where there is so little to do that they share it row by row; nil where each has texts of its own.
  private func passes(for encodings: [Encoding], _ workshop: Workshop, _ pool: ThreadPool) -> [BERTPass]? {
    guard pool.count > 1, MatMul.rowsAreIndependent, model.adapterSize == 0,
      encodings.reduce(0, { $0 + $1.ids.count }) >= Self.rowsToShare
    else { return nil }
    return workshop.passes as? [BERTPass]
  }

  private func embed(
    _ encodings: ArraySlice<Encoding>, into pooled: FloatPointer, _ workshop: Workshop,
    by forward: (PackedTexts, UnsafePointer<Float>) throws -> FloatPointer
  ) throws {
    let hidden = model.shape.hiddenSize
    var texts = PackedTexts()
    for encoding in encodings { texts.append(encoding.ids) }
    try workshop.parameters.wordTable.withWordRows(of: texts) { words, rows in
      let states = try forward(rows, words)
      Pooling.forward(states, texts: texts.ranges, pooled: pooled, hidden: hidden)
    }
    for i in 0..<texts.ranges.count * hidden where !pooled[i].isFinite {
      throw ModelError.notANumber(where: "what the model makes of a text")
    }
  }
}
