/// Merges the bytes of a word into tokens: of all neighbours that merge, those that come first in the list of merges, of equals the
/// leftmost, until none is left. Keeps its memory from word to word.
struct BytePairMerger {
  /// Up to here looking at all neighbours each time is the quickest.
  private static let short = 32
  /// Longer words, of which there is none in any text, are cut: a place in them has to fit into half of a number.
  private static let longest = 1 << 30

  private var symbols: [Int32] = []
  private var merges: [MergeTable.Merge] = []

  mutating func merge(
    _ word: UnsafeBufferPointer<UInt8>, with vocabulary: BytePairVocabulary, into ids: inout [Int32]
  ) {
    var start = 0
    while start < word.count {
      let end = min(word.count, start + Self.longest)
      symbols.removeAll(keepingCapacity: true)
      // A byte without a token is gone before its neighbours merge, as in Hugging Face's tokenizers.
      for byte in word[start..<end] {
        let symbol = vocabulary.byteTokens[Int(byte)]
        if symbol >= 0 { symbols.append(symbol) }
      }
      if symbols.count > Self.short { mergeLong(vocabulary) } else { mergeShort(vocabulary) }
      ids.append(contentsOf: symbols)
      start = end
    }
  }

  private mutating func mergeShort(_ vocabulary: BytePairVocabulary) {
    guard symbols.count > 1 else { return }
    merges.removeAll(keepingCapacity: true)
    for place in 1..<symbols.count { merges.append(vocabulary.pair(symbols[place - 1], symbols[place])) }
    while true {
      var best = MergeTable.Merge.none
      var place = 0
      for (candidate, merge) in merges.enumerated() where merge.rank < best.rank {
        best = merge
        place = candidate
      }
      if best == .none { return }
      symbols[place] = best.result
      symbols.remove(at: place + 1)
      merges.remove(at: place)
      if place > 0 { merges[place - 1] = vocabulary.pair(symbols[place - 1], symbols[place]) }
      if place < merges.count { merges[place] = vocabulary.pair(symbols[place], symbols[place + 1]) }
    }
  }

  /// A heap of what may merge, and a list with links, so that the time grows with the length times its logarithm.
  private mutating func mergeLong(_ vocabulary: BytePairVocabulary) {
    let count = symbols.count
    var next = (1...count).map { Int32($0) }
    var previous = (-1..<count - 1).map { Int32($0) }
    var heap = Heap()
    func push(_ left: Int, _ right: Int) {
      let merge = vocabulary.pair(symbols[left], symbols[right])
      if merge != .none { heap.push(merge.rank << 32 | UInt64(left)) }
    }
    for place in 1..<count { push(place - 1, place) }
    while let entry = heap.pop() {
      let place = Int(entry & 0xffff_ffff)
      let neighbour = Int(next[place])
      guard symbols[place] >= 0, neighbour < count else { continue }
      let merge = vocabulary.pair(symbols[place], symbols[neighbour])
      // What stands there has merged since with another.
      guard merge != .none, merge.rank == entry >> 32 else { continue }
      symbols[place] = merge.result
      symbols[neighbour] = -1
      let following = Int(next[neighbour])
      next[place] = Int32(following)
      if following < count {
        previous[following] = Int32(place)
        push(place, following)
      }
      if previous[place] >= 0 { push(Int(previous[place]), place) }
    }
    symbols.removeAll { $0 < 0 }
  }

  /// The smallest first.
  private struct Heap {
    private var entries: [UInt64] = []

    mutating func push(_ entry: UInt64) {
      var place = entries.count
      entries.append(entry)
      while place > 0, entries[(place - 1) / 2] > entry {
        entries[place] = entries[(place - 1) / 2]
        place = (place - 1) / 2
      }
      entries[place] = entry
    }

    mutating func pop() -> UInt64? {
      guard let first = entries.first, let last = entries.popLast() else { return nil }
      if entries.isEmpty { return first }
      var place = 0
      while 2 * place + 1 < entries.count {
        var child = 2 * place + 1
        if child + 1 < entries.count, entries[child + 1] < entries[child] { child += 1 }
        if entries[child] >= last { break }
        entries[place] = entries[child]
        place = child
      }
      entries[place] = last
      return first
    }
  }
}
