import Foundation
import Transcripts

/// A run of tokens in a report, written as a string with estimates in it:
///
///     let line: Cell = "accuracy \(.share(0.59, of: 200)) on \(dataset.name)"
public struct Cell: Sendable, Equatable {
  public var tokens: [Token]

  public init(_ tokens: [Token] = []) { self.tokens = tokens }

  public init(_ text: String) { tokens = [.text(text)] }

  public static func + (left: Cell, right: Cell) -> Cell { Cell(left.tokens + right.tokens) }
}

extension Cell: ExpressibleByArrayLiteral {
  public init(arrayLiteral elements: Token...) { tokens = elements }
}

extension Cell: ExpressibleByStringInterpolation {
  public init(stringLiteral value: String) { tokens = [.text(value)] }
  public init(stringInterpolation: TokenInterpolation) { tokens = stringInterpolation.tokens }
}

/// Gathers the tokens of a string with estimates in it.
public struct TokenInterpolation: StringInterpolationProtocol, Sendable {
  var tokens: [Token] = []

  public init(literalCapacity: Int, interpolationCount: Int) {}

  public mutating func appendLiteral(_ literal: String) {
    guard !literal.isEmpty else { return }
    if case .text(let before)? = tokens.last {
      tokens[tokens.count - 1] = .text(before + literal)
    } else {
      tokens.append(.text(literal))
    }
  }

  public mutating func appendInterpolation(_ estimate: Estimate) { tokens.append(.estimate(estimate)) }
  public mutating func appendInterpolation(_ cell: Cell) {
    for token in cell.tokens {
      switch token {
      case .text(let text): appendLiteral(text)
      case .estimate: tokens.append(token)
      }
    }
  }
  public mutating func appendInterpolation(_ text: String) { appendLiteral(text) }
  public mutating func appendInterpolation(_ text: Substring) { appendLiteral(String(text)) }
  public mutating func appendInterpolation(_ number: Int) { appendLiteral(String(number)) }
  /// An exact number with fixed digits, such as one that was typed; what was computed is an estimate.
  public mutating func appendInterpolation(_ number: Double, digits: Int) {
    appendLiteral(String(format: "%.\(max(0, digits))f", number))
  }
}

/// Estimates, named as a report says them.
extension Estimate {
  public static func count(_ value: Int, of total: Int) -> Estimate {
    Estimate(Double(value), digits: 0, kind: .count(total: total))
  }
  public static func share(_ value: Double, of total: Int, digits: Int = 3) -> Estimate {
    Estimate(value, digits: digits, kind: .share(total: total))
  }
  /// An end of a share's 95 % interval.
  public static func intervalEnd(_ value: Double, of total: Int, digits: Int = 3) -> Estimate {
    Estimate(value, digits: digits, kind: .intervalEnd(total: total))
  }
  public static func macroF1(_ value: Double, of total: Int, digits: Int = 3) -> Estimate {
    Estimate(value, digits: digits, kind: .macroF1(total: total))
  }
  public static func difference(_ value: Double, of total: Int, digits: Int = 3) -> Estimate {
    Estimate(value, digits: digits, kind: .difference(total: total))
  }
  public static func confidence(_ value: Double, digits: Int = 3) -> Estimate {
    Estimate(value, digits: digits, kind: .confidence)
  }
  public static func kappa(_ value: Double, digits: Int = 3) -> Estimate {
    Estimate(value, digits: digits, kind: .kappa)
  }
  /// With the one digit that says how small it is, down to a millionth: p is never 0 (APA style, 7th edition, 6.36).
  public static func pValue(_ value: Double) -> Estimate {
    let shown = value.isFinite ? max(value, 1e-6) : value
    return Estimate(shown, digits: shown < 1e-3 ? Int((-log10(shown)).rounded(.up)) : 3, kind: .pValue)
  }
  public static func loss(_ value: Double, digits: Int = 3) -> Estimate {
    Estimate(value, digits: digits, kind: .loss)
  }
}
