/// Texts one after another without padding: a row a token.
struct PackedTexts {
  /// Rows of the word table, `[rows]`.
  private(set) var words: [Int32] = []
  /// The rows of each text.
  private(set) var ranges: [Range<Int>] = []

  var rows: Int { words.count }

  mutating func append(_ text: [Int32]) {
    ranges.append(words.count..<words.count + text.count)
    words.append(contentsOf: text)
  }
}
