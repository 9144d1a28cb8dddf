import Encoder
import Foundation
import Synchronization

/// A language model that is prompted: it answers in words, or weighs the categories' names.
public final class LanguageClassifier: Classifier {
  /// Tokens of a free answer at most, as in the tutorial.
  public static let mostTokens = 10

  public let name: String
  public let way: AnswerWay
  private let model: LanguageModel
  private let categories: [(key: String, name: String)]
  private let writer: PromptWriter
  private let filter: AnswerFilter
  private let examples: Examples
  private let completions: [[Int32]]
  private let prefix: [Int32]
  /// Tokens of an answer at most.
  private let maximum: Int
  private let ends: Set<Int32>
  /// Each category's log-probability without a text, nats; found when it is first needed.
  private let withoutText = Mutex<[Double]?>(nil)

  /// Which labelled texts stand before a text.
  public enum Examples: Sendable {
    case same([Prompt.Example])
    /// Those for each of some texts.
    case own(@Sendable (_ texts: [String], _ isCancelled: @Sendable () -> Bool) throws -> [[Prompt.Example]])
  }

  /// - Parameters:
  ///   - categories: in the interface's order.
  ///   - words: what is weighed for each category; nil for its name.
  ///   - answers: the same to the letter, with the end of the text behind it.
  ///   - isTaught: whether the model has learned to write these words, and to end there.
  /// - Throws: `ModelError` where the model does not read by byte-level BPE.
  package init(
    name: String, model: LanguageModel, prompt: Prompt, way: AnswerWay,
    categories: [(key: String, name: String)], examples: Examples = .same([]), words: [String]? = nil,
    answers: [String]? = nil, isTaught: Bool = false
  ) throws {
    guard let tokenizer = model.model.tokenizer as? BytePair else { throw ModelError.noGeneration }
    self.name = name
    self.way = way
    self.model = model
    self.categories = categories
    self.examples = examples
    writer = PromptWriter(
      prompt, categories: categories.map(\.name), tokenizer: tokenizer, longest: model.model.maximumLength)
    completions =
      answers.map(writer.completions(ofAnswers:)) ?? words.map(writer.completions(of:)) ?? writer.completions
    let longest = completions.map(\.count).max() ?? 0
    maximum = isTaught ? Self.mostTokens(completions) : way.isInWords ? Self.mostTokens : longest
    ends = isTaught ? writer.taughtEnds(answers == nil ? writer.ending : writer.endOfAnswer) : writer.ends
    filter = AnswerFilter(categories, kind: way == .tutorial ? .tutorial : .first)
    if case .same(let same) = examples { prefix = writer.prefix(examples: same) } else { prefix = [] }
  }

  /// A model that is asked as it was taught, or, where it is not the one that was, as that one.
  /// - Throws: `ModelError`.
  package convenience init(
    name: String, model: LanguageModel, taught: Taught, way: AnswerWay, isTaught: Bool = true
  ) throws {
    try self.init(
      name: name, model: model, prompt: taught.prompt, way: way,
      categories: taught.categories.map { (key: $0.key, name: $0.name) }, words: taught.words,
      answers: taught.answers, isTaught: isTaught)
  }

  /// Tokens of an answer that may be one of the completions.
  static func mostTokens(_ completions: [[Int32]]) -> Int {
    max(mostTokens, completions.map(\.count).max() ?? 0)
  }

  /// What the prompt for a text is in tokens.
  /// - Throws: `ModelError`.
  public func promptIDs(_ text: String) throws -> [Int32] {
    let own = try examples(for: [text], { false })[0]
    return try write(text, own).ids
  }

  public func classify(_ texts: [String], isCancelled: @Sendable () -> Bool) throws -> [Outcome] {
    let examples = try examples(for: texts, isCancelled)
    var outcomes = [Outcome](repeating: .abstained("the text is empty", Reading()), count: texts.count)
    let readable = texts.indices.filter { !texts[$0].allSatisfy(\.isWhitespace) }
    let written = try readable.map { try write(texts[$0], examples[$0]) }
    // A prompt whose beginning is another, since its text merges with what stands before it, is asked by itself.
    let sharing = written.indices.filter { starts(written[$0].ids, with: prefix) }
    let others = written.indices.filter { !starts(written[$0].ids, with: prefix) }
    for (group, prefix) in [(sharing, prefix), (others, [])] where !group.isEmpty {
      let prompts = group.map { Array(written[$0].ids.dropFirst(prefix.count)) }
      let found = try ask(prompts, after: prefix, isCancelled)
      for (place, answer) in zip(group, found) {
        outcomes[readable[place]] = answer(Reading(isTruncated: written[place].isTruncated))
      }
    }
    return outcomes
  }

  private func starts(_ ids: [Int32], with prefix: [Int32]) -> Bool {
    ids.count > prefix.count && ids.starts(with: prefix)
  }

  private func examples(for texts: [String], _ isCancelled: @Sendable () -> Bool) throws -> [[Prompt.Example]]
  {
    switch examples {
    case .same(let same): texts.map { _ in same }
    case .own(let find): try find(texts, isCancelled)
    }
  }

  private func write(_ text: String, _ examples: [Prompt.Example]) throws -> PromptWriter.Written {
    try writer.write(text, examples: examples, room: maximum)
  }

  private func ask(_ prompts: [[Int32]], after prefix: [Int32], _ isCancelled: @Sendable () -> Bool) throws
    -> [(Reading) -> Outcome]
  {
    if way.isInWords {
      let answers = try model.complete(
        prompts, after: prefix, maximum: maximum, ends: ends, isCancelled: isCancelled)
      return answers.map { ids in
        let written = ids.last.map(ends.contains) == true ? ids.dropLast() : ids[...]
        return { self.outcome(ofAnswer: self.writer.tokenizer.decode(written), $0) }
      }
    }
    guard !completions.isEmpty else {
      let outcome = Outcome.failed("the model was taught answers that are no categories", retry: false)
      return prompts.map { _ in { _ in outcome } }
    }
    let weights = try model.logProbabilities(
      of: completions, after: prompts, prefix: prefix, isCancelled: isCancelled)
    let withoutText = try way == .calibrate ? self.withoutText(isCancelled) : nil
    return weights.map { weights in { self.outcome(ofWeights: weights, withoutText, $0) } }
  }

  private func outcome(ofAnswer answer: String, _ reading: Reading) -> Outcome {
    guard let category = filter.find(in: answer).category else {
      return .abstained("the answer names no category", reading, answer: answer)
    }
    return .classified(Classification(category: category, confidence: nil, reading: reading), answer: answer)
  }

  private func outcome(ofWeights weights: [Double], _ withoutText: [Double]?, _ reading: Reading) -> Outcome {
    guard weights.allSatisfy(\.isFinite) else {
      return .failed("the model gave a number that is not finite", retry: false)
    }
    let logits = withoutText.map { zip(weights, $0).map { $0 - $1 } } ?? weights
    return .greatest(
      of: logits, categories: categories.map(\.key), reading,
      logProbabilities: zip(categories, weights).map { ($0.key, $1) })
  }

  /// The mean of what the model says where there is nothing to classify (Zhao et al. 2021).
  private func withoutText(_ isCancelled: @Sendable () -> Bool) throws -> [Double] {
    if let known = withoutText.withLock({ $0 }) { return known }
    let texts = ["N/A", "", "[MASK]"]
    let examples = try examples(for: texts, isCancelled)
    let prompts = try zip(texts, examples).map { try write($0, $1).ids }
    let weights = try model.logProbabilities(
      of: completions, after: prompts, prefix: [], isCancelled: isCancelled)
    let means = categories.indices.map { category in
      log(weights.reduce(0) { $0 + exp($1[category]) } / Double(texts.count))
    }
    withoutText.withLock { $0 = means }
    return means
  }
}
