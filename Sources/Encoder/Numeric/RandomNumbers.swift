import Basics

/// Random numbers that are the same everywhere: SplitMix64 (Steele, Lea & Flood 2014). Small, and any seed serves.
package struct RandomNumbers: RandomNumberGenerator {
  private var state: UInt64

  /// Streams of one seed are independent of each other.
  package init(seed: UInt64, stream: UInt64 = 0) {
    state = seed
    for part in [stream, 0x6665_7474_6c65] { state = next() ^ part }
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    return splitMix64(state)
  }

  /// From 0 to less than 1, in steps of 2⁻²⁴.
  package mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// From 0 to less than 1, in steps of 2⁻⁵³.
  package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A number under `bound`. Written here and not left to the standard library, whose way of drawing may change.
  package mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

  /// The numbers `0 ..< count` in random order (Fisher & Yates).
  mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for i in stride(from: count - 1, to: 0, by: -1) { order.swapAt(i, below(i + 1)) }
    return order
  }
}
