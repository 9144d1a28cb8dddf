import ArgumentParser
import Classifiers
import Encoder
import Foundation
import Shell
import Tasks
import Workbench

/// Cell 5 of the tutorial: a prediction for every asset, kept as INFERENCE labels under the model's name.
struct Predict: Verb {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Let a model label a whole data set.",
    discussion: """
      Predictions are kept as INFERENCE labels, batch by batch: after Ctrl-C or a power cut, predict goes on where it stopped. \
      A text that cannot be classified becomes UNABLE_TO_CLASSIFY with its reason, and the run goes on.

      A language model's answers are kept as it wrote them: show answers has them. Asked with --decide, --calibrate or --filter \
      tutorial its predictions stand beside those by free answers, under the names smollm2+decide and so on, for kpi --models.

      Examples:
        predict
        predict --dataset news-2 --model base
        predict --model smollm2
        predict --model smollm2 --decide

      Next: label file or label simulate, kpi; with a tuned model export predictions.
      """)

  @OptionGroup var data: DatasetOption
  @OptionGroup var choice: ModelOption
  @OptionGroup(title: "Language models") var ways: WayOption

  func perform(in context: Context) throws -> Effect {
    let (dataset, model, remark, basis) = try context.workspace.read {
      (
        try data.resolve($0), try ways.applied(to: choice.resolve($0, in: context.models)),
        try choice.remark($0), try Basis($0)
      )
    }
    let start = ContinuousClock.now
    let run = try context.predict(dataset, by: model)
    let reader = try? context.models.reader(of: model)
    let seconds = (ContinuousClock.now - start).seconds
    let recordedOptions: (Workbench) throws -> [String] = {
      try data.recordedOptions(dataset, $0) + choice.recordedOptions(model, $0)
    }
    return Effect(recordedOptions: recordedOptions, isCurrent: basis.isCurrent) { workbench in
      try workbench.complete(run)
      var report = try report(run, dataset, model, remark, reader, workbench)
      report.timing["seconds"] = .double(seconds)
      return report
    }
  }

  private func report(
    _ run: PredictionRun, _ dataset: Dataset, _ model: ModelSelection, _ remark: String?,
    _ reader: TextReader?,
    _ workbench: Workbench
  ) throws -> Report {
    let predicted = try workbench.predictions(of: run)
    let predictions = predicted.map(\.prediction)
    let counts = Dictionary(grouping: predictions, by: \.category).mapValues(\.count)
    let unable = counts[CategoryKey.unableToClassify] ?? 0
    let total = predictions.count
    let names = try workbench.categoryNames()
    var report = Report(verb: "predict")
    report.blocks.append(.line("\(model.name) predicted \(dataset.name): \(counted(total, "asset"))."))
    if let remark { report.blocks.append(.line("\(remark)")) }
    let order = try workbench.order(of: Set(counts.keys))
    func name(_ key: String) -> String { names[key] ?? CategoryKey.name(forKey: key) }
    if model.isLanguageModel {
      report.blocks.append(.written(order.map { "\(name($0)): \(counts[$0] ?? 0)" }))
    } else {
      report.blocks.append(
        .bars(
          order.map { key in
            let count = counts[key] ?? 0
            return Bar(
              name(key), value: "\(.count(count, of: total))",
              share: Double(count) / Double(max(1, counts.values.max() ?? 1)))
          }))
    }
    let answers = try workbench.answerCounts(predictions, by: model)
    if let answers {
      let kinds = AnswerFilter.Count.allCases.map { "\(answers[$0] ?? 0) \($0.phrase)" }
      report.blocks.append(.written(["the answers name: \(kinds.joined(separator: ", "))"]))
    }
    let reasons = Dictionary(grouping: predictions.compactMap(\.reason), by: { $0 }).mapValues(\.count)
    // A language model's are counted above, by kind.
    for (reason, count) in reasons.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }).prefix(5)
    where !model.isLanguageModel {
      report.blocks.append(.line("unable to classify \(.count(count, of: total)): \(reason)"))
    }
    if let reader {
      let foreign = predicted.count { reader.encode($0.asset.text).isMostlyOutsideVocabulary }
      if let remark = vocabularyRemark(foreign, of: total) { report.blocks.append(.line("\(remark)")) }
    }
    report.json = [
      "dataset": .string(dataset.name), "model": .string(model.name), "assets": .int(total),
      "unable_to_classify": .int(unable), "predictions": .object(counts.mapValues(JSONValue.int)),
      "answers": answers.map { counts in
        .object(
          Dictionary(
            uniqueKeysWithValues: AnswerFilter.Count.allCases.map {
              ($0.rawValue, .int(counts[$0] ?? 0))
            }))
      } ?? .null,
    ]
    report.hint = try workbench.stepAfterPredicting(dataset, by: model)
    return report
  }
}

extension Workbench {
  /// How many of a language model's answers name one category, several or none; nil where it was not asked for words.
  func answerCounts(_ predictions: [Prediction], by model: ModelSelection) throws -> [AnswerFilter.Count:
    Int]?
  {
    guard let way = model.way, way.isInWords, let filter = try answerFilter(way) else {
      return nil
    }
    return Dictionary(
      grouping: predictions.compactMap(\.answer), by: { filter.find(in: $0).count }
    ).mapValues(\.count)
  }

  /// What reads answers in words, by the interface's categories; nil without an interface.
  func answerFilter(_ way: AnswerWay) throws -> AnswerFilter? {
    try interface().map { interface in
      AnswerFilter(
        interface.classes.map { (key: $0.key, name: $0.name) }, kind: way == .tutorial ? .tutorial : .first)
    }
  }
}

extension AnswerFilter.Count {
  /// As a sentence has it behind a number.
  var phrase: String {
    switch self {
    case .one: "one category"
    case .several: "several"
    case .none: "none"
    }
  }
}

extension Context {
  /// The run of a model over a data set, with what it lacked; its step has to complete it.
  func predict(_ dataset: Dataset, by model: ModelSelection) throws -> PredictionRun {
    try PredictionTask(dataset, by: model, in: models).run(
      progress: { progress in
        if progress.isResumed {
          self.progress.message(
            "Going on with \(model.name) on \(dataset.name): \(progress.done) of \(progress.total) are done.")
        } else {
          self.progress.update(
            done: progress.done, total: progress.total, unit: "assets",
            note: "\(model.name) on \(dataset.name)")
        }
      }, isCancelled: isCancelled)
  }
}

extension Duration {
  /// Seconds with their fraction.
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
