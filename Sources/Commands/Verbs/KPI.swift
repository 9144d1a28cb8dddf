import ArgumentParser
import Foundation
import Scoring
import Shell
import Tasks
import Workbench

/// Cell 7 of the tutorial: how well the model that predicted agrees with the people who labelled.
struct KPI: Verb {
  static let onlyLooks = true
  static let configuration = CommandConfiguration(
    commandName: "kpi", abstract: "Measure a model's predictions against the labels.",
    discussion: """
      The measure of Kili's tutorial is the IoU: model and human agree, 1.0; they differ, 0.5; the score is the share of assets above \
      one half. Beside it stand the accuracy with its 95 % interval, which says how far chance could have moved it, and macro F1, in which \
      every category counts the same. A text that the model could not classify is missed for its category; UNABLE_TO_CLASSIFY is no \
      category of its own there. A category that was predicted and no asset has counts with an F1 of 0, as in scikit-learn; its recall \
      is a share of nothing and so not defined, like the precision of one that was never predicted: --by category shows a dash.

      What is right is what the labels say, people's before the file's and these before simulated ones, else the file's own \
      categories; the first line says whose count.

      kpi speaks of the model that predicted last; --model names another.

      With several people's labels: --consensus holds them against each other, --honeypot against a known truth (an author whose \
      labels are right, or the word file for the file's own categories).

      Examples:
        kpi
        kpi --confusion
        kpi --by category
        predict --model tuned-1
        kpi --models base tuned-1
        label simulate --author reader-2 --noise 0.1
        kpi --consensus
        kpi --honeypot file

      Next: finetune, then validate.
      """)

  /// What the measures are given for, one by one.
  enum Grouping: String, ExpressibleByArgument, CaseIterable { case category }

  @OptionGroup var data: DatasetOption
  @Option(help: ArgumentHelp("The model; the one that predicted last if left out.", valueName: "model"))
  var model: Text?
  @Flag(help: "Draw the confusion matrix.") var confusion = false
  @Option(help: ArgumentHelp("Precision, recall and F1 for each: category.", valueName: "what"))
  var by: Grouping?
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Two models side by side, the difference and its p.", valueName: "model"))
  var models: [Text] = []
  @Flag(help: "How far the readers agree with each other.") var consensus = false
  @Option(
    help: ArgumentHelp(
      "How well each reader does: an author whose labels are right, or file.", valueName: "truth"))
  var honeypot: Text?

  func validate() throws {
    let kinds = [
      ("--by", by != nil), ("--models", !models.isEmpty), ("--consensus", consensus),
      ("--honeypot", honeypot != nil),
    ].filter(\.1).map(\.0)
    if kinds.count > 1 {
      throw ValidationError("\(kinds[0]) and \(kinds[1]) are two questions: ask one after the other")
    }
    if let kind = kinds.first, kind != "--by", model != nil || confusion {
      throw ValidationError("\(kind) goes without --model and --confusion")
    }
    if !models.isEmpty, models.count != 2 || models[0].description == models[1].description {
      throw ValidationError("--models takes two models, such as --models base tuned-1")
    }
  }

  func perform(in context: Context) throws -> Effect {
    let isOfModels = !consensus && honeypot == nil
    let stale = isOfModels ? context.staleness(of: models.isEmpty ? [model] : models, over: data) : []
    return Effect { workbench in
      var report = try self.report(workbench, context.models)
      report.blocks.insert(contentsOf: stale.map { .line("\($0)") }, at: min(1, report.blocks.count))
      return report
    }
  }

  private func report(_ workbench: Workbench, _ models: ModelLibrary) throws -> Report {
    let dataset = try data.resolve(workbench)
    if consensus { return try Consensus(of: dataset, workbench).report(workbench) }
    if let honeypot {
      return try Honeypot(of: dataset, truth: honeypot.description, workbench).report(workbench)
    }
    func measurement(_ model: Text?) throws -> Measurement {
      let run = try workbench.completeRun(of: model?.description, over: dataset, in: models)
      return try Measurement(model: run.model, dataset: dataset, run: run, workbench: workbench)
    }
    if self.models.count == 2 {
      let (first, second) = (try measurement(self.models[0]), try measurement(self.models[1]))
      return try report(first, second, workbench)
    }
    let measured = try measurement(model)
    if by == .category { return try report(byCategory: measured, workbench) }
    return try report(measured, workbench)
  }

  private func title(_ measured: Measurement) -> String {
    "\(measured.model) on \(measured.dataset.name): \(counted(measured.count, "asset")), \(measured.source)"
  }

  private func flattery(_ measured: Measurement, seen: Int) -> String {
    seen == 0 ? "" : "; \(measured.model) was trained on \(seen) of these very assets, so this flatters it"
  }

  private func report(_ first: Measurement, _ second: Measurement, _ workbench: Workbench) throws -> Report {
    let comparison = ModelComparison(first, second)
    var report = Report(verb: "kpi")
    let notes = try [first, second].map { flattery($0, seen: try $0.seenInTraining(workbench)) }
    report.blocks.append(.line("\(comparison.title + notes.joined())"))
    report.blocks += comparison.blocks
    report.json = comparison.json
    return report
  }

  private func report(byCategory measured: Measurement, _ workbench: Workbench) throws -> Report {
    var report = Report(verb: "kpi")
    let matrix = try measured.confusion(workbench)
    let names = try workbench.categoryNames()
    report.blocks.append(
      .line("\(title(measured) + flattery(measured, seen: try measured.seenInTraining(workbench)))"))
    report.blocks.append(
      .table(
        Table(
          header: ["category", "assets", "predicted", "precision", "recall", "F1"],
          rows: matrix.categoryScores.map { score in
            // Being unable to classify is no class, whose F1 would count.
            let isClass = score.category != matrix.abstention
            return [
              "\(names[score.category] ?? CategoryKey.name(forKey: score.category))", "\(score.support)",
              "\(.count(score.predicted, of: measured.count))",
              share(isClass ? score.precision : nil, of: score.predicted),
              share(isClass ? score.recall : nil, of: score.support),
              share(isClass ? score.f1 : nil, of: score.support),
            ]
          }, alignments: [.left] + Array(repeating: .right, count: 5))))
    report.blocks.append(.fields([("macro F1", "\(.macroF1(measured.macroF1, of: measured.count))")]))
    if confusion { report.blocks.append(.matrix(try Matrix(matrix, workbench))) }
    report.json = measured.json
    report.json["categories"] = .object(
      Dictionary(
        matrix.categoryScores.map { score in
          let isClass = score.category != matrix.abstention
          func json(_ value: Double?) -> JSONValue {
            value.flatMap { isClass ? JSONValue.double($0) : nil } ?? .null
          }
          return (
            score.category,
            .object([
              "support": .int(score.support), "predicted": .int(score.predicted),
              "precision": json(score.precision), "recall": json(score.recall), "f1": json(score.f1),
            ])
          )
        }, uniquingKeysWith: { first, _ in first }))
    return report
  }

  /// A share; a dash where there is nothing to take one of.
  private func share(_ value: Double?, of total: Int) -> Cell {
    value.map { "\(.share($0, of: total))" } ?? "-"
  }

  private func report(_ measured: Measurement, _ workbench: Workbench) throws -> Report {
    let count = measured.count
    var report = Report(verb: "kpi")
    let seen = try measured.seenInTraining(workbench)
    report.blocks.append(.line("\(title(measured) + flattery(measured, seen: seen))"))
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
    if confusion { report.blocks.append(.matrix(try Matrix(matrix, workbench))) }
    report.json = measured.json
    report.json["trained_on"] = .int(seen)
    report.hint =
      measured.model == Workbench.baseModel ? "finetune" : "validate on a data set it has not seen"
    return report
  }
}

extension Matrix {
  /// More than anybody reads, and each takes a line as long as all of them.
  private static let mostCategories = 100

  init(_ confusion: ConfusionMatrix, _ workbench: Workbench) throws {
    let all = confusion.categories.count
    let shown = all > Self.mostCategories ? confusion.mostConfused(50) : Array(confusion.categories.indices)
    let names = try workbench.categoryNames()
    self.init(
      caption: "rows: truth, columns: prediction (same order)"
        + (shown.count < all ? "; of \(all) categories the \(shown.count) most confused" : ""),
      names: shown.map { index in
        let key = confusion.categories[index]
        return names[key] ?? CategoryKey.name(forKey: key)
      }, counts: confusion.counts(of: shown))
  }
}
