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
    var written = AnswerText(tokenizer, stops: stops, ends: ends)
    let start = ContinuousClock.now
    try model.generate(
      promptIDs, maximum: maximum, ends: ends, temperature: temperature, seed: seed, isCancelled: isCancelled
    ) { token, logProbability in
      answer.ids.append(token)
      answer.logProbabilities.append(logProbability)
      written.append(token)
      answer.text += written.take()
      show(answer.text)
      return !written.hasEnded
    }
    written.finish()
    answer.text += written.take()
    show(answer.text)
    answer.isCut = !written.hasEnded
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    answer.tokensPerSecond = seconds > 0 ? Double(answer.ids.count) / seconds : 0
    return answer
  }
}

extension ModelLibrary {
  /// - Throws: `ModelError`, `TaskError`.
  public func writing(_ text: String, by name: String, isChat: Bool, maximum: Int) throws -> Writing {
    try Writing(text, by: languageModel(.language(name, .free)), isChat: isChat, maximum: maximum)
  }

  /// What an installed language model reads of a text, and how its chat template is known.
  /// - Throws: `ModelError`, `TaskError`.
  public func chatTemplate(of name: String) throws -> ChatTemplate {
    try ChatTemplate(of: cache.model(named: name).folder)
  }
}
