/// Which line of a document goes with which line of an answer: a longest common subsequence, in which a line with an
/// estimate beyond its tolerance, and one that shares most of its words, count as versions of each other.
struct Alignment {
  struct Pair: Equatable {
    /// Indices; one of them at most is missing.
    var expected: Int?
    var actual: Int?
    var match: LineMatch
  }

  /// In the order of both.
  private(set) var pairs: [Pair] = []

  init(expected: [RecordedLine], actual: [LinePattern]) {
    var start = 0
    while start < min(expected.count, actual.count), actual[start].match(expected[start]) == .equal {
      pairs.append(Pair(expected: start, actual: start, match: .equal))
      start += 1
    }
    var ends: [Pair] = []
    var expectedEnd = expected.count
    var actualEnd = actual.count
    while expectedEnd > start, actualEnd > start,
      actual[actualEnd - 1].match(expected[expectedEnd - 1]) == .equal
    {
      expectedEnd -= 1
      actualEnd -= 1
      ends.append(Pair(expected: expectedEnd, actual: actualEnd, match: .equal))
    }
    let middle = Alignment.middle(expected[start..<expectedEnd], actual[start..<actualEnd])
    pairs += Alignment.joiningNeighbours(middle) + ends.reversed()
  }

  /// Beyond this many comparisons, lines that differ are paired by their place alone.
  private static let largestTable = 250_000

  private static func middle(_ expected: ArraySlice<RecordedLine>, _ actual: ArraySlice<LinePattern>)
    -> [Pair]
  {
    guard !expected.isEmpty, !actual.isEmpty, expected.count * actual.count <= largestTable else {
      return expected.indices.map { Pair(expected: $0, actual: nil, match: .different) }
        + actual.indices.map { Pair(expected: nil, actual: $0, match: .different) }
    }
    // best[e][a]: the greatest weight of aligning what follows expected line e and actual line a.
    let width = actual.count + 1
    var best = Array(repeating: 0, count: (expected.count + 1) * width)
    var weights = Array(repeating: 0, count: expected.count * actual.count)
    for (row, recorded) in expected.enumerated().reversed() {
      for (column, pattern) in actual.enumerated().reversed() {
        let weight = weight(recorded, pattern)
        weights[row * actual.count + column] = weight
        let without = max(best[(row + 1) * width + column], best[row * width + column + 1])
        let with = weight == 0 ? 0 : weight + best[(row + 1) * width + column + 1]
        best[row * width + column] = max(without, with)
      }
    }
    var pairs: [Pair] = []
    var row = 0
    var column = 0
    while row < expected.count || column < actual.count {
      let here = best[row * width + column]
      let recorded = expected.startIndex + row
      let pattern = actual.startIndex + column
      if row < expected.count, column < actual.count, weights[row * actual.count + column] > 0,
        here == weights[row * actual.count + column] + best[(row + 1) * width + column + 1]
      {
        pairs.append(
          Pair(expected: recorded, actual: pattern, match: actual[pattern].match(expected[recorded])))
        row += 1
        column += 1
      } else if row < expected.count, column == actual.count || here == best[(row + 1) * width + column] {
        pairs.append(Pair(expected: recorded, actual: nil, match: .different))
        row += 1
      } else {
        pairs.append(Pair(expected: nil, actual: pattern, match: .different))
        column += 1
      }
    }
    return pairs
  }

  private static func weight(_ recorded: RecordedLine, _ pattern: LinePattern) -> Int {
    switch pattern.match(recorded) {
    case .equal: return 4
    case .beyond: return 3
    case .different:
      let shared = sharedCount(recorded.words, pattern.words)
      return shared > 0 && 2 * shared >= max(recorded.words.count, pattern.words.count) ? 1 : 0
    }
  }

  /// How many elements two sorted lists have in common.
  private static func sharedCount(_ first: [Substring], _ second: [Substring]) -> Int {
    var count = 0
    var (one, other) = (first[...], second[...])
    while let left = one.first, let right = other.first {
      if left == right { count += 1 }
      if left <= right { one.removeFirst() }
      if right <= left { other.removeFirst() }
    }
    return count
  }

  /// Between two aligned lines, the first line that is missing goes with the first that is extra, and so on: a line that
  /// changed altogether is one difference, not two.
  private static func joiningNeighbours(_ pairs: [Pair]) -> [Pair] {
    var joined: [Pair] = []
    var missing: [Int] = []
    var extra: [Int] = []
    func flush() {
      let count = min(missing.count, extra.count)
      joined += zip(missing, extra).map { Pair(expected: $0, actual: $1, match: .different) }
      joined += missing.dropFirst(count).map { Pair(expected: $0, actual: nil, match: .different) }
      joined += extra.dropFirst(count).map { Pair(expected: nil, actual: $0, match: .different) }
      missing = []
      extra = []
    }
    for pair in pairs {
      switch (pair.expected, pair.actual) {
      case (let expected?, nil): missing.append(expected)
      case (nil, let actual?): extra.append(actual)
      default:
        flush()
        joined.append(pair)
      }
    }
    flush()
    return joined
  }
}
