/// Finds out how a file is written, from its first lines.
struct FormatSniffer {
  var window: TextWindow
  let pathExtension: String
  let options: LoadOptions

  struct Finding {
    let format: AssetFile.Format
    let columns: Columns?
    /// Records before the first row: the header, and Excel's line `sep=;` where there is one.
    var recordsAhead = 0
  }

  init(window: TextWindow, pathExtension: String, options: LoadOptions) {
    self.window = window
    self.pathExtension = pathExtension
    self.options = options
  }

  private var file: String { window.file.name }
  private var isNamedJSON: Bool { ["jsonl", "ndjson", "json"].contains(pathExtension) }

  mutating func sniff() throws -> Finding {
    guard let first = try firstLine() else { throw LoadError.empty(file: file) }
    if let finding = try jsonLines(first) { return finding }
    if let delimiter = Delimiter.named(by: window.bytes[first]) { return try table(declaring: delimiter) }
    if let table = try table() { return table }
    if try isPipeForm(first) { return Finding(format: .pipe, columns: nil) }
    throw LoadError.missingColumn(
      file: file, line: window.line, role: .text, found: try header(widestDelimiter()) ?? [])
  }

  /// The names of the columns or keys; none where the file has none.
  mutating func columnNames() throws -> [String] {
    guard let first = try firstLine() else { return [] }
    if isNamedJSON || startsObject(first) { return try JSONKeys(window).names }
    if let delimiter = Delimiter.named(by: window.bytes[first]) {
      try skipLine()
      return try header(delimiter) ?? []
    }
    return try header(widestDelimiter()) ?? []
  }

  /// The first line that is not blank, with the window's start at it.
  private mutating func firstLine() throws -> Range<Int>? {
    while let (line, next) = try window.nextLine() {
      if !window.bytes[line].allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return line }
      window.advance(to: next, lines: 1)
    }
    return nil
  }

  private mutating func skipLine() throws {
    if let (_, next) = try window.nextLine() { window.advance(to: next, lines: 1) }
  }

  // MARK: JSON lines

  private func startsObject(_ line: Range<Int>) -> Bool {
    window.bytes[line].first { $0 != 0x20 && $0 != 0x09 } == UInt8(ascii: "{")
  }

  private func jsonLines(_ line: Range<Int>) throws -> Finding? {
    guard let byte = window.bytes[line].first(where: { $0 != 0x20 && $0 != 0x09 }) else { return nil }
    if byte == UInt8(ascii: "["), let form = try JSONForm(window, options),
      isNamedJSON || form == .list(member: nil)
    {
      throw LoadError.notLines(file: file, line: window.line, form: form)
    }
    guard byte == UInt8(ascii: "{") || isNamedJSON else { return nil }
    do {
      let keys = try JSONKeys(window)
      let columns = try Columns(
        keys.names, file: file, line: window.line, options: options, isChat: keys.isChat)
      if try isOnlyLine(), try JSONForm(window, options) == .columns {
        throw LoadError.notLines(file: file, line: window.line, form: .columns)
      }
      return Finding(format: .jsonLines, columns: columns)
    } catch let error as JSONSyntaxError {
      guard isNamedJSON || error.offset >= line.upperBound else { return nil }
      if error.offset >= line.upperBound, try !anotherObjectFollows() {
        throw LoadError.notLines(
          file: file, line: window.line, form: try JSONForm(window, options) ?? .objects)
      }
      // The first row is bad; a later one tells the keys when bad rows are to be left out.
      guard options.skipBad, let columns = try columnsOfLaterLine() else {
        throw window.badRow(at: error.offset, expected: error.expected)
      }
      return Finding(format: .jsonLines, columns: columns)
    } catch LoadError.missingColumn(let file, let line, let role, let found) {
      // All rows in a list, on one line with what is said about them; in a file named as lines it is a row.
      if pathExtension == "json", try !anotherObjectFollows(), let form = try JSONForm(window, options),
        form != .objects
      {
        throw LoadError.notLines(file: file, line: line, form: form)
      }
      throw LoadError.missingColumn(file: file, line: line, role: role, found: found)
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

  private func isOnlyLine() throws -> Bool {
    var ahead = window
    guard let (_, next) = try ahead.nextLine() else { return true }
    ahead.advance(to: next, lines: 1)
    return try ahead.nextLine() == nil
  }

  private func columnsOfLaterLine() throws -> Columns? {
    var ahead = window
    while let (_, next) = try ahead.nextLine() {
      if let keys = try? JSONKeys(ahead) {
        return try Columns(keys.names, file: file, line: ahead.line, options: options, isChat: keys.isChat)
      }
      ahead.advance(to: next, lines: 1)
    }
    return nil
  }

  // MARK: Tables

  private func table() throws -> Finding? {
    var best: (delimiter: UInt8, names: [String])?
    for delimiter in Delimiter.all {
      guard let names = try header(delimiter), Columns.recognise(names, options) else { continue }
      if names.count > best?.names.count ?? 0 { best = (delimiter, names) }
    }
    if best == nil, !options.textColumns.isEmpty {
      // What was asked for is mistyped, which is better said of all columns than of none.
      let delimiter = try widestDelimiter()
      if let names = try header(delimiter), names.count > 1 { best = (delimiter, names) }
    }
    guard var best else { return nil }
    if best.names.count == 1, try !isDividedAlike() { best.delimiter = Delimiter.none }
    return try finding(best.names, best.delimiter, recordsAhead: 1)
  }

  /// The table below a line of Excel's that names the delimiter.
  private mutating func table(declaring delimiter: UInt8) throws -> Finding {
    try skipLine()
    guard let names = try header(delimiter) else { throw LoadError.empty(file: file) }
    return try finding(names, delimiter, recordsAhead: 2)
  }

  private func finding(_ names: [String], _ delimiter: UInt8, recordsAhead: Int) throws -> Finding {
    let columns = try Columns(names, file: file, line: window.line, options: options)
    return Finding(format: .csv(delimiter: delimiter), columns: columns, recordsAhead: recordsAhead)
  }

  /// Whether the lines below a header of one name all have as many commas: then a name is missing, and the commas are
  /// not those of sentences.
  private func isDividedAlike() throws -> Bool {
    var ahead = window
    var counts: [Int] = []
    while counts.count < 20, let (line, next) = try ahead.nextLine() {
      counts.append(ahead.bytes[line].count { $0 == UInt8(ascii: ",") })
      ahead.advance(to: next, lines: 1)
    }
    let rows = counts.dropFirst()
    return rows.first ?? 0 > 0 && rows.allSatisfy { $0 == rows.first }
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
    guard options.textColumns.isEmpty, options.categoryColumn == nil,
      let split = window.bytes[first].lastIndex(of: UInt8(ascii: "|")),
      (0...100).contains(first.upperBound - split - 1)
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
