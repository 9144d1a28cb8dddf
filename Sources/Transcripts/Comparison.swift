/// A line in which a replay's answer is not the document's.
public struct Difference: Equatable, Sendable {
  public var kind: Kind
  /// The document's line of text; `nil` where it has none.
  public var expected: String?
  /// The replay's line of text, drawn; `nil` where it has none.
  public var actual: String?
  /// The document's line number, from 1: the expected line's, or that of the line which an extra one stands before.
  public var line: Int

  public enum Kind: Equatable, Sendable {
    /// The text is another.
    case exact
    /// The text is equal, and an estimate lies beyond its tolerance: the first that does. `nil` is `n/a`.
    case estimate(expected: Double?, actual: Double?, tolerance: Double)
    /// The replay lacks the line.
    case missing
    /// The document lacks the line.
    case extra
    /// A derived line is another, is missing or is extra.
    case derived
  }

  public init(_ kind: Kind, expected: String?, actual: String?, line: Int) {
    self.kind = kind
    self.expected = expected
    self.actual = actual
    self.line = line
  }

  /// Shown, and fails nothing.
  public var isSoft: Bool { kind == .derived }
}

/// What a document expects of a step against what the step answered.
///
/// Text is equal when it is so with runs of blanks as one, and blanks at a line's ends and empty lines at the answer's
/// end as none. Where the answer has an estimate, the document must have `~NUMBER` or `~NUMBER±TOLERANCE` within the
/// tolerance of `Estimate.tolerance(from:)`. Derived lines are compared among themselves, and softly.
public struct Comparison: Equatable, Sendable {
  /// In the document's order.
  public let differences: [Difference]

  /// - Parameter firstLine: the document's line, from 1, that the answer begins on.
  public init(expected: [String], actual: Answer, firstLine: Int = 1) {
    let lines = AlignedAnswer(expected: expected, actual: actual, firstLine: firstLine)
    differences = lines.differences
  }

  /// Compares the answer that a document gives for a step with the one that it got now.
  public init(of step: Step, with answer: Answer) {
    self.init(expected: step.answer, actual: answer, firstLine: step.answerLine)
  }

  /// Nothing differs but derived lines.
  public var passes: Bool { differences.allSatisfy(\.isSoft) }
}

/// The lines of a document's answer and of a replay's, exact ones and derived ones aligned apart.
struct AlignedAnswer {
  let expected: [RecordedLine]
  let actualLines: [Line]
  let actual: [LinePattern]
  let exact: [Alignment.Pair]
  let derived: [Alignment.Pair]
  /// The document's line that the answer begins on.
  let firstLine: Int

  init(expected texts: [String], actual answer: Answer, firstLine: Int) {
    var texts = texts[...]
    while let last = texts.last, last.utf8.allSatisfy(isBlank) { texts.removeLast() }
    var lines = answer.lines.flatMap(\.withoutBreaks)
    while let last = lines.last, last.text.utf8.allSatisfy(isBlank) { lines.removeLast() }
    let recorded = texts.enumerated().map { RecordedLine($1, number: firstLine + $0) }
    let patterns = lines.map { LinePattern($0) }
    expected = recorded
    self.firstLine = firstLine
    actualLines = lines
    actual = patterns

    func aligned(derived: Bool) -> [Alignment.Pair] {
      let expectedIndices = recorded.indices.filter { recorded[$0].isDerived == derived }
      let actualIndices = patterns.indices.filter { patterns[$0].isDerived == derived }
      let alignment = Alignment(
        expected: expectedIndices.map { recorded[$0] }, actual: actualIndices.map { patterns[$0] })
      return alignment.pairs.map { pair in
        Alignment.Pair(
          expected: pair.expected.map { expectedIndices[$0] }, actual: pair.actual.map { actualIndices[$0] },
          match: pair.match)
      }
    }
    exact = aligned(derived: false)
    derived = aligned(derived: true)
  }

  var differences: [Difference] {
    let all = differences(in: exact, isDerived: false) + differences(in: derived, isDerived: true)
    return all.enumerated().sorted { ($0.element.line, $0.offset) < ($1.element.line, $1.offset) }
      .map(\.element)
  }

  private func differences(in pairs: [Alignment.Pair], isDerived: Bool) -> [Difference] {
    let end = (expected.last?.number ?? firstLine - 1) + 1
    return pairs.indices.compactMap { index in
      let pair = pairs[index]
      let kind: Difference.Kind
      switch (pair.match, pair.expected, pair.actual) {
      case (.equal, _, _): return nil
      case _ where isDerived: kind = .derived
      case (_, _, nil): kind = .missing
      case (_, nil, _): kind = .extra
      case (.beyond(let expected, let actual, let tolerance), _, _):
        kind = .estimate(expected: expected, actual: actual, tolerance: tolerance)
      case (.different, _, _): kind = .exact
      }
      let next = pairs[index...].lazy.compactMap(\.expected).first
      return Difference(
        kind, expected: pair.expected.map { expected[$0].text }, actual: pair.actual.map { actual[$0].text },
        line: next.map { expected[$0].number } ?? end)
    }
  }
}
