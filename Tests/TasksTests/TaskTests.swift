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
    workspace = try Workspace.open(folder.url.appending(path: ".fettle"))
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

  // MARK: - Many threads

  @Test("eight threads predict and one trains on one workspace at once, to what each comes to alone")
  func manyThreads() throws {
    let library = try library()
    let alone = try complete(PredictionTask(dataset, by: .base, in: library).run())
    let plan = try workspace.read { try TrainingPlan(dataset, base: .base, $0) }
    let options = Self.options
    let trainedAlone = try TrainingTask(plan, in: library).run([options])
    defer { trainedAlone[0].files.discard() }
    // Data sets of their own for some threads, and one that four of them share.
    let shared = try workspace.write { bench in
      try (0..<5).map { number in
        var loading = LoadOptions()
        loading.name = "part-\(number)"
        return try bench.load(
          AssetFile.open(folder.url.appending(path: "letters.csv"), options: loading)
        ).dataset
      }
    }
    let failures = Mutex<[String]>([])
    let trained = Mutex<TrainedModel?>(nil)
    @Sendable func attempt(_ body: () throws -> Void) {
      do { try body() } catch { failures.withLock { $0.append("\(error)") } }
    }
    let task = try TrainingTask(plan, in: library)
    DispatchQueue.concurrentPerform(iterations: 9) { thread in
      attempt {
        if thread == 8 {
          let models = try task.run([options])
          trained.withLock { $0 = models[0] }
          try workspace.write { _ = try task.publish(models[0], as: "together", $0) }
        } else {
          let mine = shared[min(thread, 4)]
          let run = try PredictionTask(mine, by: .base, in: library).run()
          try workspace.write { _ = try $0.complete(run) }
        }
      }
    }
    #expect(failures.withLock { $0 } == [])
    for dataset in shared {
      let run = try #require(try workspace.read { try $0.predictionRun(dataset: dataset, model: "base") })
      #expect(run.isComplete && run.predictions == 150)
      let rows = try workspace.read { try $0.predictions(of: run) }
      #expect(rows.map(\.prediction.category) == alone.map(\.prediction.category))
      #expect(rows.map(\.prediction.confidence) == alone.map(\.prediction.confidence))
    }
    let together = try #require(trained.withLock { $0 })
    #expect(together.result.finalLoss == trainedAlone[0].result.finalLoss)
    let model = try #require(try workspace.read { try $0.model(named: "together") })
    #expect(model.encoder != nil && model.bytes > 0)
    let classifier = try library.classifier(for: .tuned(model))
    #expect(try classifier.classify(["news of the a"], isCancelled: { false })[0].classification != nil)
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
