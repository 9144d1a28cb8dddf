import Encoder

/// A language model with a head on the state of the prompt's last token: it reads the prompt, and writes nothing.
public final class LanguageHeadClassifier: Classifier {
  public let name: String
  private let model: LanguageModel
  private let head: Head
  private let lesson: PromptedLesson

  /// - Throws: `ModelError`.
  package init(name: String, model: LanguageModel, head: Head, taught: Taught) throws {
    (self.name, self.model, self.head) = (name, model, head)
    lesson = try PromptedLesson(taught, model: model.model)
  }

  public func classify(_ texts: [String], isCancelled: @Sendable () -> Bool) throws -> [Outcome] {
    var outcomes = [Outcome](repeating: .abstained("the text is empty", Reading()), count: texts.count)
    let readable = texts.indices.filter { !texts[$0].allSatisfy(\.isWhitespace) }
    let written = try readable.map { try lesson.write(texts[$0]) }
    let categories = lesson.taught.categories.map(\.key)
    let states = try lesson.lastStates(of: written.map(\.ids), by: model, isCancelled: isCancelled)
    for (index, (written, state)) in zip(readable, zip(written, states)) {
      outcomes[index] =
        state.allSatisfy(\.isFinite)
        ? .greatest(
          of: head.logits(state).map(Double.init), categories: categories,
          Reading(isTruncated: written.isTruncated))
        : .failed("the model gave a number that is not finite", retry: false)
    }
    return outcomes
  }
}
