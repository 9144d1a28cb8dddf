import Encoder
import Foundation

/// Who assigns categories to texts: the embedded model by similarity, a tuned model by its head, later a remote one.
public protocol Classifier: Sendable {
  /// The model's name as the learner knows it: `base`, `tuned-1`.
  var name: String { get }

  /// One classification a text, in the order of the texts. A text that cannot be classified gets
  /// `UNABLE_TO_CLASSIFY` with the reason; it never ends the run.
  ///
  /// A text's classification does not depend on which others it is batched with, so that `classify`, `predict` and a
  /// resumed `predict` agree.
  ///
  /// - Throws: `CancellationError` once `isCancelled` answers true.
  func classify(_ texts: [String], isCancelled: @Sendable () -> Bool) throws -> [Classification]
}

/// The category that a classifier gives to a text, and how sure it is.
public struct Classification: Sendable, Equatable {
  /// The key of the category: `WORLD_NEWS`, or `UNABLE_TO_CLASSIFY`.
  public var category: String
  /// The softmax probability of that category, 0 to 1; 0 when unable.
  public var confidence: Double
  /// The softmax probability of each category that the classifier knows, in the interface's order.
  public var scores: [Score]
  /// Why the text could not be classified.
  public var reason: String?
  /// Whether the text was longer than the model reads.
  public var isTruncated: Bool
  /// Whether most of it is none of the words that the model knows.
  public var isOutsideVocabulary = false

  public struct Score: Sendable, Equatable {
    public var category: String
    public var probability: Double
  }
}

/// The category of texts that a classifier cannot place.
public let unableToClassify = "UNABLE_TO_CLASSIFY"

extension Classification {
  static func unable(_ reason: String, categories: [String] = [], isTruncated: Bool = false) -> Classification
  {
    Classification(
      category: unableToClassify, confidence: 0,
      scores: categories.map { Score(category: $0, probability: 0) },
      reason: reason, isTruncated: isTruncated)
  }

  /// The category of the greatest logit; of equal ones the first.
  static func greatest(of logits: [Double], categories: [String], isTruncated: Bool) -> Classification {
    let probabilities = softmax(logits)
    var best = 0
    for index in logits.indices where logits[index] > logits[best] { best = index }
    return Classification(
      category: categories[best], confidence: probabilities[best],
      scores: zip(categories, probabilities).map { Score(category: $0, probability: $1) },
      isTruncated: isTruncated)
  }
}
