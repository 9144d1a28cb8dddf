import Foundation

/// What a model reads of a text, without the model: enough to tell whether two texts are the same to it.
public struct TextReader: Sendable {
  package let tokenizer: any Tokenizer
  /// Tokens of the longest text that is read whole.
  public let maximumLength: Int

  package init(_ backbone: any Backbone) {
    (tokenizer, maximumLength) = (backbone.tokenizer, backbone.maximumLength)
  }

  /// The token ids of a text, cut at the model's limit.
  public func encode(_ text: String) -> Encoding { tokenizer.encode(text, maximumLength: maximumLength) }
}
