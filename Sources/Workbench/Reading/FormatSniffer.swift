/// Finds out how a file is written, from its first lines.
struct FormatSniffer {
  var window: TextWindow
  let pathExtension: String
  let options: LoadOptions

  struct Finding {
    let format: AssetFile.Format
    let columns: Columns?
  }

  init(window: TextWindow, pathExtension: String, options: LoadOptions) {
    self.window = window
    self.pathExtension = pathExtension
    self.options = options
  }

  private var file: String { window.file.name }

  mutating func sniff() throws -> Finding {
    guard let first = try firstLine() else { throw LoadError.empty(file: file) }
    if let finding = try jsonLines(first) { return finding }
    if let table = try table() { return table }
    if try isPipeForm(first) { return Finding(format: .pipe, columns: nil) }
    throw LoadError.missingColumn(
      file: file, line: window.line, role: .text, found: try header(widestDelimiter()) ?? [])
  }

  /// The first line that is not blank, with the window's start at it.
  private mutating func firstLine() throws -> Range<Int>? {
    while let (line, next) = try window.nextLine() {
      if !window.bytes[line].allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return line }
      window.advance(to: next, lines: 1)
    }
    return nil
  }

  private func jsonLines(_ line: Range<Int>) throws -> Finding? {
    let isNamedJSON = ["jsonl", "ndjson", "json"].contains(pathExtension)
    guard let byte = window.bytes[line].first(where: { $0 != 0x20 && $0 != 0x09 }) else { return nil }
    if byte == UInt8(ascii: "["), isNamedJSON { throw LoadError.notLines(file: file, line: window.line) }
    guard byte == UInt8(ascii: "{") || isNamedJSON else { return nil }
    do {
      let columns = try Columns(keys(of: line), file: file, line: window.line, options: options)
      return Finding(format: .jsonLines, columns: columns)
    } catch let error as JSONSyntaxError {
      guard isNamedJSON else { return nil }
      if error.offset >= line.upperBound, try !anotherObjectFollows() {
        throw LoadError.notLines(file: file, line: window.line)
      }
      // The first row is bad; a later one tells the keys when bad rows are to be left out.
      guard options.skipBad, let columns = try columnsOfLaterLine() else {
        throw window.badRow(at: error.offset, expected: error.expected)
      }
      return Finding(format: .jsonLines, columns: columns)
    }
  }

  /// Whether the second line begins an object: then the first is a line cut short, and not the head of a
  /// document.
  private func anotherObjectFollows() throws -> Bool {
    var ahead = window
    guard let (_, next) = try ahead.nextLine() else { return false }
    ahead.advance(to: next, lines: 1)
    guard let (line, _) = try ahead.nextLine() else { return false }
    return ahead.bytes[line].first == UInt8(ascii: "{")
  }

  private func columnsOfLaterLine() throws -> Columns? {
    var ahead = window
    while let (line, next) = try ahead.nextLine() {
      if let keys = try? Self.keys(of: line, in: ahead) {
        return try Columns(keys, file: file, line: ahead.line, options: options)
      }
      ahead.advance(to: next, lines: 1)
    }
    return nil
  }

  private func keys(of line: Range<Int>) throws(JSONSyntaxError) -> [String] {
    try Self.keys(of: line, in: window)
  }

  private static func keys(of line: Range<Int>, in window: TextWindow) throws(JSONSyntaxError) -> [String] {
    var keys: [String] = []
    try window.bytes.withUnsafeBufferPointer { bytes throws(JSONSyntaxError) in
      var scanner = JSONScanner(bytes, from: line.lowerBound, to: line.upperBound)
      scanner.skipBlanks()
      try scanner.object { (scanner, key, _) throws(JSONSyntaxError) in
        if !keys.contains(key) { keys.append(key) }
        try scanner.skipValue()
      }
      try scanner.expectEnd()
    }
    return keys
  }

  private func table() throws -> Finding? {
    var best: (delimiter: UInt8, names: [String])?
    for delimiter in Delimiter.all {
      guard let names = try header(delimiter), Columns.recognise(names, options) else { continue }
      if names.count > best?.names.count ?? 0 { best = (delimiter, names) }
    }
    guard let best else { return nil }
    let columns = try Columns(best.names, file: file, line: window.line, options: options)
    return Finding(format: .csv(delimiter: best.delimiter), columns: columns)
  }

  /// The first record's fields under a delimiter; nil where it is none.
  private func header(_ delimiter: UInt8) throws -> [String]? {
    var records = CSVRecords(window, delimiter: delimiter)
    do {
      guard try records.next() else { return nil }
    } catch let error as LoadError {
      if case .badRow = error { return nil }
      throw error
    }
    return records.fields.map { String(records.text($0).trimmingBlanks) }
  }

  private func widestDelimiter() throws -> UInt8 {
    let widths = try Delimiter.all.map { try header($0)?.count ?? 0 }
    return Delimiter.all[widths.firstIndex(of: widths.max() ?? 0) ?? 0]
  }

  /// Whether the lines are `text|CATEGORY`. Several `|` in each of several lines, always as many, make a
  /// table whose header is not known.
  private func isPipeForm(_ first: Range<Int>) throws -> Bool {
    guard options.textColumn == nil, options.categoryColumn == nil,
      let split = window.bytes[first].lastIndex(of: UInt8(ascii: "|")),
      (1...100).contains(first.upperBound - split - 1)
    else { return false }
    var ahead = window
    var counts: [Int] = []
    while counts.count < 10, let (line, next) = try ahead.nextLine() {
      if !line.isEmpty { counts.append(ahead.bytes[line].count { $0 == UInt8(ascii: "|") }) }
      ahead.advance(to: next, lines: 1)
    }
    let isTable = counts.count > 1 && counts[0] > 1 && counts.allSatisfy { $0 == counts[0] }
    return !isTable
  }
}
