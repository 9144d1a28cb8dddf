import ArgumentParser
import Classifiers
import Foundation
import Shell
import Tasks
import Workbench

extension Show {
  /// What a language model wrote, before anything was read out of it.
  struct Answers: Verb {
    static let onlyLooks = true
    static let configuration = CommandConfiguration(
      commandName: "answers", abstract: "List what a language model wrote.",
      discussion: """
        The answers of a run by free writing, counted by kind: naming one category, several, or none. The same words come together, the \
        most frequent first.

        Examples:
          show answers
          show answers --kind none --limit 20
        """)

    @OptionGroup var data: DatasetOption
    @Option(help: ArgumentHelp("The model; the one that answered last if left out.", valueName: "model"))
    var model: Text?
    @Option(help: ArgumentHelp("Only those that name: one, several, none.", valueName: "kind")) var kind:
      AnswerFilter.Count?
    @Option(parsing: .unconditional, help: ArgumentHelp("How many different ones at most.", valueName: "n"))
    var limit = 10

    func validate() throws {
      if limit < 1 { throw ValidationError("--limit counts from 1") }
    }

    func perform(in context: Context) throws -> Effect {
      // Whose answers they are is known once they are found.
      let shown = try? context.workspace.read { try answers(of: data.resolve($0), $0, context.models).0 }
      let stale = shown.map { context.staleness(of: [Text(argument: $0)], over: data) } ?? []
      return Effect { workbench in
        var report = try self.report(workbench, context.models)
        report.blocks += stale.map { .line("\($0)") }
        return report
      }
    }

    private func report(_ workbench: Workbench, _ models: ModelLibrary) throws -> Report {
      let dataset = try data.resolve(workbench)
      let (name, predicted) = try answers(of: dataset, workbench, models)
      guard let filter = try workbench.answerFilter(AnswerWay.split(name).way) else {
        throw TaskError.noInterface
      }
      struct Kept {
        var answer: String
        var finding: AnswerFilter.Finding
        var assets: [Asset]
      }
      let all = Dictionary(grouping: predicted, by: { $0.prediction.answer ?? "" }).map { answer, rows in
        Kept(answer: answer, finding: filter.find(in: answer), assets: rows.map(\.asset))
      }.sorted { ($1.assets.count, $0.answer) < ($0.assets.count, $1.answer) }
      let counts = AnswerFilter.Count.allCases.map { kind in
        (kind, all.filter { $0.finding.count == kind }.reduce(0) { $0 + $1.assets.count })
      }
      let chosen = all.filter { kind == nil || $0.finding.count == kind }
      var report = Report(verb: "show answers")
      report.blocks.append(
        .line("\(counted(predicted.count, "answer")) of \(name.visible) on \(dataset.name.visible)"))
      let kinds = counts.map { "\($0.1) name \($0.0.phrase)" }.joined(separator: ", ")
      let lines = try chosen.prefix(limit).map { kept in
        let read = try kept.finding.category.map { try workbench.name(ofCategory: $0).visible } ?? "none"
        return "\(kept.assets.count) × \(Language.quoted(kept.answer)): \(read)"
      }
      let more = chosen.count > limit ? ["and \(chosen.count - limit) more: --limit \(chosen.count)"] : []
      report.blocks.append(.written([kinds] + lines + more))
      report.json = [
        "dataset": .string(dataset.name), "model": .string(name),
        "counts": .object(Dictionary(uniqueKeysWithValues: counts.map { ($0.0.rawValue, .int($0.1)) })),
        "answers": .array(
          chosen.prefix(limit).map { kept in
            .object([
              "answer": .string(kept.answer), "count": .int(kept.assets.count),
              "kind": .string(kept.finding.count.rawValue),
              "category": kept.finding.category.map(JSONValue.string) ?? .null,
              "assets": .array(kept.assets.map { .string($0.externalID) }),
            ])
          }),
      ]
      report.hint = predicted.first.map { "show asset \(Language.quoted($0.asset.externalID))" }
      return report
    }

    /// Of the named model, else of the one that answered in words last.
    private func answers(of dataset: Dataset, _ workbench: Workbench, _ models: ModelLibrary) throws -> (
      String, [PredictedAsset]
    ) {
      let runs =
        try model.map { [try workbench.completeRun(of: $0.description, over: dataset, in: models)] }
        ?? workbench.completeRuns(dataset: dataset).reversed()
      for run in runs {
        let predicted = try workbench.predictions(of: run).filter { $0.prediction.answer != nil }
        if !predicted.isEmpty { return (run.model, predicted) }
      }
      throw CommandError.other(
        code: "no-answers",
        model.map {
          "\($0.description.visible) has written nothing on \(dataset.name.visible): it answers in numbers."
        }
          ?? "No language model has answered in words on \(dataset.name.visible) yet. Ask one: predict --model \(ModelCache.standardLanguageModelName)"
      )
    }
  }
}

extension AnswerFilter.Count: ExpressibleByArgument {}
