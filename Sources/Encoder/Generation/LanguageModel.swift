import Basics
import Foundation
import Synchronization

/// A model that goes on with a text, token by token. Callers take turns.
///
/// What comes of a text does not depend on the texts beside it, on what of it was read before, or on the number of threads (see
/// ``isExact``). A product of one row would be other code, so there is none (`blocks`).
package final class LanguageModel: Sendable {
  package let model: PretrainedModel
  let pool: ThreadPool
  private let parameters: ParameterStore
  private let workplaces: [Workplace]
  /// Its lock is also what makes callers take turns.
  private let turn = Mutex(Beginnings())

  /// Whether that holds to the last bit on this CPU.
  package static var isExact: Bool { MatMul.rowsAreIndependent }

  /// Rows that go through a layer together at most.
  static let rowsAtOnce = 256

  struct Workplace: Sendable {
    let pass: any CausalPass
    let output: OutputLayer
  }

  /// Lays the weights out for products, which takes a moment.
  /// - Throws: `ModelError`, `AddressSpace.Shortage`.
  package convenience init(model: PretrainedModel, threads: Int? = nil, precision: Precision = .f32) throws {
    let pool = ThreadPool(threads: threads)
    let (layout, network) = model.place()
    let dtype = try precision.resolved().dtype
    try MemoryNeeds(
      layout: layout, network: network, shape: model.shape, dtype: dtype, threads: pool.count,
      longest: model.shape.maximumPositions
    ).requireToGenerate(rows: Self.rowsAtOnce)
    let parameters = try ParameterStore(model, layout, dtype: dtype, goesOn: true, pool: pool)
    let words = try EmbeddingTable(parameters, isMultiplied: network.outputMatrix == nil, pool: pool)
    let table = network.outputMatrix == nil && dtype == .f32 ? model.tensors[layout.wordTableName] : nil
    try self.init(
      model, parameters, words, network, pool,
      packedWords: table.flatMap {
        PackedMatrix([($0, 0)], inputs: model.shape.hiddenSize, outputs: model.shape.vocabularySize)
      })
  }

  /// With weights that are laid out already, and that do not change meanwhile.
  /// - Parameter packedWords: the word table once more, where that is the output matrix too.
  /// - Throws: `ModelError`.
  init(
    _ model: PretrainedModel, _ parameters: ParameterStore, _ words: EmbeddingTable, _ network: any Network,
    _ pool: ThreadPool, packedWords: PackedMatrix? = nil
  ) throws {
    (self.model, self.pool, self.parameters) = (model, pool, parameters)
    workplaces = try (0..<pool.count).map { _ in
      let pass = try network.pass(
        parameters, rows: Self.rowsAtOnce, longest: model.shape.maximumPositions, isTraining: false)
      guard let pass = pass as? any CausalPass else {
        throw ModelError.noGeneration
      }
      return Workplace(
        pass: pass,
        output: try OutputLayer(
          words, matrix: network.outputMatrix.map(parameters.operand), packed: packedWords))
    }
  }

  /// The last layer's states of one text's tokens, `[tokens][hidden]`, and their logits, `[tokens][vocabulary]`.
  /// - Throws: `ModelError`.
  package func states(of ids: [Int32]) throws -> (states: [[Float]], logits: [[Float]]) {
    try work { _, workplaces in
      try check(ids, and: 0)
      let cache = KeyValueCache(model.shape, capacity: ids.count)
      let hidden = model.shape.hiddenSize
      var states: [[Float]] = []
      var logits: [[Float]] = []
      try read(ids, cache, workplaces[0], { false }) { rows, count in
        states += (0..<count).map { Array(UnsafeBufferPointer(start: rows + $0 * hidden, count: hidden)) }
        for start in stride(from: 0, to: count, by: OutputLayer.statesAtOnce) {
          let part = Array(start..<min(start + OutputLayer.statesAtOnce, count))
          var found = part.map { _ in [Float]() }
          _ = try workplaces[0].output.read(rows, part, wantsSums: false) { logits in
            for state in part.indices { found[state] += logits.words.map { logits($0, state) } }
          }
          logits += found
        }
      }
      return (states, logits)
    }
  }

  // MARK: For those who compute

  /// Takes the threads' places; `body` is one call's work.
  func work<Result>(
    _ body: (_ beginnings: inout Beginnings, _ workplaces: [Workplace]) throws -> Result
  ) throws -> Result {
    try turn.withLock { try body(&$0, workplaces) }
  }

  /// The same with the beginning of all texts, of which is read what was not read before.
  /// - Parameter isCancelled: asked while the beginning is read.
  func work<Result>(
    after prefix: [Int32], _ isCancelled: @Sendable () -> Bool,
    _ body: (_ beginning: KeyValueCache?, _ workplaces: [Workplace]) throws -> Result
  ) throws -> Result {
    try work { beginnings, workplaces in
      guard !prefix.isEmpty else { return try body(nil, workplaces) }
      let known = beginnings.find(prefix, most: prefix.count)
      if let known, known.count == prefix.count { return try body(known, workplaces) }
      try AddressSpace.require(KeyValueCache.bytes(model.shape, capacity: prefix.count))
      let cache = known?.copy(capacity: prefix.count) ?? KeyValueCache(model.shape, capacity: prefix.count)
      try read(Array(prefix.dropFirst(cache.count)), cache, workplaces[0], isCancelled)
      beginnings.keep(prefix, cache)
      return try body(cache, workplaces)
    }
  }

  /// Takes texts through the network, each behind what its cache holds. Returns the states' rows.
  func forward(
    _ texts: PackedTexts, _ caches: [KeyValueCache], tree: TokenTree? = nil, _ workplace: Workplace
  ) throws -> FloatPointer {
    // A row's product is the same however many rows there are, from two on; a second one that is in no text does no harm.
    try parameters.wordTable.withWordRows(of: texts) { words, texts in
      try workplace.pass.forward(
        texts, words: words, blocks: [0..<max(2, texts.rows)], caches: caches, tree: tree)
    }
  }

  /// Takes one text through the network behind what `cache` holds, a few hundred tokens at a time; `body` is given the states'
  /// rows.
  func read(
    _ ids: [Int32], _ cache: KeyValueCache, _ workplace: Workplace,
    _ isCancelled: @Sendable () -> Bool,
    _ body: (_ rows: FloatPointer, _ count: Int) throws -> Void = { _, _ in }
  ) throws {
    for start in stride(from: 0, to: ids.count, by: Self.rowsAtOnce) {
      if isCancelled() { throw CancellationError() }
      var texts = PackedTexts()
      texts.append(Array(ids[start..<min(start + Self.rowsAtOnce, ids.count)]))
      try body(try forward(texts, [cache], workplace), texts.rows)
    }
  }

  /// - Throws: `ModelError` where there are tokens that the model cannot read, or no room for `more` of its own.
  func check(_ ids: [Int32], and more: Int) throws {
    guard !ids.isEmpty, ids.count + more <= model.shape.maximumPositions else {
      throw ModelError.textTooLong(tokens: ids.count, maximum: model.shape.maximumPositions - more)
    }
    try check(known: ids)
  }

  func check(known ids: [Int32]) throws {
    for id in ids where id < 0 || id >= model.shape.vocabularySize {
      throw ModelError.tokenOutOfRange(id: Int(id), vocabulary: model.shape.vocabularySize)
    }
  }

  /// The same prompts, where none is empty: their last token is what says how they go on.
  func split(_ prompts: [[Int32]], after prefix: [Int32]) -> (prompts: [[Int32]], prefix: [Int32]) {
    guard let last = prefix.last, prompts.contains(where: \.isEmpty) else { return (prompts, prefix) }
    return (prompts.map { [last] + $0 }, Array(prefix.dropLast()))
  }
}

/// Numbers that are given out one after another, to several threads.
final class Queue: Sendable {
  private let next = Mutex(0)
  private let count: Int

  init(count: Int) { self.count = count }

  func take() -> Int? {
    next.withLock { next in
      guard next < count else { return nil }
      next += 1
      return next - 1
    }
  }
}
