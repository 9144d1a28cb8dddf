import Encoder
import Foundation

/// Who assigns categories to texts: an encoder by similarity, a tuned model by its head, later a prompted or a remote one.
public protocol Classifier: Sendable {
  /// The model's name as the learner knows it: `base`, `tuned-1`.
  var name: String { get }

  /// One outcome a text, in the order of the texts. A text that cannot be classified never ends the run.
  ///
  /// A text's outcome does not depend on which others it is batched with, so that `classify`, `predict` and a resumed `predict`
  /// agree. May be called from several threads at once.
  ///
  /// - Throws: `CancellationError` once `isCancelled` answers true; what makes the whole model unusable.
  func classify(_ texts: [String], isCancelled: @Sendable () -> Bool) throws -> [Outcome]
}

/// What a classifier makes of a text.
public enum Outcome: Sendable, Equatable {
  /// - Parameter answer: what a model that writes has written; nil for one that gives logits.
  case classified(Classification, answer: String?)
  /// The model has read the text and gives it no category, for this reason: `UNABLE_TO_CLASSIFY`.
  case abstained(String, Reading, answer: String? = nil)
  /// The model could not be asked, or answered nothing that can be used. With `retry` it passes (a server that is busy, a
  /// connection that broke), and nothing may be kept of it; without, the same would happen again.
  case failed(String, retry: Bool)
}

/// The category that a classifier gives to a text, and how sure it is.
public struct Classification: Sendable, Equatable {
  /// The key of the category: `WORLD_NEWS`.
  public var category: String
  /// The softmax probability of that category, 0 to 1; nil where it is named in words.
  public var confidence: Double?
  /// The softmax probability of each category that the classifier knows, in the interface's order.
  public var scores: [Score]
  /// Of each category's name after a prompt, nats; nil where no name is weighed.
  public var logProbabilities: [String: Double]?
  public var reading: Reading

  public struct Score: Sendable, Equatable {
    public var category: String
    public var probability: Double

    public init(category: String, probability: Double) {
      self.category = category
      self.probability = probability
    }
  }

  public init(category: String, confidence: Double?, scores: [Score] = [], reading: Reading = Reading()) {
    self.category = category
    self.confidence = confidence
    self.scores = scores
    self.reading = reading
  }
}

/// How much of a text a model has read.
public struct Reading: Sendable, Equatable {
  /// Whether the text was longer than the model reads.
  public var isTruncated: Bool
  /// Whether most of it is none of the words that the model knows.
  public var isOutsideVocabulary: Bool

  public init(isTruncated: Bool = false, isOutsideVocabulary: Bool = false) {
    self.isTruncated = isTruncated
    self.isOutsideVocabulary = isOutsideVocabulary
  }
}

/// The category of texts that a classifier cannot place.
public let unableToClassify = "UNABLE_TO_CLASSIFY"

extension Outcome {
  /// The category of the greatest logit; of equal ones the first.
  static func greatest(
    of logits: [Double], categories: [String], _ reading: Reading,
    logProbabilities: [(category: String, sum: Double)]? = nil
  ) -> Outcome {
    let probabilities = softmax(logits)
    var best = 0
    for index in logits.indices where logits[index] > logits[best] { best = index }
    var classification = Classification(
      category: categories[best], confidence: probabilities[best],
      scores: zip(categories, probabilities).map { .init(category: $0, probability: $1) }, reading: reading)
    classification.logProbabilities = logProbabilities.map {
      Dictionary(uniqueKeysWithValues: $0.map { ($0.category, $0.sum) })
    }
    return .classified(classification, answer: nil)
  }

  public var classification: Classification? {
    if case .classified(let classification, _) = self { classification } else { nil }
  }

  /// The key of the category; `UNABLE_TO_CLASSIFY` where there is none.
  public var category: String { classification?.category ?? unableToClassify }

  /// What a model that writes has written; nil for another.
  public var answer: String? {
    switch self {
    case .classified(_, let answer), .abstained(_, _, let answer): answer
    case .failed: nil
    }
  }

  /// Why there is no category; nil where there is one.
  public var reason: String? {
    switch self {
    case .classified: nil
    case .abstained(let reason, _, _), .failed(let reason, _): reason
    }
  }

  public var reading: Reading {
    switch self {
    case .classified(let classification, _): classification.reading
    case .abstained(_, let reading, _): reading
    case .failed: Reading()
    }
  }

  /// Whether asking again may do better.
  public var isPassingFailure: Bool {
    if case .failed(_, retry: true) = self { true } else { false }
  }
}
