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
    let prompt: [Int32]
    let wishes: Wishes
    /// Tokens to be read.
    var next: ArraySlice<Int32>
    let cache: KeyValueCache
    var random: RandomNumbers
    var written = 0

    /// Tokens of the prompt that others had read before.
    var known: Int { cache.beginning?.count ?? 0 }
  }

  /// One thread's texts.
  private struct Lane: Sendable {
    var texts: [Text] = []
    var shelf: CacheShelf

    var tokens: Int { texts.reduce(0) { $0 + $1.cache.capacity } }

    /// Whether a text can come in. One that would only wait to be read waits outside: by then more of its beginning may be known.
    func hasRoom(for capacity: Int) -> Bool {
      texts.isEmpty
        || texts.count < textsAtOnce && tokens + capacity <= tokensAtOnce
          && texts.reduce(0) { $0 + $1.next.count } < LanguageModel.rowsAtOnce
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
    do {
      return try model.work { beginnings, workplaces in
        try admit(&beginnings)
        let busy = lanes.indices.filter { !lanes[$0].texts.isEmpty }
        let results = Mutex([(lane: Int, after: Lane, found: Found)]())
        let before = lanes
        try model.pool.run(busy.count) { task, worker in
          var lane = before[busy[task]]
          let found = try Self.pass(&lane, model, workplaces[worker])
          let after = lane
          results.withLock { $0.append((busy[task], after, found)) }
        }
        let all = results.withLock { $0.sorted { $0.lane < $1.lane } }
        for result in all { lanes[result.lane] = result.after }
        for (tokens, cache) in all.flatMap(\.found.beginnings) {
          let known = beginnings.find(tokens, most: tokens.count)?.count ?? 0
          if Beginnings.isNews(tokens, known: known) { beginnings.keep(tokens, cache) }
        }
        return all.flatMap(\.found.events)
      }
    } catch {
      waiting = []
      for lane in lanes.indices { lanes[lane].texts = [] }
      throw error
    }
  }

  /// What a pass has brought.
  private struct Found: Sendable {
    var events: [(number: Int, event: Event)] = []
    /// Of prompts that were mostly new.
    var beginnings: [(tokens: [Int32], cache: KeyValueCache)] = []
  }

  private func admit(_ beginnings: inout Beginnings) throws {
    while let next = waiting.first {
      // The last token is read anyway: what follows it is wanted. Of one that is told how probable it is all are.
      let most = next.wishes.tellsPrompt ? 0 : next.prompt.count - 1
      let known = beginnings.find(next.prompt, most: most)
      let left = next.prompt[(known?.count ?? 0)...]
      let capacity = left.count + next.wishes.maximum
      let lane = lanes.indices.min { lanes[$0].tokens < lanes[$1].tokens }
      guard let lane, lanes[lane].hasRoom(for: capacity) else { return }
      try AddressSpace.require(KeyValueCache.bytes(model.model.shape, capacity: capacity))
      lanes[lane].texts.append(
        Text(
          number: next.number, prompt: next.prompt, wishes: next.wishes, next: left,
          cache: lanes[lane].shelf.take(capacity: capacity, after: known),
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
    throws -> Found
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
    var found = Found()
    var ended: Set<Int> = []
    for text in 0..<read {
      let own = zip(places, tokens).filter { $0.0.text == text }
      let known = own.filter { $0.0.known != nil }.map(\.1)
      let number = lane.texts[text].number
      if !known.isEmpty { found.events.append((number, .read(known))) }
      let wishes = lane.texts[text].wishes
      if let (_, token) = own.first(where: { $0.0.known == nil }) {
        found.events.append((number, .written(token)))
        lane.texts[text].written += 1
        lane.texts[text].next = [token.id]
        if wishes.ends.contains(token.id) || lane.texts[text].written == wishes.maximum {
          ended.insert(number)
        }
      } else if lane.texts[text].next.isEmpty {
        ended.insert(number)
      }
      if ended.contains(number) { found.events.append((number, .ended)) }
      if lane.texts[text].cache.past == lane.texts[text].prompt.count,
        Beginnings.isNews(lane.texts[text].prompt, known: lane.texts[text].known)
      {
        let prompt = lane.texts[text].prompt
        found.beginnings.append((prompt, lane.texts[text].cache.copy(capacity: prompt.count)))
      }
    }
    for text in lane.texts where ended.contains(text.number) { lane.shelf.put(text.cache) }
    lane.texts.removeAll { ended.contains($0.number) }
    return found
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
