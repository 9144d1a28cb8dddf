import ArgumentParser
import Foundation
import Shell
import Tasks
import Workbench

/// Where the learner stands: what is loaded, labelled, predicted and trained.
struct Status: Verb {
  static let onlyLooks = true
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Say where you stand.",
    discussion: """
      What is loaded, labelled, predicted and trained, and what usually comes next: for whoever comes back after the break.

      Examples:
        status

      Next: what its hint says.
      """)

  func perform(in context: Context) throws -> Effect {
    Effect { workbench in
      let datasets = try workbench.datasets()
      let current = try workbench.currentDataset()?.name
      let interface = try workbench.interface()
      let models = try workbench.models()
      let recorded = models.filter { !$0.isOrdered }
      var report = Report(verb: "status")
      var fields: [(name: String, value: Cell)] = []
      fields.append(
        (
          "data sets",
          datasets.isEmpty
            ? "none"
            : "\(datasets.map { $0.name == current ? "\($0.name) (current)" : $0.name }.joined(separator: ", "))"
        ))
      fields.append(("interface", interface.map { "\($0.categories.count) categories" } ?? "none"))
      if let dataset = try current.flatMap({ try workbench.dataset(named: $0) }) {
        let labellers = try workbench.labellers(of: dataset)
        let labels = labellers.map { "\($0.labels) by \($0.author.visible)" }.joined(separator: ", ")
        fields.append(("labels", "of \(dataset.name): \(labels.isEmpty ? "none" : labels)"))
        let predictors = try workbench.completeRuns(dataset: dataset).map(\.model).joined(separator: ", ")
        fields.append(
          ("predictions", "of \(dataset.name): \(predictors.isEmpty ? "none" : "by \(predictors)")"))
      }
      fields.append(
        ("tuned models", recorded.isEmpty ? "none" : "\(recorded.map(\.name).joined(separator: ", "))"))
      report.blocks.append(.fields(fields))
      report.blocks.append(.local(models.filter(\.isOrdered).map { "\($0.name): tuned by serve" }))
      report.json = [
        "datasets": .array(datasets.map { .string($0.name) }),
        "dataset": current.map(JSONValue.string) ?? .null,
        "categories": .int(interface?.categories.count ?? 0),
        "models": .array(models.map { .string($0.name) }),
        "seed": JSONValue(seed: context.seed),
      ]
      report.hint = try workbench.nextStep()
      return report
    }
  }
}

extension Workbench {
  /// What usually comes next where one stands now.
  func nextStep() throws -> String {
    guard let dataset = try currentDataset() else { return "load FILE" }
    if try interface() == nil {
      return dataset.categories > 0
        ? "interface define --from \(dataset.name)" : "interface define \"A, B, C\", your categories"
    }
    guard let run = try lastCompleteRun(dataset: dataset) else { return "predict" }
    if try labellers(of: dataset).isEmpty { return try stepToLabels(of: dataset) }
    let standard = try StandardModel(self).chosen
    if case .base = standard { return "finetune" }
    if run.model == standard.name, try hasUnlabelled(dataset) { return "export predictions FILE.csv" }
    return try predictionRun(dataset: dataset, model: standard.name)?.isComplete == true
      || !hasUnlabelled(dataset)
      ? "validate" : "predict"
  }

  /// What usually comes next when a model has predicted a data set.
  func stepAfterPredicting(_ dataset: Dataset, by model: ModelSelection) throws -> String {
    if case .tuned = model, try hasUnlabelled(dataset) { return "export predictions FILE.csv" }
    return try labellers(of: dataset).isEmpty ? stepToLabels(of: dataset) : "kpi"
  }

  /// The way to labels: a file that has all of its categories may stand for readers, one that has some is labelled so
  /// far, and one that has none is labelled by hand.
  private func stepToLabels(of dataset: Dataset) throws -> String {
    guard dataset.categories > 0 else { return "label, at the keyboard, or label import FILE" }
    return try categorised(in: dataset) < dataset.assets
      ? "label file, then finetune --method linear" : "label simulate, or label file"
  }
}
