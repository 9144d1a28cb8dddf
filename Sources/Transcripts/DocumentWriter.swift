import Basics

/// Writes a session's document a piece at a time: the head once, then a step or a note when it is logged. The whole,
/// written again from the log, has the same bytes.
public enum DocumentWriter {
  /// What the log holds.
  public enum Entry: Equatable, Sendable {
    case step(Step)
    /// Steps that belong together and share a fence.
    case steps([Step])
    /// Prose.
    case note(String)
  }

  /// The whole document.
  public static func text(frontMatter: FrontMatter, title: String, entries: [Entry]) -> String {
    head(frontMatter: frontMatter, title: title) + entries.map(text(of:)).joined()
  }

  /// The front matter and the title: what a new document begins with.
  public static func head(frontMatter: FrontMatter, title: String) -> String {
    let words = title.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return frontMatter.text + "# " + words + "\n"
  }

  /// What is appended for an entry: an empty line, and then the entry.
  public static func text(of entry: Entry) -> String {
    switch entry {
    case .step(let step): "\n" + fence([step])
    case .steps(let steps): "\n" + fence(steps)
    case .note(let note): "\n" + prose(note) + "\n"
    }
  }

  /// The steps in a fence, one backtick longer than any in the answers.
  static func fence(_ steps: [Step]) -> String {
    let longest = steps.map { longestRunOfBackticks(in: $0.answer) }.max() ?? 0
    let marks = String(repeating: "`", count: max(3, longest + 1))
    return ([marks + "fettle"] + steps.flatMap(fenceLines)).joined(separator: "\n") + "\n" + marks + "\n"
  }

  private static func fenceLines(_ step: Step) -> [String] {
    var lines: [String] = []
    for (index, line) in step.commandLines.enumerated() {
      if index > 0 {
        lines.append(FenceLine.continuation(line).text)
      } else {
        lines.append((step.isInterrupted ? FenceLine.interrupted(line) : .command(line)).text)
      }
    }
    return lines + step.answer.map { FenceLine.answer($0[...]).text }
  }

  /// A note as prose. One that a reader would take for a step, or for a fence or comment without end, has these lines
  /// escaped as Markdown escapes them, so that they show as typed and swallow nothing that follows.
  static func prose(_ note: String) -> String {
    // Prose runs nothing, so that it may be told plainly what it holds.
    var lines = documentLines(of: note.visibleLines)
    while let last = lines.last, last.utf8.allSatisfy(isBlank), lines.count > 1 { lines.removeLast() }
    if let start = lines.firstIndex(where: { !$0.utf8.allSatisfy(isBlank) }) { lines.removeFirst(start) }
    let text = lines.joined(separator: "\n")
    // The line before keeps a note that begins with `---` from being read as front matter.
    let reading = try? Document(parsing: "\n" + text)
    if let reading, reading.steps.isEmpty, reading.breaksOff == nil, reading.passedOver.isEmpty {
      return text
    }
    var containers = Containers()
    return lines.map { line in
      containers.fence(openedBy: line) == nil ? escapedProse(line) : escaped(line, before: "`~")
    }.joined(separator: "\n")
  }

  private static func escapedProse(_ line: Substring) -> String {
    let indented = line.utf8.drop { $0 == UInt8(ascii: " ") }
    let isSpecial = Fence(opening: line) != nil || indented.starts(with: "<!--".utf8)
    return isSpecial ? escaped(line, before: "`~<") : String(line)
  }

  private static func escaped(_ line: Substring, before marks: String) -> String {
    let start = line.utf8.firstIndex { marks.utf8.contains($0) } ?? line.startIndex
    return line[..<start] + "\\" + line[start...]
  }

  private static func longestRunOfBackticks(in lines: [String]) -> Int {
    var longest = 0
    for line in lines {
      var run = 0
      for byte in line.utf8 {
        run = byte == UInt8(ascii: "`") ? run + 1 : 0
        longest = max(longest, run)
      }
    }
    return longest
  }
}
