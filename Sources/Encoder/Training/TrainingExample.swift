/// A text to learn from.
struct TrainingExample: Sendable {
  /// Rows of the training's word table.
  var words: [Int32]
  var category: Int
}

/// The words that occur in a training's texts, and their rows in its table. Of 30,000 words a thousand texts use some 5,000;
/// the others get no gradient, so they need no memory and no arithmetic.
struct TrainingWords: Sendable {
  /// Token numbers, ascending: row -> token.
  let tokens: [Int32]
  private let rows: [Int32]

  init(_ texts: some Sequence<[Int32]>, vocabulary: Int) {
    var rows = [Int32](repeating: -1, count: vocabulary)
    for text in texts {
      for token in text { rows[Int(token)] = 0 }
    }
    var tokens: [Int32] = []
    for token in 0..<vocabulary where rows[token] == 0 {
      rows[token] = Int32(tokens.count)
      tokens.append(Int32(token))
    }
    self.tokens = tokens
    self.rows = rows
  }

  func rows(of text: [Int32]) -> [Int32] { text.map { rows[Int($0)] } }
}
