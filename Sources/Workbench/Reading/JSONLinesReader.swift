/// Reads JSON lines: one object a line.
struct JSONLinesReader: RowReader {
  private var window: TextWindow
  private let columns: Columns
  /// The names of id, text, description, category and author.
  private let keys: [String?]
  private var maker = RowMaker()

  init(_ window: TextWindow, columns: Columns) {
    self.window = window
    self.columns = columns
    keys = [columns.identifier, columns.text, columns.description, columns.category, columns.author].map {
      column in
      column.map { columns.names[$0] }
    }
  }

  var offset: Int { window.offset }

  mutating func next() throws -> AssetRow? {
    while let (line, next) = try window.nextLine() {
      defer { window.advance(to: next, lines: 1) }
      if window.bytes[line].allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
      maker.begin()
      if let damage = window.damage(before: next) { throw damage }
      return try row(line)
    }
    return nil
  }

  private func row(_ line: Range<Int>) throws -> AssetRow {
    var values: [(text: String, offset: Int)?] = Array(repeating: nil, count: keys.count)
    do {
      try window.bytes.withUnsafeBufferPointer { bytes throws(JSONSyntaxError) in
        var scanner = JSONScanner(bytes, from: line.lowerBound, to: line.upperBound)
        scanner.skipBlanks()
        try scanner.object { (scanner, key, _) throws(JSONSyntaxError) in
          guard let index = keys.firstIndex(of: key) else { return try scanner.skipValue() }
          let offset = scanner.offset
          let value = try scanner.scalarText().map { ($0, offset) }
          // A file of labels has its id in the place of a text, too.
          for same in index..<keys.count where keys[same] == key { values[same] = value }
        }
        try scanner.expectEnd()
      }
    } catch {
      throw window.badRow(at: error.offset, expected: error.expected)
    }
    // SQLite's texts end at a NUL, so one that has it would lose its rest unsaid.
    for case let value? in values where value.text.utf8.contains(0) {
      throw window.badRow(at: value.offset, expected: "a text without NUL characters")
    }
    var text = values[1]?.text ?? ""
    if columns.description != nil {
      text = RowMaker.join(headline: text, description: values[2]?.text ?? "")
    }
    if text.isBlank {
      throw window.badRow(
        at: values[1]?.offset ?? line.upperBound,
        expected: "a text in \"\(columns.names[columns.text].excerpt())\", found none")
    }
    var category: String?
    if let column = columns.category {
      category = values[3].map { String($0.text.trimmingBlanks) }
      if category?.isEmpty ?? true {
        throw window.badRow(
          at: values[3]?.offset ?? line.upperBound,
          expected: "a category in \"\(columns.names[column].excerpt())\", found none")
      }
    }
    return maker.row(
      line: window.line, identifier: values[0]?.text, text: text, category: category, author: values[4]?.text)
  }
}

extension JSONScanner {
  /// A text, or a number or truth value as it is written; nil for null.
  mutating func scalarText() throws(JSONSyntaxError) -> String? {
    switch next {
    case UInt8(ascii: "\""): return try string()
    case UInt8(ascii: "{"), UInt8(ascii: "["): throw failure("a text here, not a list or an object")
    default:
      let word = try literal()
      return word == "null" ? nil : String(word)
    }
  }
}
