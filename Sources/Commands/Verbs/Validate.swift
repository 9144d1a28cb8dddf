import ArgumentParser
import Foundation
import Scoring
import Shell
import Workbench

/// Cell 11 of the tutorial: does the tuned model do better than its base on texts that neither has seen?
struct Validate: Verb {
  static let configuration = CommandConfiguration(
    commandName: "validate", abstract: "Compare the tuned model with its base on unseen assets.",
    discussion: """
      A model is judged on texts that it was not trained on. validate lets the tuned model and the one it was made from predict the \
      data set, leaves out every text that was in the training set, and compares them asset by asset. McNemar's test looks at the \
      assets where just one of the two is right: its p says how often so large a difference would come by chance if both were equally good.

      Examples:
        load Samples/news-2.csv --sample 100
        validate

      Next: more labels and again finetune, until you are satisfied.
      """)

  @OptionGroup var data: DatasetOption
  @OptionGroup var choice: ModelOption

  func perform(in context: Context) throws -> Work {
    let (dataset, tuned, base) = try context.workspace.read { workbench in
      let dataset = try data.resolve(workbench)
      guard case .tuned(let tuned) = try choice.resolve(workbench) else {
        throw choice.model == nil ? Fault.noTunedModel : .notTuned(model: ChosenModel.baseName)
      }
      let truth = try workbench.truth(of: dataset)
      if truth.source == .none { throw Fault.noTruth(dataset: dataset.name) }
      return (dataset, tuned, try ChosenModel.named(tuned.base, workbench))
    }
    let start = ContinuousClock.now
    let baseRun = try context.predictMissing(dataset, by: base)
    let tunedRun = try context.predictMissing(dataset, by: .tuned(tuned))
    let seconds = (ContinuousClock.now - start).seconds
    let additions: (Workbench) throws -> [String] = {
      try data.additions(dataset, $0) + choice.additions(.tuned(tuned), $0)
    }
    return Work(additions: additions) { workbench in
      try workbench.complete(baseRun)
      try workbench.complete(tunedRun)
      let seen = try workbench.trainingTexts(of: tuned.name)
      let before = try Measurement(model: base.name, dataset: dataset, run: baseRun, workbench: workbench)
        .filter { !seen.contains(TextDigest($0.text)) }
      let all = try Measurement(model: tuned.name, dataset: dataset, run: tunedRun, workbench: workbench)
      let after = all.filter { !seen.contains(TextDigest($0.text)) }
      guard after.count > 0 else { throw Fault.nothingHeldOut(dataset: dataset.name, leftOut: all.count) }
      var report = try report(before, after, leftOut: all.count - after.count, workbench)
      report.timing["seconds"] = .double(seconds)
      return report
    }
  }

  private func report(
    _ before: Measurement, _ after: Measurement, leftOut: Int, _ workbench: Workbench
  ) throws -> Report {
    let count = after.count
    let onlyAfter = zip(before.assets, after.assets).count {
      $0.predicted != $0.truth && $1.predicted == $1.truth
    }
    let onlyBefore = zip(before.assets, after.assets).count {
      $0.predicted == $0.truth && $1.predicted != $1.truth
    }
    let test = McNemar(onlyFirst: onlyBefore, onlySecond: onlyAfter)
    let difference = Double(after.agree - before.agree) / Double(count)
    var report = Report(verb: "validate")
    report.blocks.append(
      .line(
        "\(after.model) against \(before.model) on \(after.dataset.name): \(counted(count, "asset")), \(after.source)"
      ))
    report.blocks.append(
      .line(
        "\(leftOut == 0 ? "no asset was" : "\(counted(leftOut, "asset")) left out that \(leftOut == 1 ? "was" : "were")") in the training set"
      ))
    func row(_ name: String, _ cell: (Measurement) -> Cell) -> [Cell] {
      ["\(name)", cell(before), cell(after)]
    }
    report.blocks.append(
      .table(
        Table(
          header: ["", before.model, after.model],
          rows: [
            row("agree") { "\(.count($0.agree, of: count))" },
            row("accuracy") { "\(.share($0.accuracy.value ?? .nan, of: count))" },
            row("95 % from") { "\(.intervalEnd($0.accuracy.interval?.lowerBound ?? .nan, of: count))" },
            row("95 % to") { "\(.intervalEnd($0.accuracy.interval?.upperBound ?? .nan, of: count))" },
            row("macro F1") { "\(.macroF1($0.macroF1, of: count))" },
          ], alignments: [.left, .right, .right])))
    report.blocks.append(
      .fields([
        ("difference", "\(.difference(difference, of: count))"),
        ("only \(after.model) right", "\(.count(onlyAfter, of: count))"),
        ("only \(before.model) right", "\(.count(onlyBefore, of: count))"),
        ("McNemar's p", "\(.pValue(test.pValue))"),
      ]))
    report.blocks.append(.derived([test.verdict]))
    report.json = after.json
    report.json["base"] = .string(before.model)
    report.json["base_accuracy"] = .double(before.accuracy.value ?? .nan)
    report.json["base_macro_f1"] = .double(before.macroF1)
    report.json["difference"] = .double(difference)
    report.json["p_value"] = .double(test.pValue)
    report.json["left_out"] = .int(leftOut)
    report.hint = "label more and finetune again, until you are satisfied"
    return report
  }
}
