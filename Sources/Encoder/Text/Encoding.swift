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

  /// The tokens as the vocabulary spells them, `##` before those that continue a word. Made when asked for.
  public var tokens: [String] { ids.map(vocabulary.token) }

  public static func == (one: Encoding, other: Encoding) -> Bool {
    one.ids == other.ids && one.isTruncated == other.isTruncated
  }
}
