import Classifiers
import Foundation
import Scoring
import Shell
import Transcripts
import Workbench

/// A model's predictions held against the truth: what `kpi` and `validate` report.
struct Measurement {
  let model: String
  let dataset: Dataset
  let truth: Truth
  /// Assets whose truth is known, with the prediction and the choice of every labeller who counts.
  let assets: [MeasuredAsset]

  struct MeasuredAsset {
    var text: String
    var truth: String
    var predicted: String
    /// The categories that those gave it whose labels count; the file's own where nobody labelled it.
    var labels: [String]

    var isRight: Bool { predicted == truth }
  }

  init(model: String, dataset: Dataset, run: PredictionRun, workbench: Workbench) throws {
    self.model = model
    self.dataset = dataset
    let truth = try workbench.truth(of: dataset)
    self.truth = truth
    guard !truth.isEmpty else { throw CommandError.noTruth(dataset: dataset.name) }
    let labels = Dictionary(grouping: try workbench.labels(of: dataset), by: \.asset)
    assets = try workbench.predictions(of: run).compactMap { row in
      guard let right = truth.categories[row.asset.id] else { return nil }
      return MeasuredAsset(
        text: row.asset.text, truth: right, predicted: row.prediction.category,
        labels: labels[row.asset.id]?.deciding.map(\.category) ?? [right])
    }
  }

  private init(_ other: Measurement, assets: [MeasuredAsset]) {
    (model, dataset, truth) = (other.model, other.dataset, other.truth)
    self.assets = assets
  }

  /// The same without some assets.
  func filter(_ isIncluded: (MeasuredAsset) -> Bool) -> Measurement {
    Measurement(self, assets: assets.filter(isIncluded))
  }

  var count: Int { assets.count }
  var agree: Int { accuracy.count }
  var unable: Int { assets.count { $0.predicted == CategoryKey.unableToClassify } }
  var accuracy: Proportion { Proportion(assets.count(where: \.isRight), of: count) }

  /// Kili's IoU of each asset, the model and the people together as its labellers.
  var agreements: [IntersectionOverUnion] { assets.map { IntersectionOverUnion([$0.predicted] + $0.labels) } }

  private var outcomes: [ConfusionMatrix.Outcome] {
    assets.map { ConfusionMatrix.Outcome(truth: $0.truth, prediction: $0.predicted) }
  }
  var macroF1: Double {
    ConfusionMatrix(abstention: CategoryKey.unableToClassify, outcomes: outcomes).macroF1 ?? .nan
  }

  func confusion(_ workbench: Workbench) throws -> ConfusionMatrix {
    let keys = Set(assets.flatMap { [$0.truth, $0.predicted] })
    return ConfusionMatrix(
      categories: try workbench.order(of: keys), abstention: CategoryKey.unableToClassify, outcomes: outcomes)
  }

  /// How many of the assets the model was trained on.
  func seenInTraining(_ workbench: Workbench) throws -> Int {
    guard model != Workbench.baseModel else { return 0 }
    let texts = try workbench.trainingTexts(of: AnswerWay.split(model).name)
    return assets.count {
      texts.contains(TextDigest($0.text)) || texts.contains(TextDigest(folding: $0.text))
    }
  }

  /// The members that `kpi` and `validate` share.
  var json: [String: JSONValue] {
    let (accuracy, agreements) = (accuracy, agreements)
    return [
      "assets": .int(count), "agree": .int(accuracy.count), "iou": .double(agreements.mean ?? .nan),
      "score": .double(agreements.score.value ?? .nan), "accuracy": .double(accuracy.value ?? .nan),
      "accuracy_low": .double(accuracy.interval?.lowerBound ?? .nan),
      "accuracy_high": .double(accuracy.interval?.upperBound ?? .nan), "macro_f1": .double(macroF1),
      "unable_to_classify": .int(unable), "model": .string(model), "dataset": .string(dataset.name),
    ]
  }

  /// Where the truth comes from, for a report's first line.
  var source: String { "truth from \(truth.phrase)" }
}
