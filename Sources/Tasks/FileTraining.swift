import Basics
import Classifiers
import Encoder
import Foundation
import Workbench

/// A training on a file of prompts and answers, from the file to the files of the model.
///
/// A language model learns by LoRA to write each answer behind its prompt, as the file has them. An encoder learns to tell the
/// answers apart by the prompts' own texts, and gives these answers from then on.
/// ```swift
/// let task = try FileTraining(material, named: "news.jsonl", base: .language("smollm2", .free), in: library)
/// let trained = try task.run(task.options())
/// try workspace.write { try task.publish(trained, as: "news", $0) }
/// ```
public struct FileTraining: Sendable {
  /// Answers that an encoder tells apart at most.
  public static let mostAnswers = 1000

  public let base: ModelSelection
  /// Whether the model writes its answers.
  public let writes: Bool
  private let library: ModelLibrary
  private let file: String
  private let material: TrainingMaterial
  private let validation: TrainingMaterial?
  private let frame: TextFrame
  private let answers: FileAnswers?
  private let precision: Precision
  /// What a language model stands on; nil for an encoder.
  private let reference: EncoderReference?
  /// Of a language model's; empty for an encoder.
  private let lessons: (training: [PromptedExample], validation: [PromptedExample])

  /// What happens while it trains.
  public enum Event: Sendable {
    case step(done: Int, total: Int)
    case epoch(EpochReport, Measure?)
  }

  /// How a model does on the validation file.
  public struct Measure: Codable, Equatable, Sendable {
    /// Mean cross-entropy in nats: of an answer's token, or of an encoder's answer.
    public var loss: Double
    /// Share of the prompts that get the very answer of the file.
    public var accuracy: Double
  }

  /// A file that does not serve, or a line of it.
  public struct Fault: Error, Sendable, CustomStringConvertible {
    public var isValidation: Bool
    public var fault: TrainingMaterial.Fault

    public init(isValidation: Bool, fault: TrainingMaterial.Fault) {
      (self.isValidation, self.fault) = (isValidation, fault)
    }

    public var description: String { (isValidation ? "The validation file. " : "") + fault.description }
  }

  /// Reads what both files teach; no weights are read.
  /// - Throws: `Fault`, `TaskError`, `ModelError`.
  public init(
    _ material: TrainingMaterial, validation: TrainingMaterial? = nil, named file: String,
    base: ModelSelection, in library: ModelLibrary
  ) throws {
    (self.material, self.validation, self.base, self.library) = (material, validation, base, library)
    self.file = Name.make(from: file)
    precision = try library.workspace.read { try $0.precision }
    frame = TextFrame(of: material.examples.map(\.prompt.asked))
    writes = base.isGenerative
    let answers = FileAnswers(material.examples.map(\.answer), most: Self.mostAnswers)
    guard writes else {
      guard let answers else {
        throw Self.fault(
          "The answers are more than \(Self.mostAnswers) different texts, which \(base.name) cannot tell apart. "
            + "A language model learns to write them.")
      }
      guard answers.answers.count > 1 else {
        throw Self.fault("All answers are the same, so there is nothing to learn.")
      }
      self.answers = answers
      lessons = ([], [])
      reference = nil
      for example in material.examples where frame.text(in: example.prompt.asked).isBlank {
        throw Self.fault("The prompt has no text of its own.", line: example.line)
      }
      for example in validation?.examples ?? [] where !answers.answers.contains(example.answer) {
        throw Self.fault(
          "The answer is none of the training file's.", line: example.line, isValidation: true)
      }
      return
    }
    // Answers that hardly come twice are no categories.
    self.answers = answers.flatMap { 2 * $0.answers.count <= material.examples.count ? $0 : nil }
    reference = try library.reference(under: base)
    let folder = try library.place(of: base).folder
    let reader = try TextReader(folder: folder)
    guard let tokenizer = reader.tokenizer as? BytePair else { throw ModelError.noGeneration }
    lessons = (
      try Self.lesson(material, tokenizer, longest: reader.maximumLength),
      try validation.map { try Self.lesson($0, tokenizer, longest: reader.maximumLength, isValidation: true) }
        ?? []
    )
  }

  private static func fault(_ reason: String, line: Int? = nil, isValidation: Bool = false) -> Fault {
    Fault(isValidation: isValidation, fault: TrainingMaterial.Fault(line: line, reason))
  }

  private static func lesson(
    _ material: TrainingMaterial, _ tokenizer: BytePair, longest: Int, isValidation: Bool = false
  ) throws -> [PromptedExample] {
    let chat = ChatTemplate(tokenizer)
    let beginning = tokenizer.beginning.map { [BytePair.Part.special($0)] } ?? []
    let examples = try material.examples.map { example in
      let parts: [BytePair.Part]
      let ending: [Int32]
      switch example.prompt {
      case .text(let text):
        parts = [.text(text)]
        ending = chat.endOfAnswer(isChat: false, tokenizer)
      case .messages(let messages):
        parts = chat.parts(messages.map(\.turn), tokenizer)
        ending = chat.endOfAnswer(isChat: true, tokenizer)
      }
      let prompt = tokenizer.encode(beginning + parts).ids
      let completion = tokenizer.encode([.text(example.answer)]).ids + ending
      guard prompt.count + completion.count <= longest else {
        throw fault(
          "The prompt and its answer have \(prompt.count + completion.count) tokens, and the model reads at most \(longest).",
          line: example.line, isValidation: isValidation)
      }
      return PromptedExample(prompt: prompt, completion: completion)
    }
    // When it is measured each may be answered at the length of any.
    let most = examples.map(\.completion.count).max() ?? 0
    if isValidation, let far = examples.firstIndex(where: { $0.prompt.count + most > longest }) {
      throw fault(
        "The prompt and the file's longest answer have \(examples[far].prompt.count + most) tokens, and the model reads at most "
          + "\(longest).", line: material.examples[far].line, isValidation: true)
    }
    return examples
  }

  public var examples: Int { material.examples.count }
  public var validationExamples: Int { validation?.examples.count ?? 0 }

  // MARK: - Training

  /// What serves best where nothing is asked for: a language model needs some two hundred steps, and learns by heart when it sees a
  /// text often.
  ///
  /// - Parameters:
  ///   - batch: examples a step.
  ///   - multiplier: of the learning rate.
  public func options(
    epochs: Int? = nil, batch: Int? = nil, multiplier: Double? = nil, seed: UInt64 = 42
  ) -> TrainingOptions {
    var options = writes ? TrainingOptions.languageDefaults(for: .adapter) : .defaults(for: .full)
    options.batchSize = batch ?? options.batchSize
    if writes {
      let wanted = (Self.steps * options.batchSize + examples - 1) / examples
      options.epochs = min(max(wanted, options.epochs), Self.mostEpochs)
    }
    options.epochs = epochs ?? options.epochs
    options.learningRate *= Float(multiplier ?? 1)
    options.headLearningRate *= Float(multiplier ?? 1)
    options.seed = seed
    options.precision = precision
    (options.holdout, options.patience) = (0, 0)
    return options
  }

  private static let steps = 200
  private static let mostEpochs = 4

  /// - Returns: a model whose files are durable and which nobody can see: to be published, or its files discarded.
  /// - Throws: `TaskError`, `ModelError`, `WorkspaceError`, `CancellationError`; then no files are left.
  public func run(
    _ options: TrainingOptions, events: @escaping @Sendable (Event) -> Void = { _ in },
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws -> Trained {
    writes
      ? try teach(options, events, isCancelled) : try tell(options, events, isCancelled)
  }

  /// A trained model, and what it came to.
  public struct Trained: Sendable {
    public var model: TrainedModel
    /// At the end; nil without a validation file.
    public var measure: Measure?
    fileprivate var task: TrainingTask?
  }

  private func teach(
    _ options: TrainingOptions, _ events: @escaping @Sendable (Event) -> Void,
    _ isCancelled: @escaping @Sendable () -> Bool
  ) throws -> Trained {
    let start = ContinuousClock.now
    // It holds half a gigabyte, which the training needs.
    library.cache.releaseLanguageModel()
    let model = try library.place(of: base).load()
    try library.requireRoom(
      model.languageBytesOnDisk(tunedBy: options, categories: 0),
      smaller: "a lower --rank: each halving halves it")
    let prompts = lessons.training.map(\.prompt)
    let prefix = PromptedLesson.beginning(of: prompts)
    let examples = lessons.training.map {
      PromptedExample(prompt: Array($0.prompt.dropFirst(prefix.count)), completion: $0.completion)
    }
    var measure: Measure?
    let trained = try LanguageTraining(model: model, options: options).run(
      examples, after: prefix, step: { events(.step(done: $0, total: $1)) },
      epoch: { report, language in
        var report = report
        if !lessons.validation.isEmpty {
          let found = try Self.measure(lessons.validation, language(), isCancelled)
          report.heldOutAccuracy = found.accuracy
          measure = found
        }
        events(.epoch(report, measure))
      }, isCancelled: isCancelled)
    let files = try library.newFiles { try trained.model.save(loraTo: $0) }
    let result = TrainedModel.Result(
      model: trained.model, head: nil, epochs: trained.epochs, finalLoss: trained.finalLoss, heldOut: nil,
      trainableParameters: trained.trainableParameters, tokens: trained.tokens, seconds: trained.seconds)
    return Trained(
      model: TrainedModel(
        options: options, result: result, files: files,
        seconds: (ContinuousClock.now - start) / .seconds(1)),
      measure: measure)
  }

  /// What a model makes of prompts: the loss of the file's answers, and how often it writes just these.
  private static func measure(
    _ examples: [PromptedExample], _ model: LanguageModel, _ isCancelled: @escaping @Sendable () -> Bool
  ) throws -> Measure {
    let prefix = PromptedLesson.beginning(of: examples.map(\.prompt))
    let prompts = examples.map { Array($0.prompt.dropFirst(prefix.count)) }
    let ends = (model.model.tokenizer as? BytePair).map { ChatTemplate($0).ends($0) } ?? []
    let answers = try model.complete(
      prompts, after: prefix, maximum: examples.map(\.completion.count).max() ?? 1, ends: ends,
      isCancelled: isCancelled)
    let right = zip(examples, answers).count { $0.completion.elementsEqual($1.prefix($0.completion.count)) }
    var loss = 0.0
    for (completion, members) in Dictionary(grouping: examples.indices, by: { examples[$0].completion }) {
      // A long one is weighed piece by piece, each behind those before.
      for start in stride(from: 0, to: completion.count, by: LanguageModel.longestCompletion) {
        let piece = Array(completion[start...].prefix(LanguageModel.longestCompletion))
        let sums = try model.logProbabilities(
          of: [piece], after: members.map { prompts[$0] + completion.prefix(start) }, prefix: prefix,
          isCancelled: isCancelled)
        loss -= sums.reduce(0) { $0 + $1[0] }
      }
    }
    let tokens = examples.reduce(0) { $0 + $1.completion.count }
    return Measure(loss: loss / Double(tokens), accuracy: Double(right) / Double(examples.count))
  }

  private func tell(
    _ options: TrainingOptions, _ events: @escaping @Sendable (Event) -> Void,
    _ isCancelled: @escaping @Sendable () -> Bool
  ) throws -> Trained {
    guard let answers else { throw Self.fault("The file has no answers.") }
    let keys = Dictionary(uniqueKeysWithValues: zip(answers.answers, answers.keys))
    var order = Array(answers.keys.indices)
    if case .tuned(let tuned, _) = base, Set(tuned.categories) == Set(answers.keys) {
      // Its own head goes on.
      order.sort { one, other in
        let places = [one, other].map { tuned.categories.firstIndex(of: answers.keys[$0]) ?? 0 }
        return places[0] < places[1]
      }
    }
    let names = answers.names
    let plan = TrainingPlan(
      file: file,
      texts: material.examples.map { (frame.text(in: $0.prompt.asked), keys[$0.answer] ?? $0.answer) },
      categories: order.map { (key: answers.keys[$0], name: names[$0]) }, base: base, precision: precision)
    let task = try TrainingTask(plan, in: library)
    try task.requireRoom(for: [options])
    let trained = try task.run(
      [options],
      events: { event in
        switch event {
        case .step(_, let done, let total): events(.step(done: done, total: total))
        case .epoch(_, let report): events(.epoch(report, nil))
        case .preparing, .answers, .ended: break
        }
      }, isCancelled: isCancelled)[0]
    do {
      return Trained(
        model: trained, measure: try measure(trained.result, plan, keys, isCancelled), task: task)
    } catch {
      trained.files.discard()
      throw error
    }
  }

  private func measure(
    _ result: TrainedModel.Result, _ plan: TrainingPlan, _ keys: [String: String],
    _ isCancelled: @escaping @Sendable () -> Bool
  ) throws -> Measure? {
    guard let examples = validation?.examples, let head = result.head else { return nil }
    let classifier = TunedClassifier(
      name: file, encoder: try SentenceEncoder(model: result.model, precision: precision), head: head,
      categories: plan.categories)
    let outcomes = try classifier.classify(
      examples.map { frame.text(in: $0.prompt.asked) }, isCancelled: isCancelled)
    var (loss, right) = (0.0, 0)
    for (example, outcome) in zip(examples, outcomes) {
      let key = keys[example.answer]
      let score = outcome.classification?.scores.first { $0.category == key }?.probability ?? 0
      loss -= log(max(score, 1e-12))
      if outcome.category == key { right += 1 }
    }
    return Measure(
      loss: loss / Double(examples.count), accuracy: Double(right) / Double(examples.count))
  }

  // MARK: - Publishing

  /// Gives the model its name and place, in the transaction that it is called in.
  /// - Throws: `WorkspaceError`, `TaskError`.
  @discardableResult
  public func publish(_ trained: Trained, as name: String, _ workbench: Workbench) throws -> TunedModel {
    let options = trained.model.options
    if let task = trained.task {
      return try task.publish(
        trained.model, as: name,
        options: { Recorded(options, embedded: $0?.name, lesson: lesson).json }, workbench)
    }
    let texts = material.examples.map { frame.text(in: $0.prompt.asked) }
    let tokenizer = trained.model.result.model.tokenizer
    let longest = trained.model.result.model.maximumLength
    let model = TunedModel(
      name: name, base: base.rootName, baseDigest: reference?.digest, method: options.method.rawValue,
      dataset: file, examples: examples,
      options: Recorded(options, embedded: reference?.name, lesson: nil).json, folder: name, bytes: 0,
      categories: answers?.keys ?? [], finalLoss: trained.model.result.finalLoss,
      heldOutAccuracy: trained.measure?.accuracy, taught: try taught.json)
    return try workbench.publish(
      model,
      trainedOn: texts.flatMap { text in
        [
          TextDigest(text), TextDigest(folding: text),
          TextDigest(tokens: tokenizer.encode(text, maximumLength: longest).ids),
        ]
      }, from: trained.model.files)
  }

  private var lesson: FileLesson? { answers.map { FileLesson(frame: frame, answers: $0) } }

  /// What the prompt asks the model by: the file's own prompts around a text. A conversation of several turns is asked as its last.
  private var taught: Taught {
    get throws {
      let placeholders = [Prompt.textPlaceholder, Prompt.categoriesPlaceholder]
      let spells = placeholders.contains { frame.before.contains($0) || frame.after.contains($0) }
      let template =
        spells ? Prompt.textPlaceholder : frame.before + Prompt.textPlaceholder + frame.after
      let conversations = material.examples.compactMap { example in
        if case .messages(let messages) = example.prompt { messages } else { nil }
      }
      var prompt = try Prompt(template: template, isChat: !conversations.isEmpty)
      let systems = Set(conversations.map { $0.first { $0.role == .system }?.text })
      if systems.count == 1 { prompt.system = systems.first ?? nil }
      let categories = answers.map { Array(zip($0.keys, $0.names)) } ?? []
      var taught = Taught(
        prompt: prompt, categories: categories.map { (key: $0, name: $1) }, completions: .names)
      taught.answers = answers?.answers ?? []
      return taught
    }
  }

  /// The options as they were, for the model's row.
  private struct Recorded: Encodable {
    var embedded: String?
    var epochs: Int
    var batch: Int
    var learningRate: Float
    var precision: String
    var seed: UInt64
    var lesson: FileLesson?
    let origin = TunedModel.orderedOrigin

    init(_ options: TrainingOptions, embedded: String?, lesson: FileLesson?) {
      (self.embedded, self.lesson) = (embedded, lesson)
      (epochs, batch, learningRate) = (options.epochs, options.batchSize, options.learningRate)
      (precision, seed) = (options.precision.rawValue, options.seed)
    }

    enum CodingKeys: String, CodingKey {
      case embedded, epochs, batch, precision, seed, origin
      case learningRate = "learning_rate"
      case lesson = "file_lesson"
    }

    var json: String {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
  }
}

extension ModelSelection {
  /// Whether what it names is a language model, with a head or without.
  var isGenerative: Bool {
    switch self {
    case .base, .encoder: false
    case .tuned(let model, _): model.taught != nil
    case .language: true
    }
  }

  /// What a model that is trained from it says of its base.
  var rootName: String {
    switch self {
    case .base, .encoder: Workbench.baseModel
    case .tuned(let model, _): model.name
    case .language(let name, _, _): name
    }
  }
}

extension TrainingMaterial.Message {
  fileprivate var turn: Prompt.Turn {
    switch role {
    case .system: Prompt.Turn(.system, text)
    case .user: Prompt.Turn(.user, text)
    case .assistant: Prompt.Turn(.assistant, text)
    }
  }
}

extension String {
  fileprivate var isBlank: Bool { allSatisfy(\.isWhitespace) }
}
