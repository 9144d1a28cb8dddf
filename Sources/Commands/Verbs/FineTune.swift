import ArgumentParser
import Classifiers
import Encoder
import Foundation
import Shell
import Workbench

/// Cells 8 and 9 of the tutorial: the labels become training examples, and the model learns from them.
struct FineTune: Verb {
  static let configuration = CommandConfiguration(
    commandName: "finetune", abstract: "Train a model on a data set's labels.",
    discussion: """
      Fine-tuning starts from a model that has read a great deal, adds a task head for your categories, and trains on your labels. \
      linear learns the head alone and takes a second; full goes on from that head and updates every weight, which costs more and helps where \
      the task is subtle; gradual unfreezes one layer after another, from the top; adapter adds small networks and trains only these, \
      a few hundred kilobytes to keep.

      The examples are the DEFAULT labels of the data set. All methods but linear hold a tenth of them out, to see how the model does on \
      texts it did not learn from (--holdout 0 uses them all); linear uses all and is cross-validated.

      Examples:
        finetune --method linear
        finetune --method full --name news
        finetune --base tuned-1 --dataset news-2

      Next: validate on a data set that it has not seen.
      """)

  @OptionGroup var data: DatasetOption
  @Option(help: ArgumentHelp("What is trained.", valueName: "method")) var method: Method = .full
  @Option(help: ArgumentHelp("The model to start from: base, or a tuned one.", valueName: "model"))
  var base: Text = Text(argument: Workbench.baseModel)
  @Option(
    help: ArgumentHelp("What to call the tuned model; tuned-1 and so on if left out.", valueName: "name"))
  var name: Text?
  @OptionGroup(title: "Training options") var training: TrainingFlags

  func perform(in context: Context) throws -> Work {
    let start = ContinuousClock.now
    let plan = try context.workspace.read { try self.plan($0) }
    let encoder = try context.encoder(of: plan.base)
    let options = try training.options(
      for: method, seed: context.seed, precision: context.workspace.read { try Settings($0).precision })
    // linear and adapter keep a head and a few hundred kilobytes.
    let isSmall = method == .linear || method == .adapter
    try context.requireRoom(
      for: isSmall ? min(2_000_000, encoder.model.bytesOnDisk) : encoder.model.bytesOnDisk)
    let examples = plan.examples.map { example in
      (encoding: encoder.encode(example.text), category: plan.indices[example.category] ?? 0)
    }
    let truncated = examples.count { $0.encoding.isTruncated }
    if truncated > 0 {
      context.progress.message(
        "\(counted(truncated, "text")) longer than the model reads: the end is left out.")
    }
    let progress = context.progress
    let result = try fineTune(
      encoder.model, head: try plan.startingHead(context), examples: examples,
      categories: plan.categories.count,
      options: options,
      step: { done, total in progress.update(done: done, total: total, unit: "batches", note: "training") },
      epoch: { progress.message(Self.sentence(for: $0)) }, isCancelled: context.isCancelled)
    let files = try context.save(result, method: method)
    let seconds = (ContinuousClock.now - start).seconds
    let additions: (Workbench) throws -> [String] = { try data.additions(plan.dataset, $0) }
    return Work(additions: additions) { workbench in
      // Another shell may have taken the name while this one trained.
      let name = try self.name(in: workbench)
      let model = TunedModel(
        name: name, base: plan.base.name, method: method.rawValue, dataset: plan.dataset.name,
        examples: plan.examples.count, options: training.json(options).line, folder: name, bytes: 0,
        categories: plan.categories, finalLoss: result.finalLoss, heldOutAccuracy: result.heldOutAccuracy)
      let published = try workbench.publish(
        model, trainedOn: plan.examples.map { TextDigest($0.text) }, from: files)
      return report(published, result, seconds)
    }
  }

  /// What is trained on what, decided before the long work.
  private struct Plan {
    var dataset: Dataset
    var base: ChosenModel
    var name: String
    var examples: [TrainingExample]
    var categories: [String]
    var indices: [String: Int]

    /// A tuned model's own head goes on learning when the categories are the same.
    func startingHead(_ context: Context) throws -> Head? {
      guard case .tuned(let model) = base, model.categories == categories else { return nil }
      return try Head.load(from: context.headFile(of: model))
    }
  }

  private func plan(_ workbench: Workbench) throws -> Plan {
    let dataset = try data.resolve(workbench)
    let chosen = try ChosenModel.named(base.description, workbench)
    let examples = try workbench.trainingExamples(of: dataset)
      .filter { $0.category != CategoryKey.unableToClassify }
    guard !examples.isEmpty else { throw Fault.noLabels(dataset: dataset.name) }
    let keys = Set(examples.map(\.category))
    guard keys.count > 1 else { throw Fault.oneCategory(dataset: dataset.name) }
    if let interface = try workbench.interface() {
      let lacking = keys.subtracting(interface.classes.map(\.key)).sorted()
      guard lacking.isEmpty else {
        throw Fault.other(
          code: "category-not-in-interface",
          "The interface lacks categories that \(dataset.name) is labelled with: \(lacking.joined(separator: ", ")). "
            + "Mend it: interface define --from \(dataset.name)")
      }
    }
    // The head has a row for every category of the interface, so that a model can be trained further on data that has
    // more of them.
    let wanted = keys.union(try workbench.interface()?.classes.map(\.key) ?? [])
    let categories = try workbench.order(of: wanted)
    return Plan(
      dataset: dataset, base: chosen, name: try name(in: workbench), examples: examples,
      categories: categories,
      indices: Dictionary(uniqueKeysWithValues: categories.enumerated().map { ($1, $0) }))
  }

  private func name(in workbench: Workbench) throws -> String {
    guard let name = name?.description else { return try workbench.nextModelName() }
    try workbench.checkModelName(name)
    return name
  }

  /// linear learns from all examples and is judged by cross-validation; the others keep some examples out.
  private func heldOut(_ result: TrainingResult, _ method: String) -> String {
    method == Method.linear.rawValue
      ? "cross-validated over \(counted(result.heldOutCount, "example"))"
      : "\(counted(result.heldOutCount, "example")) held out"
  }

  private static func sentence(for epoch: EpochReport) -> String {
    var sentence = "epoch \(epoch.epoch) of \(epoch.epochs): loss \(fixed(epoch.loss, 3))"
    if let accuracy = epoch.heldOutAccuracy { sentence += ", held-out accuracy \(fixed(accuracy, 3))" }
    return sentence
  }

  private func report(_ model: TunedModel, _ result: TrainingResult, _ seconds: Double) -> Report {
    var report = Report(verb: "finetune")
    let epochs = result.epochs.count
    report.blocks.append(
      .line(
        "\(model.name): \(model.method) fine-tuning of \(model.base) on \(counted(model.examples, "label")) of \(model.dataset)"
      ))
    var fields: [(name: String, value: Cell)] = []
    fields.append(("categories", "\(model.categories.count)"))
    fields.append(("trainable parameters", "\(grouped(result.trainableParameters))"))
    if model.method != Method.linear.rawValue { fields.append(("epochs", "\(epochs)")) }
    fields.append(("final loss", "\(.loss(result.finalLoss))"))
    if let accuracy = result.heldOutAccuracy {
      fields.append(
        (
          "held-out accuracy",
          "\(.share(accuracy, of: result.heldOutCount))   (\(heldOut(result, model.method)))"
        ))
    }
    fields.append(("on disk", "\(Bytes(model.bytes).description)"))
    report.blocks.append(.fields(fields))
    if epochs > 1 {
      report.blocks.append(
        .derived(["loss by epoch: \(result.epochs.map { fixed($0.loss, 3) }.joined(separator: " "))"]))
    }
    report.json = [
      "model": .string(model.name), "method": .string(model.method), "base": .string(model.base),
      "dataset": .string(model.dataset), "examples": .int(model.examples), "epochs": .int(epochs),
      "trainable_parameters": .int(result.trainableParameters), "final_loss": .double(result.finalLoss),
      "held_out_accuracy": .double(result.heldOutAccuracy ?? .nan), "held_out": .int(result.heldOutCount),
      "bytes": .int(model.bytes),
    ]
    report.timing = [
      "seconds": .double(seconds), "training_seconds": .double(result.seconds), "tokens": .int(result.tokens),
      "tokens_per_second": .double(Double(result.tokens) / max(result.seconds, 1e-9)),
    ]
    report.hint = "load other data, then validate"
    return report
  }
}

/// `22,565,000`: digits in threes, for people; the same in every locale.
func grouped(_ number: Int) -> String {
  var digits = String(number)
  var index = digits.count - 3
  while index > 0 {
    digits.insert(",", at: digits.index(digits.startIndex, offsetBy: index))
    index -= 3
  }
  return digits
}

extension Method: ExpressibleByArgument {}
