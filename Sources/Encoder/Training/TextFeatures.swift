import Foundation
import Synchronization

/// A base model's vectors of the texts of one training or several: each text is embedded once, whichever method asks for it.
public final class TextFeatures: Sendable {
  let embedder: Embedder
  private let known = Mutex<[[Int32]: [Float]]>([:])

  public var model: PretrainedModel { embedder.model }

  public init(_ embedder: Embedder) { self.embedder = embedder }

  /// Texts that have been embedded so far.
  public var count: Int { known.withLock { $0.count } }

  /// One vector `[hidden]` a text, as `Embedder.pooled` gives it.
  /// - Parameter progress: called with the texts that are there, of all that are asked for.
  /// - Throws: `ModelError`, `CancellationError`.
  func pooled(
    _ encodings: [Encoding], threads: Int?, isCancelled: @Sendable () -> Bool,
    progress: @Sendable (_ done: Int) -> Void
  ) throws -> [[Float]] {
    try known.withLock { known in
      var seen: Set<[Int32]> = []
      let missing = encodings.filter { known[$0.ids] == nil && seen.insert($0.ids).inserted }
      let there = encodings.count - missing.count
      let vectors = try embedder.pooled(missing, threads: threads, isCancelled: isCancelled) {
        progress(there + $0)
      }
      for (encoding, vector) in zip(missing, vectors) { known[encoding.ids] = vector }
      return encodings.map { known[$0.ids] ?? [] }
    }
  }
}
