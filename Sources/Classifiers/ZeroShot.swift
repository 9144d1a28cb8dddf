import Encoder
import Foundation

/// The base model of the tutorial: no training, each category described in a sentence.
///
/// The cosine between a text's embedding and that of "This text is about {category}." decides (zero-shot classification by
/// similarity; Reimers & Gurevych 2019, https://arxiv.org/abs/1908.10084, gives the embeddings). Ties go by the interface's order.
public struct ZeroShotClassifier: Classifier {
  public let name: String
  let categories: [String]
  /// Unit vectors, `[categories][hidden]`.
  let prototypes: [[Float]]
  let encoder: SentenceEncoder

  /// The softmax's temperature. Cosines lie close together; at 0.05 the mean confidence on news texts is near the share
  /// that is right.
  static let temperature = 0.05
  /// Below this cosine to every category the text is about none of them; news lies above it almost always.
  static let threshold: Float = -0.03

  /// - Parameter categories: the interface's categories without `UNABLE_TO_CLASSIFY`, in its order.
  public init(name: String = "base", encoder: SentenceEncoder, categories: [(key: String, name: String)])
    throws
  {
    self.name = name
    self.encoder = encoder
    self.categories = categories.map(\.key)
    prototypes = try Self.prototypes(of: categories.map(\.name), encoder: encoder).map(unit)
  }

  /// Raw pooled vectors of the sentences about categories, `[categories][hidden]`.
  public static func prototypes(of categories: [String], encoder: SentenceEncoder) throws -> [[Float]] {
    try encoder.pooled(categories.map { encoder.encode(sentence(about: $0)) }, isCancelled: { false })
  }

  /// The sentence that stands for a category. `&` is read as "and", so that an interface taken from a file's own
  /// categories gives the same predictions as one that spells them out.
  public static func sentence(about category: String) -> String {
    let words = category.replacingOccurrences(of: "&", with: " and ").replacingOccurrences(of: "_", with: " ")
    return "This text is about \(words.split(separator: " ").joined(separator: " "))."
  }

  public func classify(_ texts: [String], isCancelled: @Sendable () -> Bool) throws -> [Outcome] {
    try encoder.classify(texts, isCancelled: isCancelled) { pooled, reading in
      let embedding = unit(pooled)
      let cosines = prototypes.map { zip($0, embedding).reduce(Float(0)) { $0 + $1.0 * $1.1 } }
      guard let closest = cosines.max(), closest >= Self.threshold else {
        return .abstained("the text is about none of the categories", reading)
      }
      return .greatest(
        of: cosines.map { Double($0) / Self.temperature }, categories: categories, reading)
    }
  }
}

/// The vector of length one in the same direction.
func unit(_ vector: [Float]) -> [Float] {
  let length = vector.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
  return length > 0 ? vector.map { $0 / length } : vector
}
