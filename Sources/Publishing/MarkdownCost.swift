/// What a text would cost the Markdown library, estimated before it is read: a stranger's text may be written to take minutes or
/// gigabytes. Several of the library's steps look at the rest of a block for each of some characters, a table's short rows are filled up to
/// its columns, and each use of a reference repeats its whole address.
struct MarkdownCost {
  /// Bytes looked at, at about a thousand million a second.
  private(set) var work = 0
  /// Cells of tables.
  private(set) var cells = 0
  /// Bytes that references repeat.
  private(set) var repeated = 0
  /// Quotes and lists in each other at the start of a line.
  private(set) var depth = 0
  private let bytes: Int

  init(_ text: String) {
    let bytes = Array(text.utf8)
    self.bytes = bytes.count
    // Lists in lists may also be begun a line at a time, each a little deeper than the one before.
    var block = Block()
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      let line = bytes[start..<end]
      if line.allSatisfy({ Self.blanks.contains($0) }) {
        close(&block)
      } else {
        block.add(line)
        depth = max(depth, Self.depth(of: line))
      }
      start = end + 1
    }
    close(&block)
    repeated = References(bytes).repeatedBytes
  }

  /// Whether the text is rendered in a fraction of a second and some megabytes.
  var isAffordable: Bool {
    let (quotient, slack) = (150_000_000 / 100_000 * bytes, 50_000_000)
    return work <= quotient + slack && cells <= 50_000 + 2 * bytes && repeated <= 100_000 + bytes
      && depth <= 32
  }

  private static let blanks: Set<UInt8> = [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r")]

  private mutating func close(_ block: inout Block) {
    work = Self.sum(work, Self.product(block.specials, block.bytes))
    cells = Self.sum(cells, block.cells)
    block = Block()
  }

  /// Lines without an empty one between them.
  private struct Block {
    var bytes = 0
    /// Characters for each of which the rest of the block may be looked at.
    var specials = 0
    var cells = 0
    /// Of the widest line that may divide a table's head from its rows.
    private var columns = 0

    mutating func add(_ line: ArraySlice<UInt8>) {
      bytes += line.count + 1
      specials += line.count { Self.special[Int($0)] }
      if line.allSatisfy({ Self.divider[Int($0)] }), line.contains(UInt8(ascii: "-")) {
        columns = max(columns, 1 + line.count { $0 == UInt8(ascii: "|") })
      }
      cells = MarkdownCost.sum(cells, columns)
    }

    private static let special = table("<>&()[]{}*_!@~:/\\`|\"'#=-+.")
    private static let divider = table("|:- \t>\r")

    private static func table(_ characters: String) -> [Bool] {
      var table = Array(repeating: false, count: 256)
      for byte in characters.utf8 { table[Int(byte)] = true }
      return table
    }
  }

  /// Marks of quotes and list items, one behind the other.
  private static func depth(of line: ArraySlice<UInt8>) -> Int {
    var depth = 0
    var rest = line
    while let byte = rest.first {
      if blanks.contains(byte) {
        rest.removeFirst()
        continue
      }
      let digits = rest.prefix { (48...57).contains($0) }.count
      let marker = digits == 0 ? 1 : digits + 1
      let mark = digits == 0 ? byte : rest.dropFirst(digits).first
      guard let mark, (digits == 0 ? ">-*+" : ".)").utf8.contains(mark),
        mark == UInt8(ascii: ">") || rest.dropFirst(marker).first.map(blanks.contains) ?? true
      else { return depth }
      depth += 1
      rest = rest.dropFirst(marker)
    }
    // `- - -` is a line across the page.
    let marks = Set(line).subtracting(blanks)
    return marks == [UInt8(ascii: "-")] || marks == [UInt8(ascii: "*")] ? 0 : depth
  }

  private static func product(_ one: Int, _ other: Int) -> Int {
    let (product, isTooMuch) = one.multipliedReportingOverflow(by: other)
    return isTooMuch ? .max : product
  }

  fileprivate static func sum(_ one: Int, _ other: Int) -> Int {
    let (sum, isTooMuch) = one.addingReportingOverflow(other)
    return isTooMuch ? .max : sum
  }
}

/// The addresses that `[label]: address` gives, and how often each is used.
private struct References {
  private var lengths: [[UInt8]: Int] = [:]
  private var uses: [[UInt8]: Int] = [:]

  init(_ text: [UInt8]) {
    var start: Int?
    var index = 0
    while index < text.count {
      switch text[index] {
      case UInt8(ascii: "\\"): index += 1
      case UInt8(ascii: "["): start = index + 1
      case UInt8(ascii: "]"):
        if let from = start {
          let label = Self.key(text[from..<index])
          if index + 1 < text.count, text[index + 1] == UInt8(ascii: ":") {
            lengths[label] = max(lengths[label] ?? 0, Self.length(of: text[(index + 2)...]))
          } else {
            uses[label, default: 0] += 1
          }
        }
        start = nil
      default: break
      }
      index += 1
    }
  }

  var repeatedBytes: Int {
    let longest = lengths.values.max() ?? 0
    return uses.reduce(0) { sum, use in
      // Which letters beyond ASCII count as equal is the library's matter: such a label may be any.
      let length = use.key.allSatisfy { $0 < 0x80 } ? lengths[use.key] ?? 0 : longest
      return MarkdownCost.sum(sum, use.value * length)
    }
  }

  /// Letters small, blanks as one.
  private static func key(_ label: ArraySlice<UInt8>) -> [UInt8] {
    // Longer ones are no labels.
    guard label.count < 1_100 else { return [] }
    let words = label.split { $0 == UInt8(ascii: " ") || (9...13).contains($0) }
    return Array(words.joined(separator: [UInt8(ascii: " ")])).map { (65...90).contains($0) ? $0 + 32 : $0 }
  }

  /// Of an address and the title behind it, which may go over lines up to an empty one.
  private static func length(of text: ArraySlice<UInt8>) -> Int {
    let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || (9...13).contains(byte) }
    let rest = text.drop(while: isBlank)
    let address = rest.prefix { !isBlank($0) }
    let title = rest.dropFirst(address.count).drop(while: isBlank)
    guard let quote = title.first, "\"'(".utf8.contains(quote) else { return address.count }
    let closer = quote == UInt8(ascii: "(") ? UInt8(ascii: ")") : quote
    return address.count + title.dropFirst().prefix { $0 != closer }.count
  }
}
