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
      linear learns the head alone and takes a second, starting from what the categories' names mean, which helps where labels are few; full goes on from that head and updates every weight, which costs more and helps where \
      the task is subtle; gradual unfreezes one layer after another, from the top; adapter adds small networks and trains only these, \
      a few hundred kilobytes to keep; all trains the four, one after another, and sets them side by side.

      The examples are the DEFAULT labels of the data set. All methods but linear hold a tenth of them out, to see how the model does on \
      texts it did not learn from (--holdout 0 uses them all); linear uses all and is cross-validated.

      Examples:
        finetune --method linear
        finetune --method full --name news
        finetune --method all
        finetune --base tuned-1 --dataset news-2

      Next: validate on a data set that it has not seen.
      """)

  @OptionGroup var data: DatasetOption
  @Option(help: ArgumentHelp("What is trained.", valueName: "method")) var method: MethodChoice = .full
  @Option(help: ArgumentHelp("The model to start from: base, or a tuned one.", valueName: "model"))
  var base: Text = Text(argument: Workbench.baseModel)
  @Option(
    help: ArgumentHelp("What to call the tuned model; tuned-1 and so on if left out.", valueName: "name"))
  var name: Text?
  @OptionGroup(title: "Training options") var training: TrainingFlags

  func perform(in context: Context) throws -> Work {
    var plan = try context.workspace.read { try self.plan($0) }
    plan.embedded = try context.embedded(under: plan.base)
    let encoder = try context.encoder(of: plan.base)
    let precision = try context.workspace.read { try Settings($0).precision }
    let options = try method.methods.map { method in
      var options = try training.options(
        for: method, among: self.method, seed: context.seed, precision: precision)
      options.crossValidates = self.method != .all
      return options
    }
    try context.requireRoom(
      for: method.methods.reduce(0) { sum, method in
        sum + encoder.model.bytesOnDisk(tunedBy: method, categories: plan.categories.count)
      })
    let examples = plan.examples.map { example in
      (encoding: encoder.encode(example.text), category: plan.indices[example.category] ?? 0)
    }
    let groups = TextGroups(examples.map(\.encoding))
    let truncated = examples.count { $0.encoding.isTruncated }
    if truncated > 0 {
      context.progress.message(
        "\(counted(truncated, "text")) longer than the model reads: the end is left out.")
    }
    let prototypes = try plan.prototypes(encoder)
    let features = encoder.features()
    var trainings: [FinishedTraining] = []
    do {
      for options in options {
        trainings.append(try train(examples, plan, features, prototypes, options, context))
      }
    } catch {
      for training in trainings { training.files.discard() }
      throw error
    }
    let additions: (Workbench) throws -> [String] = { try data.additions(plan.dataset, $0) }
    let isCurrent: (Workbench) throws -> Bool = { try self.isCurrent(plan, $0) }
    let discard = { [trainings] in
      for training in trainings { training.files.discard() }
    }
    return Work(additions: additions, isCurrent: isCurrent, discard: discard) {
      [trainings, plan] workbench in
      let published = try trainings.map { training in
        var training = training
        // Another shell may have taken the name while this one trained.
        let name = try self.name(in: workbench, training.options.method)
        let result = training.result
        let model = TunedModel(
          name: name, base: plan.base.name, baseDigest: plan.embedded?.digest,
          method: training.options.method.rawValue,
          dataset: plan.dataset.name, examples: plan.examples.count,
          options: self.training.json(training.options, embedded: plan.embedded?.name).line, folder: name,
          bytes: 0,
          categories: plan.categories, finalLoss: result.finalLoss, heldOutAccuracy: result.heldOutAccuracy)
        training.model = try workbench.publish(
          model,
          trainedOn: zip(plan.examples, examples).flatMap { example, encoded in
            [
              TextDigest(example.text), TextDigest(folding: example.text),
              TextDigest(tokens: encoded.encoding.ids),
            ]
          }, from: training.files)
        return training
      }
      var report = method == .all ? FinishedTraining.comparison(of: published) : published[0].report
      report.blocks.insert(
        contentsOf: try remarks(plan, groups, examples, workbench).map { .line("\($0)") }, at: 1)
      if try workbench.hasUnlabelled(plan.dataset) {
        report.hint = "predict labels the others, then export predictions FILE.csv"
      }
      return report
    }
  }

  /// What a reader of the numbers has to know about the examples.
  private func remarks(
    _ plan: Plan, _ groups: TextGroups, _ examples: [(encoding: Encoding, category: Int)],
    _ workbench: Workbench
  ) throws -> [String] {
    var remarks = ["trained on \(try workbench.labelledTruth(of: plan.dataset).phrase)"]
    if groups.count < examples.count {
      remarks.append(
        "\(examples.count) texts, \(groups.count) different: copies are held out together, so that none is learned by heart."
      )
    }
    let contradicting = groups.contradictions(examples.map(\.category))
    if !contradicting.isEmpty {
      let names = Dictionary(
        try workbench.assets(of: plan.dataset).map { ($0.id, $0.externalID) },
        uniquingKeysWith: { first, _ in first })
      let contradictions = contradicting.map { texts in
        let own = texts.map { plan.examples[$0] }
        return Contradiction(
          text: own[0].text, assets: own.compactMap { names[$0.asset] }, categories: own.map(\.category))
      }
      remarks += [try workbench.remark(on: contradictions)].compactMap(\.self)
    }
    let foreign = examples.count { $0.encoding.isMostlyOutsideVocabulary }
    if let remark = vocabularyRemark(foreign, of: examples.count) { remarks.append(remark) }
    return remarks
  }

  private func train(
    _ examples: [(encoding: Encoding, category: Int)], _ plan: Plan, _ base: TextFeatures,
    _ prototypes: [[Float]], _ options: TrainingOptions, _ context: Context
  ) throws -> FinishedTraining {
    let start = ContinuousClock.now
    let progress = context.progress
    let note = method == .all ? options.method.rawValue : "training"
    let result = try fineTune(
      base, head: try plan.startingHead(context, base.model), prototypes: prototypes, examples: examples,
      categories: plan.categories.count,
      options: options,
      preparing: { done, total in progress.update(done: done, total: total, unit: "texts", note: "preparing")
      },
      step: { done, total in progress.update(done: done, total: total, unit: "batches", note: note) },
      epoch: { if method != .all { progress.message(Self.sentence(for: $0)) } },
      isCancelled: context.isCancelled)
    let files = try context.save(result, method: options.method)
    let seconds = (ContinuousClock.now - start).seconds
    if method == .all { progress.message("\(options.method.rawValue): \(fixed(seconds, 1)) seconds") }
    return FinishedTraining(options: options, result: result, files: files, seconds: seconds)
  }

  /// What is trained on what, decided before the long work.
  private struct Plan {
    var dataset: Dataset
    var base: ChosenModel
    var examples: [TrainingExample]
    var categories: [String]
    /// How people read them, in the same order.
    var names: [String]
    var indices: [String: Int]
    /// The embedded model that it will stand on.
    var embedded: (name: String?, digest: String)?

    /// A tuned model's own head goes on learning when the categories are the same.
    func startingHead(_ context: Context, _ encoder: PretrainedModel) throws -> Head? {
      guard case .tuned(let model) = base, model.categories == categories else { return nil }
      return try context.head(of: model, for: encoder)
    }

    /// What the base model knows of the categories by their names. A tuned encoder is not asked: it may have moved away from
    /// what such sentences meant.
    func prototypes(_ encoder: EncoderSource) throws -> [[Float]] {
      guard case .base = base else { return [] }
      return try ZeroShotClassifier.prototypes(of: names, encoder: encoder)
    }
  }

  /// Whether what is trained on is still what the data set and the interface have.
  private func isCurrent(_ plan: Plan, _ workbench: Workbench) throws -> Bool {
    guard let now = try? self.plan(workbench, on: plan.dataset) else { return false }
    return now.examples.elementsEqual(plan.examples) { $0.text == $1.text && $0.category == $1.category }
      && now.categories == plan.categories && now.names == plan.names && now.base == plan.base
  }

  private func plan(_ workbench: Workbench, on used: Dataset? = nil) throws -> Plan {
    let dataset = try used ?? data.resolve(workbench)
    let chosen = try ChosenModel.named(base.description, workbench)
    let examples = try workbench.trainingExamples(of: dataset)
      .filter { $0.category != CategoryKey.unableToClassify }
    guard !examples.isEmpty else {
      throw Fault.noLabels(
        dataset: dataset.name, hasCategories: dataset.categories > 0)
    }
    let keys = Set(examples.map(\.category))
    guard keys.count > 1 else { throw Fault.oneCategory(dataset: dataset.name) }
    if let interface = try workbench.interface() {
      let lacking = keys.subtracting(interface.classes.map(\.key)).sorted()
      guard lacking.isEmpty else {
        throw Fault.other(
          code: "category-not-in-interface",
          "The interface lacks categories that \(dataset.name) is labelled with: \(lacking.joined(separator: ", ")). "
            + "Mend it: \(try workbench.interfaceMend(lacking: lacking, of: dataset))")
      }
    }
    // The head has a row for every category of the interface, so that a model can be trained further on data that has
    // more of them.
    let wanted = keys.union(try workbench.interface()?.classes.map(\.key) ?? [])
    let categories = try workbench.order(of: wanted)
    for method in method.methods { _ = try name(in: workbench, method) }
    return Plan(
      dataset: dataset, base: chosen, examples: examples, categories: categories,
      names: try categories.map(workbench.name),
      indices: Dictionary(uniqueKeysWithValues: categories.enumerated().map { ($1, $0) }))
  }

  /// With `all` a name of the learner's is followed by the method.
  private func name(in workbench: Workbench, _ method: Method) throws -> String {
    guard var name = name?.description else { return try workbench.nextModelName() }
    if self.method == .all { name += "-\(method.rawValue)" }
    try workbench.checkModelName(name)
    return name
  }

  private static func sentence(for epoch: EpochReport) -> String {
    var sentence = "epoch \(epoch.epoch) of \(epoch.epochs): loss \(fixed(epoch.loss, 3))"
    if let accuracy = epoch.heldOutAccuracy { sentence += ", held-out accuracy \(fixed(accuracy, 3))" }
    return sentence
  }
}
