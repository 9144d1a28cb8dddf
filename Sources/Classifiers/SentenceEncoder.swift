import Encoder
import Foundation

/// A pre-trained model ready to embed: what the classifiers share.
public struct SentenceEncoder: Sendable {
  public let model: PretrainedModel
  let embedder: Embedder

  /// - Throws: `ModelError`.
  public init(model: PretrainedModel, threads: Int? = nil, precision: Precision = .f32) throws {
    try model.requireEncoder()
    self.model = model
    embedder = try Embedder(model: model, threads: threads, precision: precision)
  }

  /// For training: what is embedded for one method is there for the next.
  public func features() -> TextFeatures { TextFeatures(embedder) }

  /// The token ids of a text, cut at the model's limit.
  public func encode(_ text: String) -> Encoding {
    model.tokenizer.encode(text, maximumLength: model.maximumLength)
  }

  /// Mean-pooled states, one `[hidden]` a text.
  public func pooled(_ encodings: [Encoding], isCancelled: @Sendable () -> Bool) throws -> [[Float]] {
    try embedder.pooled(encodings, isCancelled: isCancelled)
  }

  /// Embeds the texts that can be embedded and lets `decide` place each; the others get their reason.
  func classify(
    _ texts: [String], isCancelled: @Sendable () -> Bool,
    decide: (_ pooled: [Float], Reading) -> Outcome
  ) throws -> [Outcome] {
    let encodings = texts.map(encode)
    let readable = encodings.indices.filter { !encodings[$0].isEmpty }
    let pooled = try pooled(readable.map { encodings[$0] }, isCancelled: isCancelled)
    var results = [Outcome](repeating: .abstained("the text is empty", Reading()), count: texts.count)
    for (index, states) in zip(readable, pooled) {
      let reading = Reading(
        isTruncated: encodings[index].isTruncated,
        isOutsideVocabulary: encodings[index].isMostlyOutsideVocabulary)
      results[index] =
        states.allSatisfy(\.isFinite)
        ? decide(states, reading) : .failed("the model gave a number that is not finite", retry: false)
    }
    return results
  }
}

extension SentenceEncoder {
  /// Embeddings: pooled states scaled to length one, `[texts][hidden]`.
  public func embeddings(_ encodings: [Encoding], isCancelled: @Sendable () -> Bool) throws -> [[Float]] {
    try pooled(encodings, isCancelled: isCancelled).map(unit)
  }
}
