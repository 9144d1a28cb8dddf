/// A model's choice for an asset: an INFERENCE label in Kili's terms.
public struct Prediction: Equatable, Hashable, Sendable {
  /// The asset's ``Asset/id``.
  public let asset: Int
  /// The category's key; `UNABLE_TO_CLASSIFY` where the model failed or was not sure enough.
  public let category: String
  /// Softmax probability of the category, 0 to 1; nil where there is none.
  public let confidence: Double?
  /// Why the asset could not be classified, where it could not.
  public let reason: String?
  /// What a language model wrote, as it wrote it; nil for what is not answered in words.
  public let answer: String?

  public init(
    asset: Int, category: String, confidence: Double?, reason: String? = nil, answer: String? = nil
  ) {
    self.asset = asset
    self.category = category
    self.confidence = confidence
    self.reason = reason
    self.answer = answer
  }
}

/// One model's predictions for one data set, made batch by batch.
///
/// A run that is not complete is seen by `predict` alone, which goes on with it; whoever reads predictions
/// reads complete runs. A run goes when its data set is replaced or its model removed; the base model's also when the
/// interface gets other categories.
public struct PredictionRun: Equatable, Hashable, Sendable, Identifiable {
  public let id: Int
  /// The data set's ``Dataset/id``.
  public let dataset: Int
  /// The model's name; `base` is the embedded one.
  public let model: String
  /// What else decides the predictions (precision, threshold, the weights' digest). A run with another
  /// signature starts afresh.
  public let signature: String
  public let isComplete: Bool
  /// The signature of a run whose predictions a client of `serve` has given, asset by asset: it is complete from the first on, and
  /// goes with its data set alone.
  public static let given = "given"

  /// How many assets it has predicted so far.
  public let predictions: Int
}

/// An asset with what a run predicted for it.
public struct PredictedAsset: Equatable, Hashable, Sendable {
  public let asset: Asset
  public let prediction: Prediction
}
