/// Texts one after another without padding: a row a token.
package struct PackedTexts {
  /// Rows of the word table, `[rows]`.
  package private(set) var words: [Int32] = []
  /// The rows of each text.
  package private(set) var ranges: [Range<Int>] = []

  package var rows: Int { words.count }

  mutating func append(_ text: [Int32]) {
    ranges.append(words.count..<words.count + text.count)
    words.append(contentsOf: text)
  }
}
