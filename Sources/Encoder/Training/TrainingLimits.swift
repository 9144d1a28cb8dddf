/// What an option of training may be: `TrainingOptions.check()` and whoever takes options from a learner ask this one table.
public enum TrainingLimits {
  public static let epochs = Limit("--epochs", 1...1000)
  public static let batch = Limit("--batch", 1...4096)
  public static let threads = Limit("--threads", 1...256)
  public static let learningRate = Limit("--learning-rate", 0.0...1)
  public static let headLearningRate = Limit("--head-learning-rate", 0.0...1)
  public static let warmup = Limit("--warmup", 0.0...1)
  public static let weightDecay = Limit("--weight-decay", 0.0...1)
  public static let dropout = Limit("--dropout", 0.0...0.95)
  public static let clip = Limit("--clip", 0.0...1e6)
  public static let holdout = Limit("--holdout", 0.0...0.9)
  public static let rank = Limit("--rank", 1...256)
  public static let alpha = Limit("--alpha", 0.01...4096)
  /// 0: training never stops early.
  public static let patience = Limit("--patience", 0...1000)

  public struct Limit<Value: Comparable & Sendable>: Sendable {
    /// As it is typed.
    public let name: String
    public let range: ClosedRange<Value>

    init(_ name: String, _ range: ClosedRange<Value>) {
      self.name = name
      self.range = range
    }

    /// Nil is what nobody gave.
    /// - Throws: `ModelError.invalidOption`.
    public func check(_ value: Value?) throws {
      guard let value, !range.contains(value) else { return }
      throw ModelError.invalidOption(
        name: name, value: "\(value)", allowed: "\(range.lowerBound) to \(range.upperBound)")
    }
  }
}
