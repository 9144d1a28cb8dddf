import Foundation

/// A pass in which each token sees itself and what is before it, so that a text can be gone on with.
package protocol CausalPass: Pass {
  /// As ``Pass/forward``, with what the caches hold before each text; the texts' own keys and values are appended.
  /// - Parameter caches: one a text.
  func forward(
    _ texts: PackedTexts, words: UnsafePointer<Float>, blocks: [Range<Int>], caches: [KeyValueCache]
  ) throws -> FloatPointer
}

/// The keys and values of one text's tokens, a layer after another, with room for `capacity` tokens. A copy may be gone on with
/// by itself: texts that begin alike begin with copies of one cache.
/// Sendable unchecked: used by one thread at a time.
package final class KeyValueCache: @unchecked Sendable {
  let capacity: Int
  /// Of a token's keys; its values take as many.
  private let width: Int
  private let layers: Int
  private let numbers: Floats
  /// Tokens that are there.
  package internal(set) var count = 0

  package init(layers: Int, width: Int, capacity: Int) {
    (self.layers, self.width, self.capacity) = (layers, width, capacity)
    numbers = Floats(count: layers * 2 * capacity * width)
  }

  /// The same tokens, in a cache with room for `capacity`.
  package func copy(capacity: Int) -> KeyValueCache {
    precondition(capacity >= count, "a cache too small for what it is to hold")
    let copy = KeyValueCache(layers: layers, width: width, capacity: capacity)
    for layer in 0..<layers {
      copy.keys(layer).update(from: keys(layer), count: count * width)
      copy.values(layer).update(from: values(layer), count: count * width)
    }
    copy.count = count
    return copy
  }

  /// `[capacity, width]`, of which `count` rows are there.
  func keys(_ layer: Int) -> FloatPointer { numbers.base + 2 * layer * capacity * width }
  func values(_ layer: Int) -> FloatPointer { numbers.base + (2 * layer + 1) * capacity * width }

  /// Writes a layer's keys and values behind the others. `count` is raised once all layers have theirs.
  /// - Parameter projections: the first row's keys, and `keys` numbers on its values; rows are `stride` apart.
  func append(_ projections: FloatPointer, rows: Int, stride: Int, keys: Int, layer: Int) {
    precondition(count + rows <= capacity, "a cache that is full")
    for row in 0..<rows {
      (self.keys(layer) + (count + row) * width).update(from: projections + row * stride, count: width)
      (values(layer) + (count + row) * width).update(from: projections + row * stride + keys, count: width)
    }
  }
}
