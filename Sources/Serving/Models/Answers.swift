import Classifiers
import Encoder
import Foundation
import Tasks

/// How an answer is wanted, whatever endpoint it is asked at.
struct AnswerOptions: Sendable {
  /// Tokens that are written at most; 0: the prompt is only read.
  var maximum = 16
  var temperature = 1.0
  var topP = 1.0
  var seed: UInt64 = 0
  var stops: [String] = []
  /// How many of the most probable tokens are told at each place; nil where no probabilities are wanted.
  var alternatives: Int?
  /// Whether the prompt's own tokens are told with theirs.
  var tellsPrompt = false
}

/// A token as clients see it.
struct ToldToken: Sendable {
  /// Its text; of bytes that are no whole characters `bytes:\xe2\x80`.
  var text: String
  var bytes: [UInt8]
  /// Nats; nil for a prompt's first token, before which there is nothing.
  var logProbability: Double?
  /// The most probable ones, the first of all first.
  var alternatives: [(text: String, bytes: [UInt8], logProbability: Double)] = []
  /// Whether it ends the answer, and is no part of its text.
  var isEnd = false

  init(
    bytes: [UInt8], logProbability: Double?, alternatives: [(bytes: [UInt8], logProbability: Double)] = [],
    isEnd: Bool = false
  ) {
    text = Self.spelled(bytes)
    self.bytes = bytes
    self.logProbability = logProbability.map(Self.finite)
    self.alternatives = alternatives.map {
      (Self.spelled($0.bytes), $0.bytes, Self.finite($0.logProbability))
    }
    self.isEnd = isEnd
  }

  private static func spelled(_ bytes: [UInt8]) -> String {
    String(validating: bytes, as: UTF8.self)
      ?? "bytes:" + bytes.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// JSON has no infinity.
  private static func finite(_ number: Double) -> Double { max(number, -9999) }
}

/// A part of an answer, as it is written.
struct AnswerPart: Sendable {
  var text = ""
  /// Those that make up the text, where probabilities are wanted.
  var tokens: [ToldToken] = []
  /// How the answer ended; nil before its last part.
  var end: End?

  enum End: String, Sendable, Encodable {
    case stop, length
  }
}

/// Tokens that were read and written, by the model's own tokenizer.
struct Usage: Sendable, Encodable {
  let promptTokens: Int
  let completionTokens: Int
  let totalTokens: Int

  init(prompt: Int, completion: Int) {
    (promptTokens, completionTokens, totalTokens) = (prompt, completion, prompt + completion)
  }
}

extension ServedModels {
  /// Has a language model go on with a prompt.
  ///
  /// - Parameter give: is given the parts in order; the last has an end.
  /// - Returns: how many tokens it has written, the end among them.
  /// - Throws: `APIError`, `ModelError`, `CancellationError`, and what `give` throws.
  func write(
    _ prompt: [Int32], by language: LoadedModel.Language, _ options: AnswerOptions,
    give: (AnswerPart) async throws -> Void
  ) async throws -> Int {
    let wishes = TextBatch.Wishes(
      maximum: options.maximum, ends: language.ends, temperature: options.temperature, topP: options.topP,
      seed: options.seed, alternatives: options.alternatives ?? 0,
      tellsPrompt: options.tellsPrompt && options.alternatives != nil)
    let events = try writers.write(prompt, by: language.model, wishes)
    var answer = AnswerText(language.tokenizer, stops: options.stops, ends: language.ends)
    var count = 0
    /// With the byte of the text that each begins at.
    var pending: [(token: ToldToken, start: Int)] = []
    func told(_ token: TextBatch.Token) -> ToldToken { language.told(token) }
    if wishes.tellsPrompt, let first = prompt.first {
      pending.append((ToldToken(bytes: language.bytes(of: first), logProbability: nil), 0))
    }
    for try await event in events {
      switch event {
      case .read(let tokens): pending += tokens.map { (told($0), 0) }
      case .written(let token):
        count += 1
        let start = answer.count
        answer.append(token.id)
        if options.alternatives != nil { pending.append((told(token), start)) }
        let text = answer.take()
        if answer.hasEnded {
          // What stands behind a stop is no part of the answer.
          let isByToken = language.ends.contains(token.id)
          let tokens = pending.filter {
            isByToken || $0.start < answer.count || $0.token.logProbability == nil
          }
          try await give(AnswerPart(text: text, tokens: tokens.map(\.token), end: .stop))
          return count
        }
        if !text.isEmpty {
          try await give(AnswerPart(text: text, tokens: pending.map(\.token)))
          pending = []
        }
      case .ended:
        answer.finish()
        try await give(AnswerPart(text: answer.take(), tokens: pending.map(\.token), end: .length))
        return count
      }
    }
    throw CancellationError()
  }

  /// Has a classifier name a text's category, as an answer of one token: the category.
  ///
  /// - Throws: `APIError`, `ModelError`, `TaskError`.
  func classify(
    _ text: String, by classifier: any Classifier, _ model: LoadedModel, _ options: AnswerOptions,
    give: (AnswerPart) async throws -> Void
  ) async throws {
    let outcomes = try await classification.run([text], in: model.id) {
      try classifier.classify($0, isCancelled: { false })
    }
    guard let outcome = outcomes.first else { throw CancellationError() }
    if case .failed(let reason, _) = outcome {
      throw APIError(500, "\(classifier.name) gave no answer: \(reason).")
    }
    // One that a file taught answers to the letter of that file.
    let lesson = (classifier as? FileTaughtClassifier)?.lesson
    func answer(_ category: String) -> String { lesson?.answer(for: category) ?? category }
    var part = AnswerPart(text: answer(outcome.category), end: .stop)
    if let wanted = options.alternatives {
      let scores = (outcome.classification?.scores ?? []).sorted { $0.probability > $1.probability }
      let own = scores.first { $0.category == outcome.category }
      part.tokens = [
        ToldToken(
          bytes: Array(answer(outcome.category).utf8), logProbability: log(own?.probability ?? 1),
          alternatives: scores.prefix(wanted).map { (Array(answer($0.category).utf8), log($0.probability)) })
      ]
    }
    try await give(part)
  }
}

extension LoadedModel.Language {
  func bytes(of id: Int32) -> [UInt8] { Array(tokenizer.bytes(of: id, specials: true)) }

  fileprivate func told(_ token: TextBatch.Token) -> ToldToken {
    ToldToken(
      bytes: bytes(of: token.id), logProbability: token.logProbability,
      alternatives: token.alternatives.map { (bytes(of: $0.id), $0.logProbability) },
      isEnd: ends.contains(token.id))
  }
}

extension LoadedModel {
  /// Tokens of a text without those that stand around it.
  func count(_ text: String) -> Int { max(0, reader.encode(text).ids.count - reader.encode("").ids.count) }
}
