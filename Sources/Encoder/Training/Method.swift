/// The ways to fine-tune.
public enum Method: String, Sendable, CaseIterable {
  /// The encoder stays as it is; only the head is learned, from the texts' pooled vectors.
  case linear
  /// All weights are updated.
  case full
}
