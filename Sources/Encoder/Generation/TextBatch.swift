import Basics
import Foundation
import Synchronization

/// Texts that a model goes on with together, each with wishes of its own; they come and go between two steps.
///
/// What comes of a text does not depend on those beside it (``LanguageModel/isExact``). To be used by one caller at a time; between
/// two steps others may ask the model.
package final class TextBatch {
  /// How a text is gone on with.
  package struct Wishes: Sendable {
    /// Tokens to be written at most; 0: the prompt is only read.
    package var maximum: Int
    package var ends: Set<Int32>
    /// 0: always the most probable token; else one is drawn from the softmax of the logits divided by it.
    package var temperature: Double
    /// Below 1: drawn among the most probable tokens alone, as few as have this share together (nucleus sampling, Holtzman et al.
    /// 2020).
    package var topP: Double
    /// The same draws for the same seed.
    package var seed: UInt64
    /// How many of the most probable tokens are told at each place.
    package var alternatives: Int
    /// Whether it is told how probable the prompt's own tokens are.
    package var tellsPrompt: Bool

    package init(
      maximum: Int, ends: Set<Int32>, temperature: Double = 0, topP: Double = 1, seed: UInt64 = 0,
      alternatives: Int = 0, tellsPrompt: Bool = false
    ) {
      (self.maximum, self.ends, self.temperature, self.topP) = (maximum, ends, temperature, topP)
      (self.seed, self.alternatives, self.tellsPrompt) = (seed, alternatives, tellsPrompt)
    }
  }

  /// A token, and what the model thought of it. Logarithms of probabilities, in nats, at temperature 1.
  package struct Token: Sendable {
    package var id: Int32
    package var logProbability: Double
    /// The most probable ones, the first of all first.
    package var alternatives: [(id: Int32, logProbability: Double)]
  }

  package enum Event: Sendable {
    /// Tokens of the prompt but for its first, in order; all of them come before the first that is written.
    case read([Token])
    case written(Token)
    /// Nothing more comes.
    case ended
  }

  /// Texts, and tokens of all of them, that one thread keeps at once at most, if there is more than one.
  private static let textsAtOnce = 128
  private static let tokensAtOnce = 8192

  private struct Text {
    let number: Int
    let wishes: Wishes
    /// Tokens to be read.
    var next: ArraySlice<Int32>
    let cache: KeyValueCache
    var random: RandomNumbers
    var written = 0
  }

  /// One thread's texts.
  private struct Lane: Sendable {
    var texts: [Text] = []
    var shelf: CacheShelf

    var tokens: Int { texts.reduce(0) { $0 + $1.cache.capacity } }

    func hasRoom(for capacity: Int) -> Bool {
      texts.isEmpty || texts.count < textsAtOnce && tokens + capacity <= tokensAtOnce
    }
  }

  private let model: LanguageModel
  private var lanes: [Lane]
  private var waiting: [(number: Int, prompt: [Int32], wishes: Wishes)] = []
  private var count = 0

  package init(_ model: LanguageModel) {
    self.model = model
    lanes = (0..<model.pool.count).map { _ in Lane(shelf: CacheShelf(model.model.shape)) }
  }

  package var isEmpty: Bool { waiting.isEmpty && lanes.allSatisfy(\.texts.isEmpty) }

  /// Texts that have not ended.
  package var texts: Int { waiting.count + lanes.reduce(0) { $0 + $1.texts.count } }

  /// Takes a text into the next step, or, where there is no room, into one of those after it.
  /// - Returns: the text's number, with which `step` tells of it.
  /// - Throws: `ModelError` where the model cannot read it, or has no room to write.
  package func add(_ prompt: [Int32], _ wishes: Wishes) throws -> Int {
    try model.check(prompt, and: wishes.maximum)
    count += 1
    waiting.append((count, prompt, wishes))
    return count
  }

  /// Takes a text out that nobody waits for any more.
  package func remove(_ number: Int) {
    waiting.removeAll { $0.number == number }
    for lane in lanes.indices {
      guard let place = lanes[lane].texts.firstIndex(where: { $0.number == number }) else { continue }
      lanes[lane].shelf.put(lanes[lane].texts.remove(at: place).cache)
    }
  }

  /// Reads some more of the prompts, and writes a token of each text whose prompt is read.
  /// - Returns: what is new, by texts.
  /// - Throws: `ModelError`, `AddressSpace.Shortage`; all texts are given up then.
  package func step() throws -> [(number: Int, event: Event)] {
    let isCancelled: @Sendable () -> Bool = { false }
    do {
      return try model.work(after: [], isCancelled) { _, workplaces in
        try admit()
        let busy = lanes.indices.filter { !lanes[$0].texts.isEmpty }
        let results = Mutex([(lane: Int, after: Lane, events: [(number: Int, event: Event)])]())
        let before = lanes
        try model.pool.run(busy.count) { task, worker in
          var lane = before[busy[task]]
          let events = try Self.pass(&lane, model, workplaces[worker])
          let after = lane
          results.withLock { $0.append((busy[task], after, events)) }
        }
        let found = results.withLock { $0.sorted { $0.lane < $1.lane } }
        for result in found { lanes[result.lane] = result.after }
        return found.flatMap(\.events)
      }
    } catch {
      waiting = []
      for lane in lanes.indices { lanes[lane].texts = [] }
      throw error
    }
  }

  private func admit() throws {
    while let next = waiting.first {
      let capacity = next.prompt.count + next.wishes.maximum
      let lane = lanes.indices.min { lanes[$0].tokens < lanes[$1].tokens }
      guard let lane, lanes[lane].hasRoom(for: capacity) else { return }
      try AddressSpace.require(KeyValueCache.bytes(model.model.shape, capacity: capacity))
      lanes[lane].texts.append(
        Text(
          number: next.number, wishes: next.wishes, next: next.prompt[...],
          cache: lanes[lane].shelf.take(capacity: capacity, after: nil),
          random: RandomNumbers(seed: next.wishes.seed, stream: LanguageModel.drawing)))
      waiting.removeFirst()
    }
  }

  /// A state whose logits are wanted.
  private struct Place {
    var text: Int
    var row: Int
    /// The prompt's next token; nil where the model is to choose.
    var known: Int32?
  }

  private static func pass(_ lane: inout Lane, _ model: LanguageModel, _ workplace: LanguageModel.Workplace)
    throws -> [(number: Int, event: Event)]
  {
    var packed = PackedTexts()
    var places: [Place] = []
    for text in lane.texts.indices where packed.rows < LanguageModel.rowsAtOnce {
      let part = lane.texts[text].next.prefix(LanguageModel.rowsAtOnce - packed.rows)
      let first = packed.rows
      packed.append(Array(part))
      lane.texts[text].next.removeFirst(part.count)
      let wishes = lane.texts[text].wishes
      if wishes.tellsPrompt, lane.texts[text].written == 0 {
        let following = part.dropFirst() + lane.texts[text].next.prefix(1)
        for (row, known) in following.enumerated() {
          places.append(Place(text: text, row: first + row, known: known))
        }
      }
      if lane.texts[text].next.isEmpty, wishes.maximum > 0 {
        places.append(Place(text: text, row: packed.rows - 1))
      }
    }
    let read = packed.ranges.count
    let states = try model.forward(packed, lane.texts.prefix(read).map(\.cache), workplace)
    let tokens = try self.tokens(places, &lane, states, workplace)
    var events: [(number: Int, event: Event)] = []
    var ended: Set<Int> = []
    for text in 0..<read {
      let own = zip(places, tokens).filter { $0.0.text == text }
      let known = own.filter { $0.0.known != nil }.map(\.1)
      let number = lane.texts[text].number
      if !known.isEmpty { events.append((number, .read(known))) }
      let wishes = lane.texts[text].wishes
      if let (_, token) = own.first(where: { $0.0.known == nil }) {
        events.append((number, .written(token)))
        lane.texts[text].written += 1
        lane.texts[text].next = [token.id]
        if wishes.ends.contains(token.id) || lane.texts[text].written == wishes.maximum {
          ended.insert(number)
        }
      } else if lane.texts[text].next.isEmpty {
        ended.insert(number)
      }
      if ended.contains(number) { events.append((number, .ended)) }
    }
    for text in lane.texts where ended.contains(text.number) { lane.shelf.put(text.cache) }
    lane.texts.removeAll { ended.contains($0.number) }
    return events
  }

  private static func tokens(
    _ places: [Place], _ lane: inout Lane, _ states: FloatPointer, _ workplace: LanguageModel.Workplace
  ) throws -> [Token] {
    guard !places.isEmpty else { return [] }
    let wishes = places.map { lane.texts[$0.text].wishes }
    let draws = places.indices.map { places[$0].known == nil && wishes[$0].temperature > 0 }
    var drawn = places.map { _ in [Float]() }
    var knownLogits = places.map { _ in Float(0) }
    var best = wishes.map { Best(count: $0.alternatives) }
    let ranked = places.indices.filter { wishes[$0].alternatives > 1 }
    let forecasts = try workplace.output.read(states, places.map(\.row), wantsSums: true) { part in
      for (state, place) in places.enumerated() {
        if let known = place.known, part.words.contains(Int(known)) {
          knownLogits[state] = part(Int(known), state)
        }
        if draws[state] { for word in part.words { drawn[state].append(part(word, state)) } }
      }
      for state in ranked { best[state].add(part, state) }
    }
    return places.indices.map { state in
      let forecast = forecasts[state]
      var id = places[state].known ?? forecast.token
      var logit = places[state].known == nil ? forecast.most : knownLogits[state]
      if draws[state] {
        let text = places[state].text
        let wish = wishes[state]
        if let token = LanguageModel.draw(
          drawn[state], wish.temperature, topP: wish.topP, &lane.texts[text].random)
        {
          (id, logit) = (token, drawn[state][Int(token)])
        }
      }
      // Of the most probable one the forecast knows: one number for one token, wherever it is told.
      let alternatives =
        wishes[state].alternatives == 1 ? [(id: forecast.token, logit: forecast.most)] : best[state].all
      return Token(
        id: id, logProbability: forecast.logProbability(ofLogit: logit),
        alternatives: alternatives.map { ($0.id, forecast.logProbability(ofLogit: $0.logit)) })
    }
  }

  /// The words with the greatest logits, the greatest first; of two alike the one that comes first.
  private struct Best {
    let count: Int
    var all: [(id: Int32, logit: Float)] = []

    init(count: Int) { self.count = count }

    mutating func add(_ part: OutputLayer.Logits, _ state: Int) {
      var least = all.count < count ? -Float.infinity : all[count - 1].logit
      for word in part.words {
        let logit = part(word, state)
        guard logit > least || all.count < count else { continue }
        let place = all.firstIndex { $0.logit < logit } ?? all.count
        all.insert((Int32(word), logit), at: place)
        if all.count > count { all.removeLast() }
        if all.count == count { least = all[count - 1].logit }
      }
    }
  }
}
