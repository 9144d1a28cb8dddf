/// The quotes and list items that a line of prose stands in, by CommonMark 0.31, section 5.
///
/// Steps stand at the top of a document. To tell the author of one that stands elsewhere, the parser has to see that a fence behind
/// `> ` or `- `, or as deep as a list item's text, is a fence all the same, and where it ends.
struct Containers {
  private enum Container {
    case quote
    /// Columns before the item's text.
    case item(width: Int)
  }

  private var open: [Container] = []
  private var isAfterBlank = false

  /// Reads the next line; returns the fence that it opens inside a quote or a list item.
  mutating func fence(openedBy line: Substring) -> Fence? {
    var rest = Self.expandingTabs(line)[...]
    if rest.utf8.allSatisfy(isBlank) {
      isAfterBlank = true
      return nil
    }
    let matched = Self.matched(open, in: &rest)
    let begun = Self.begun(by: &rest, atMost: Self.deepest - matched)
    // A line that goes on with a paragraph need not repeat the marks before it.
    if !begun.isEmpty || isAfterBlank || Fence(opening: rest) != nil {
      open.removeLast(open.count - matched)
    }
    open += begun
    isAfterBlank = false
    return open.isEmpty ? nil : Fence(opening: rest)
  }

  /// Whether a line is the last of a fence that `fence(openedBy:)` found; `nil` where the fence ended before it, with its container.
  func closes(_ fence: Fence, _ line: Substring) -> Bool? {
    var rest = Self.expandingTabs(line)[...]
    guard Self.matched(open, in: &rest) == open.count || rest.utf8.allSatisfy(isBlank) && !hasQuote else {
      return nil
    }
    return fence.isClosed(by: rest)
  }

  private var hasQuote: Bool { open.contains { if case .quote = $0 { true } else { false } } }

  /// How many of the open containers the line goes on with; takes their marks off.
  private static func matched(_ open: [Container], in line: inout Substring) -> Int {
    for (index, container) in open.enumerated() {
      let depth = line.utf8.prefix { $0 == UInt8(ascii: " ") }.count
      switch container {
      case .quote:
        guard depth < 4, line.utf8.dropFirst(depth).first == UInt8(ascii: ">") else { return index }
        drop(depth + 1, from: &line)
        if line.utf8.first == UInt8(ascii: " ") { drop(1, from: &line) }
      case .item(let width):
        guard depth >= width else { return index }
        drop(width, from: &line)
      }
    }
    return open.count
  }

  private static func drop(_ bytes: Int, from line: inout Substring) {
    line = Substring(line.utf8.dropFirst(bytes))
  }

  /// Nobody writes deeper, and the time of a line stays in proportion to its length.
  private static let deepest = 32

  /// The containers that begin in a line; takes their marks off.
  private static func begun(by line: inout Substring, atMost limit: Int) -> [Container] {
    var begun: [Container] = []
    while begun.count < limit {
      let depth = line.utf8.prefix { $0 == UInt8(ascii: " ") }.count
      guard depth < 4 else { return begun }
      let text = line.utf8.dropFirst(depth)
      if text.first == UInt8(ascii: ">") {
        drop(depth + 1, from: &line)
        if line.utf8.first == UInt8(ascii: " ") { drop(1, from: &line) }
        begun.append(.quote)
      } else if let marker = marker(text) {
        let blanks = text.dropFirst(marker).prefix { $0 == UInt8(ascii: " ") }.count
        // Five blanks and more: one belongs to the marker, and the rest is the code's.
        let width = depth + marker + (1...4 ~= blanks ? blanks : 1)
        drop(width, from: &line)
        begun.append(.item(width: width))
      } else {
        return begun
      }
    }
    return begun
  }

  /// The length of a list item's marker: `-`, `*`, `+`, `12.`, `12)`.
  private static func marker(_ text: Substring.UTF8View) -> Int? {
    let digits = text.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.count
    let mark = text.dropFirst(digits).first
    let isMarker =
      digits == 0
      ? [UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "+")].contains(mark)
      : digits < 10 && [UInt8(ascii: "."), UInt8(ascii: ")")].contains(mark)
    guard isMarker, text.dropFirst(digits + 1).first.map({ $0 == UInt8(ascii: " ") }) ?? true else {
      return nil
    }
    // `* * *` is a line across the page.
    let isRule = digits == 0 && text.allSatisfy { $0 == mark || isBlank($0) } && text.count { $0 == mark } > 2
    return isRule ? nil : digits + 1
  }

  /// The tabs before a line's text, marks of containers between them, reach to the next multiple of four columns.
  private static func expandingTabs(_ line: Substring) -> String {
    let marks = line.utf8.prefix { isBlank($0) || ">-*+.)0123456789".utf8.contains($0) }
    guard marks.contains(UInt8(ascii: "\t")) else { return String(line) }
    var expanded = ""
    for byte in marks {
      let isTab = byte == UInt8(ascii: "\t")
      expanded +=
        isTab ? String(repeating: " ", count: 4 - expanded.utf8.count % 4) : String(Unicode.Scalar(byte))
    }
    return expanded + String(Substring(line.utf8.dropFirst(marks.count)))
  }
}
