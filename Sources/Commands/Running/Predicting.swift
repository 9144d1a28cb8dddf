import Classifiers
import Foundation
import Workbench

extension Context {
  /// Assets a batch: small enough that a kill loses little, large enough that the transaction costs nothing.
  private static let batch = 64

  /// Predicts what a run of this model over this data set still lacks, batch by batch, each kept as it is made.
  ///
  /// The run stays invisible to other verbs until its step completes it.
  ///
  /// - Throws: `InterruptedPredictions`; what is done so far is kept.
  func predictMissing(_ dataset: Dataset, by model: ChosenModel) throws -> PredictionRun {
    let signature: String
    do {
      signature = try self.signature(of: model)
    } catch Fault.modelMissing {
      // Where the model is not at hand, what it has predicted is.
      let run = try workspace.read { try $0.predictionRun(dataset: dataset, model: model.name) }
      guard let run, run.isComplete else { throw Fault.modelMissing }
      return run
    }
    let run = try workspace.write {
      try $0.beginRun(dataset: dataset, model: model.name, signature: signature)
    }
    if run.isComplete { return run }
    var done = run.predictions
    do {
      return try predict(dataset, by: model, into: run, &done)
    } catch is CancellationError {
      throw InterruptedPredictions(done: done, total: dataset.assets)
    }
  }

  private func predict(
    _ dataset: Dataset, by model: ChosenModel, into run: PredictionRun, _ done: inout Int
  ) throws -> PredictionRun {
    let classifier = try classifier(for: model)
    var last = 0
    if done > 0 {
      progress.message(
        "Going on with \(model.name) on \(dataset.name): \(done) of \(dataset.assets) are done.")
    }
    while true {
      try checkCancellation()
      let assets = try workspace.read { try $0.nextUnpredicted(run, after: last, limit: Self.batch) }
      if assets.isEmpty { break }
      let results = try classifier.classify(assets.map(\.text), isCancelled: isCancelled)
      let predictions = zip(assets, results).map { asset, result in
        Prediction(
          asset: asset.id, category: result.category,
          confidence: result.reason == nil ? result.confidence : nil,
          reason: result.reason)
      }
      try workspace.write { try $0.insert(predictions: predictions, into: run) }
      done += assets.count
      last = assets.last?.id ?? last
      progress.update(
        done: done, total: dataset.assets, unit: "assets", note: "\(model.name) on \(dataset.name)")
    }
    return run
  }
}

/// Predictions that were stopped by the learner.
struct InterruptedPredictions: Error {
  let done: Int
  let total: Int

  var message: String {
    "Interrupted: \(done) of \(counted(total, "prediction")) are kept. The same command goes on from there."
  }
}
