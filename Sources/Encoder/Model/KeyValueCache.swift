import CKernels
import Foundation

/// A pass in which each token sees itself and what is before it, so that a text can be gone on with.
package protocol CausalPass: Pass {
  /// As ``Pass/forward``, with what the caches hold before each text; the texts' own keys and values are appended.
  /// - Parameters:
  ///   - caches: one a text.
  ///   - tree: what each text ends with; nil: nothing branches.
  func forward(
    _ texts: PackedTexts, words: UnsafePointer<Float>, blocks: [Range<Int>], caches: [KeyValueCache],
    tree: TokenTree?
  ) throws -> FloatPointer
}

/// The keys and values of one text's tokens, with room for `capacity` of them behind those of a beginning that other texts may
/// have too.
/// Sendable unchecked: used by one thread at a time, but for a beginning, which nobody changes any more.
package final class KeyValueCache: @unchecked Sendable {
  let capacity: Int
  /// What the text begins with; it has no beginning itself.
  private(set) var beginning: KeyValueCache?
  private let shape: ModelShape
  private let headSize: Int
  private let numbers: Floats
  /// Numbers of one layer's keys, and of its values.
  private let keyNumbers: Int
  private let valueNumbers: Int
  /// Tokens that are there, the beginning's not among them.
  package internal(set) var count = 0

  package init(_ shape: ModelShape, capacity: Int, after beginning: KeyValueCache? = nil) {
    precondition(beginning?.beginning == nil, "a beginning of a beginning")
    (self.shape, self.beginning) = (shape, beginning)
    // The keys stand in whole vectors of tokens, the values in whole vectors of a head's numbers.
    self.capacity = Self.padded(max(capacity, 1))
    headSize = shape.keyWidth / shape.keyHeads
    keyNumbers = shape.keyWidth * self.capacity
    valueNumbers = shape.keyHeads * Self.padded(headSize) * self.capacity
    numbers = Floats(count: shape.layers * (keyNumbers + valueNumbers))
  }

  private init(_ whole: KeyValueCache, first count: Int) {
    (shape, headSize, numbers) = (whole.shape, whole.headSize, whole.numbers)
    (capacity, keyNumbers, valueNumbers) = (whole.capacity, whole.keyNumbers, whole.valueNumbers)
    self.count = count
  }

  /// The first of these tokens, in the same memory: to be read only.
  func first(_ count: Int) -> KeyValueCache {
    precondition(beginning == nil && count <= self.count, "tokens that are not here")
    return KeyValueCache(self, first: count)
  }

  /// All that is here with its beginning, in one piece.
  func copy(capacity: Int) -> KeyValueCache {
    let copy = KeyValueCache(shape, capacity: capacity)
    precondition(past <= copy.capacity, "no room for a copy")
    let heads = shape.keyHeads
    let wide = Self.padded(headSize)
    for part in [beginning, self].compactMap(\.self) {
      for layer in 0..<shape.layers {
        let (from, to) = (part.tokens(layer, part.count), copy.tokens(layer, copy.count))
        for row in 0..<heads * headSize {
          let target = to.keys + (row * to.capacity + copy.count)
          target.update(from: from.keys + row * from.capacity, count: part.count)
        }
        for head in 0..<heads {
          let target = to.values + (head * to.capacity + copy.count) * wide
          target.update(from: from.values + head * from.capacity * wide, count: part.count * wide)
        }
      }
      copy.count += part.count
    }
    return copy
  }

  /// For another text, in the same memory.
  func empty(after beginning: KeyValueCache?) {
    (self.beginning, count) = (beginning, 0)
  }

  private static func padded(_ count: Int) -> Int { (count + 15) / 16 * 16 }

  /// Bytes that so many tokens take.
  static func bytes(_ shape: ModelShape, capacity: Int) -> Int {
    let values = shape.keyHeads * padded(shape.keyWidth / shape.keyHeads)
    return 4 * shape.layers * (shape.keyWidth + values) * padded(capacity)
  }

  /// Tokens before those that come next.
  var past: Int { (beginning?.count ?? 0) + count }

  private func tokens(_ layer: Int, _ count: Int) -> fettle_tokens {
    let start = numbers.base + layer * (keyNumbers + valueNumbers)
    return fettle_tokens(keys: start, values: start + keyNumbers, count: count, capacity: capacity)
  }

  /// Writes a layer's keys and values behind the others; `count` is raised once all layers have theirs. Returns all that is there
  /// with them, the beginning first.
  /// - Parameter keys: the first row's keys, and behind them its values; rows are `stride` apart.
  func append(_ keys: FloatPointer, rows: Int, stride: Int, layer: Int) -> [fettle_tokens] {
    precondition(count + rows <= capacity, "a cache that is full")
    withUnsafePointer(to: tokens(layer, count)) {
      fettle_append_tokens($0, keys, keys + shape.keyWidth, stride, rows, shape.keyHeads, headSize)
    }
    let own = tokens(layer, count + rows)
    return beginning.map { [$0.tokens(layer, $0.count), own] } ?? [own]
  }
}

/// One thread's caches that are done with, for the next texts: fresh memory is dear, as the system clears it first.
struct CacheShelf {
  private let shape: ModelShape
  private var spare: [KeyValueCache] = []

  init(_ shape: ModelShape) { self.shape = shape }

  mutating func take(capacity: Int, after beginning: KeyValueCache?) -> KeyValueCache {
    // Texts of like lengths can use each other's.
    let rounded = (capacity + 63) / 64 * 64
    if let place = spare.firstIndex(where: { $0.capacity == rounded }) {
      let cache = spare.remove(at: place)
      cache.empty(after: beginning)
      return cache
    }
    // What nobody could use would only take up room.
    if !spare.isEmpty { spare.removeFirst() }
    return KeyValueCache(shape, capacity: rounded, after: beginning)
  }

  mutating func put(_ cache: KeyValueCache) {
    // A beginning that nobody keeps any more would stay in memory with it.
    cache.empty(after: nil)
    spare.append(cache)
  }
}

/// Ways in which a text may go on, those that begin alike together.
package struct TokenTree: Sendable {
  package private(set) var words: [Int32] = []
  /// Of each node the one before it, a smaller number; -1: the text itself.
  package private(set) var parents: [Int32] = []
  /// Nodes before each one, on its way from the text.
  private(set) var depths: [Int] = []

  var count: Int { words.count }

  /// Returns the new node's number.
  mutating func append(_ word: Int32, after parent: Int) -> Int {
    words.append(word)
    parents.append(Int32(parent))
    depths.append(parent < 0 ? 0 : depths[parent] + 1)
    return words.count - 1
  }
}
