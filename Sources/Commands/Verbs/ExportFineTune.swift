import ArgumentParser
import Classifiers
import Encoder
import Foundation
import Shell
import Tasks
import Workbench

extension Export {
  struct FineTuneFile: Verb {
    static let configuration = CommandConfiguration(
      commandName: "finetune", abstract: "Write the labels of a data set as training JSON lines.")
    @Argument(help: "The file to write.", completion: .file()) var file: Text
    @OptionGroup var data: DatasetOption
    @Flag(help: "Prompt and completion, as the notebook of Kili's tutorial wrote them.") var legacy = false
    @Option(
      help: ArgumentHelp(
        "A language model: the prompts and completions that it is taught, a tuned one's from the data set it was trained on.",
        valueName: "language-model"))
    var model: Text?
    @Option(
      help: ArgumentHelp(
        "What an installed language model would be taught to write: names, if left out, or keys.",
        valueName: "completions"))
    var completions: Taught.Completions?
    @Flag(help: "Write over a file that is there.") var replace = false

    func validate() throws {
      if legacy, model != nil {
        throw ValidationError("--legacy is another service's form; --model writes what fettle teaches")
      }
      if completions != nil, model == nil { throw ValidationError("--completions is for --model") }
    }

    func perform(in context: Context) throws -> Effect {
      let lines =
        try model.map { try taught($0.description, context) } ?? context.workspace.read(labels)
      let (dataset, count) = (lines.dataset, lines.examples.count)
      let phrase = try context.workspace.read { try $0.labelledTruth(of: dataset).phrase }
      let url = try context.files.writing(file.description, replacing: replace)
      let shown = context.files.shown(file.description)
      try NewFile(url, shownAs: shown, in: context.workspace).write { output in
        for example in lines.examples {
          try context.checkCancellation()
          try output.append(lines.line(example) + "\n")
        }
      }
      let recordedOptions: (Workbench) throws -> [String] = { try data.recordedOptions(dataset, $0) }
      return Effect(recordedOptions: recordedOptions) { _ in
        var report = Report(verb: "export finetune")
        let manner = lines.lesson.map { ", as \($0.model) \($0.isTuned ? "was" : "is") taught" } ?? ""
        report.blocks.append(
          .line(
            "Wrote \(counted(count, "example")) of \(dataset.name)\(manner), with \(phrase), to \(shown.visible)."
          ))
        report.json = ["dataset": .string(dataset.name), "examples": .int(count), "file": .string(shown)]
        if let lesson = lines.lesson {
          report.json["model"] = .string(lesson.model)
          report.json["completions"] = .string(lesson.completions.rawValue)
          report.json["left_out"] = .int(lesson.leftOut)
          if lesson.leftOut > 0 {
            report.blocks.append(
              .line("\(counted(lesson.leftOut, "other")) left out: \(lesson.model) did not learn from them."))
          }
        }
        report.hint = lines.hint
        return report
      }
    }

    /// What is written.
    private struct Lines {
      let dataset: Dataset
      let examples: [TrainingExample]
      /// Nil where a service elsewhere is to learn from them.
      var lesson: (model: String, isTuned: Bool, completions: Taught.Completions, leftOut: Int)?
      var hint: String?
      let line: (TrainingExample) throws -> String
    }

    /// The labels for services elsewhere.
    private func labels(_ workbench: Workbench) throws -> Lines {
      let dataset = try data.resolve(workbench)
      let examples = try workbench.trainingExamples(of: dataset)
      guard !examples.isEmpty else {
        throw TaskError.noLabels(dataset: dataset.name, hasCategories: dataset.categories > 0)
      }
      let keys = try workbench.interface()?.categories.map(\.key) ?? Set(examples.map(\.category)).sorted()
      let format = TrainingFile(categories: keys, isLegacy: legacy)
      let newest = try workbench.models().last { $0.dataset == dataset.name }
      let hint = newest.flatMap { tuned in
        tuned.isPrompted
          ? "--model \(Language.quoted(tuned.name)) writes the prompts and completions that it learned from"
          : nil
      }
      return Lines(dataset: dataset, examples: examples, hint: hint, line: format.line)
    }

    /// Prompts, and what a language model is to write behind them.
    private func taught(_ name: String, _ context: Context) throws -> Lines {
      let model = try LanguageModelOption.named(name, context.models)
      let (dataset, taught, examples, leftOut) = try context.workspace.read { workbench in
        if case .tuned(let tuned, _) = model, let taught = try tuned.lesson {
          return try learned(by: tuned, taught, workbench)
        }
        let dataset = try data.resolve(workbench)
        let plan = try TrainingPlan(dataset, base: model, completions: completions, workbench)
        guard let taught = plan.taught else { throw ModelError.noGeneration }
        return (dataset, taught, plan.examples, 0)
      }
      let lesson = try PromptedLesson(taught, model: context.models.pretrained(model))
      let isTuned = if case .tuned = model { true } else { false }
      return Lines(
        dataset: dataset, examples: examples,
        lesson: (model: model.name, isTuned: isTuned, completions: taught.completions, leftOut: leftOut)
      ) { example in
        let (prompt, completion) = try lesson.spelled(example.text, category: example.category)
        return JSONValue.object(["prompt": .string(prompt), "completion": .string(completion)]).line
      }
    }

    /// Of the data set's labels those that the model has seen.
    private func learned(by tuned: TunedModel, _ taught: Taught, _ workbench: Workbench) throws -> (
      Dataset, Taught, [TrainingExample], leftOut: Int
    ) {
      guard completions == nil || completions == taught.completions else {
        throw CommandError.usage(
          "\(tuned.name) was taught to write \(taught.completions.rawValue). Leave --completions out.")
      }
      let dataset =
        try data.given == nil
        ? DatasetOption.named(tuned.dataset, workbench) : data.resolve(workbench)
      let digests = try workbench.trainingTexts(of: tuned.name)
      let keys = Set(taught.categories.map(\.key))
      let all = try workbench.trainingExamples(of: dataset)
      let learned = all.filter { keys.contains($0.category) && digests.contains(TextDigest($0.text)) }
      guard !learned.isEmpty else {
        throw CommandError.other(
          code: "no-examples",
          "\(tuned.name) learned from no labelled text of \(dataset.name). Its own data set is \(tuned.dataset)."
        )
      }
      return (dataset, taught, learned, all.count - learned.count)
    }
  }
}

/// Training examples as JSON lines.
///
/// The chat format is that of OpenAI's fine-tuning guide (https://platform.openai.com/docs/guides/supervised-fine-tuning); the
/// legacy one is the tutorial's own.
struct TrainingFile {
  /// Keys of the categories that an answer may name.
  let categories: [String]
  let isLegacy: Bool

  /// The one instruction for training and for asking later: when the two differ, a model is asked what it did not learn.
  var instruction: String {
    "Classify the text of the following message as exactly one of the following: \(categories.joined(separator: ", "))"
  }

  func line(for example: TrainingExample) -> String {
    if isLegacy {
      return JSONValue.object([
        "prompt": .string("\(example.text)[PROMPT_STOP]"), "completion": .string(" \(example.category)[END]"),
      ]).line
    }
    func message(_ role: String, _ content: String) -> JSONValue {
      .object(["role": .string(role), "content": .string(content)])
    }
    return JSONValue.object([
      "messages": .array([
        message("system", instruction), message("user", example.text), message("assistant", example.category),
      ])
    ]).line
  }
}
