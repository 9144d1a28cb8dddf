/// A `fettle` fence as it was written, line by line, with the steps in it.
///
/// What was written is kept so that an update changes the answers that differ and nothing else: not the marks, the indentation,
/// the line ends or what a person wrote behind the fence's name.
struct FencedSteps: Equatable {
  /// The lines with their ends: the opening, the content, the closing.
  private(set) var lines: [String]
  let steps: [Step]
  /// For each step which of `lines` are its answer.
  let answers: [Range<Int>]
  let fence: Fence

  init(lines: [String], steps: [Step], answers: [Range<Int>], fence: Fence) {
    self.lines = lines
    self.steps = steps
    self.answers = answers
    self.fence = fence
  }

  var source: String { lines.joined() }

  /// The fence with new answers; `nil` leaves a step as it is.
  func updated(with new: [Answer?]) -> FencedSteps {
    var updated = self
    // From the last to the first, so that the ranges before stay true.
    for index in steps.indices.reversed() {
      guard index < new.count, let answer = new[index], !steps[index].isInterrupted,
        let renewed = steps[index].renewed(by: answer)
      else { continue }
      let old = Array(lines[answers[index]])
      var written = renewed.map { line in
        switch line {
        case .kept(let index): old[index]
        case .drawn(let text): self.written(text)
        }
      }
      written += old.suffix(while: { documentLines(of: $0)[0].utf8.allSatisfy(isBlank) })
      updated.lines.replaceSubrange(answers[index], with: written)
    }
    updated.lengthenMarks()
    return updated
  }

  /// The fence without its last step; nil where it would be empty.
  var withoutLast: FencedSteps? {
    guard steps.count > 1, let last = steps.last, let answer = answers.last else { return nil }
    var lines = lines
    lines.removeSubrange((answer.lowerBound - last.commandLines.count)..<answer.upperBound)
    return FencedSteps(
      lines: lines, steps: Array(steps.dropLast()), answers: Array(answers.dropLast()), fence: fence)
  }

  private func written(_ text: String) -> String {
    let indentation = text.isEmpty ? "" : String(repeating: " ", count: fence.indentation)
    return indentation + FenceLine.answer(text[...]).text + lineEnd
  }

  private var lineEnd: String { lines[0].utf8.suffix(2).elementsEqual("\r\n".utf8) ? "\r\n" : "\n" }

  /// An answer may hold a line that would close the fence.
  private mutating func lengthenMarks() {
    let last = lines.count - 1
    guard last > 1 else { return }
    let longest = lines[1..<last].map { line in
      let line = documentLines(of: line)[0]
      return fence.isClosed(by: line) ? line.utf8.count { $0 == fence.mark } : 0
    }.max()
    guard let longest, longest >= fence.length else { return }
    let marks = String(repeating: Character(Unicode.Scalar(fence.mark)), count: longest + 1)
    for index in [0, last] {
      let indented = lines[index].utf8.drop { $0 == UInt8(ascii: " ") }
      let blanks = String(repeating: " ", count: lines[index].utf8.count - indented.count)
      lines[index] = blanks + marks + String(Substring(indented.drop { $0 == fence.mark }))
    }
  }
}

extension Array {
  /// The elements at the end that all satisfy a condition.
  fileprivate func suffix(while condition: (Element) -> Bool) -> ArraySlice<Element> {
    var start = endIndex
    while start > startIndex, condition(self[start - 1]) { start -= 1 }
    return self[start...]
  }
}
