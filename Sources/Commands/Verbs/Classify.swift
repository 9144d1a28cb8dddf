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

      --file takes what load takes, or one text a line, and answers for each text; with fettle --json a line of JSON for each. Nothing \
      is stored: load and predict are for data that you go on with.

      Examples:
        classify Ferry strike enters second week as islands ration fuel.
        classify --model base "Linen is back. So is the argument about ironing it."
        classify --file letters.txt

      Next: predict.
      """)

  @OptionGroup var texts: TextsOption
  @OptionGroup var choice: ModelOption

  /// Texts at a time, of a file.
  private static let batch = 64

  func perform(in context: Context) throws -> Effect {
    let (model, remark, basis) = try context.workspace.read {
      (try choice.resolve($0, in: context.models), try choice.remark($0), try Basis($0))
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
    guard let first = results.first else { throw CommandError.usage("There is no text to classify.") }
    let recordedOptions: (Workbench) throws -> [String] = { try choice.recordedOptions(model, $0) }
    return Effect(recordedOptions: recordedOptions, isCurrent: basis.isCurrent) { [results] workbench in
      var report =
        try texts.file == nil
        ? report(first.result, by: model.name, workbench) : report(results, by: model.name, workbench)
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
    _ results: [(text: String, result: Outcome)], by model: String, _ workbench: Workbench
  ) throws -> Report {
    var report = Report(verb: "classify")
    report.blocks.append(.line("\(counted(results.count, "text")) by \(model)"))
    report.blocks.append(
      .table(
        Table(
          header: ["category", "sure", "text"],
          rows: try results.map { text, result in
            let sure: Cell =
              result.classification.map { "\(.confidence($0.confidence))" } ?? "\(result.reason ?? "")"
            return ["\(try workbench.name(ofCategory: result.category))", sure, "\(text.excerpt())"]
          })))
    let truncated = results.count { $0.result.reading.isTruncated }
    if truncated > 0 {
      report.blocks.append(
        .line("\(counted(truncated, "text")) longer than the model reads: the end was left out."))
    }
    report.objects = results.map { text, result in
      json(result, by: model).merging(["text": .string(text)]) { own, _ in own }
    }
    return report
  }

  private func json(_ result: Outcome, by model: String) -> [String: JSONValue] {
    [
      "category": .string(result.category),
      "confidence": .double(result.classification?.confidence ?? 0), "model": .string(model),
      "scores": .object(
        Dictionary(
          (result.classification?.scores ?? []).map { ($0.category, JSONValue.double($0.probability)) },
          uniquingKeysWith: { first, _ in first })),
      "reason": result.reason.map(JSONValue.string) ?? .null,
    ]
  }

  private func report(_ result: Outcome, by model: String, _ workbench: Workbench) throws -> Report {
    var report = Report(verb: "classify")
    let name = try workbench.name(ofCategory: result.category)
    if let reason = result.reason { report.blocks.append(.line("\(name): \(reason).")) }
    if let classification = result.classification {
      report.blocks.append(.line("\(name) \(.confidence(classification.confidence)) (by \(model))"))
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
    report.json = json(result, by: model)
    return report
  }
}
