/// How a language model's category is had.
public enum AnswerWay: String, CaseIterable, Sendable, Codable {
  /// It writes, and the category that it names first counts: the tutorial's way.
  case free
  /// It writes, and the answer is read as the tutorial's notebook reads it, faults included.
  case tutorial
  /// Each category's name is weighed by its probability after the prompt.
  case decide
  /// The same, divided by its probability without a text (Zhao et al. 2021, Calibrate Before Use).
  case calibrate

  /// Whether the model writes.
  public var isInWords: Bool { self == .free || self == .tutorial }

  /// What stands behind a model's name where it was asked so: `smollm2+decide`.
  public var suffix: String { self == .free ? "" : "+\(rawValue)" }

  /// A model's name and the way behind it.
  public static func split(_ name: String) -> (name: String, way: AnswerWay) {
    for way in allCases where way != .free && name.hasSuffix(way.suffix) {
      return (String(name.dropLast(way.suffix.count)), way)
    }
    return (name, .free)
  }
}
