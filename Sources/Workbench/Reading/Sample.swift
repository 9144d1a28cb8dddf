import Basics

/// Which rows of a file a sample keeps.
///
/// Every row has a priority, a hash of the seed and of the row's number; the rows with the smallest are kept,
/// in file order. So a sample depends on file and seed alone, and a smaller sample of one seed is part of a
/// larger one: scores over growing samples compare. Memory is a few words for each row kept.
struct Sample {
  /// Numbers of the kept rows, ascending.
  let ordinals: [Int]

  /// Keeps `size` rows of each group that `group` tells apart; one group for a plain sample.
  init(_ rows: [Kept]) { ordinals = rows.map(\.ordinal).sorted() }

  struct Kept {
    let priority: UInt64
    let ordinal: Int
  }

  /// The smallest of what it is offered.
  struct Smallest {
    let size: Int
    private let most: Int
    private var kept: [Kept] = []

    init(size: Int) {
      self.size = size
      most = min(size, .max / 4) * 2 + 64
    }

    mutating func offer(_ candidate: Kept) {
      kept.append(candidate)
      // Cut now and then instead of after each: the cost of sorting is shared by as many rows.
      if kept.count >= most { cut() }
    }

    private mutating func cut() {
      kept.sort { $0.priority < $1.priority }
      kept.removeLast(max(0, kept.count - size))
    }

    mutating func result() -> [Kept] {
      cut()
      return kept
    }
  }

  /// For one seed a bijection, so that no two rows tie.
  static func priority(ofRow ordinal: Int, seed: UInt64) -> UInt64 {
    splitMix64(
      seed &* 0xD134_2543_DE82_EF95 &+ UInt64(truncatingIfNeeded: ordinal + 1) &* 0x9E37_79B9_7F4A_7C15)
  }
}
