import Foundation

/// Turns texts into vectors with a model's encoder. Its threads live as long as it does.
public final class Embedder: Sendable {
  let model: PretrainedModel

  /// - Throws: `ModelError`.
  public init(model: PretrainedModel, threads: Int? = nil, precision: Precision = .f32) throws {
    self.model = model
  }

  /// One vector `[hidden]` a text: the mean of its tokens' last states, not normalised. A text's vector is the same, bit for
  /// bit, whatever texts stand beside it.
  /// - Throws: `ModelError`, `CancellationError`.
  public func pooled(
    _ encodings: [Encoding], isCancelled: @Sendable () -> Bool = { false },
    progress: @Sendable (_ done: Int) -> Void = { _ in }
  ) throws -> [[Float]] {
    []
  }
}
