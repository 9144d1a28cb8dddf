/// How a line of a document stands to a line of an answer.
enum LineMatch: Equatable {
  /// Equal text, and every estimate within its tolerance.
  case equal
  /// Equal text, and at least one estimate beyond: the first that is.
  case beyond(expected: Double?, actual: Double?, tolerance: Double)
  case different
}

/// An answer's line, made ready to be matched with many lines of a document.
struct LinePattern {
  enum Part: Equatable {
    /// Runs of blanks are one.
    case text([Character])
    case estimate(Estimate)
  }

  let parts: [Part]
  let isDerived: Bool
  let text: String
  /// The line's words, sorted: to see which lines are versions of each other.
  let words: [Substring]

  init(_ line: Line) {
    var pieces: [Part] = []
    for token in line.isDerived ? line.tokens : [.text(line.textEscape)] + line.tokens {
      switch token {
      case .estimate(let estimate): pieces.append(.estimate(estimate))
      case .text(let text):
        if case .text(let before)? = pieces.last {
          pieces[pieces.count - 1] = .text(before + Array(text))
        } else {
          pieces.append(.text(Array(text)))
        }
      }
    }
    let last = pieces.count - 1
    parts = pieces.enumerated().compactMap { index, piece in
      guard case .text(let text) = piece else { return piece }
      let collapsed = collapsingBlanks(text, trimsStart: index == 0, trimsEnd: index == last)
      return collapsed.isEmpty ? nil : .text(collapsed)
    }
    isDerived = line.isDerived
    text = line.text
    words = text.split(whereSeparator: \.isWhitespace).sorted()
  }

  func match(_ recorded: RecordedLine) -> LineMatch {
    guard let estimates = estimates(in: recorded) else { return .different }
    for (recorded, actual) in estimates where !recorded.agrees(with: actual) {
      return .beyond(
        expected: recorded.value, actual: actual.value.isFinite ? actual.value : nil,
        tolerance: recorded.allowance(for: actual))
    }
    return .equal
  }

  /// The line's own drawing, with what the author added to the estimates of the recorded one.
  func text(keepingWideningsOf recorded: RecordedLine, of line: Line) -> String {
    guard let estimates = estimates(in: recorded) else { return text }
    var widenings = estimates.map(\.recorded.widening)[...]
    var widened = line
    widened.tokens = line.tokens.map { token in
      guard case .estimate(let estimate) = token, let widening = widenings.popFirst() else { return token }
      return estimate.value.isFinite ? .text(estimate.text + widening) : token
    }
    return widened.text
  }

  /// The estimates of both, side by side; `nil` where the texts between them differ.
  private func estimates(in line: RecordedLine) -> [(recorded: RecordedEstimate, actual: Estimate)]? {
    var rest = line.characters[...]
    var found: [(RecordedEstimate, Estimate)] = []
    for part in parts {
      switch part {
      case .text(let text):
        guard rest.starts(with: text) else { return nil }
        rest = rest.dropFirst(text.count)
      case .estimate(let estimate):
        guard let (recorded, length) = RecordedEstimate.read(rest) else { return nil }
        found.append((recorded, estimate))
        rest = rest.dropFirst(length)
      }
    }
    return rest.isEmpty ? found : nil
  }
}

/// A line of a document's answer, made ready to be matched.
struct RecordedLine {
  let text: String
  /// The document's line, from 1.
  let number: Int
  let isDerived: Bool
  /// Without the `~ ` of a derived line, runs of blanks as one.
  let characters: [Character]
  let words: [Substring]

  init(_ text: String, number: Int) {
    self.text = text
    self.number = number
    isDerived = Line.looksDerived(text)
    characters = collapsingBlanks(
      Array(isDerived ? text.dropFirst() : text[...]), trimsStart: true, trimsEnd: true)
    words = text.split(whereSeparator: \.isWhitespace).sorted()
  }
}

extension Line {
  /// The backslash that `text` puts before a line that looks derived and is not.
  fileprivate var textEscape: String {
    let drawn = tokens.map(\.text).joined()
    return text.utf8.count > drawn.utf8.count ? "\\" : ""
  }
}

private func collapsingBlanks(_ text: [Character], trimsStart: Bool, trimsEnd: Bool) -> [Character] {
  var collapsed: [Character] = []
  for character in text {
    if character != " " && character != "\t" {
      collapsed.append(character)
    } else if collapsed.isEmpty ? !trimsStart : collapsed.last != " " {
      collapsed.append(" ")
    }
  }
  if trimsEnd, collapsed.last == " " { collapsed.removeLast() }
  return collapsed
}
