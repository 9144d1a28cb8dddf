import Encoder
import Foundation
import Synchronization
import Testing

/// Training as a whole, on the tiny model: it learns, gives the same weights whatever the threads, and stops when asked.
@Suite struct FineTuneTests {
  private let model: PretrainedModel
  private let examples: [(encoding: Encoding, category: Int)]

  init() throws {
    let model = try PretrainedModel.load(folder: TestFiles.reference("tiny-bert"))
    self.model = model
    // Three made-up categories, each with its own letters; and texts of all lengths, the empty one too.
    let letters = ["abcdefgh", "ijklmnop", "qrstuvwx"].map { Array($0) }
    examples = (0..<60).map { number in
      let words = (0..<number % 12).map { String(letters[number % 3][(number * 7 + $0 * 5) % 8]) }
      return (model.tokenizer.encode(words.joined(separator: " "), maximumLength: 16), number % 3)
    }
  }

  private func options(_ method: Method, threads: Int = 2) -> TrainingOptions {
    var options = TrainingOptions.defaults(for: method)
    options.epochs = 3
    options.batchSize = 16
    options.learningRate = 2e-3
    options.holdout = 0
    options.seed = 7
    options.threads = threads
    return options
  }

  private func train(_ options: TrainingOptions, head: Head? = nil) throws -> TrainingResult {
    try fineTune(model, head: head, examples: examples, categories: 3, options: options)
  }

  private func accuracy(_ result: TrainingResult) throws -> Double {
    let pooled = try Embedder(model: result.model).pooled(examples.map(\.encoding))
    let right = zip(pooled, examples).count { vector, example in
      let logits = result.head.logits(vector)
      return logits.indices.max { logits[$0] < logits[$1] } == example.category
    }
    return Double(right) / Double(examples.count)
  }

  @Test("Every method learns what there is to learn", arguments: Method.allCases)
  func learns(_ method: Method) throws {
    var options = options(method)
    options.epochs = 20
    let result = try train(options)
    #expect(try accuracy(result) > 0.85)
    #expect(result.finalLoss < 0.8)
    #expect(result.seconds > 0 && result.tokens > 0 && result.heldOutAccuracy == nil)
  }

  @Test("Linear leaves the encoder as it is, and trains the head alone") func linear() throws {
    let result = try train(options(.linear))
    #expect(result.trainableParameters == 3 * 24 + 3)
    let encodings = examples.map(\.encoding)
    #expect(try Embedder(model: result.model).pooled(encodings) == Embedder(model: model).pooled(encodings))
  }

  /// The mean vector of each category's texts: what zero-shot classification takes a category's sentences for.
  private func centres() throws -> [[Float]] {
    let pooled = try Embedder(model: model).pooled(examples.map(\.encoding))
    return (0..<3).map { category in
      let own = zip(pooled, examples).filter { $1.category == category && $1.encoding.ids.count > 2 }.map(\.0)
      return own[0].indices.map { index in own.map { $0[index] }.reduce(0, +) / Float(own.count) }
    }
  }

  @Test(
    "Where the examples tell nothing, a head knows what the categories' vectors say; whatever the threads")
  func prototypes() throws {
    let centres = try centres()
    let empty = (0..<3).map { (encoding: examples[0].encoding, category: $0) }
    func linear(_ prototypes: [[Float]], threads: Int = 2) throws -> TrainingResult {
      try fineTune(
        model, head: nil, prototypes: prototypes, examples: empty, categories: 3,
        options: options(.linear, threads: threads))
    }
    let informed = try linear(centres)
    #expect(try accuracy(linear([])) < 0.5)
    #expect(try accuracy(informed) > 0.6)
    #expect(try linear(centres, threads: 1).head == informed.head)
    #expect(throws: ModelError.headMismatch(expected: 3, found: 2)) { try linear(Array(centres.prefix(2))) }
  }

  @Test("Vectors that mislead do not outweigh the examples")
  func misleading() throws {
    let centres = try centres()
    let result = try fineTune(
      model, head: nil, prototypes: [centres[1], centres[2], centres[0]], examples: examples, categories: 3,
      options: options(.linear))
    #expect(try accuracy(result) >= accuracy(train(options(.linear))) - 0.1)
  }

  @Test(
    "The weights are the same, bit for bit, whatever the number of threads",
    arguments: Method.allCases, hasBFloat16 ? [Precision.f32, .bf16] : [.f32])
  func threads(_ method: Method, _ precision: Precision) throws {
    func options(_ method: Method, threads: Int) -> TrainingOptions {
      var options = self.options(method, threads: threads)
      options.precision = precision
      return options
    }
    let one = try train(options(method, threads: 1))
    let vectors = try Embedder(model: one.model, threads: 1).pooled(examples.map(\.encoding))
    for threads in [1, 2, 3, 8] {
      let other = try train(options(method, threads: threads))
      #expect(other.head == one.head)
      #expect(other.epochs.map(\.loss) == one.epochs.map(\.loss))
      #expect(try Embedder(model: other.model, threads: threads).pooled(examples.map(\.encoding)) == vectors)
    }
  }

  @Test("Linear learns from every example, and its held-out accuracy is that of cross-validation")
  func crossValidation() throws {
    var options = options(.linear)
    let plain = try train(options)
    options.holdout = 0.1
    let result = try train(options)
    #expect(result.head == plain.head)
    #expect(result.heldOutCount == examples.count && plain.heldOutCount == 0)
    let heldOut = try #require(result.heldOutAccuracy)
    // The text with no words is of no category, and what is told apart by letters is found again.
    #expect(heldOut > 0.6 && heldOut <= 1 && result.epochs.last?.heldOutAccuracy == heldOut)
    #expect(plain.heldOutAccuracy == nil)
  }

  @Test("Four methods one after another embed each different text once, and learn what each learns alone")
  func embedsOnce() throws {
    let base = TextFeatures(try Embedder(model: model))
    let embedded = Mutex<[Int]>([])
    for method in Method.allCases {
      let result = try fineTune(
        base, head: nil, examples: examples, categories: 3, options: options(method),
        preparing: { done, _ in embedded.withLock { $0.append(done) } })
      #expect(try result.head == train(options(method)).head)
      #expect(base.count == Set(examples.map(\.encoding.ids)).count)
    }
    // The three that start from linear's head found every vector there.
    #expect(embedded.withLock { $0 }.isEmpty)
  }

  @Test("Full starts from the head that linear fits to the same examples") func linearStart() throws {
    var options = options(.full)
    #expect(options.startsFromLinear)
    options.learningRate = 0
    options.headLearningRate = 0
    #expect(try train(options).head == train(self.options(.linear)).head)
  }

  @Test("Another seed gives other weights") func seeds() throws {
    var other = options(.full)
    other.seed = 8
    #expect(try train(options(.full)).head != train(other).head)
  }

  @Test("Held-out examples are left out and measured; the best epoch's weights are kept") func holdout()
    throws
  {
    var options = options(.full)
    options.epochs = 12
    options.holdout = 0.25
    options.patience = 2
    let reports = Mutex<[EpochReport]>([])
    let result = try fineTune(
      model, head: nil, examples: examples, categories: 3, options: options,
      epoch: { report in reports.withLock { $0.append(report) } })
    // A quarter of each category's different texts, with their copies.
    #expect(result.heldOutCount == 14)
    #expect(reports.withLock { $0 } == result.epochs)
    let accuracies = result.epochs.compactMap(\.heldOutAccuracy)
    #expect(accuracies.count == result.epochs.count)
    #expect(result.heldOutAccuracy == accuracies.max())
  }

  @Test(
    "Copies of a text are learned from or held out together: nothing is learned by heart",
    arguments: Method.allCases)
  func copies(_ method: Method) throws {
    // Categories that the texts say nothing about; each text stands there four times, with one label.
    let texts = (0..<40).map { number in
      let letters = Array("abcdefghijklmnopqrstuvwx")
      let words = [number % 24, number / 24, number * 5 % 24, number * 11 % 24].map { String(letters[$0]) }
      return model.tokenizer.encode(words.joined(separator: " "), maximumLength: 16)
    }
    let coin = (0..<40).map { $0 * 7919 % 101 % 2 }
    let many = (0..<4).flatMap { _ in zip(texts, coin).map { (encoding: $0, category: $1) } }
    var options = options(method)
    options.epochs = 30
    options.holdout = 0.5
    let result = try fineTune(model, head: nil, examples: many, categories: 2, options: options)
    let heldOut = try #require(result.heldOut)
    #expect(heldOut.isRight.count == 4 * heldOut.isRightOfDifferent.count)
    #expect(try #require(result.heldOutAccuracy) < 0.8)
  }

  @Test("Where no text repeats, the same are held out as ever") func sameSplit() throws {
    let different = (0..<24).map { number in
      let letters = Array("abcdefghijklmnopqrstuvwx")
      return (
        encoding: model.tokenizer.encode(
          "\(letters[number]) \(letters[(number + 1) % 24])", maximumLength: 16),
        category: number % 3
      )
    }
    let groups = TextGroups(different.map(\.encoding))
    #expect(groups.count == 24 && groups.numbers == Array(0..<24))
    #expect(groups.contradictions(different.map(\.category)).isEmpty)
    let twice = TextGroups((different + different).map(\.encoding))
    #expect(twice.count == 24 && twice.members[3] == [3, 27])
    #expect(twice.contradictions((0..<48).map { $0 < 30 ? 0 : 1 }).count == 18)
  }

  @Test("A model of nothing but zeros is an error, not a head without numbers") func zeros() throws {
    try TestFiles.withTemporaryFolder { folder in
      try model.save(to: folder)
      try WeightsFile.change(folder.appendingPathComponent("model.safetensors")) { _, _, _ in 0 }
      let zero = try PretrainedModel.load(folder: folder)
      let nothing = [[Float]](repeating: [Float](repeating: 0, count: 24), count: 3)
      for method in [Method.linear, .full] {
        #expect(throws: ModelError.self) {
          try fineTune(
            zero, head: nil, prototypes: nothing, examples: examples, categories: 3, options: options(method))
        }
      }
    }
  }

  @Test("A tuned model can be tuned further") func further() throws {
    let first = try train(options(.full))
    let second = try fineTune(
      first.model, head: first.head, examples: examples, categories: 3, options: options(.full))
    #expect(second.epochs[0].loss < first.epochs[0].loss)
    let other = Head(weight: [Float](repeating: 0, count: 48), bias: [0, 0])
    #expect(throws: ModelError.headMismatch(expected: 3, found: 2)) { try train(options(.full), head: other) }
  }

  @Test("A linear head, which normalises, can be the start of full fine-tuning") func fromLinear() throws {
    let linear = try train(options(.linear))
    #expect(linear.head.normalises)
    var options = options(.full)
    options.dropout = 0
    options.learningRate = 0
    options.headLearningRate = 0
    options.epochs = 1
    let still = try fineTune(
      linear.model, head: linear.head, examples: examples, categories: 3, options: options)
    #expect(abs(still.finalLoss - linear.finalLoss) < 1e-5)
    #expect(still.head == linear.head)
  }

  @Test("The gradient through a normalising head is the slope of the loss") func normalisingSlope() throws {
    let head = Head(
      weight: (0..<72).map { Float($0 * 7 % 11) / 4 - 1 }, bias: [0, 0.1, 0.2], normalises: true)
    var options = options(.full)
    options.dropout = 0
    options.batchSize = examples.count
    let name = "encoder.layer.1.output.LayerNorm.weight"
    let record = try StepRecord.record(steps: 1, model, head: head, examples: examples, options: options)[0]
    let gradient = try #require(record.gradients[name])
    for place in [0, 5, 23] {
      let losses = try [Float(0.01), -0.01].map { step in
        try TestFiles.withTemporaryFolder { folder in
          try model.save(to: folder)
          let file = folder.appendingPathComponent("model.safetensors")
          try WeightsFile.change(file) { tensor, index, number in
            tensor == name && index == place ? number + step : number
          }
          let changed = try PretrainedModel.load(folder: folder)
          return try StepRecord.record(steps: 1, changed, head: head, examples: examples, options: options)[0]
            .loss
        }
      }
      #expect(abs(Double(gradient[place]) - (losses[0] - losses[1]) / 0.02) < 1e-3)
    }
  }

  @Test("A batch longer than what is in memory at once gives the same gradient as its parts")
  func microBatches()
    throws
  {
    // 300 texts of up to 13 tokens in one batch are more rows than a micro-batch has.
    let many = (0..<5).flatMap { _ in examples }
    var options = options(.full)
    options.dropout = 0
    let head = Head(weight: (0..<72).map { Float($0 % 5) / 10 }, bias: [0, 0.1, 0.2])
    options.batchSize = many.count
    let whole = try StepRecord.record(steps: 1, model, head: head, examples: many, options: options)[0]
    options.batchSize = examples.count
    let part = try StepRecord.record(steps: 1, model, head: head, examples: examples, options: options)[0]
    #expect(many.reduce(0) { $0 + $1.encoding.ids.count } > 2048)
    for (name, numbers) in part.gradients {
      let other = try #require(whole.gradients[name])
      let worst = zip(numbers, other).map { abs($0 - $1) }.max() ?? 1
      #expect(worst < 1e-5, "\(name)")
    }
  }

  @Test("In bf16 a model learns as in f32", .enabled(if: hasBFloat16), arguments: [Method.linear, .full])
  func learnsRounded(_ method: Method) throws {
    var options = options(method)
    options.epochs = 20
    let exact = try train(options)
    options.precision = .bf16
    let result = try train(options)
    #expect(try accuracy(result) > 0.85)
    #expect(result.finalLoss < 0.8)
    #expect(result.head != exact.head)
  }

  @Test("A CPU that would only emulate bf16 refuses it; auto takes it where it is the faster one")
  func noBFloat16() throws {
    if hasBFloat16 {
      #expect(try Precision.bf16.resolved() == .bf16)
      #expect(try Precision.auto.resolved() == (favoursBFloat16 ? .bf16 : .f32))
    } else {
      #expect(throws: ModelError.noBFloat16) { try Precision.bf16.resolved() }
      #expect(try Precision.auto.resolved() == .f32)
      var options = options(.full)
      options.precision = .bf16
      #expect(throws: ModelError.noBFloat16) { try train(options) }
    }
  }

  @Test("Beside the other methods linear is judged on the examples that they hold out")
  func sameHeldOut() throws {
    var options = options(.linear)
    options.holdout = 0.25
    #expect(try train(options).heldOutCount == examples.count)
    options.crossValidates = false
    let linear = try train(options)
    var full = self.options(.full)
    full.holdout = 0.25
    #expect(try linear.heldOutCount == train(full).heldOutCount && linear.heldOutCount < examples.count)
    #expect(try #require(linear.heldOutAccuracy) > 0.5)
  }

  @Test("Cancelling stops within a batch", arguments: Method.allCases) func cancel(_ method: Method)
    throws
  {
    let batches = Mutex(0)
    #expect(throws: CancellationError.self) {
      try fineTune(
        model, head: nil, examples: examples, categories: 3, options: options(method),
        step: { _, _ in batches.withLock { $0 += 1 } }, isCancelled: { batches.withLock { $0 } >= 2 })
    }
    #expect(batches.withLock { $0 } <= 4)
  }

  @Test("What cannot be trained on is said") func refusals() throws {
    let options = options(.full)
    func refusal(_ examples: [(encoding: Encoding, category: Int)], _ options: TrainingOptions) -> ModelError?
    {
      do {
        _ = try fineTune(model, head: nil, examples: examples, categories: 3, options: options)
        return nil
      } catch {
        return error as? ModelError
      }
    }
    #expect(refusal([], options) == .noExamples)
    #expect(refusal(examples.filter { $0.category == 1 }, options) == .oneCategory)
    #expect(
      refusal(examples.map { ($0.encoding, $0.category + 1) }, options)
        == .categoryOutOfRange(category: 3, categories: 3))
    let foreign = model.tokenizer.encoding(of: [2, 61, 3])
    #expect(refusal(examples + [(foreign, 0)], options) == .tokenOutOfRange(id: 61, vocabulary: 61))
    let long = model.tokenizer.encoding(of: Array(repeating: 5, count: 17))
    #expect(refusal(examples + [(long, 0)], options) == .textTooLong(tokens: 17, maximum: 16))
    var wrong = options
    wrong.epochs = 0
    #expect(refusal(examples, wrong)?.code == "training-option")
    wrong = options
    wrong.learningRate = .nan
    #expect(refusal(examples, wrong)?.code == "training-option")
    var wild = options
    wild.learningRate = 1
    wild.headLearningRate = 1
    wild.clipping = 0
    wild.epochs = 200
    if let error = refusal(examples, wild) { #expect(error.code == "training-diverged") }
  }
}
