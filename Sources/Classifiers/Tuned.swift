import Encoder
import Foundation

/// A fine-tuned model: an encoder and the linear head that was trained on its pooled states.
public struct TunedClassifier: Classifier {
  public let name: String
  let categories: [String]
  let head: Head
  let encoder: SentenceEncoder

  /// - Parameter categories: the keys of the head's rows, in their order.
  public init(name: String, encoder: SentenceEncoder, head: Head, categories: [String]) {
    self.name = name
    self.encoder = encoder
    self.head = head
    self.categories = categories
  }

  public func classify(_ texts: [String], isCancelled: @Sendable () -> Bool) throws -> [Outcome] {
    try encoder.classify(texts, isCancelled: isCancelled) { pooled, reading in
      .greatest(of: head.logits(pooled).map(Double.init), categories: categories, reading)
    }
  }
}
