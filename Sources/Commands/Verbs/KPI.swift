import ArgumentParser
import Foundation
import Scoring
import Shell
import Workbench

/// Cell 7 of the tutorial: how well the model that predicted agrees with the people who labelled.
struct KPI: Verb {
  static let configuration = CommandConfiguration(
    commandName: "kpi", abstract: "Measure a model's predictions against the labels.",
    discussion: """
      The tutorial's measure is Kili's IoU: model and human agree, 1.0; they differ, 0.5; the score is the share of assets above \
      one half. Beside it stand the accuracy with its 95 % interval, which says how far chance could have moved it, and macro F1, in which \
      every category counts the same.

      kpi speaks of the model that predicted last; --model names another.

      Examples:
        kpi
        kpi --confusion

      Next: finetune, then validate.
      """)

  @OptionGroup var data: DatasetOption
  @Option(help: ArgumentHelp("The model; the one that predicted last if left out.", valueName: "name"))
  var model: Text?
  @Flag(help: "Draw the confusion matrix.") var confusion = false

  func perform(in context: Context) throws -> Work {
    Work { workbench in
      let dataset = try data.resolve(workbench)
      let chosen = try model.map { try ChosenModel.named($0.description, workbench) }
      let run =
        try chosen.map { try workbench.predictionRun(dataset: dataset, model: $0.name) }
        ?? workbench.lastCompleteRun(dataset: dataset)
      guard let run, run.isComplete else {
        throw chosen.map { .noPredictions(model: $0.name, dataset: dataset.name) }
          ?? Fault.neverPredicted(dataset: dataset.name)
      }
      let measured = try Measurement(model: run.model, dataset: dataset, run: run, workbench: workbench)
      return try report(measured, workbench)
    }
  }

  private func report(_ measured: Measurement, _ workbench: Workbench) throws -> Report {
    let count = measured.count
    var report = Report(verb: "kpi")
    var first =
      "\(measured.model) on \(measured.dataset.name): \(counted(count, "asset")), \(measured.source)"
    let seen = try seenInTraining(measured, workbench)
    if seen > 0 {
      first += "; \(measured.model) was trained on \(seen) of these very assets, so this flatters it"
    }
    report.blocks.append(.line("\(first)"))
    let accuracy = measured.accuracy
    let agreements = measured.agreements
    let interval = accuracy.interval
    report.blocks.append(
      .fields([
        ("agree", "\(.count(measured.agree, of: count))"),
        ("IoU", "\(.share(agreements.mean ?? .nan, of: count))   (mean over assets)"),
        (
          "score",
          "\(.share(agreements.score.value ?? .nan, of: count))   (share of assets with IoU above 0.5)"
        ),
        (
          "accuracy",
          "\(.share(accuracy.value ?? .nan, of: count))   (95 % \(.intervalEnd(interval?.lowerBound ?? .nan, of: count)) to \(.intervalEnd(interval?.upperBound ?? .nan, of: count)))"
        ),
        ("macro F1", "\(.macroF1(measured.macroF1, of: count))"),
        ("unable to classify", "\(.count(measured.unable, of: count))"),
      ]))
    let matrix = try measured.confusion(workbench)
    let worst = try matrix.worst(3).map {
      "\(try workbench.name(ofCategory: $0.truth)) taken for \(try workbench.name(ofCategory: $0.prediction)) (\($0.count))"
    }
    if !worst.isEmpty {
      report.blocks.append(.derived(["most often confused: \(worst.joined(separator: ", "))"]))
    }
    if confusion { report.blocks += try ConfusionDrawing(matrix, workbench).blocks }
    report.json = measured.json
    report.json["trained_on"] = .int(seen)
    report.hint =
      measured.model == ChosenModel.baseName ? "finetune" : "validate on a data set it has not seen"
    return report
  }

  private func seenInTraining(_ measured: Measurement, _ workbench: Workbench) throws -> Int {
    guard measured.model != ChosenModel.baseName else { return 0 }
    let texts = try workbench.trainingTexts(of: measured.model)
    return measured.assets.count { texts.contains(TextDigest($0.text)) }
  }
}

/// The confusion matrix as a table whose columns are numbered, since eight names side by side fit no window.
struct ConfusionDrawing {
  let blocks: [Block]

  init(_ matrix: ConfusionMatrix, _ workbench: Workbench) throws {
    let names = try matrix.categories.map(workbench.name(ofCategory:))
    let width = names.map(\.count).max() ?? 0
    let numbers = names.indices.map { String($0 + 1) }
    func cell(_ count: Int) -> String { count == 0 ? "·" : String(count) }
    func padded(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
    var lines = ["rows: truth, columns: prediction (same order)"]
    lines.append(String(repeating: " ", count: width + 4) + numbers.map { padded($0, 4) }.joined())
    for (row, name) in names.enumerated() {
      let cells = matrix.counts[row].map { padded(cell($0), 4) }.joined()
      lines.append(
        "\(padded(numbers[row], 2)) \(name.padding(toLength: width, withPad: " ", startingAt: 0)) \(cells)")
    }
    blocks = [.derived(lines)]
  }
}
