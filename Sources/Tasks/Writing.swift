import Classifiers
import Encoder
import Foundation
import Workbench

/// A language model that goes on with one text.
public struct Writing: Sendable {
  public let promptIDs: [Int32]
  private let model: LanguageModel
  private let tokenizer: BytePair
  private let ends: Set<Int32>
  private let maximum: Int

  /// What was written.
  public struct Answer: Sendable {
    public var text = ""
    /// The tokens that were chosen, the one that ended the answer among them.
    public var ids: [Int32] = []
    /// Of the chosen tokens, nats.
    public var logProbabilities: [Double] = []
    /// Whether it would have gone on.
    public var isCut = false
    public var tokensPerSecond = 0.0
  }

  init(_ text: String, by model: LanguageModel, isChat: Bool, maximum: Int) throws {
    guard let tokenizer = model.model.tokenizer as? BytePair else { throw ModelError.noGeneration }
    self.model = model
    self.tokenizer = tokenizer
    let chat = ChatTemplate(tokenizer)
    ends = chat.ends(tokenizer)
    let beginning = tokenizer.beginning.map { [BytePair.Part.special($0)] } ?? []
    promptIDs =
      tokenizer.encode(beginning + (isChat ? chat.parts(question: text, tokenizer) : [.text(text)])).ids
    let longest = model.model.maximumLength
    guard promptIDs.count < longest else {
      throw ModelError.textTooLong(tokens: promptIDs.count, maximum: longest - 1)
    }
    self.maximum = min(maximum, longest - promptIDs.count)
  }

  /// - Parameters:
  ///   - stops: the answer ends before the first of these texts.
  ///   - show: called with all that is written so far, whenever there is more of it.
  /// - Throws: `ModelError`, `CancellationError`.
  public func run(
    temperature: Double, seed: UInt64, stops: [String], isCancelled: @Sendable () -> Bool,
    show: (_ text: String) -> Void
  ) throws -> Answer {
    var answer = Answer()
    var stream = tokenizer.textStream()
    var hasEnded = false
    let start = ContinuousClock.now
    // What may be the beginning of a stop is not shown before it is known not to be.
    let held = max(0, (stops.map(\.count).max() ?? 0) - 1)
    try model.generate(
      promptIDs, maximum: maximum, ends: ends, temperature: temperature, seed: seed, isCancelled: isCancelled
    ) { token, logProbability in
      answer.ids.append(token)
      answer.logProbabilities.append(logProbability)
      if ends.contains(token) {
        hasEnded = true
        return false
      }
      answer.text += stream.append(token)
      if let place = stops.compactMap({ answer.text.firstRange(of: $0)?.lowerBound }).min() {
        answer.text = String(answer.text[..<place])
        hasEnded = true
        return false
      }
      show(String(answer.text.dropLast(held)))
      return true
    }
    if !hasEnded { answer.text += stream.finish() }
    show(answer.text)
    answer.isCut = !hasEnded
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    answer.tokensPerSecond = seconds > 0 ? Double(answer.ids.count) / seconds : 0
    return answer
  }
}

extension ModelLibrary {
  /// - Parameter model: a language model, installed or tuned.
  /// - Throws: `ModelError`, `TaskError`.
  public func writing(_ text: String, by model: ModelSelection, isChat: Bool, maximum: Int) throws -> Writing
  {
    try Writing(text, by: languageModel(model), isChat: isChat, maximum: maximum)
  }

  /// What an installed language model reads of a text, and how its chat template is known.
  /// - Throws: `ModelError`, `TaskError`.
  public func chatTemplate(of name: String) throws -> ChatTemplate {
    try ChatTemplate(of: cache.model(named: name).folder)
  }
}
