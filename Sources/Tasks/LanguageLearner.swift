import Classifiers
import Encoder
import Foundation
import Workbench

/// A language model that is taught what to write for each text: one way of a `TrainingTask`.
struct LanguageLearner: Sendable {
  let model: PretrainedModel
  /// The texts alone, to tell which are one to the model.
  let encodings: [Encoding]
  /// How many prompts lack their text's end.
  let truncated: Int
  private let base: ModelSelection
  private let library: ModelLibrary
  private let texts: [String]
  private let lesson: PromptedLesson
  private let prompts: [[Int32]]

  /// Of how many held-out texts the answers are shown.
  private static let shown = 3

  /// - Throws: `TaskError`, `ModelError`.
  init(_ base: ModelSelection, _ taught: Taught, texts: [String], in library: ModelLibrary) throws {
    let model = try library.place(of: base).load()
    let lesson = try PromptedLesson(taught, model: model)
    let written = try texts.map(lesson.write)
    (self.base, self.library, self.model, self.texts, self.lesson) = (base, library, model, texts, lesson)
    encodings = texts.map { model.tokenizer.encode($0, maximumLength: model.maximumLength) }
    prompts = written.map(\.ids)
    truncated = written.count(where: \.isTruncated)
  }

  /// - Throws: `ModelError`, `CancellationError`, `AddressSpace.Shortage`.
  func train(
    _ options: TrainingOptions, categories: [Int], _ groups: TextGroups,
    events: @escaping @Sendable (TrainingTask.Event) -> Void, isCancelled: @Sendable () -> Bool
  ) throws -> TrainedModel.Result {
    let split = Split(categories, groups, share: options.holdout, seed: options.seed)
    let method = options.method
    guard method != .linear else {
      return try linear(options, categories, groups, split, events: events, isCancelled: isCancelled)
    }
    let different = Dictionary(grouping: split.heldOut.indices) { categories[split.heldOut[$0]] }
      .values.compactMap(\.first).sorted().prefix(Self.shown)
    var answers = different.map { (text: texts[split.heldOut[$0]], written: [String]()) }
    func show(_ outcomes: [Outcome], epoch: Int) {
      guard !answers.isEmpty else { return }
      for index in answers.indices { answers[index].written.append(outcomes[index].answer ?? "") }
      events(
        .answers(method, epoch: epoch, zip(answers, outcomes).map { ($0.text, $1.answer ?? "") }))
    }
    if !different.isEmpty {
      let untaught = try library.languageModel(base, precision: options.precision)
      show(try ask(untaught, different.map { split.heldOut[$0] }, isCancelled), epoch: 0)
    }
    // It holds half a gigabyte, which the training needs.
    library.cache.releaseLanguageModel()
    let (examples, prefix) = lesson.examples(
      split.training.map { prompts[$0] }, categories: split.training.map { categories[$0] })
    var reports: [EpochReport] = []
    var heldOut: HeldOutResult?
    let trained = try LanguageTraining(model: model, options: options).run(
      examples, after: prefix, step: { events(.step(method, done: $0, total: $1)) },
      epoch: { report, language in
        var report = report
        let outcomes = try split.heldOut.isEmpty ? [] : ask(language(), split.heldOut, isCancelled)
        if !outcomes.isEmpty {
          let found = Dictionary(uniqueKeysWithValues: zip(split.heldOut, outcomes.map(\.category)))
          heldOut = HeldOutResult(split.heldOut, groups) {
            found[$0] == lesson.taught.categories[categories[$0]].key
          }
          report.heldOutAccuracy = heldOut?.accuracy
        }
        reports.append(report)
        events(.epoch(method, report))
        show(different.map { outcomes[$0] }, epoch: report.epoch)
      }, isCancelled: isCancelled)
    return TrainedModel.Result(
      model: trained.model, head: nil, epochs: reports, answers: answers, finalLoss: trained.finalLoss,
      heldOut: heldOut, trainableParameters: trained.trainableParameters, tokens: trained.tokens,
      seconds: trained.seconds)
  }

  /// What a model that is still learning writes.
  private func ask(_ language: LanguageModel, _ numbers: [Int], _ isCancelled: @Sendable () -> Bool)
    throws -> [Outcome]
  {
    try LanguageClassifier(name: base.name, model: language, taught: lesson.taught, way: .free)
      .classify(numbers.map { texts[$0] }, isCancelled: isCancelled)
  }

  private func linear(
    _ options: TrainingOptions, _ categories: [Int], _ groups: TextGroups, _ split: Split,
    events: @escaping @Sendable (TrainingTask.Event) -> Void, isCancelled: @Sendable () -> Bool
  ) throws -> TrainedModel.Result {
    let start = ContinuousClock.now
    let count = prompts.count
    let states = try lesson.lastStates(
      of: prompts, by: library.languageModel(base, precision: options.precision), isCancelled: isCancelled
    ) { events(.step(.linear, done: $0, total: count)) }
    let fit = try LanguageHead(
      fitting: states, labels: categories, categories: lesson.taught.categories.count, groups: groups,
      heldOut: split.heldOut, options: options, isCancelled: isCancelled)
    let tokens = prompts.reduce(0) { $0 + $1.count }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let report = EpochReport(
      epoch: 1, epochs: 1, loss: fit.loss, heldOutAccuracy: fit.heldOut?.accuracy, tokens: tokens,
      seconds: seconds)
    events(.epoch(.linear, report))
    return TrainedModel.Result(
      model: model, head: fit.head, epochs: [report], finalLoss: fit.loss, heldOut: fit.heldOut,
      trainableParameters: fit.head.weight.count + fit.head.bias.count, tokens: tokens, seconds: seconds)
  }
}
