import Classifiers
import Foundation
import Workbench

/// A model's predictions for all assets of a data set, made batch by batch.
///
/// ```swift
/// let task = try PredictionTask(dataset, by: .base, in: library)
/// let run = try task.run(progress: { print($0.done, $0.total) })
/// try workspace.write { try $0.complete(run) }
/// ```
/// The workspace is held for no longer than a batch takes to be read or kept. Several threads may run one task, or several; another
/// process may change anything meanwhile, and then the task fails rather than keep what it did not ask for.
public struct PredictionTask: Sendable {
  public let dataset: Dataset
  /// The model's name.
  public let model: String
  private let workspace: Workspace
  private let signature: @Sendable () throws -> String
  private let classifier: @Sendable () throws -> any Classifier

  /// Assets a batch: small enough that a kill loses little, large enough that the transaction costs nothing.
  private static let batch = 64

  /// How far it is.
  public struct Progress: Sendable {
    public let done: Int
    public let total: Int
    /// Whether an earlier run had made `done` of them already.
    public let isResumed: Bool
  }

  /// - Throws: `TaskError`, `ModelError`.
  public init(_ dataset: Dataset, by model: ModelSelection, in library: ModelLibrary) throws {
    let library = try library.keepingSession()
    self.init(dataset, model: model.name, signature: try library.signature(of: model), in: library.workspace)
    {
      try library.classifier(for: model)
    }
  }

  /// - Parameters:
  ///   - signature: what decides the predictions besides the interface; asked at the beginning of a run and once the classifier is
  ///     there.
  ///   - classifier: called once there is something to predict.
  public init(
    _ dataset: Dataset, model: String, signature: @autoclosure @escaping @Sendable () throws -> String,
    in workspace: Workspace,
    classifier: @escaping @Sendable () throws -> any Classifier
  ) {
    self.dataset = dataset
    self.model = model
    self.signature = signature
    self.workspace = workspace
    self.classifier = classifier
  }

  /// Predicts what the run of this model over this data set still lacks; each batch is kept as it is made.
  ///
  /// The run stays invisible to whoever reads predictions until its step completes it (`Workbench.complete`).
  ///
  /// - Throws: `InterruptedPredictions`, `TaskError.unanswered`, `WorkspaceError.runGone` where the model became another meanwhile;
  ///   what is done so far is kept. `TaskError`, `ModelError`.
  public func run(
    progress: (Progress) -> Void = { _ in }, isCancelled: @Sendable () -> Bool = { false }
  ) throws -> PredictionRun {
    let signature = try signature()
    let run = try workspace.write {
      try $0.beginRun(dataset: dataset, model: model, signature: signature)
    }
    if run.isComplete { return run }
    var done = run.predictions
    do {
      try predict(into: run, &done, progress, isCancelled)
    } catch is CancellationError {
      throw InterruptedPredictions(done: done, total: dataset.assets)
    }
    return run
  }

  private func predict(
    into run: PredictionRun, _ done: inout Int, _ progress: (Progress) -> Void,
    _ isCancelled: @Sendable () -> Bool
  ) throws {
    let classifier = try classifier()
    // Another process may have made another model base meanwhile, or put one in this one's place.
    guard try signature() == run.signature else { throw WorkspaceError.runGone(model: model) }
    if done > 0 { progress(Progress(done: done, total: dataset.assets, isResumed: true)) }
    var last = 0
    var failed: [(asset: String, reason: String)] = []
    while true {
      if isCancelled() { throw CancellationError() }
      let assets = try workspace.read { try $0.nextUnpredicted(run, after: last, limit: Self.batch) }
      guard let end = assets.last else { break }
      let outcomes = try classifier.classify(assets.map(\.text), isCancelled: isCancelled)
      var predictions: [Prediction] = []
      for (asset, outcome) in zip(assets, outcomes) {
        // What may succeed when it is tried again is no answer, and the next run asks for it.
        if outcome.isPassingFailure {
          failed.append((asset.externalID, outcome.reason ?? ""))
        } else {
          predictions.append(
            Prediction(
              asset: asset.id, category: outcome.category, confidence: outcome.classification?.confidence,
              reason: outcome.reason, answer: outcome.answer))
        }
      }
      try workspace.write { try $0.insert(predictions: predictions, into: run) }
      done += predictions.count
      last = end.id
      progress(Progress(done: done, total: dataset.assets, isResumed: false))
    }
    guard let first = failed.first else { return }
    let kept =
      try workspace.read { try $0.predictionRun(dataset: dataset, model: model)?.predictions } ?? done
    throw TaskError.unanswered(
      .init(
        model: model, dataset: dataset.name, assets: failed.map(\.asset), reason: first.reason, kept: kept))
  }
}

/// Predictions that were stopped by the learner.
public struct InterruptedPredictions: Error {
  public let done: Int
  public let total: Int

  public var message: String {
    "Interrupted: \(done) of \(total) \(total == 1 ? "prediction" : "predictions") are kept. The same command goes on from there."
  }
}
