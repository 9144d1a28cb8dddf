import ArgumentParser
import Basics
import Classifiers
import Encoder
import Foundation
import Shell
import Tasks
import Workbench

/// `--model NAME`, on verbs that only a language model can do.
struct LanguageModelOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The language model, installed or tuned; if left out the first that is installed.",
      valueName: "language-model"))
  var model: Text?

  /// - Throws: `CommandError`, `TaskError`.
  func resolve(_ models: ModelLibrary) throws -> ModelSelection {
    guard let name = model?.description else {
      let (standard, installed) = (
        ModelCache.standardLanguageModelName, models.cache.languageModels.map(\.name)
      )
      guard let first = installed.contains(standard) ? standard : installed.first else {
        throw CommandError.other(
          code: "no-language-model",
          "No language model is installed. Fetch one once: model install \(standard)")
      }
      return .language(first, .free)
    }
    return try Self.named(name, models)
  }

  /// - Throws: `TaskError`; `CommandError` for what does not write.
  static func named(_ name: String, _ models: ModelLibrary) throws -> ModelSelection {
    let found: ModelSelection
    do {
      found = try models.workspace.read { try models.model(named: name, $0) }
    } catch let error as TaskError {
      // An encoder that is not base is no model of the workspace's, and yet no unknown one.
      guard (try? models.cache.model(named: name)) != nil else { throw error }
      throw noGeneration(name)
    }
    switch found {
    case .language(let name, _, _): return .language(name, .free)
    case .tuned(let tuned, _) where tuned.isPrompted: return .tuned(tuned)
    case .tuned(let tuned, _) where tuned.taught != nil:
      throw CommandError.other(
        code: "no-generation",
        "\(name.visible) is a head on \(tuned.base)'s last state, and writes nothing of its own. "
          + "Name one that was taught to write (finetune --method adapter), or \(tuned.base).")
    default: throw noGeneration(name)
    }
  }

  private static func noGeneration(_ name: String) -> CommandError {
    .other(
      code: "no-generation", "\(name.visible) compares texts, and does not write. Name a language model.")
  }
}

/// What a language model does, and all that it does: it goes on with a text.
struct Complete: Verb, TextVerb {
  static let onlyLooks = true
  static let configuration = CommandConfiguration(
    commandName: "complete", abstract: "Let a language model go on with a text.",
    discussion: """
      A language model gives each token of its vocabulary a probability of being the next one, and so goes on with any text, one token \
      after another. complete sends your text as it is and shows the raw answer while it is written. With --temperature 0 it takes the \
      most probable token each time; above 0 it draws one, by --seed, the more freely the higher. --stop ends the answer where it would \
      say that. \\n in the text is a line feed. A tuned language model (--model NAME) goes on in the same way: what it was taught shows \
      behind the prompt that it was taught with (export finetune shows that).

      Examples:
        complete The capital of France is
        complete --temperature 0.8 --seed 3 --max-tokens 30 Once upon a time
        complete --chat Which planet is the largest?

      Next: classify --model smollm2 TEXT.
      """)

  @Argument(help: "The text; the rest of the line.") var text: [Text] = []
  @OptionGroup var choice: LanguageModelOption
  @Option(
    name: .customLong("max-tokens"), parsing: .unconditional,
    help: ArgumentHelp("How many tokens at most.", valueName: "n")) var maximum = 40
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("0: the most probable token; above: drawn, 1 by its probability.", valueName: "t"))
  var temperature = 0.0
  @Option(help: ArgumentHelp("Decides what is drawn; config's seed if left out.", valueName: "seed"))
  var seed: UInt64?
  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Ends the answer where it would say this; may be given again.", valueName: "text"))
  var stop: [Text] = []
  @Flag(help: "Send the text as a user's message in the model's chat template.") var chat = false

  func validate() throws {
    if text.allSatisfy(\.description.isEmpty) { throw ValidationError("Give a text to go on with") }
    if maximum < 1 { throw ValidationError("--max-tokens counts from 1") }
    if !(0...100).contains(temperature) { throw ValidationError("--temperature goes from 0 to 100") }
    if stop.contains(where: \.description.isEmpty) { throw ValidationError("--stop needs a text") }
  }

  func perform(in context: Context) throws -> Effect {
    let model = try choice.resolve(context.models)
    let writing = try context.models.writing(
      context.rest(text).withLineFeeds, by: model, isChat: chat, maximum: maximum)
    let stops = stop.map(\.description.withLineFeeds)
    let terminal = context.nested.terminal
    let isWatched = terminal.isTerminal && !context.files.isReplay && !context.nested.isInBlock
    var shown = 0
    defer { if shown > 0 { context.nested.send(.typed("\n")) } }
    let answer = try writing.run(
      temperature: temperature, seed: seed ?? context.seed, stops: stops, isCancelled: context.isCancelled
    ) { text in
      guard isWatched else { return }
      let new = text.dropFirst(shown)
      shown += new.count
      context.nested.send(.typed(String(new).visibleLines))
    }
    var report = Report(verb: "complete")
    let lines = answer.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    report.blocks.append(
      .written(answer.text.isEmpty ? ["(nothing: it ended at once)"] : lines, isOnScreen: shown > 0))
    let count = counted(answer.ids.count, "token")
    let end = answer.ids.count < maximum ? ", the last that the model has room for" : ", cut at --max-tokens"
    report.blocks.append(.derived(["\(count) by \(model.name)\(answer.isCut ? end : "")"]))
    report.json = [
      "model": .string(model.name), "prompt_ids": .array(writing.promptIDs.map { .int(Int($0)) }),
      "ids": .array(answer.ids.map { .int(Int($0)) }), "text": .string(answer.text),
      "log_probabilities": .array(answer.logProbabilities.map(JSONValue.double)),
    ]
    report.timing = ["tokens_per_second": .double(answer.tokensPerSecond)]
    return Effect { _ in report }
  }
}

extension String {
  /// With `\n` as a line feed and `\\` as a backslash: a line at the prompt has no other way of saying it.
  var withLineFeeds: String {
    guard contains("\\") else { return self }
    var result = ""
    var rest = self[...]
    while let character = rest.popFirst() {
      if character == "\\", let next = rest.first, next == "n" || next == "\\" {
        rest.removeFirst()
        result.append(next == "n" ? "\n" : "\\")
      } else {
        result.append(character)
      }
    }
    return result
  }
}
