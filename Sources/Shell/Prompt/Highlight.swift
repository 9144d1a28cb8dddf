/// A part of a line that has a colour at the prompt.
public struct Highlight: Sendable, Equatable {
  public enum Kind: Sendable {
    case verb, option, quoted, variable, comment
    /// A verb or an option that does not exist.
    case unknown
  }

  /// Characters of the line.
  public var range: Range<Int>
  public var kind: Kind

  public init(_ range: Range<Int>, _ kind: Kind) {
    self.range = range
    self.kind = kind
  }
}
