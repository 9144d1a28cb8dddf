import ArgumentParser
import Foundation
import Shell
import Tasks
import Workbench

/// The texts themselves, with every label on them: what a score is made of.
struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show assets with their labels.",
    discussion: """
      A score says how often model and people differ; the texts say why. show assets lists them, --where disagree only those on which the \
      model and a reader, or two readers, chose differently. show asset ID shows one with every label on it. show answers has what a \
      language model wrote.

      Examples:
        show assets --limit 3
        show assets --where disagree
        show asset news-1-003

      Next: mend labels that are wrong, or finetune on more of them.
      """,
    subcommands: [Assets.self, One.self, Answers.self], defaultSubcommand: Assets.self)

  struct Assets: Verb {
    static let onlyLooks = true
    static let configuration = CommandConfiguration(commandName: "assets", abstract: "List assets.")

    enum Condition: String, ExpressibleByArgument, CaseIterable {
      case disagree, unlabelled
    }

    @OptionGroup var data: DatasetOption
    @Option(help: ArgumentHelp("Only those that: disagree, unlabelled.", valueName: "what")) var `where`:
      Condition?
    @Option(help: ArgumentHelp("The model; the one that predicted last if left out.", valueName: "model"))
    var model: Text?
    @Option(parsing: .unconditional, help: ArgumentHelp("How many at most.", valueName: "n")) var limit = 10

    func validate() throws {
      if limit < 1 { throw ValidationError("--limit counts from 1") }
    }

    func perform(in context: Context) throws -> Effect {
      Effect { workbench in
        let dataset = try data.resolve(workbench)
        let shelf = try Shelf(dataset, model: model?.description, workbench, in: context.models)
        let found = shelf.assets.filter(isWanted)
        var report = Report(verb: "show assets")
        let total = shelf.assets.count
        let isEstimate = shelf.model != nil && `where` == .disagree
        let count: Cell = isEstimate ? "\(.count(found.count, of: total))" : "\(found.count)"
        report.blocks.append(
          .line(count + " of \(counted(total, "asset")) of \(dataset.name)\(description(shelf))"))
        let lines = try found.prefix(limit).flatMap { try shelf.lines(of: $0, workbench) }
        // What a model chose depends on floating point, and so does where it differs.
        report.blocks += shelf.model == nil ? lines.map { .line("\($0)") } : [.derived(lines)]
        if found.count > limit {
          let more = "and \(found.count - limit) more: --limit \(found.count)"
          report.blocks.append(isEstimate ? .derived([more]) : .line("\(more)"))
        }
        report.json = [
          "dataset": .string(dataset.name), "model": shelf.model.map(JSONValue.string) ?? .null,
          "count": .int(found.count), "assets": .array(found.prefix(limit).map(\.json)),
        ]
        if `where` == .disagree, let first = found.first {
          report.hint = "show asset \(Language.quoted(first.asset.externalID))"
        }
        return report
      }
    }

    private func isWanted(_ item: Shelf.Item) -> Bool {
      switch `where` {
      case .disagree?: item.disagrees
      case .unlabelled?: item.labels.isEmpty
      case nil: true
      }
    }

    private func description(_ shelf: Shelf) -> String {
      switch `where` {
      case .disagree?:
        " on which \(shelf.model.map { "\($0) and people, or two readers," } ?? "two readers") disagree"
      case .unlabelled?: " without a label"
      case nil: ""
      }
    }
  }

  struct One: Verb {
    static let onlyLooks = true
    static let configuration = CommandConfiguration(
      commandName: "asset", abstract: "Show one asset with every label on it.")
    @Argument(help: ArgumentHelp("The asset's id, as show assets lists it.", valueName: "asset")) var id: Text
    @OptionGroup var data: DatasetOption

    func perform(in context: Context) throws -> Effect {
      Effect { workbench in
        let dataset = try data.resolve(workbench)
        guard let asset = try workbench.asset(id: id.description, in: dataset) else {
          let example = try workbench.assets(of: dataset, limit: 1).first?.externalID
          throw CommandError.other(
            code: "no-such-asset",
            "There is no asset \(id.description.visible) in \(dataset.name)."
              + (example.map { " Its ids look like \($0.visible); see: show assets" } ?? ""))
        }
        var rows: [[Cell]] = []
        var json: [JSONValue] = []
        var answers: [String] = []
        func add(
          _ by: String, _ kind: String, _ category: String, confidence: Double? = nil, reason: String? = nil,
          answer: String? = nil
        ) throws {
          let sure: Cell = confidence.map { "\(.confidence($0))" } ?? "\(reason ?? "")"
          if let answer { answers.append("\(by.visible) wrote: \(Language.quoted(answer))") }
          rows.append(["\(by.visible)", "\(kind)", "\(try workbench.name(ofCategory: category))", sure])
          json.append(
            .object([
              "by": .string(by), "kind": .string(kind), "category": .string(category),
              "confidence": confidence.map(JSONValue.double) ?? .null,
              "answer": answer.map(JSONValue.string) ?? .null,
            ]))
        }
        if let own = try workbench.fileCategories(of: dataset)[asset.id] {
          try add(dataset.name, "file", own)
        }
        for label in try workbench.labels(of: dataset) where label.asset == asset.id {
          try add(label.author, "DEFAULT", label.category)
        }
        for run in try workbench.completeRuns(dataset: dataset) {
          guard let found = try workbench.predictions(of: run).first(where: { $0.asset.id == asset.id })
          else { continue }
          let prediction = found.prediction
          try add(
            run.model, "INFERENCE", prediction.category, confidence: prediction.confidence,
            reason: prediction.reason, answer: prediction.answer)
        }
        var report = Report(verb: "show asset")
        report.blocks.append(
          .line(
            "\(asset.externalID.visible) of \(dataset.name)\(dataset.isProject ? "" : ", line \(asset.line) of its file")"
          ))
        report.blocks.append(.line("\(asset.text.visible)"))
        report.blocks.append(
          rows.isEmpty
            ? .line("It has no labels yet.")
            : .table(Table(header: ["by", "kind", "category", "sure"], rows: rows)))
        if !answers.isEmpty { report.blocks.append(.written(answers)) }
        report.json = [
          "dataset": .string(dataset.name), "id": .string(asset.externalID), "line": .int(asset.line),
          "text": .string(asset.text), "labels": .array(json),
        ]
        return report
      }
    }
  }
}

/// A data set's assets with what readers and one model chose for them.
private struct Shelf {
  let assets: [Item]
  /// The model whose predictions are shown; nil where none has predicted all.
  let model: String?

  struct Item {
    var asset: Asset
    var labels: [Label]
    /// The file's own category, which stands for people where nobody labelled.
    var own: String?
    var prediction: Prediction?
    var model: String?

    /// Whether not all of the labels on it, the model's among them, are one.
    var disagrees: Bool {
      var choices = Set(labels.map(\.category))
      if labels.isEmpty, let own { choices.insert(own) }
      if let prediction, !choices.isEmpty { choices.insert(prediction.category) }
      return choices.count > 1
    }

    var json: JSONValue {
      .object([
        "id": .string(asset.externalID), "text": .string(asset.text),
        "labels": .object(
          Dictionary(
            labels.map { ($0.author, .string($0.category)) }, uniquingKeysWith: { first, _ in first })),
        "file": own.map(JSONValue.string) ?? .null,
        "prediction": prediction.map { .string($0.category) } ?? .null,
        "confidence": prediction?.confidence.map(JSONValue.double) ?? .null,
      ])
    }
  }

  /// - Throws: `CommandError.noPredictions` where a model is named that has not predicted the data set.
  init(_ dataset: Dataset, model name: String?, _ workbench: Workbench, in models: ModelLibrary) throws {
    let run =
      try name.map { try workbench.completeRun(of: $0, over: dataset, in: models) }
      ?? workbench.lastCompleteRun(dataset: dataset)
    let predictions = try run.map { try workbench.predictions(of: $0) } ?? []
    let byAsset = Dictionary(predictions.map { ($0.asset.id, $0.prediction) }) { first, _ in first }
    let labels = Dictionary(grouping: try workbench.labels(of: dataset), by: \.asset)
    let own = try workbench.fileCategories(of: dataset)
    model = run?.model
    assets = try workbench.assets(of: dataset).map { asset in
      Item(
        asset: asset, labels: labels[asset.id] ?? [], own: own[asset.id], prediction: byAsset[asset.id],
        model: run?.model)
    }
  }

  /// Who chose what, and the text.
  func lines(of item: Item, _ workbench: Workbench) throws -> [String] {
    var choices = try item.labels.map {
      "\($0.author.visible) \(try workbench.name(ofCategory: $0.category))"
    }
    if choices.isEmpty, let own = item.own {
      choices.append("the file \(try workbench.name(ofCategory: own))")
    }
    if let model = item.model, let prediction = item.prediction {
      let sure = prediction.confidence.map { " \(fixed($0, 2))" } ?? ""
      choices.append("\(model) \(try workbench.name(ofCategory: prediction.category))\(sure)")
    }
    let labels = choices.isEmpty ? "no label" : choices.joined(separator: ", ")
    return ["\(item.asset.externalID.visible): \(labels)", "  \(item.asset.text.excerpt(400))"]
  }
}
