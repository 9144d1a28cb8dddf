import Encoder

/// Texts and categories as a language model is taught them: the prompts that it will be asked with, and what it is to write.
package struct PromptedLesson: Sendable {
  package let taught: Taught
  private let writer: PromptWriter
  /// Of each category.
  private let completions: [[Int32]]
  /// Tokens of an answer at most.
  package let room: Int

  /// - Throws: `ModelError` where the model does not read by byte-level BPE.
  package init(_ taught: Taught, model: PretrainedModel) throws {
    guard let tokenizer = model.tokenizer as? BytePair else { throw ModelError.noGeneration }
    self.taught = taught
    writer = PromptWriter(
      taught.prompt, categories: taught.categories.map(\.name), tokenizer: tokenizer,
      longest: model.maximumLength)
    completions = writer.completions(of: taught.words)
    room = LanguageClassifier.mostTokens(completions)
  }

  /// - Throws: `ModelError.textTooLong` where even an empty text leaves no room.
  package func write(_ text: String) throws -> PromptWriter.Written { try writer.write(text, room: room) }

  /// A text's prompt, and what is to be written behind it with its end: spelled as they are read, the template's marks too.
  /// - Parameter category: the key of one that is taught.
  /// - Throws: as `write`.
  package func spelled(_ text: String, category: String) throws -> (prompt: String, completion: String) {
    let number = taught.categories.firstIndex { $0.key == category }
    return (
      try prompt(for: text), writer.tokenizer.decode(number.map { completions[$0] } ?? [], specials: true)
    )
  }

  /// - Throws: as `write`.
  package func prompt(for text: String) throws -> String {
    writer.tokenizer.decode(try write(text).ids, specials: true)
  }

  /// The tokens that end an answer.
  package var ends: Set<Int32> { writer.taughtEnds(writer.ending) }

  /// Examples to be trained on, behind what all of their prompts begin with.
  package func examples(
    _ prompts: [[Int32]], categories: [Int]
  ) -> (examples: [PromptedExample], prefix: [Int32]) {
    let prefix = Self.beginning(of: prompts)
    let examples = zip(prompts, categories).map {
      PromptedExample(prompt: Array($0.dropFirst(prefix.count)), completion: completions[$1])
    }
    return (examples, prefix)
  }

  /// The states of the prompts' last tokens, `[prompts][hidden]`.
  package func lastStates(
    of prompts: [[Int32]], by model: LanguageModel, isCancelled: @Sendable () -> Bool,
    progress: @Sendable (_ done: Int) -> Void = { _ in }
  ) throws -> [[Float]] {
    // Not what these prompts share, but what all do: the model reads it once for all calls.
    let prefix = writer.prefix()
    let isShared = prompts.allSatisfy { $0.count > prefix.count && $0.starts(with: prefix) }
    let shared = isShared ? prefix : []
    return try model.lastStates(
      of: prompts.map { Array($0.dropFirst(shared.count)) }, after: shared, isCancelled: isCancelled,
      progress: progress)
  }

  /// The tokens that all prompts begin with; at least one is left of each.
  package static func beginning(of prompts: [[Int32]]) -> [Int32] {
    guard var shared = prompts.first?.dropLast() else { return [] }
    for prompt in prompts.dropFirst() {
      let count = zip(shared, prompt.dropLast()).prefix { $0 == $1 }.count
      shared = shared.prefix(count)
    }
    return Array(shared)
  }
}
