import ArgumentParser
import Basics
import Encoder
import Foundation
import Shell
import Tasks
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

      A language model (--base smollm2) learns to write the category behind the prompt (prompt show), and is asked with that ever \
      after. adapter is LoRA there, a small matrix beside each of its own, and what it does if no method is named; linear is a head on its last state. Before \
      training and after each epoch it shows what it writes for three texts that it does not learn from.

      The examples are the DEFAULT labels of the data set. All methods but linear hold a tenth of them out, to see how the model does on \
      texts it did not learn from (--holdout 0 uses them all); linear uses all and is cross-validated.

      Examples:
        finetune --method linear
        finetune --method full --name news
        finetune --method all
        finetune --base tuned-1 --dataset news-2
        finetune --base smollm2

      Next: validate on a data set that it has not seen.
      """)

  @OptionGroup var data: DatasetOption
  @Option(
    help: ArgumentHelp(
      "What is trained; full if left out, adapter for a language model.", valueName: "method"))
  var method: MethodChoice?
  @Option(
    help: ArgumentHelp(
      "The model to start from: base, a tuned one, or an installed language model.", valueName: "model"))
  var base: Text = Text(argument: Workbench.baseModel)
  @Option(
    help: ArgumentHelp("What to call the tuned model; tuned-1 and so on if left out.", valueName: "name"))
  var name: Text?
  @OptionGroup(title: "Training options") var training: TrainingFlags

  func perform(in context: Context) throws -> Effect {
    let (plan, precision) = try context.workspace.read {
      (try self.plan($0, in: context.models), try $0.precision)
    }
    let choice = choice(plan)
    let options = try choice.methods.map { method in
      var options = try training.options(
        for: method, among: choice, seed: context.seed, precision: precision, isLanguage: plan.taught != nil)
      options.crossValidates = choice != .all
      return options
    }
    let task = try TrainingTask(plan, in: context.models)
    try task.requireRoom(for: options)
    if task.truncated > 0 {
      context.progress.message(
        "\(counted(task.truncated, "text")) longer than the model reads: the end is left out.")
    }
    let compares = method == .all
    let trained = try task.run(
      options, events: { [progress = context.progress] in Self.show($0, compares: compares, progress) },
      isCancelled: context.isCancelled)
    let recordedOptions: (Workbench) throws -> [String] = { try data.recordedOptions(plan.dataset, $0) }
    let isCurrent: (Workbench) -> Bool = { workbench in
      guard let base = try? context.models.model(named: base.description, workbench) else { return false }
      return plan.isCurrent(base: base, workbench)
    }
    let discard = { for model in trained { model.files.discard() } }
    return Effect(recordedOptions: recordedOptions, isCurrent: isCurrent, discard: discard) { workbench in
      let finished = try trained.map { model in
        // Another shell may have taken the name while this one trained.
        FinishedTraining(
          model,
          try task.publish(
            model, as: name(in: workbench, model.options.method),
            options: { training.json(model.options, embedded: $0?.name, taught: plan.taught).line }, workbench
          ))
      }
      var report = method == .all ? FinishedTraining.comparison(of: finished) : finished[0].report
      report.blocks.insert(contentsOf: try remarks(task, workbench).map { .line("\($0)") }, at: 1)
      if try workbench.hasUnlabelled(plan.dataset) {
        report.hint = "predict labels the others, then export predictions FILE.csv"
      }
      return report
    }
  }

  /// What a reader of the numbers has to know about the examples.
  private func remarks(_ task: TrainingTask, _ workbench: Workbench) throws -> [String] {
    let (plan, examples, groups) = (task.plan, task.examples, task.groups)
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
    if case .language = plan.base, try workbench.prompt.examples != nil {
      remarks.append("The prompt's examples are left out: what it learns from takes their place.")
    }
    return remarks
  }

  private static func show(_ event: TrainingTask.Event, compares: Bool, _ progress: Shell.Progress) {
    switch event {
    case .preparing(let done, let total):
      progress.update(done: done, total: total, unit: "texts", note: "preparing")
    case .step(let method, let done, let total):
      let note = compares ? method.rawValue : "training"
      progress.update(done: done, total: total, unit: "batches", note: note)
    case .epoch(_, let report): if !compares { progress.message(sentence(for: report)) }
    case .answers(_, let epoch, let answers):
      if !compares {
        if epoch == 0 { progress.message("before training:") }
        for (text, answer) in answers {
          progress.message(
            "  \(text.excerpt(40)) → \(Language.quoted(answer.trimmingCharacters(in: .whitespacesAndNewlines)))"
          )
        }
      }
    case .ended(let ended, let seconds):
      if compares { progress.message("\(ended.rawValue): \(fixed(seconds, 1)) seconds") }
    }
  }

  private func plan(_ workbench: Workbench, in models: ModelLibrary) throws -> TrainingPlan {
    let dataset = try data.resolve(workbench)
    let base = try models.model(named: base.description, workbench)
    do {
      let plan = try TrainingPlan(dataset, base: base, completions: training.completions, workbench)
      if let name = name?.description, models.cache.languageModels.contains(where: { $0.name == name }) {
        throw WorkspaceError.nameTaken(kind: "model", name: name)
      }
      for method in choice(plan).methods { _ = try name(in: workbench, method) }
      return plan
    } catch let error as TaskError {
      guard case .categoriesLacking(let keys, _) = error else { throw error }
      throw CommandError.other(
        code: error.code, "\(error) Mend it: \(try workbench.interfaceMend(lacking: keys, of: dataset))")
    }
  }

  private func choice(_ plan: TrainingPlan) -> MethodChoice {
    method ?? (plan.taught == nil ? .full : .adapter)
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
