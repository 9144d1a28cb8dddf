/// A text as the model reads it: token numbers, from `[CLS]` to `[SEP]`.
public struct Encoding: Sendable, Equatable {
  public var ids: [Int32]
  /// Whether the text was longer than the model reads, and its end left out.
  public var isTruncated: Bool
  private let vocabulary: Vocabulary

  init(ids: [Int32], isTruncated: Bool, vocabulary: Vocabulary) {
    self.ids = ids
    self.isTruncated = isTruncated
    self.vocabulary = vocabulary
  }

  /// Whether at least half of the text is `[UNK]` or single letters of another script: pieces that the vocabulary has for their
  /// own sake, and of which the model has read too little to know what they say.
  public var isMostlyOutsideVocabulary: Bool {
    let inside = ids.dropFirst().dropLast()
    return !inside.isEmpty && 2 * inside.count(where: vocabulary.isForeign) >= inside.count
  }

  /// The tokens as the vocabulary spells them, `##` before those that continue a word. Made when asked for.
  public var tokens: [String] { ids.map(vocabulary.token) }

  public static func == (one: Encoding, other: Encoding) -> Bool {
    one.ids == other.ids && one.isTruncated == other.isTruncated
  }
}
