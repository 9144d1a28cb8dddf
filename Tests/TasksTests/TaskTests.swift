import Classifiers
import Encoder
import Foundation
import Synchronization
import Tasks
import Testing
import Workbench

/// Tasks as a server would run them: without an interpreter, from threads that know nothing of each other.
@Suite struct TaskTests: Sendable {
  private static let reference = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
    .appending(path: "EncoderTests/Reference")

  let folder: Folder
  let workspace: Workspace
  let dataset: Dataset

  init() throws {
    folder = try Folder()
    workspace = try Workspace.open(folder.url.appending(path: ".fettle"), holding: .unitOfWork)
    var rows = ["id,text,category"]
    for number in 0..<150 {
      let tail = String(UnicodeScalar(UInt8(97 + number % 26)))
      rows.append("a\(number)," + (number % 2 == 0 ? "news of the \(tail),WORLD" : "z y x \(tail),SPORTS"))
    }
    let file = folder.url.appending(path: "letters.csv")
    try (rows.joined(separator: "\n") + "\n").write(to: file, atomically: true, encoding: .utf8)
    dataset = try workspace.write { try $0.load(AssetFile.open(file, options: LoadOptions())).dataset }
    try workspace.write { bench in
      try bench.set(interface: .define(names: ["WORLD", "SPORTS"]))
      try bench.insert(
        labels: bench.assets(of: dataset).map {
          Label(asset: $0.id, author: "ana", category: $0.category ?? "WORLD")
        })
    }
  }

  /// The tiny BERT, installed in a cache of the test's own.
  private func library() throws -> ModelLibrary {
    let cache = ModelCache(
      environment: ["XDG_CACHE_HOME": folder.url.appending(path: "cache").path], threads: 1)
    let model = Self.reference.appending(path: "tiny-bert")
    let installed = try ModelInstallation(cache).copy(from: model, shownAs: "tiny-bert")
    #expect(installed.isInitial)
    return ModelLibrary(workspace, cache)
  }

  private static let options = {
    var options = TrainingOptions.defaults(for: .full)
    (options.epochs, options.threads) = (2, 1)
    return options
  }()

  private func complete(_ run: PredictionRun) throws -> [PredictedAsset] {
    try workspace.write { try $0.complete(run) }
    return try workspace.read { try $0.predictions(of: run) }
  }

  // MARK: - Failures that pass

  /// Gives no answer to some texts until it is mended, and notes what it is asked.
  private final class Moody: Classifier {
    let name = "moody"
    let isMended = Mutex(false)
    let asked = Mutex<[String]>([])

    func classify(_ texts: [String], isCancelled: @Sendable () -> Bool) throws -> [Outcome] {
      asked.withLock { $0 += texts }
      return texts.map { text in
        if text.hasSuffix(" b") { return .abstained("it is about nothing", Reading()) }
        if text.hasSuffix(" c") { return .failed("the answer names two categories", retry: false) }
        if text.hasSuffix(" d"), !isMended.withLock({ $0 }) {
          return .failed("the server is busy", retry: true)
        }
        return .classified(Classification(category: "WORLD", confidence: 0.5), answer: "World")
      }
    }
  }

  @Test(
    "a failure that passes is never kept: the others are, it is said which failed, and only those are asked again"
  )
  func passingFailures() throws {
    let moody = Moody()
    let task = PredictionTask(dataset, model: "moody", signature: "1", in: workspace) { moody }
    let failing = (0..<150).filter { $0 % 26 == 3 }.map { "a\($0)" }
    let error = #expect(throws: TaskError.self) { _ = try task.run() }
    guard case .unanswered(let unanswered) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(unanswered.assets == failing && unanswered.kept == 150 - failing.count)
    let message = try #require(error).description
    #expect(message.contains("the server is busy") && message.contains("a3, a29, a55, a81, a107 and 1 more"))
    #expect(message.contains("asks only for those again"))
    // Nobody sees the half of a run, and nothing in it stands for the failures.
    let run = try #require(try workspace.read { try $0.predictionRun(dataset: dataset, model: "moody") })
    #expect(!run.isComplete && run.predictions == 150 - failing.count)
    moody.isMended.withLock { $0 = true }
    moody.asked.withLock { $0 = [] }
    let predictions = try complete(try task.run())
    #expect(moody.asked.withLock { $0.count } == failing.count)
    #expect(predictions.count == 150)
    for row in predictions where failing.contains(row.asset.externalID) {
      #expect(row.prediction.category == "WORLD" && row.prediction.reason == nil)
    }
    let unable = predictions.filter { $0.prediction.category == unableToClassify }
    #expect(
      Set(unable.compactMap(\.prediction.reason)) == [
        "it is about nothing", "the answer names two categories",
      ])
    #expect(unable.allSatisfy { $0.prediction.confidence == nil })
  }

  @Test("a task that is cancelled keeps what is done, and the next goes on there")
  func cancelled() throws {
    let moody = Moody()
    moody.isMended.withLock { $0 = true }
    let task = PredictionTask(dataset, model: "moody", signature: "1", in: workspace) { moody }
    let batches = Mutex(0)
    #expect(throws: InterruptedPredictions.self) {
      _ = try task.run(
        progress: { _ in batches.withLock { $0 += 1 } }, isCancelled: { batches.withLock { $0 } > 0 })
    }
    moody.asked.withLock { $0 = [] }
    #expect(try complete(try task.run()).count == 150)
    let asked = moody.asked.withLock { $0.count }
    #expect(asked > 0 && asked < 150)
  }

  @Test("a language model is loaded once, and one of them at a time")
  func languageModel() throws {
    let cache = ModelCache(
      environment: ["XDG_CACHE_HOME": folder.url.appending(path: "cache").path], threads: 1)
    let installed = try ["tiny-llama", "tiny-llama/model-q8_0.gguf", "tiny-bert"].map {
      try ModelInstallation(cache).copy(from: Self.reference.appending(path: $0), shownAs: $0).model
    }
    func load(_ model: InstalledModel) throws -> LanguageModel {
      try cache.languageModel(in: ModelPlace(folder: model.folder), precision: .f32)
    }
    weak var first: LanguageModel?
    do {
      let model = try load(installed[0])
      first = model
      #expect(try load(installed[0]) === model)
    }
    #expect(first != nil)
    #expect(try load(installed[1]).states(of: [1, 2]).states.count == 2)
    #expect(first == nil)
    #expect(throws: ModelError.noGeneration) { _ = try load(installed[2]) }
    #expect(cache.encoders == [installed[2]] && cache.languageModels.count == 2)
  }

  // MARK: - Many threads

  @Test(
    "eight threads predict and train on one workspace at once, another process writes, and each comes to what it does alone"
  )
  func manyThreads() throws {
    let library = try library()
    let alone = try complete(PredictionTask(dataset, by: .base, in: library).run())
    let plan = try workspace.read { try TrainingPlan(dataset, base: .base, $0) }
    let options = [Method.linear, .full, .adapter].map { method in
      var options = TrainingOptions.defaults(for: method)
      (options.epochs, options.threads) = (2, 1)
      return options
    }
    let trainedAlone = try options.flatMap { try TrainingTask(plan, in: library).run([$0]) }
    defer { for model in trainedAlone { model.files.discard() } }
    // Data sets of their own for some threads, and one that two of them share.
    let shared = try workspace.write { bench in
      try (0..<4).map { number in
        var loading = LoadOptions()
        loading.name = "part-\(number)"
        return try bench.load(
          AssetFile.open(folder.url.appending(path: "letters.csv"), options: loading)
        ).dataset
      }
    }
    // Connections and locks of its own, as another process has them.
    let other = try Workspace.open(folder.url.appending(path: ".fettle"))
    let failures = Mutex<[String]>([])
    let writes = Mutex(0)
    let trained = Mutex<[Int: TrainedModel]>([:])
    DispatchQueue.concurrentPerform(iterations: 8) { thread in
      do {
        if thread < 3 {
          let task = try TrainingTask(plan, in: library)
          // A training that held the workspace would keep this waiting for ten seconds, and then for good.
          let model = try task.run(
            [options[thread]],
            events: { event in
              guard case .epoch = event else { return }
              do {
                try other.write { try $0.set("beat-\(thread)", to: "1") }
                writes.withLock { $0 += 1 }
              } catch {
                failures.withLock { $0.append("\(error)") }
              }
            })[0]
          trained.withLock { $0[thread] = model }
          try workspace.write { _ = try task.publish(model, as: "together-\(thread)", $0) }
        } else {
          let run = try PredictionTask(shared[min(thread - 3, 3)], by: .base, in: library).run()
          try workspace.write { _ = try $0.complete(run) }
        }
      } catch {
        failures.withLock { $0.append("\(error)") }
      }
    }
    #expect(failures.withLock { $0 } == [])
    #expect(writes.withLock { $0 } >= 4)
    for dataset in shared {
      let run = try #require(try workspace.read { try $0.predictionRun(dataset: dataset, model: "base") })
      #expect(run.isComplete && run.predictions == 150)
      let rows = try workspace.read { try $0.predictions(of: run) }
      #expect(rows.map(\.prediction.category) == alone.map(\.prediction.category))
      #expect(rows.map(\.prediction.confidence) == alone.map(\.prediction.confidence))
    }
    let texts = ["news of the a", "z y x b"]
    for (thread, before) in trainedAlone.enumerated() {
      let together = try #require(trained.withLock { $0[thread] })
      #expect(together.result.finalLoss == before.result.finalLoss)
      #expect(together.result.head == before.result.head)
      let model = try #require(try workspace.read { try $0.model(named: "together-\(thread)") })
      #expect(model.encoder != nil && model.bytes > 0)
      let outcomes = try library.classifier(for: .tuned(model)).classify(texts, isCancelled: { false })
      #expect(outcomes.allSatisfy { $0.classification != nil })
    }
  }

  @Test("while a training embeds its texts, a prediction by the same model does not wait for it")
  func noWaiting() throws {
    let library = try library()
    let plan = try workspace.read { try TrainingPlan(dataset, base: .base, $0) }
    let task = try TrainingTask(plan, in: library)
    let hasBegun = Atomic(false)
    let result = Mutex<DispatchTimeoutResult?>(nil)
    let trained = try task.run(
      [Self.options],
      events: { event in
        guard case .preparing = event, !hasBegun.exchange(true, ordering: .relaxed) else { return }
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
          _ = try? PredictionTask(dataset, by: .base, in: library).run()
          done.signal()
        }
        result.withLock { $0 = done.wait(timeout: .now() + 60) }
      })
    trained[0].files.discard()
    #expect(result.withLock { $0 } == .success)
    #expect(
      try workspace.read { try $0.predictionRun(dataset: dataset, model: "base")?.predictions } == 150)
  }

  @Test("a session may be set aside while a training runs: it ends, and neither session has half of a model")
  func setAsideMeanwhile() throws {
    let library = try library()
    let plan = try workspace.read { try TrainingPlan(dataset, base: .base, $0) }
    let task = try TrainingTask(plan, in: library)
    let shell = try Workspace.open(folder.url.appending(path: ".fettle"))
    #expect(throws: WorkspaceError.sessionGone(folder: ".fettle")) {
      _ = try task.run(
        [Self.options],
        events: { event in
          guard case .epoch(_, let report) = event, report.epoch == 1 else { return }
          _ = #expect(throws: Never.self) { try shell.setAside(named: "before") }
        })
    }
    let prediction = try PredictionTask(dataset, by: .base, in: library)
    try shell.setAside(named: "between")
    #expect(throws: WorkspaceError.sessionGone(folder: ".fettle")) { _ = try prediction.run() }
    #expect(!FileManager.default.fileExists(atPath: workspace.modelsFolder.path))
    for aside in shell.setAsides() {
      let models = aside.folder.appending(path: "models").path
      #expect((try? FileManager.default.contentsOfDirectory(atPath: models)) ?? [] == [])
    }
  }

  @Test("a model that becomes another while a prediction begins is not taken for the one that was asked")
  func anotherMeanwhile() throws {
    let library = try library()
    let odd = try ModelInstallation(library.cache).copy(
      from: Self.reference.appending(path: "odd-bert"), shownAs: "odd-bert")
    let chosen = try library.cache.reference(to: odd.model)
    let moody = Moody()
    let task = PredictionTask(
      dataset, model: "base", signature: try library.signature(of: .base), in: workspace
    ) {
      try workspace.write { try $0.choose(base: chosen, insteadOf: library.baseReference($0)) }
      return moody
    }
    #expect(throws: WorkspaceError.runGone(model: "base")) { _ = try task.run() }
    #expect(moody.asked.withLock { $0 } == [])
    // A training that was planned before names the encoder that it reads.
    let plan = try workspace.read { try TrainingPlan(dataset, base: .base, $0) }
    let training = try TrainingTask(plan, in: library)
    let model = try training.run([.defaults(for: .linear)])[0]
    let published = try workspace.write { try training.publish(model, as: "odd", $0) }
    #expect(published.baseDigest == chosen.digest)
  }
}

/// A folder for one test, gone with it.
final class Folder: Sendable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "fettle-tasks-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }
}
