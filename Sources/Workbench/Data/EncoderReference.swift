/// A pre-trained encoder, whatever folder it lies in.
public struct EncoderReference: Equatable, Hashable, Sendable {
  /// What it was called where it was used; nil where nobody kept it.
  public let name: String?
  /// SHA-256 of its weights, sizes and vocabulary, 64 hexadecimal digits.
  public let digest: String

  public init(name: String?, digest: String) {
    self.name = name
    self.digest = digest
  }

  /// `all-MiniLM-L6-v2 (1f2a3b4c)`
  public var description: String {
    let short = String(digest.prefix(8))
    return name.map { "\($0.visible) (\(short))" } ?? "a model with the digest \(short)"
  }
}
