/// The keys and values of what texts began with that were read last. The next ones often begin alike: with the same instruction, or
/// with what has been said in a conversation so far.
struct Beginnings: Sendable {
  /// How many are kept, and tokens of all of them.
  private static let most = 8
  private static let mostTokens = 2048
  /// Fewer tokens are read as fast as they are looked for.
  private static let least = 16

  /// The one that was used last is the last.
  private var kept: [(tokens: [Int32], cache: KeyValueCache)] = []

  /// What is there of a text's beginning; nil where that is too little to matter.
  /// - Parameter most: tokens that are wanted at most.
  mutating func find(_ text: [Int32], most: Int) -> KeyValueCache? {
    var best = (place: 0, count: 0)
    for (place, known) in kept.enumerated() {
      let count = zip(known.tokens, text.prefix(most)).prefix { $0 == $1 }.count
      if count > best.count { best = (place, count) }
    }
    guard best.count >= min(Self.least, most), best.count > 0 else { return nil }
    kept.append(kept.remove(at: best.place))
    return kept[kept.count - 1].cache.first(best.count)
  }

  /// Whether a text of which so much was there already is worth keeping. What follows a common instruction is not, and a
  /// conversation is kept again whenever it has doubled.
  static func isNews(_ text: [Int32], known: Int) -> Bool {
    2 * known < text.count && least...mostTokens ~= text.count
  }

  /// - Parameter cache: holds these tokens, in one piece, and does not change any more.
  mutating func keep(_ tokens: [Int32], _ cache: KeyValueCache) {
    kept.append((tokens, cache))
    // The newest stays, however long it is.
    while kept.count > Self.most
      || kept.count > 1 && kept.reduce(0, { $0 + $1.tokens.count }) > Self.mostTokens
    { kept.removeFirst() }
  }
}
