extension Document {
  /// The document with new answers.
  ///
  /// A line that is equal, or within its tolerance, keeps its bytes and the author's `±`; a line that differs is drawn
  /// anew, with the `±` that stood on its estimates. Everything else stays as it was written: prose, commands, the fences'
  /// marks and indentation, line ends. A fence's marks grow where an answer holds a line that would close it.
  ///
  /// - Parameter answers: for each step in its order what it answered now; `nil`, or none, leaves the step. Interrupted
  ///   steps are left.
  public func updated(with answers: [Answer?]) -> Document {
    var updated = self
    var position = 0
    updated.pieces = pieces.map { piece in
      guard case .fence(let fence) = piece else { return piece }
      defer { position += fence.steps.count }
      return .fence(fence.updated(with: Array(answers.dropFirst(position).prefix(fence.steps.count))))
    }
    guard updated.pieces != pieces else { return self }
    // Line numbers moved. What was read once, and had answers rewritten by rule, is read again.
    return (try? Document(parsing: updated.text)) ?? self
  }
}

extension Step {
  /// A line of a renewed answer.
  enum RenewedLine: Equatable {
    /// The recorded answer's line of this index, as it stands.
    case kept(Int)
    case drawn(String)
  }

  /// The answer's lines where those that differ are drawn anew; `nil` where none differs.
  func renewed(by new: Answer) -> [RenewedLine]? {
    let aligned = AlignedAnswer(expected: answer, actual: new, firstLine: answerLine)
    guard !aligned.differences.isEmpty else { return nil }
    var lines = aligned.actual.map { RenewedLine.drawn($0.text) }
    for pair in aligned.exact + aligned.derived {
      guard let recorded = pair.expected, let actual = pair.actual else { continue }
      lines[actual] =
        pair.match == .equal
        ? .kept(recorded)
        : .drawn(
          aligned.actual[actual].text(
            keepingWideningsOf: aligned.expected[recorded], of: aligned.actualLines[actual]))
    }
    return lines
  }
}
