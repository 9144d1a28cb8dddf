import ArgumentParser
import Classifiers
import Foundation
import Shell
import Tasks
import Workbench

/// Cells 4 and 10 of the tutorial: one sample, before anything is stored; or a file of them, of which nothing is stored.
struct Classify: Verb, TextVerb, Repeatable {
  static let onlyLooks = true
  static let configuration = CommandConfiguration(
    commandName: "classify", abstract: "Ask a model for the category of a text, or of each text in a file.",
    discussion: """
      A small trial before the full run. The base model has seen no example of your categories: it compares the text with \
      "This text is about {category}." and takes the closest. A tuned model has learned from labels. The number behind a category \
      is how sure the model is, from 0 to 1. The embedded model reads English; of other languages it makes little.

      A language model (--model smollm2) is sent the prompt and writes ten tokens at most; the category that it names first counts. \
      With --decide it weighs the categories' names instead, and one of them always wins.

      --file takes what load takes, or one text a line, and answers for each text; with fettle --json a line of JSON for each. Nothing \
      is stored: load and predict are for data that you go on with.

      Examples:
        classify Ferry strike enters second week as islands ration fuel.
        classify --model base "Linen is back. So is the argument about ironing it."
        classify --file letters.txt
        classify --model smollm2 Linen is back.
        classify --model smollm2 --decide Linen is back.

      Next: predict.
      """)

  @OptionGroup var texts: TextsOption
  @OptionGroup var choice: ModelOption
  @OptionGroup(title: "Language models") var ways: WayOption

  /// Texts at a time, of a file.
  private static let batch = 64

  func perform(in context: Context) throws -> Effect {
    let (model, remark, basis) = try context.workspace.read {
      (try ways.applied(to: choice.resolve($0, in: context.models)), try choice.remark($0), try Basis($0))
    }
    let classifier = try context.models.classifier(for: model)
    var results: [(text: String, result: Outcome)] = []
    var batch: [String] = []
    func classifyBatch() throws {
      let classified = try classifier.classify(batch, isCancelled: context.isCancelled)
      results += zip(batch, classified).map { (text: $0, result: $1) }
      batch.removeAll(keepingCapacity: true)
    }
    try texts.forEachAsset(context) { text in
      batch.append(text)
      if batch.count == Self.batch { try classifyBatch() }
    }
    try classifyBatch()
    if let failure = results.first(where: { $0.result.isPassingFailure })?.result.reason {
      throw TaskError.passingFailure(model: model.name, failure)
    }
    let prompts = try results.map { try (classifier as? LanguageClassifier)?.promptIDs($0.text) }
    guard let first = results.first else { throw CommandError.usage("There is no text to classify.") }
    let recordedOptions: (Workbench) throws -> [String] = { try choice.recordedOptions(model, $0) }
    return Effect(recordedOptions: recordedOptions, isCurrent: basis.isCurrent) { [results] workbench in
      var report =
        try texts.file == nil
        ? report(first.result, by: model, prompt: prompts[0], workbench)
        : report(results, by: model, prompts: prompts, workbench)
      let foreign = results.count { $0.result.reading.isOutsideVocabulary }
      if let remark = vocabularyRemark(foreign, of: results.count) {
        report.blocks.append(.line("\(remark)"))
      }
      if let remark { report.blocks.append(.line("\(remark)")) }
      report.hint = "predict"
      return report
    }
  }

  private func report(
    _ results: [(text: String, result: Outcome)], by model: ModelSelection, prompts: [[Int32]?],
    _ workbench: Workbench
  ) throws -> Report {
    var report = Report(verb: "classify")
    report.blocks.append(.line("\(counted(results.count, "text")) by \(model.name)"))
    if model.isLanguageModel {
      let lines = try results.map { text, result in
        let sure = (result.classification?.confidence).map { " \(fixed($0, 2))" } ?? ""
        return "\(try workbench.name(ofCategory: result.category))\(sure): \(text.excerpt())"
      }
      report.blocks.append(.written(lines))
    } else {
      report.blocks.append(
        .table(
          Table(
            header: ["category", "sure", "text"],
            rows: try results.map { text, result in
              let sure: Cell =
                (result.classification?.confidence).map { "\(.confidence($0))" } ?? "\(result.reason ?? "")"
              return ["\(try workbench.name(ofCategory: result.category))", sure, "\(text.excerpt())"]
            })))
    }
    let truncated = results.count { $0.result.reading.isTruncated }
    if truncated > 0 {
      report.blocks.append(
        .line("\(counted(truncated, "text")) longer than the model reads: the end was left out."))
    }
    report.objects = zip(results, prompts).map { one, prompt in
      json(one.result, by: model, prompt).merging(["text": .string(one.text)]) { own, _ in own }
    }
    return report
  }

  private func json(_ result: Outcome, by model: ModelSelection, _ prompt: [Int32]?) -> [String: JSONValue] {
    var json: [String: JSONValue] = [
      "category": .string(result.category), "model": .string(model.name),
      "confidence": result.answer == nil
        ? .double(result.classification?.confidence ?? 0) : .null,
      "answer": result.answer.map(JSONValue.string) ?? .null,
      "scores": .object(
        Dictionary(
          (result.classification?.scores ?? []).map { ($0.category, JSONValue.double($0.probability)) },
          uniquingKeysWith: { first, _ in first })),
      "reason": result.reason.map(JSONValue.string) ?? .null,
    ]
    if let prompt { json["prompt_ids"] = .array(prompt.map { .int(Int($0)) }) }
    if let sums = result.classification?.logProbabilities {
      json["log_probabilities"] = .object(sums.mapValues(JSONValue.double))
    }
    return json
  }

  private func report(
    _ result: Outcome, by model: ModelSelection, prompt: [Int32]?, _ workbench: Workbench
  ) throws -> Report {
    var report = Report(verb: "classify")
    let name = try workbench.name(ofCategory: result.category)
    if let answer = result.answer {
      let sentence = result.reason.map { ": \($0)." } ?? ""
      report.blocks.append(
        .written(["\(name)\(sentence) (by \(model.name))", "it wrote: \(Language.quoted(answer))"]))
    } else if let reason = result.reason {
      report.blocks.append(.line("\(name): \(reason)."))
    }
    if let classification = result.classification, let confidence = classification.confidence {
      report.blocks.append(
        model.isLanguageModel
          ? .written(["\(name) \(fixed(confidence, 2)) (by \(model.name))"])
          : .line("\(name) \(.confidence(confidence)) (by \(model.name))"))
      let next = classification.scores.sorted { $0.probability > $1.probability }.dropFirst().prefix(3)
      if !next.isEmpty {
        let others = try next.map {
          "\(try workbench.name(ofCategory: $0.category)) \(fixed($0.probability, 2))"
        }
        report.blocks.append(.derived(["then \(others.joined(separator: ", "))"]))
      }
    }
    if result.reading.isTruncated {
      report.blocks.append(.line("The text is longer than the model reads; its end was left out."))
    }
    report.json = json(result, by: model, prompt)
    return report
  }
}
