/// A text as the model reads it: token numbers.
public struct Encoding: Sendable, Equatable {
  /// From the first special token to the last, as BERT's `[CLS]` and `[SEP]`.
  public let ids: [Int32]
  /// Whether the text was longer than the model reads, and its end left out.
  public let isTruncated: Bool
  /// Which of them are the text's own.
  private let content: Range<Int>
  private let spelling: any TokenSpelling

  package init(ids: [Int32], content: Range<Int>, isTruncated: Bool, spelling: any TokenSpelling) {
    self.ids = ids
    self.content = content
    self.isTruncated = isTruncated
    self.spelling = spelling
  }

  /// Whether there is nothing of a text in it.
  public var isEmpty: Bool { content.isEmpty }

  /// Whether at least half of the text is `[UNK]` or single letters of another script: pieces that the vocabulary has for their
  /// own sake, and of which the model has read too little to know what they say.
  public var isMostlyOutsideVocabulary: Bool {
    let inside = ids[content]
    return !inside.isEmpty && 2 * inside.count(where: spelling.isForeign) >= inside.count
  }

  /// The tokens as the vocabulary spells them, `##` before those that continue a word. Made when asked for.
  public var tokens: [String] { ids.map(spelling.token) }

  public static func == (one: Encoding, other: Encoding) -> Bool {
    one.ids == other.ids && one.isTruncated == other.isTruncated
  }
}
