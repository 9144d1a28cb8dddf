import Basics
import Foundation
import Synchronization

extension LanguageModel {
  /// The most probable tokens after each prompt, one after another, until one of `ends` or `maximum` of them are there; the end
  /// is among them.
  /// - Parameters:
  ///   - prefix: tokens that all prompts begin with, read once; the prompts are without them.
  ///   - progress: is told how many prompts are done.
  /// - Throws: `ModelError`, `CancellationError`, `AddressSpace.Shortage`.
  package func complete(
    _ prompts: [[Int32]], after prefix: [Int32] = [], maximum: Int, ends: Set<Int32>,
    isCancelled: @Sendable () -> Bool = { false }, progress: @Sendable (_ done: Int) -> Void = { _ in }
  ) throws -> [[Int32]] {
    for prompt in prompts { try check(prefix + prompt, and: maximum) }
    guard maximum > 0 else { return prompts.map { _ in [] } }
    let (prompts, prefix) = split(prompts, after: prefix)
    return try work(after: prefix, isCancelled) { beginning, workplaces in
      try requireMemory(for: prompts.map { $0.count + maximum })
      let queue = Queue(count: prompts.count)
      let answers = Mutex([[Int32]](repeating: [], count: prompts.count))
      let done = Mutex(0)
      // A thread takes no more texts than its share.
      let share = (prompts.count + pool.count - 1) / max(pool.count, 1)
      try pool.run(min(pool.count, prompts.count)) { _, worker in
        var writer = Writer(
          self, workplaces[worker], maximum: maximum, ends: ends, most: min(share, Writer.textsAtOnce))
        try writer.write(
          isCancelled, take: { queue.take().map { ($0, prompts[$0], beginning) } },
          give: { number, answer in
            answers.withLock { $0[number] = answer }
            done.withLock { count in
              count += 1
              progress(count)
            }
          })
      }
      return answers.withLock { $0 }
    }
  }

  /// Goes on with one text, token by token, until one of `ends` or `maximum` of them are there, or `body` returns false.
  /// - Parameters:
  ///   - temperature: 0: always the most probable token; else one drawn from the softmax of the logits divided by it.
  ///   - seed: the same draws for the same seed.
  ///   - body: is given each token at once, the end too, and the logarithm, in nats, of its probability (at temperature 1).
  /// - Throws: `ModelError`, `CancellationError`, `AddressSpace.Shortage`, and what `body` throws.
  package func generate(
    _ prompt: [Int32], maximum: Int, ends: Set<Int32>, temperature: Double = 0, seed: UInt64 = 0,
    isCancelled: @Sendable () -> Bool = { false },
    body: (_ token: Int32, _ logProbability: Double) throws -> Bool
  ) throws {
    guard maximum > 0 else { return try check(prompt, and: 0) }
    let batch = TextBatch(self)
    _ = try batch.add(
      prompt, TextBatch.Wishes(maximum: maximum, ends: ends, temperature: temperature, seed: seed))
    while !batch.isEmpty {
      if isCancelled() { throw CancellationError() }
      for case (_, .written(let token)) in try batch.step() {
        guard try body(token.id, token.logProbability) else { return }
      }
    }
  }

  /// The stream of random numbers that tokens are drawn with.
  static let drawing: UInt64 = 5

  /// Nil where rounding leaves none.
  static func draw(
    _ logits: [Float], _ temperature: Double, topP: Double, _ random: inout RandomNumbers
  ) -> Int32? {
    let (weights, sum) = exponentials(logits.map { Double($0) / temperature })
    var candidates = Array(weights.enumerated())
    var left = sum
    if topP < 1 {
      // All that are less have less than 1 - topP together, so none of them is wanted.
      let least = (1 - topP) * sum / Double(weights.count)
      candidates = candidates.filter { $0.element >= least }.sorted { $0.element > $1.element }
      var share = 0.0
      let end = candidates.firstIndex {
        share += $0.element
        return share >= topP * sum
      }
      if let end { candidates.removeSubrange((end + 1)...) }
      left = candidates.reduce(0) { $0 + $1.element }
    }
    left *= random.unit()
    for (token, weight) in candidates {
      left -= weight
      if left < 0 { return Int32(token) }
    }
    return nil
  }

  /// - Parameter lengths: tokens of each text, with those that the model adds.
  private func requireMemory(for lengths: [Int]) throws {
    let longest = lengths.max() ?? 0
    let tokens = min(max(Writer.tokensAtOnce, longest), lengths.reduce(0, +))
    try AddressSpace.require(pool.count * KeyValueCache.bytes(model.shape, capacity: tokens))
  }
}

/// One thread's texts, all gone on with together: each that writes takes a row of a pass, and the rows that are left are for prompts
/// that are still to be read. So a pass is always full, weights are read seldom, and few texts are kept at a time.
private struct Writer {
  /// Texts, and tokens of all of them, that are kept at once at most, if there is more than one.
  static let textsAtOnce = 128
  static let tokensAtOnce = 8192

  private struct Text {
    var number: Int
    var cache: KeyValueCache
    /// Tokens to be read.
    var next: ArraySlice<Int32>
    var answer: [Int32] = []
  }

  private let language: LanguageModel
  private let workplace: LanguageModel.Workplace
  private let maximum: Int
  private let ends: Set<Int32>
  private let most: Int
  private var texts: [Text] = []
  private var shelf: CacheShelf

  init(
    _ language: LanguageModel, _ workplace: LanguageModel.Workplace, maximum: Int, ends: Set<Int32>, most: Int
  ) {
    (self.language, self.workplace) = (language, workplace)
    shelf = CacheShelf(language.model.shape)
    (self.maximum, self.ends, self.most) = (maximum, ends, most)
  }

  mutating func write(
    _ isCancelled: @Sendable () -> Bool,
    take: () -> (number: Int, prompt: [Int32], beginning: KeyValueCache?)?,
    give: (_ number: Int, _ answer: [Int32]) -> Void
  ) throws {
    while true {
      if isCancelled() { throw CancellationError() }
      var packed = PackedTexts()
      /// Texts of which all is read now.
      var ready: [Int] = []
      func read(_ place: Int) {
        let part = texts[place].next.prefix(LanguageModel.rowsAtOnce - packed.rows)
        packed.append(Array(part))
        texts[place].next.removeFirst(part.count)
        if texts[place].next.isEmpty { ready.append(place) }
      }
      for place in texts.indices where packed.rows < LanguageModel.rowsAtOnce { read(place) }
      while packed.rows < LanguageModel.rowsAtOnce, hasRoom, let next = take() {
        let capacity = next.prompt.count + maximum
        let cache = shelf.take(capacity: capacity, after: next.beginning)
        texts.append(Text(number: next.number, cache: cache, next: next.prompt[...]))
        read(texts.count - 1)
      }
      if packed.rows == 0 { return }
      let states = try language.forward(packed, texts.prefix(packed.ranges.count).map(\.cache), workplace)
      let rows = ready.map { packed.ranges[$0].upperBound - 1 }
      for (place, forecast) in zip(ready, try workplace.output.read(states, rows, wantsSums: false)) {
        texts[place].answer.append(forecast.token)
        texts[place].next = [forecast.token]
      }
      texts.removeAll { text in
        guard let last = text.answer.last, text.answer.count == maximum || ends.contains(last) else {
          return false
        }
        give(text.number, text.answer)
        shelf.put(text.cache)
        return true
      }
    }
  }

  private var hasRoom: Bool {
    texts.isEmpty
      || texts.count < most && texts.reduce(0) { $0 + $1.cache.capacity } < Self.tokensAtOnce
  }
}
