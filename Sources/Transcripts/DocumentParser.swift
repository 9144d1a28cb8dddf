/// Reads a document's lines from the first to the last.
struct DocumentParser {
  /// Without their ends, to be read.
  private let lines: [Substring]
  /// As they stand in the text.
  private let written: [Substring]
  private let byteOrderMark: String
  private let file: String?
  private var index = 0
  private var pieces: [Document.Piece] = []
  /// Where the prose begins that no piece holds yet.
  private var proseStart = 0
  private var containers = Containers()
  private var passedOver: [Document.PassedOver] = []

  init(_ text: String, file: String?) {
    let mark = "\u{FEFF}"
    byteOrderMark = text.utf8.starts(with: mark.utf8) ? mark : ""
    let text = Substring(text.utf8.dropFirst(byteOrderMark.utf8.count))
    lines = documentLines(of: text)
    var written: [Substring] = []
    var start = text.startIndex
    for line in lines.dropFirst() {
      written.append(text[start..<line.startIndex])
      start = line.startIndex
    }
    self.written = written + [text[start...]]
    self.file = file
  }

  mutating func parse() throws -> Document {
    let (frontMatter, head) = try parseFrontMatter()
    proseStart = index
    while index < lines.count {
      if let fence = Fence(opening: lines[index]) {
        guard let end = lines[(index + 1)...].firstIndex(where: fence.isClosed) else {
          return brokenOff(frontMatter, head)
        }
        _ = containers.fence(openedBy: lines[index])
        if fence.language == "fettle" {
          try parseFence(fence, closedAt: end)
        } else {
          noteMisnamed(fence, closedAt: end)
        }
        index = end + 1
      } else if opensComment(lines[index]) {
        guard let end = lines[index...].firstIndex(where: closesComment) else {
          return brokenOff(frontMatter, head)
        }
        index = end + 1
      } else if let fence = containers.fence(openedBy: lines[index]) {
        passOver(fence)
      } else {
        index += 1
      }
    }
    endProse(at: lines.count)
    return Document(
      frontMatter: frontMatter, head: head, pieces: pieces, breaksOff: nil, passedOver: passedOver)
  }

  /// Leaves a fence in a quote or a list item behind, whatever its language: its last line opens no fence.
  private mutating func passOver(_ fence: Fence) {
    if fence.language == "fettle" { passedOver.append(.init(line: index + 1, why: .contained)) }
    index += 1
    while index < lines.count, let isLast = containers.closes(fence, lines[index]) {
      index += 1
      if isLast { return }
    }
  }

  /// `Fettle` is a slip of the shift key where commands stand in the fence.
  private mutating func noteMisnamed(_ fence: Fence, closedAt end: Int) {
    guard fence.language.utf8.count == 6, fence.language.lowercased() == "fettle" else { return }
    let holdsCommand = lines[(index + 1)..<end].contains { line in
      if case .command = FenceLine(fence.content(of: line)) { true } else { false }
    }
    if holdsCommand { passedOver.append(.init(line: index + 1, why: .misnamed(String(fence.language)))) }
  }

  private mutating func parseFrontMatter() throws -> (FrontMatter, head: String) {
    guard isRule(lines[0]) else { return (FrontMatter(), byteOrderMark) }
    guard let end = lines[1...].firstIndex(where: isRule) else {
      throw DocumentError(.openFrontMatter, file: file, line: 1)
    }
    let yaml = lines[1..<end].joined(separator: "\n")
    index = end + 1
    return (try FrontMatter(yaml: yaml, firstLine: 2, file: file), byteOrderMark + source(0..<index))
  }

  /// Reads the fence that opens at `index`. One without a command in it, empty lines at most, stays prose.
  private mutating func parseFence(_ fence: Fence, closedAt end: Int) throws {
    var steps: [Step] = []
    var current: (command: [Substring], answer: [String], line: Int, isInterrupted: Bool)?
    var answers: [Range<Int>] = []
    func finished(before next: Int) -> Step? {
      if let current {
        let start = current.line + current.command.count - 1
        answers.append((start - index)..<(next - index))
      }
      return current.map {
        Step(
          command: $0.command.joined(separator: "\n"), answer: $0.answer, line: $0.line,
          isInterrupted: $0.isInterrupted)
      }
    }
    for lineIndex in (index + 1)..<end {
      let content = fence.content(of: lines[lineIndex])
      switch FenceLine(content) {
      case .command(let text):
        if let step = finished(before: lineIndex) { steps.append(step) }
        current = ([text], [], lineIndex + 1, false)
      case .interrupted(let text):
        if let step = finished(before: lineIndex) { steps.append(step) }
        current = ([text], [], lineIndex + 1, true)
      case .continuation(let text) where current?.answer.isEmpty == true:
        current?.command.append(text)
      case .continuation, .answer:
        if current == nil, content.utf8.allSatisfy(isBlank) { continue }
        guard current != nil else {
          throw DocumentError(.answerWithoutCommand(String(content)), file: file, line: lineIndex + 1)
        }
        current?.answer.append(String(FenceLine.unescaped(content)))
      }
    }
    guard let last = finished(before: end) else { return }
    endProse(at: index)
    let block = written[index...end].map(String.init)
    pieces.append(.fence(FencedSteps(lines: block, steps: steps + [last], answers: answers, fence: fence)))
    proseStart = end + 1
  }

  private mutating func brokenOff(_ frontMatter: FrontMatter, _ head: String) -> Document {
    endProse(at: index)
    pieces.append(.broken(source(index..<lines.count)))
    return Document(
      frontMatter: frontMatter, head: head, pieces: pieces, breaksOff: index + 1, passedOver: passedOver)
  }

  private mutating func endProse(at end: Int) {
    let text = source(proseStart..<end)
    if !text.isEmpty { pieces.append(.prose(text)) }
  }

  private func source(_ range: Range<Int>) -> String { written[range].joined() }

  private func isRule(_ line: Substring) -> Bool {
    line.utf8.starts(with: "---".utf8) && line.utf8.dropFirst(3).allSatisfy(isBlank)
  }

  /// By CommonMark 0.31, section 4.6, the second kind: what an author commented out does not run.
  private func opensComment(_ line: Substring) -> Bool {
    let indented = line.utf8.drop { $0 == UInt8(ascii: " ") }
    return line.utf8.count - indented.count < 4 && indented.starts(with: "<!--".utf8)
  }

  private func closesComment(_ line: Substring) -> Bool {
    var rest = line.utf8
    while rest.count >= 3 {
      if rest.starts(with: "-->".utf8) { return true }
      rest = rest.dropFirst()
    }
    return false
  }
}
