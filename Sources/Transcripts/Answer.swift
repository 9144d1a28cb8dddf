/// What a verb answered, as a document keeps it: lines made of tokens.
///
/// A token says how a replay compares it: text must be equal, an estimate may differ within its kind's tolerance. A derived
/// line follows from estimates (a picture, a ranking, words about p); a difference in one is shown and fails nothing.
public struct Answer: Equatable, Sendable {
  public var lines: [Line]

  public init(_ lines: [Line] = []) { self.lines = lines }
}

/// One line of an answer.
public struct Line: Equatable, Sendable {
  public var tokens: [Token]
  /// Drawn with a leading `~ `.
  public var isDerived: Bool

  public init(_ tokens: [Token], isDerived: Bool = false) {
    self.tokens = tokens
    self.isDerived = isDerived
  }
}

/// A piece of a line.
public enum Token: Equatable, Sendable {
  /// Must be equal in a replay; runs of blanks count as one.
  case text(String)
  /// Depends on floating point; drawn `~0.590`.
  case estimate(Estimate)
}

/// A number that depends on floating point, and so may differ a little on another machine.
public struct Estimate: Equatable, Sendable {
  public var value: Double
  /// Digits after the decimal point in the drawing; 0 for a count.
  public var digits: Int
  public var kind: Kind

  public init(_ value: Double, digits: Int, kind: Kind) {
    self.value = value
    self.digits = digits
    self.kind = kind
  }

  /// What the number measures; each kind has its own rule of tolerance.
  public enum Kind: Equatable, Sendable {
    /// A number of assets out of `total`.
    case count(total: Int)
    /// A share of `total` assets, 0 to 1: accuracy, score.
    case share(total: Int)
    /// An end of the interval of a share of `total` assets, 0 to 1.
    case intervalEnd(total: Int)
    /// Macro F1 over `total` assets, 0 to 1.
    case macroF1(total: Int)
    /// A difference of two shares of `total` assets, -1 to 1.
    case difference(total: Int)
    /// A softmax probability, 0 to 1.
    case confidence
    /// Cohen's kappa or Krippendorff's alpha, -1 to 1.
    case kappa
    /// The p of a significance test, 0 to 1.
    case pValue
    /// A mean cross-entropy, in nats, 0 or more.
    case loss
  }
}
