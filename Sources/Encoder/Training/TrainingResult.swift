/// What one epoch was like.
public struct EpochReport: Sendable, Equatable {
  /// From 1.
  public var epoch: Int
  public var epochs: Int
  /// Mean cross-entropy of the training examples as they were seen, in nats.
  public var loss: Double
  /// Share of the held-out examples that are right; nil where none were held out.
  public var heldOutAccuracy: Double?
  /// Tokens trained on in this epoch.
  public var tokens: Int
  /// Wall-clock time of this epoch.
  public var seconds: Double

  public init(epoch: Int, epochs: Int, loss: Double, heldOutAccuracy: Double?, tokens: Int, seconds: Double) {
    self.epoch = epoch
    self.epochs = epochs
    self.loss = loss
    self.heldOutAccuracy = heldOutAccuracy
    self.tokens = tokens
    self.seconds = seconds
  }
}

/// A fine-tuned model.
public struct TrainingResult: Sendable {
  /// The base itself for `linear`.
  public var model: PretrainedModel
  public var head: Head
  public var epochs: [EpochReport]
  /// The last epoch's loss.
  public var finalLoss: Double
  /// Of the weights that are given back; nil where none were held out.
  public var heldOut: HeldOutResult?
  /// On the held-out examples.
  public var heldOutAccuracy: Double? { heldOut?.accuracy }
  /// For `linear` all examples, as each was left out once; see `TrainingOptions.crossValidates`.
  public var heldOutCount: Int { heldOut?.isRight.count ?? 0 }
  public var trainableParameters: Int
  /// Tokens trained on, all epochs together.
  public var tokens: Int
  /// Wall-clock time, all in all.
  public var seconds: Double
}

/// How a model did on examples that it had not learned from.
public struct HeldOutResult: Sendable, Equatable {
  /// Of each held-out example, in their order, whether it was right.
  public var isRight: [Bool]
  /// The same of the first of each group of texts with equal tokens: copies say nothing new.
  public var isRightOfDifferent: [Bool]

  /// Share of the examples that are right.
  public var accuracy: Double { Double(isRight.count { $0 }) / Double(max(isRight.count, 1)) }

  package init(_ examples: [Int], _ groups: TextGroups, _ isRight: (Int) -> Bool) {
    self.isRight = examples.map(isRight)
    var seen: Set<Int> = []
    isRightOfDifferent = examples.filter { seen.insert(groups.numbers[$0]).inserted }.map(isRight)
  }
}
