import ArgumentParser
import Foundation
import Shell
import Tasks
import Workbench

/// Cell 8 of the tutorial: the labels as training examples in a file, for services that fine-tune elsewhere; and what came of
/// training, for programs and people that use it elsewhere.
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write predictions, a tuned model, or the training examples.",
    discussion: """
      export predictions writes the texts with what a model says of each, for a spreadsheet or a program.

      export model makes a folder that Python's sentence-transformers loads, with the head beside it and a README that tells how.

      export finetune writes the labels as examples. fettle trains on its own labels and needs no such file; services that fine-tune remotely do. Each line is one example in the \
      chat format, with the same instruction that a model would be asked with later; --legacy writes prompt and completion as Kili's tutorial does.

      Examples:
        export predictions predicted.csv
        export model news-model
        export finetune training.jsonl
        export finetune old.jsonl --legacy --dataset news-1

      Next: finetune, here or elsewhere.
      """,
    subcommands: [Predictions.self, ModelFolder.self, FineTuneFile.self])

  struct FineTuneFile: Verb {
    static let configuration = CommandConfiguration(
      commandName: "finetune", abstract: "Write the labels of a data set as training JSON lines.")
    @Argument(help: "The file to write.", completion: .file()) var file: Text
    @OptionGroup var data: DatasetOption
    @Flag(help: "Prompt and completion, as the notebook of Kili's tutorial wrote them.") var legacy = false
    @Flag(help: "Write over a file that is there.") var replace = false

    func perform(in context: Context) throws -> Effect {
      let (dataset, examples, categories, phrase) = try context.workspace.read { workbench in
        let dataset = try data.resolve(workbench)
        let examples = try workbench.trainingExamples(of: dataset)
        guard !examples.isEmpty else {
          throw TaskError.noLabels(
            dataset: dataset.name, hasCategories: dataset.categories > 0)
        }
        let keys = try workbench.interface()?.categories.map(\.key) ?? Set(examples.map(\.category)).sorted()
        return (dataset, examples, keys, try workbench.labelledTruth(of: dataset).phrase)
      }
      let url = try context.files.writing(file.description, replacing: replace)
      let format = TrainingFile(categories: categories, isLegacy: legacy)
      let target = NewFile(
        url, shownAs: context.files.shown(file.description), in: context.workspace)
      try target.write { output in
        for example in examples { try output.append(format.line(for: example) + "\n") }
      }
      let recordedOptions: (Workbench) throws -> [String] = { try data.recordedOptions(dataset, $0) }
      return Effect(recordedOptions: recordedOptions) { _ in
        var report = Report(verb: "export finetune")
        report.blocks.append(
          .line(
            "Wrote \(counted(examples.count, "example")) of \(dataset.name), with \(phrase), to \(context.files.shown(file.description).visible)."
          ))
        report.json = [
          "dataset": .string(dataset.name), "examples": .int(examples.count),
          "file": .string(context.files.shown(file.description)),
        ]
        return report
      }
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
