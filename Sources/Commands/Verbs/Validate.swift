import ArgumentParser
import Foundation
import Shell
import Tasks
import Workbench

/// Cell 11 of the tutorial: does the tuned model do better than its base on texts that neither has seen?
struct Validate: Verb {
  static let configuration = CommandConfiguration(
    commandName: "validate", abstract: "Compare the tuned model with its base on unseen assets.",
    discussion: """
      A model is judged on texts that it was not trained on. validate lets the tuned model and the one it was made from predict the \
      data set, leaves out every text that was in the training set, and compares them asset by asset. --against sets it against any \
      other model; a language model's own base is asked with the prompt that it was taught with. McNemar's test looks at the \
      assets where just one of the two is right: its p says how often so large a difference would come by chance if both were equally good.

      Examples:
        load Samples/news-2.csv --sample 100
        validate
        validate --model tuned-1 --dataset news-2
        validate --model tuned-1 --against base

      Next: more labels and again finetune, until you are satisfied.
      """)

  @OptionGroup var data: DatasetOption
  @OptionGroup var choice: ModelOption
  @Option(
    help: ArgumentHelp(
      "The model that it is set against; the one that it was made from if left out.", valueName: "model"))
  var against: Text?
  @OptionGroup(title: "Language models") var ways: WayOption

  func perform(in context: Context) throws -> Effect {
    let (dataset, tuned, other, basis) = try context.workspace.read { workbench in
      let dataset = try data.resolve(workbench)
      let tuned = try choice.tuned(
        workbench, in: context.models, insteadOfBase: .notTuned(model: Workbench.baseModel))
      let truth = try workbench.truth(of: dataset)
      if truth.isEmpty { throw CommandError.noTruth(dataset: dataset.name) }
      let other = try against.map { try context.models.model(named: $0.description, workbench) }
      return (dataset, tuned, other, try Basis(workbench))
    }
    let model = try ways.applied(to: .tuned(tuned))
    let way = ways.way ?? .free
    let base = try other.map { $0.asked(way) ?? $0 } ?? context.models.base(of: tuned, way)
    guard base.name != model.name else {
      throw CommandError.usage("\(model.name) cannot be set against itself: --against another.")
    }
    let start = ContinuousClock.now
    let baseRun = try context.predict(dataset, by: base)
    let tunedRun = try context.predict(dataset, by: model)
    // Where no model is at hand, the texts themselves have to do.
    let reader = try? context.models.reader(of: .tuned(tuned))
    let seconds = (ContinuousClock.now - start).seconds
    let recordedOptions: (Workbench) throws -> [String] = {
      try data.recordedOptions(dataset, $0) + choice.recordedOptions(.tuned(tuned), $0)
    }
    return Effect(recordedOptions: recordedOptions, isCurrent: basis.isCurrent) { workbench in
      try workbench.complete(baseRun)
      try workbench.complete(tunedRun)
      let digests = try workbench.trainingTexts(of: tuned.name)
      func wasSeen(_ text: String) -> Bool {
        digests.contains(TextDigest(text)) || digests.contains(TextDigest(folding: text))
          || reader.map { digests.contains(TextDigest(tokens: $0.encode(text).ids)) } ?? false
      }
      let before = try Measurement(model: base.name, dataset: dataset, run: baseRun, workbench: workbench)
        .filter { !wasSeen($0.text) }
      let all = try Measurement(model: model.name, dataset: dataset, run: tunedRun, workbench: workbench)
      let after = all.filter { !wasSeen($0.text) }
      guard after.count > 0 else {
        throw CommandError.nothingHeldOut(dataset: dataset.name, leftOut: all.count)
      }
      var report = report(
        before, after, leftOut: all.count - after.count, remark: try choice.remark(workbench))
      report.timing["seconds"] = .double(seconds)
      return report
    }
  }

  private func report(_ before: Measurement, _ after: Measurement, leftOut: Int, remark: String?) -> Report {
    let comparison = ModelComparison(before, after)
    var report = Report(verb: "validate")
    if let remark { report.blocks.append(.line("\(remark)")) }
    let others = leftOut == 1 ? "1 asset left out that was" : "\(leftOut) assets left out that were"
    report.blocks.append(.line("\(comparison.title)"))
    report.blocks.append(.line("\(leftOut == 0 ? "no asset was" : others) in the training set"))
    report.blocks += comparison.blocks
    report.json = comparison.json
    report.json["left_out"] = .int(leftOut)
    report.hint = "label more and finetune again, until you are satisfied"
    return report
  }
}
