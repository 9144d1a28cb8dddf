import Foundation
import Synchronization

/// A model that goes on with a text, token by token. Two callers take turns.
package final class LanguageModel: Sendable {
  package let model: PretrainedModel
  private let pool: ThreadPool
  private let parameters: ParameterStore
  private let network: any Network
  /// The word table as the output matrix reads it where that is bf16.
  private let rounded: OperandStorage?
  private let workplaces: [Workplace]
  private let turn = Mutex(())

  /// Rows that go through a layer together at most.
  private static let rowsAtOnce = 512

  private struct Workplace: Sendable {
    let pass: any CausalPass
    let matmul: MatMul
  }

  /// Lays the weights out for products, which takes a moment.
  /// - Throws: `ModelError`.
  package init(model: PretrainedModel, threads: Int? = nil, precision: Precision = .f32) throws {
    self.model = model
    let pool = ThreadPool(threads: threads)
    self.pool = pool
    let vocabulary = model.shape.vocabularySize
    let hidden = model.shape.hiddenSize
    let (layout, network) = model.place(words: vocabulary)
    self.network = network
    let dtype = try precision.resolved().dtype
    let parameters = try ParameterStore(
      model, layout, words: (0..<vocabulary).map(Int32.init), dtype: dtype, pool: pool)
    self.parameters = parameters
    let words = parameters[layout.wordTable?.start ?? 0]
    rounded = dtype == .bf16 ? OperandStorage(count: vocabulary * hidden, dtype: .bf16) : nil
    rounded?.operand.store(words, count: vocabulary * hidden)
    workplaces = try (0..<pool.count).map { _ in
      let pass = try network.pass(
        parameters, rows: Self.rowsAtOnce, longest: model.shape.maximumPositions, isTraining: false)
      guard let pass = pass as? any CausalPass else {
        throw ModelError.noGeneration
      }
      return Workplace(pass: pass, matmul: try MatMul())
    }
  }

  /// The word table as the output matrix, `[vocabulary, hidden]`.
  private var table: Operand {
    rounded?.operand ?? Operand(base: UnsafeMutableRawPointer(mutating: words), dtype: .f32)
  }

  private var words: UnsafePointer<Float> {
    UnsafePointer(parameters[parameters.layout.wordTable?.start ?? 0])
  }

  /// The last layer's states of one text's tokens, `[tokens][hidden]`, and their logits, `[tokens][vocabulary]`.
  /// - Throws: `ModelError`.
  package func states(of ids: [Int32]) throws -> (states: [[Float]], logits: [[Float]]) {
    try turn.withLock { _ in
      try check(ids, and: 0)
      let cache = cache(for: ids.count)
      let workplace = workplaces[0]
      var states: [[Float]] = []
      var logits: [[Float]] = []
      try read(ids, cache, workplace) { rows, count in
        states += self.rows(rows, count, model.shape.hiddenSize)
        logits += try self.logits(rows, count, workplace)
      }
      return (states, logits)
    }
  }

  /// The most probable tokens after each prompt, one after another, until one of `ends` or `maximum` of them are there; the end
  /// is among them.
  /// - Parameter prefix: tokens that all prompts begin with, read once; the prompts are without them.
  /// - Throws: `ModelError`, `CancellationError`.
  package func complete(
    _ prompts: [[Int32]], after prefix: [Int32] = [], maximum: Int, ends: Set<Int32>,
    isCancelled: @Sendable () -> Bool = { false }
  ) throws -> [[Int32]] {
    try turn.withLock { _ in
      for prompt in prompts { try check(prefix + prompt, and: maximum) }
      let shared = cache(for: prefix.count)
      if !prefix.isEmpty { try read(prefix, shared, workplaces[0]) { _, _ in } }
      var answers = [[Int32]](repeating: [], count: prompts.count)
      let groups = group(prompts)
      try answers.withUnsafeMutableBufferPointer { answers in
        try pool.run(groups.count) { task, worker in
          let group = groups[task]
          let found = try complete(
            prompts[group], shared, maximum: maximum, ends: ends, workplaces[worker], isCancelled)
          for (number, answer) in zip(group, found) { answers[number] = answer }
        }
      }
      return answers
    }
  }

  /// Neighbours that go on together: as many as fit the rows of a pass, and fewer where some thread would have nothing to do.
  private func group(_ prompts: [[Int32]]) -> [Range<Int>] {
    let most = max(1, (prompts.count + pool.count - 1) / pool.count)
    var groups: [Range<Int>] = []
    var start = 0
    var rows = 0
    for (number, prompt) in prompts.enumerated() {
      if number > start, rows + prompt.count > Self.rowsAtOnce || number - start >= most {
        groups.append(start..<number)
        (start, rows) = (number, 0)
      }
      rows += prompt.count
    }
    if start < prompts.count { groups.append(start..<prompts.count) }
    return groups
  }

  private func complete(
    _ prompts: ArraySlice<[Int32]>, _ shared: KeyValueCache, maximum: Int, ends: Set<Int32>,
    _ workplace: Workplace, _ isCancelled: @Sendable () -> Bool
  ) throws -> [[Int32]] {
    var answers = prompts.map { _ in [Int32]() }
    let caches = prompts.map { shared.copy(capacity: shared.count + $0.count + maximum) }
    var next = Array(prompts)
    // Prompts longer than a pass are read but for their end first.
    for (number, prompt) in next.enumerated() where prompt.count > Self.rowsAtOnce {
      let end = prompt.count - 1
      try read(Array(prompt[..<end]), caches[number], workplace) { _, _ in }
      next[number] = [prompt[end]]
    }
    var active = Array(answers.indices)
    for _ in 0..<maximum where !active.isEmpty {
      if isCancelled() { throw CancellationError() }
      var texts = PackedTexts()
      for number in active { texts.append(next[number]) }
      let states = try workplace.pass.forward(
        texts, words: words, blocks: [0..<texts.rows], caches: active.map { caches[$0] })
      // Only the last token of each goes through the output matrix.
      let hidden = model.shape.hiddenSize
      let last = Floats(count: active.count * hidden)
      for (row, text) in texts.ranges.enumerated() {
        (last.base + row * hidden).update(from: states + (text.upperBound - 1) * hidden, count: hidden)
      }
      for (number, logits) in zip(active, try logits(last.base, active.count, workplace)) {
        let token = greatest(logits)
        answers[number].append(token)
        next[number] = [token]
      }
      active.removeAll { ends.contains(answers[$0].last ?? -1) }
    }
    return answers
  }

  /// The logarithm, in nats, of each completion's probability after each prompt: `[prompts][completions]`, each the sum of its
  /// tokens' log-probabilities.
  /// - Parameters:
  ///   - prefix: tokens that all prompts begin with, read once; the prompts are without them.
  ///   - progress: is told how many prompts are done.
  /// - Throws: `ModelError`, `CancellationError`.
  package func logProbabilities(
    of completions: [[Int32]], after prompts: [[Int32]], prefix: [Int32] = [],
    isCancelled: @Sendable () -> Bool = { false }, progress: @Sendable (_ done: Int) -> Void = { _ in }
  ) throws -> [[Double]] {
    try turn.withLock { _ in
      let longest = completions.map(\.count).max() ?? 0
      for prompt in prompts { try check(prefix + prompt, and: longest) }
      for completion in completions { try check(known: completion) }
      var sums = [[Double]](repeating: [], count: prompts.count)
      let done = Mutex(0)
      try sums.withUnsafeMutableBufferPointer { sums in
        try pool.run(prompts.count) { task, worker in
          if isCancelled() { throw CancellationError() }
          sums[task] = try logProbabilities(
            of: completions, after: prefix + prompts[task], workplaces[worker])
          done.withLock { count in
            count += 1
            progress(count)
          }
        }
      }
      return sums
    }
  }

  private func logProbabilities(
    of completions: [[Int32]], after prompt: [Int32], _ workplace: Workplace
  ) throws -> [Double] {
    let hidden = model.shape.hiddenSize
    let cache = cache(for: prompt.count)
    var first: [Float] = []
    try read(prompt, cache, workplace) { rows, count in
      first = try logits(rows + (count - 1) * hidden, 1, workplace)[0]
    }
    return try completions.map { completion in
      guard let start = completion.first else { return 0 }
      var sum = Self.logProbability(of: start, first)
      let own = cache.copy(capacity: prompt.count + completion.count)
      var place = 0
      if completion.count > 1 {
        try read(Array(completion.dropLast()), own, workplace) { rows, count in
          for logits in try logits(rows, count, workplace) {
            place += 1
            sum += Self.logProbability(of: completion[place], logits)
          }
        }
      }
      return sum
    }
  }

  /// Goes on with one text, token by token, until one of `ends` or `maximum` of them are there, or `body` returns false.
  /// - Parameters:
  ///   - temperature: 0: always the most probable token; else one drawn from the softmax of the logits divided by it.
  ///   - seed: the same draws for the same seed.
  ///   - body: is given each token at once, the end too, and the logarithm, in nats, of its probability (at temperature 1).
  /// - Throws: `ModelError`, `CancellationError`, and what `body` throws.
  package func generate(
    _ prompt: [Int32], maximum: Int, ends: Set<Int32>, temperature: Double = 0, seed: UInt64 = 0,
    isCancelled: @Sendable () -> Bool = { false },
    body: (_ token: Int32, _ logProbability: Double) throws -> Bool
  ) throws {
    try turn.withLock { _ in
      try check(prompt, and: maximum)
      let workplace = workplaces[0]
      let hidden = model.shape.hiddenSize
      let cache = cache(for: prompt.count + maximum)
      var random = RandomNumbers(seed: seed, stream: Self.drawing)
      var next = prompt
      for _ in 0..<maximum {
        var logits: [Float] = []
        for start in stride(from: 0, to: next.count, by: Self.rowsAtOnce) {
          if isCancelled() { throw CancellationError() }
          let part = Array(next[start..<min(start + Self.rowsAtOnce, next.count)])
          try read(part, cache, workplace) { rows, count in
            if start + count == next.count {
              logits = try self.logits(rows + (count - 1) * hidden, 1, workplace)[0]
            }
          }
        }
        let token = temperature > 0 ? draw(logits, temperature, &random) : greatest(logits)
        let goesOn = try body(token, Self.logProbability(of: token, logits))
        if !goesOn || ends.contains(token) { return }
        next = [token]
      }
    }
  }

  /// The stream of random numbers that tokens are drawn with.
  private static let drawing: UInt64 = 5

  private func draw(_ logits: [Float], _ temperature: Double, _ random: inout RandomNumbers) -> Int32 {
    let (weights, sum) = exponentials(logits.map { Double($0) / temperature })
    var left = random.unit() * sum
    for (token, weight) in weights.enumerated() {
      left -= weight
      if left < 0 { return Int32(token) }
    }
    return greatest(logits)
  }

  private static func logProbability(of token: Int32, _ logits: [Float]) -> Double {
    let most = logits.max() ?? 0
    let sum = logits.reduce(0.0) { $0 + exp(Double($1 - most)) }
    return Double(logits[Int(token)] - most) - log(sum)
  }

  private func greatest(_ logits: [Float]) -> Int32 {
    var best = 0
    for index in logits.indices where logits[index] > logits[best] { best = index }
    return Int32(best)
  }

  /// - Throws: `ModelError` where there are tokens that the model cannot read, or no room for `more` of its own.
  private func check(_ ids: [Int32], and more: Int) throws {
    guard !ids.isEmpty, ids.count + more <= model.shape.maximumPositions else {
      throw ModelError.textTooLong(tokens: ids.count, maximum: model.shape.maximumPositions - more)
    }
    try check(known: ids)
  }

  private func check(known ids: [Int32]) throws {
    for id in ids where id < 0 || id >= model.shape.vocabularySize {
      throw ModelError.tokenOutOfRange(id: Int(id), vocabulary: model.shape.vocabularySize)
    }
  }

  private func cache(for tokens: Int) -> KeyValueCache {
    KeyValueCache(layers: model.shape.layers, width: model.shape.keyWidth, capacity: tokens)
  }

  /// Takes tokens through the network behind what `cache` holds, a few hundred at a time; `body` is given the states' rows.
  private func read(
    _ ids: [Int32], _ cache: KeyValueCache, _ workplace: Workplace,
    _ body: (_ rows: FloatPointer, _ count: Int) throws -> Void
  ) throws {
    for start in stride(from: 0, to: ids.count, by: Self.rowsAtOnce) {
      let part = Array(ids[start..<min(start + Self.rowsAtOnce, ids.count)])
      var texts = PackedTexts()
      texts.append(part)
      let rows = try workplace.pass.forward(
        texts, words: words, blocks: [0..<part.count], caches: [cache])
      try body(rows, part.count)
    }
  }

  private func rows(_ numbers: FloatPointer, _ count: Int, _ width: Int) -> [[Float]] {
    (0..<count).map { Array(UnsafeBufferPointer(start: numbers + $0 * width, count: width)) }
  }

  /// `[rows][vocabulary]` from the states.
  private func logits(_ states: FloatPointer, _ count: Int, _ workplace: Workplace) throws -> [[Float]] {
    let hidden = model.shape.hiddenSize
    let vocabulary = model.shape.vocabularySize
    let input = OperandStorage(count: count * hidden, dtype: table.dtype)
    input.operand.store(states, count: count * hidden)
    let result = Floats(count: count * vocabulary)
    if let matrix = network.outputMatrix {
      try workplace.matmul.forward(
        input.operand, parameters.operand(matrix), into: result.base, rows: count, k: hidden,
        columns: vocabulary)
    } else {
      try workplace.matmul.backward(
        input.operand, table, into: result.base, rows: count, k: vocabulary, columns: hidden)
    }
    return rows(result.base, count, vocabulary)
  }
}
