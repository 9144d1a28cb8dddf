/// Turns texts into the token numbers that a model reads.
public protocol Tokenizer: Sendable {
  /// Tokens in its vocabulary.
  var count: Int { get }

  /// The text's tokens with the special ones around them, `maximumLength` in all at most; what is beyond is left out.
  func encode(_ text: String, maximumLength: Int) -> Encoding

  /// Numbers that are known already, special ones included.
  func encoding(of ids: [Int32]) -> Encoding
}

/// How token numbers are spelled.
package protocol TokenSpelling: Sendable {
  func token(_ id: Int32) -> String
  /// Whether a token says so little that the model can hardly have learned what it means.
  func isForeign(_ id: Int32) -> Bool
}
