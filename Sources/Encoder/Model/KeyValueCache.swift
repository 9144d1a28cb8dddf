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
  let beginning: KeyValueCache?
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
