extension Document {
  /// The document with new answers.
  ///
  /// A line that is equal, or within its tolerance, keeps its bytes and the author's `±`; a line that differs is drawn
  /// anew, with the `±` that stood on its estimates. So a step that agrees in every line is left as it was, and so is all
  /// prose. A fence of which a step changed is written in the canonical form: a fence for each command.
  ///
  /// - Parameter answers: for each step in its order what it answered now; `nil`, or none, leaves the step. Interrupted
  ///   steps are left.
  public func updated(with answers: [Answer?]) -> Document {
    var updated = self
    var position = 0
    updated.pieces = pieces.map { piece in
      guard case .fence(_, let steps) = piece else { return piece }
      let rewritten = steps.enumerated().map { index, step in
        let answer = position + index < answers.count ? answers[position + index] : nil
        return answer.map(step.updated) ?? step
      }
      position += steps.count
      guard rewritten != steps else { return piece }
      let fences = steps.count == 1 ? rewritten : rewritten.map(\.withoutTrailingEmptyLines)
      return .fence(source: fences.map(DocumentWriter.fence).joined(separator: "\n"), steps: fences)
    }
    guard updated.pieces != pieces else { return self }
    // Line numbers moved. What was read once, and had fences rewritten by rule, is read again.
    return (try? Document(parsing: updated.text)) ?? self
  }
}

extension Step {
  /// The step with those lines of the answer renewed that differ.
  func updated(with new: Answer) -> Step {
    guard !isInterrupted else { return self }
    let aligned = AlignedAnswer(expected: answer, actual: new, firstLine: answerLine)
    guard !aligned.differences.isEmpty else { return self }
    var lines = aligned.actual.map(\.text)
    for pair in aligned.exact + aligned.derived {
      guard let recorded = pair.expected, let actual = pair.actual else { continue }
      lines[actual] =
        pair.match == .equal
        ? aligned.expected[recorded].text
        : aligned.actual[actual].text(
          keepingWideningsOf: aligned.expected[recorded], of: aligned.actualLines[actual])
    }
    return Step(command: command, answer: lines, line: line)
  }

  /// Between the commands of one fence an empty line is layout.
  fileprivate var withoutTrailingEmptyLines: Step {
    var lines = answer[...]
    while let last = lines.last, last.utf8.allSatisfy(isBlank) { lines.removeLast() }
    return Step(command: command, answer: Array(lines), line: line, isInterrupted: isInterrupted)
  }
}
