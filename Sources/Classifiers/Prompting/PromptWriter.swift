import Encoder

/// Prompts as a model's tokens.
public struct PromptWriter: Sendable {
  public let prompt: Prompt
  public let chat: ChatTemplate
  /// Names, in the interface's order.
  let categories: [String]
  let tokenizer: BytePair
  private let longest: Int

  /// - Parameters:
  ///   - longest: tokens that the model reads and writes in all.
  ///   - categories: names, in the interface's order.
  public init(_ prompt: Prompt, categories: [String], tokenizer: BytePair, longest: Int) {
    self.prompt = prompt
    self.categories = categories
    self.tokenizer = tokenizer
    self.longest = longest
    chat = ChatTemplate(tokenizer)
  }

  /// A prompt for one text.
  public struct Written: Sendable, Equatable {
    public var ids: [Int32]
    /// Whether the text's end was left out, since the model reads no more.
    public var isTruncated: Bool
  }

  /// - Parameter room: tokens that the model is to write behind it.
  /// - Throws: `PromptError.tooLong` where even an empty text leaves no room.
  public func write(_ text: String, examples: [Prompt.Example] = [], room: Int) throws -> Written {
    let all = ids(of: text, examples)
    let limit = longest - room
    guard all.count > limit else { return Written(ids: all, isTruncated: false) }
    let frame = ids(of: "", examples).count
    guard frame < limit else { throw PromptError.tooLong(tokens: frame, maximum: limit) }
    // As much of the text as fits; tokens at the cut may merge otherwise, so there is a little less than room for.
    var kept = limit - frame
    while kept > 0 {
      let start = tokenizer.encode([.text(text)], maximumLength: kept).ids
      let written = ids(of: tokenizer.decode(start), examples)
      if written.count <= limit { return Written(ids: written, isTruncated: true) }
      kept -= max(1, written.count - limit)
    }
    return Written(ids: ids(of: "", examples), isTruncated: true)
  }

  private func ids(of text: String, _ examples: [Prompt.Example]) -> [Int32] {
    let turns = prompt.turns(for: text, examples: examples, categories: categories)
    let parts = prompt.isChat ? chat.parts(turns, tokenizer) : turns.map { .text($0.text) }
    return tokenizer.encode(beginning + parts).ids
  }

  private var beginning: [BytePair.Part] { tokenizer.beginning.map { [.special($0)] } ?? [] }

  /// The tokens that all prompts with these examples begin with, whatever the text.
  ///
  /// What stands before the text may merge with it, so this is what the prompts of unlike texts share.
  public func prefix(examples: [Prompt.Example] = []) -> [Int32] {
    let probes = ["a", "Z", "7", "\u{e9}", "\u{6f22}", "\"", "\n", " ", "."]
    var shared = ids(of: probes[0], examples)
    for probe in probes.dropFirst() {
      let other = ids(of: probe, examples)
      shared = Array(zip(shared, other).prefix { $0 == $1 }.map(\.0))
    }
    return shared
  }

  /// Each category's name as the model is to write it, with what ends an answer.
  public var completions: [[Int32]] { completions(of: categories) }

  /// Other words for the categories.
  public func completions(of words: [String]) -> [[Int32]] {
    words.map { tokenizer.encode([.text(prompt.completion(of: $0))]).ids + ending }
  }

  /// What a file taught, to the letter.
  func completions(ofAnswers answers: [String]) -> [[Int32]] {
    answers.map { tokenizer.encode([.text($0)]).ids + endOfAnswer }
  }

  /// What stands behind an answer that a file taught.
  var endOfAnswer: [Int32] { chat.endOfAnswer(isChat: prompt.isChat, tokenizer) }

  /// What stands behind a completion: the turn's end, or the line's.
  var ending: [Int32] { chat.end(isChat: prompt.isChat && chat != .plain, tokenizer) }

  public var ends: Set<Int32> { chat.ends(tokenizer) }

  /// The same for a model that has learned to write completions with this behind them, and no more than these.
  func taughtEnds(_ ending: [Int32]) -> Set<Int32> { ending.count == 1 ? ends.union(ending) : ends }
}
