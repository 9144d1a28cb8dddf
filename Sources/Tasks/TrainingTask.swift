import Classifiers
import Encoder
import Foundation
import Workbench

/// What is trained on what, decided before the long work.
public struct TrainingPlan: Sendable {
  public let dataset: Dataset
  public let base: ModelSelection
  /// In which numbers the base embeds.
  let precision: Precision
  public let examples: [TrainingExample]
  /// Keys, in the order of the head's rows: all that the interface has, so that a model can be trained further on data that has
  /// more of them.
  public let categories: [String]
  /// How people read them, in the same order.
  let names: [String]
  /// What a language model is taught with; nil for an encoder.
  public let taught: Taught?

  /// - Parameter completions: what a language model is taught to write; nil for what its base was, else names.
  /// - Throws: `TaskError`.
  public init(
    _ dataset: Dataset, base: ModelSelection, completions: Taught.Completions? = nil, _ workbench: Workbench
  ) throws {
    let examples = try workbench.trainingExamples(of: dataset)
      .filter { $0.category != CategoryKey.unableToClassify }
    guard !examples.isEmpty else {
      throw TaskError.noLabels(dataset: dataset.name, hasCategories: dataset.categories > 0)
    }
    let keys = Set(examples.map(\.category))
    guard keys.count > 1 else { throw TaskError.oneCategory(dataset: dataset.name) }
    let classes = try workbench.interface()?.classes.map(\.key)
    if let classes {
      let lacking = keys.subtracting(classes).sorted()
      guard lacking.isEmpty else {
        throw TaskError.categoriesLacking(lacking, dataset: dataset.name)
      }
    }
    self.dataset = dataset
    self.base = base
    precision = try workbench.precision
    self.examples = examples
    let categories = try workbench.order(of: keys.union(classes ?? []))
    let names = try categories.map(workbench.name)
    (self.categories, self.names) = (categories, names)
    taught = try base.lesson(workbench).map {
      Taught(
        prompt: $0.prompt, categories: zip(categories, names).map { (key: $0, name: $1) },
        completions: completions ?? $0.completions)
    }
  }

  /// What a file teaches that is no data set of the workspace.
  ///
  /// - Parameter categories: in the order of the head's rows.
  init(
    file: String, texts: [(text: String, category: String)], categories: [(key: String, name: String)],
    base: ModelSelection, precision: Precision
  ) {
    dataset = Dataset(
      id: 0, name: file, digest: "", options: "", source: "", format: "", assets: texts.count,
      categories: categories.count, bytes: 0, skipped: 0)
    (self.base, self.precision, taught) = (base, precision, nil)
    examples = texts.enumerated().map { TrainingExample(asset: $0, text: $1.text, category: $1.category) }
    (self.categories, names) = (categories.map(\.key), categories.map(\.name))
  }

  /// Whether what is trained on is still what the data set and the interface have.
  ///
  /// - Parameter base: what the base's name stands for now.
  public func isCurrent(base: ModelSelection, _ workbench: Workbench) -> Bool {
    guard let now = try? TrainingPlan(dataset, base: base, completions: taught?.completions, workbench)
    else { return false }
    return now.taught == taught
      && now.examples.elementsEqual(examples) { $0.text == $1.text && $0.category == $1.category }
      && now.categories == categories && now.names == names && now.base == self.base
      && now.precision == precision
  }
}

extension ModelSelection {
  /// What a model that is trained from this one is taught with, but for the categories: a tuned one goes on with its own prompt. Nil
  /// for an encoder.
  /// - Throws: `TaskError`.
  fileprivate func lesson(_ workbench: Workbench) throws -> Taught? {
    switch self {
    case .base, .encoder: nil
    case .tuned(let tuned, _): try tuned.lesson
    case .language: try Taught(prompt: workbench.prompt, categories: [], completions: .names)
    }
  }
}

/// A training by one method or several, from the plan to the files of the models.
///
/// ```swift
/// let plan = try workspace.read { try TrainingPlan(dataset, base: .base, $0) }
/// let task = try TrainingTask(plan, in: library)
/// let trained = try task.run([.defaults(for: .linear)])
/// try workspace.write { try task.publish(trained[0], as: $0.nextModelName(), $0) }
/// ```
/// Nothing of the workspace is held while it trains. Several threads may train at once, and predict beside that.
public struct TrainingTask: Sendable {
  public let plan: TrainingPlan
  /// As the model reads them, with the number of their category.
  public let examples: [(encoding: Encoding, category: Int)]
  /// Copies among them.
  public let groups: TextGroups
  private let library: ModelLibrary
  private let learner: Learner
  private let reference: EncoderReference?

  private enum Learner {
    case encoder(SentenceEncoder, TextFeatures, prototypes: [[Float]])
    case language(LanguageLearner)
  }

  /// What happens while it trains.
  public enum Event: Sendable {
    /// Texts that have been embedded for the starting head, and all of them.
    case preparing(done: Int, total: Int)
    /// Batches.
    case step(Method, done: Int, total: Int)
    case epoch(Method, EpochReport)
    /// What a language model makes of a few texts that it does not learn from: before the first epoch, which is 0, and behind each.
    case answers(Method, epoch: Int, [(text: String, answer: String)])
    case ended(Method, seconds: Double)
  }

  /// Reads the base and what it makes of the categories' names.
  /// - Throws: `TaskError`, `ModelError`.
  public init(_ plan: TrainingPlan, in library: ModelLibrary) throws {
    let library = try library.keepingSession()
    self.plan = plan
    self.library = library
    reference = try library.reference(under: plan.base)
    let indices = Dictionary(uniqueKeysWithValues: plan.categories.enumerated().map { ($1, $0) })
    let categories = plan.examples.map { indices[$0.category] ?? 0 }
    if let taught = plan.taught {
      let language = try LanguageLearner(plan.base, taught, texts: plan.examples.map(\.text), in: library)
      learner = .language(language)
      examples = Array(zip(language.encodings, categories))
    } else {
      // By its digest, since base may be another by the time it is read.
      var base = plan.base
      if case .base = base, let reference { base = .encoder(reference) }
      let encoder = try library.ownEncoder(of: base, precision: plan.precision)
      examples = zip(plan.examples, categories).map { (encoder.encode($0.text), $1) }
      // What a tuned encoder makes of such sentences says little: it may have moved away from what they meant.
      let isTuned = if case .tuned = plan.base { true } else { false }
      let prototypes = try isTuned ? [] : ZeroShotClassifier.prototypes(of: plan.names, encoder: encoder)
      learner = .encoder(encoder, encoder.features(), prototypes: prototypes)
    }
    groups = TextGroups(examples.map(\.encoding))
  }

  /// How many texts are longer than the model reads.
  public var truncated: Int {
    switch learner {
    case .encoder: examples.count { $0.encoding.isTruncated }
    case .language(let language): language.truncated
    }
  }

  /// Says before the training that there will be no room for its result.
  ///
  /// - Throws: `TaskError.diskFull`, `WorkspaceError.readOnly`.
  public func requireRoom(for options: [TrainingOptions]) throws {
    let categories = plan.categories.count
    let bytes = options.reduce(0) { sum, options in
      switch learner {
      case .encoder(let encoder, _, _):
        sum + encoder.model.bytesOnDisk(tunedBy: options.method, categories: categories)
      case .language(let language):
        sum + language.model.languageBytesOnDisk(tunedBy: options, categories: categories)
      }
    }
    let smaller: String
    if case .encoder = learner {
      smaller = "--method linear, which needs a few kilobytes"
    } else if options.contains(where: { $0.method != .adapter }) {
      smaller = "--method adapter, which needs some megabytes and writes answers as well"
    } else {
      smaller = "a lower --rank: each halving halves it"
    }
    try library.requireRoom(bytes, smaller: smaller)
  }

  /// Trains by each of the options in turn.
  ///
  /// - Returns: models whose files are durable and which nobody can see: to be published, or their files discarded.
  /// - Throws: `ModelError`, `WorkspaceError`, `CancellationError`; then no files are left.
  public func run(
    _ options: [TrainingOptions], events: @escaping @Sendable (Event) -> Void = { _ in },
    isCancelled: @Sendable () -> Bool = { false }
  ) throws -> [TrainedModel] {
    var trained: [TrainedModel] = []
    do {
      for options in options { trained.append(try train(options, events, isCancelled)) }
    } catch {
      for model in trained { model.files.discard() }
      throw error
    }
    return trained
  }

  private func train(
    _ options: TrainingOptions, _ events: @escaping @Sendable (Event) -> Void,
    _ isCancelled: @Sendable () -> Bool
  ) throws -> TrainedModel {
    let start = ContinuousClock.now
    let method = options.method
    let result: TrainedModel.Result
    switch learner {
    case .encoder(let encoder, let features, let prototypes):
      result = TrainedModel.Result(
        try fineTune(
          features, head: try startingHead(for: encoder.model), prototypes: prototypes, examples: examples,
          categories: plan.categories.count, options: options,
          preparing: { events(.preparing(done: $0, total: $1)) },
          step: { events(.step(method, done: $0, total: $1)) }, epoch: { events(.epoch(method, $0)) },
          isCancelled: isCancelled))
    case .language(let language):
      result = try language.train(
        options, categories: examples.map(\.category), groups, events: events, isCancelled: isCancelled)
    }
    let files = try save(result, method)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    events(.ended(method, seconds: seconds))
    return TrainedModel(options: options, result: result, files: files, seconds: seconds)
  }

  /// A tuned model's own head goes on learning when the categories are the same.
  private func startingHead(for encoder: PretrainedModel) throws -> Head? {
    guard case .tuned(let model, _) = plan.base, model.categories == plan.categories else { return nil }
    return try library.head(of: model, for: encoder)
  }

  /// Writes the files where nothing names them yet.
  private func save(_ result: TrainedModel.Result, _ method: Method) throws -> ModelFolder {
    try library.newFiles { folder in
      try result.head?.save(to: folder.appending(path: TunedModel.headName))
      switch (learner, method) {
      case (_, .linear): break
      case (.encoder, .adapter): try result.model.save(adapterTo: folder)
      case (.encoder, .full), (.encoder, .gradual): try result.model.save(to: folder)
      case (.language, .adapter): try result.model.save(loraTo: folder)
      case (.language, .full), (.language, .gradual): try result.model.save(weightsTo: folder)
      }
    }
  }

  /// Gives a model its name and place, in the transaction that it is called in.
  ///
  /// - Parameter options: its options as JSON, for whoever asks later how it was made; `reference` names its encoder among them.
  /// - Throws: `WorkspaceError`; also where another session has taken the place of the one in which it was trained.
  public func publish(
    _ trained: TrainedModel, as name: String,
    options: (_ encoder: EncoderReference?) -> String = { _ in "{}" },
    _ workbench: Workbench
  ) throws -> TunedModel {
    let result = trained.result
    let model = TunedModel(
      name: name, base: plan.base.rootName, baseDigest: reference?.digest,
      method: trained.options.method.rawValue,
      dataset: plan.dataset.name, examples: plan.examples.count, options: options(reference), folder: name,
      bytes: 0, categories: plan.categories, finalLoss: result.finalLoss,
      heldOutAccuracy: result.heldOutAccuracy, taught: try plan.taught?.json)
    return try workbench.publish(
      model,
      trainedOn: zip(plan.examples, examples).flatMap { example, encoded in
        [
          TextDigest(example.text), TextDigest(folding: example.text),
          TextDigest(tokens: encoded.encoding.ids),
        ]
      }, from: trained.files)
  }
}

extension ModelLibrary {
  /// - Parameter smaller: what needs less room.
  /// - Throws: `TaskError.diskFull`, `WorkspaceError.readOnly`.
  func requireRoom(_ bytes: Int, smaller: String) throws {
    try workspace.requireWritable()
    // A tenth more, since the database and its log grow as well.
    let needed = bytes + bytes / 10
    let free = workspace.freeBytes
    if free < needed { throw TaskError.diskFull(needed: needed, free: free, smaller: smaller) }
  }

  /// A folder that `write` has filled; where it fails nothing is left.
  func newFiles(_ write: (URL) throws -> Void) throws -> ModelFolder {
    let files = try workspace.newModelFolder()
    do {
      try write(files.folder)
      try files.synchronise()
      return files
    } catch {
      files.discard()
      throw error
    }
  }
}

/// What a training has made; its files lie in the workspace and have no name yet.
public struct TrainedModel: Sendable {
  public let options: TrainingOptions
  public let result: Result
  public let files: ModelFolder
  /// Wall-clock time, reading and writing among it.
  public let seconds: Double

  /// What the training came to.
  public struct Result: Sendable {
    public var model: PretrainedModel
    /// Nil for a language model that writes.
    public var head: Head?
    public var epochs: [EpochReport]
    /// A few held-out texts with what a language model wrote for each, before the first epoch and behind every one.
    public var answers: [(text: String, written: [String])] = []
    /// The last epoch's mean loss, nats: an example's, or a token's of a language model's completions.
    public var finalLoss: Double
    public var heldOut: HeldOutResult?
    public var trainableParameters: Int
    /// Trained on, all epochs together; of a language model, computed: what a batch shares counts once.
    public var tokens: Int
    /// Wall-clock time, all in all.
    public var seconds: Double

    public var heldOutAccuracy: Double? { heldOut?.accuracy }
    public var heldOutCount: Int { heldOut?.isRight.count ?? 0 }
  }
}

extension TrainedModel.Result {
  init(_ result: TrainingResult) {
    self.init(
      model: result.model, head: result.head, epochs: result.epochs, finalLoss: result.finalLoss,
      heldOut: result.heldOut, trainableParameters: result.trainableParameters, tokens: result.tokens,
      seconds: result.seconds)
  }
}
