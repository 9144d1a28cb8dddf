/// Splits text into the records of RFC 4180, with any one-byte delimiter and LF, CRLF or CR between records.
///
/// A quote opens only at a field's start, as the RFC has it; elsewhere it is a quote mark (`27" screen`). Blanks between quotes and
/// delimiters, which the RFC does not know and people type (`1, "one", A`), are no part of the field.
struct CSVRecords {
  var window: TextWindow
  let delimiter: UInt8
  /// The fields of the record that `next` found.
  private(set) var fields: [Field] = []
  /// Where that record ends in the window, its line end included, and how many line ends it has.
  private(set) var end = 0
  private var lines = 0

  struct Field {
    /// Without the quotes around it.
    var range: Range<Int>
    var hasDoubledQuotes: Bool
  }

  init(_ window: TextWindow, delimiter: UInt8) {
    self.window = window
    self.delimiter = delimiter
  }

  /// Finds the next record that is not blank; false at the end. The record stays current until ``consume()``.
  ///
  /// Throws ``LoadError/badRow(file:line:column:expected:)``; ``skipLine()`` goes past what made it throw.
  mutating func next() throws -> Bool {
    while true {
      if window.start == window.bytes.count {
        if window.isAtEnd { return false }
        try window.more()
        continue
      }
      switch scan() {
      case .record:
        if !fields.allSatisfy({ isBlank($0.range) }) { return true }
        consume()  // Excel leaves rows of bare delimiters below a table
      case .needsMore(let opening):
        if let opening, window.bytes.count - window.start > TextWindow.longestRecord {
          throw unterminated(opening)
        }
        try window.more()
      case .unterminated(let opening): throw unterminated(opening)
      case .afterQuote(let offset):
        let delimiter = delimiter == Delimiter.none ? "" : "\(Delimiter.name(delimiter)) or "
        throw window.badRow(at: offset, expected: "\(delimiter)the row's end after the closing quote")
      }
    }
  }

  /// Goes past the current record.
  mutating func consume() { window.advance(to: end, lines: lines) }

  /// Goes past the line on which a malformed record begins: a stray quote costs its own row, not all that
  /// follow.
  mutating func skipLine() throws {
    if let (_, next) = try window.nextLine() { window.advance(to: next, lines: 1) }
  }

  func text(_ field: Field) -> String {
    let text = window.text(field.range)
    return field.hasDoubledQuotes ? text.replacing("\"\"", with: "\"") : text
  }

  /// Whether the current record has nothing from a field on.
  func isBlank(from first: Int) -> Bool { fields[first...].allSatisfy { isBlank($0.range) } }

  private func unterminated(_ opening: Int) -> LoadError {
    window.badRow(at: opening, expected: "a closing quote for the one that opens here")
  }

  private func isBlank(_ range: Range<Int>) -> Bool {
    window.bytes[range].allSatisfy { $0 == 0x20 || $0 == 0x09 }
  }

  private enum Scan {
    case record
    /// The window ends inside the record; where a quote is open, its place.
    case needsMore(opening: Int?)
    case unterminated(opening: Int)
    case afterQuote(Int)
  }

  private mutating func scan() -> Scan {
    fields.removeAll(keepingCapacity: true)
    lines = 0
    let (start, isAtEnd, delimiter) = (window.start, window.isAtEnd, delimiter)
    var (fields, lines, end) = (fields, 0, start)
    self.fields = []  // so that appending below needs no copy
    defer { (self.fields, self.lines, self.end) = (fields, lines, end) }
    return window.bytes.withUnsafeBufferPointer { bytes in
      let count = bytes.count
      var index = start
      while true {
        if index < count, bytes[index] == UInt8(ascii: "\"") {
          let opening = index
          var isDoubled = false
          index += 1
          quoted: while true {
            guard index < count else {
              return isAtEnd ? .unterminated(opening: opening) : .needsMore(opening: opening)
            }
            switch bytes[index] {
            case UInt8(ascii: "\""):
              if index + 1 == count, !isAtEnd { return .needsMore(opening: opening) }
              guard index + 1 < count, bytes[index + 1] == UInt8(ascii: "\"") else { break quoted }
              isDoubled = true
              index += 2
            case 0x0A:
              lines += 1
              index += 1
            case 0x0D:
              if index + 1 < count, bytes[index + 1] != 0x0A { lines += 1 }
              index += 1
            default: index += 1
            }
          }
          fields.append(Field(range: opening + 1..<index, hasDoubledQuotes: isDoubled))
          index += 1
          if index < count, bytes[index] == 0x20 {
            let next = Self.afterBlanks(index, bytes)
            if next == count, !isAtEnd { return .needsMore(opening: opening) }
            if next == count || Self.endsField(bytes[next], delimiter) { index = next }
          }
        } else if index < count, bytes[index] == 0x20,
          let (field, next) = Self.quotedBehindBlanks(index, bytes, delimiter)
        {
          fields.append(field)
          index = next
        } else {
          let first = index
          while index < count {
            let byte = bytes[index]
            if byte == delimiter || byte == 0x0A || byte == 0x0D { break }
            index += 1
          }
          fields.append(Field(range: first..<index, hasDoubledQuotes: false))
        }
        guard index < count else {
          end = index
          return isAtEnd ? .record : .needsMore(opening: nil)
        }
        switch bytes[index] {
        case delimiter: index += 1
        case 0x0A:
          lines += 1
          end = index + 1
          return .record
        case 0x0D:
          if index + 1 == count, !isAtEnd { return .needsMore(opening: nil) }
          lines += 1
          end = index + 1 < count && bytes[index + 1] == 0x0A ? index + 2 : index + 1
          return .record
        default: return .afterQuote(index)
        }
      }
    }
  }
}

extension CSVRecords {
  private static func afterBlanks(_ start: Int, _ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    var index = start
    while index < bytes.count, bytes[index] == 0x20 { index += 1 }
    return index
  }

  private static func endsField(_ byte: UInt8, _ delimiter: UInt8) -> Bool {
    byte == delimiter || byte == 0x0A || byte == 0x0D
  }

  /// A field in quotes that blanks stand before, and where it ends; nil where the quotes are not around all of it, or go over
  /// the line's end: then they are marks of speech in a field without quotes.
  private static func quotedBehindBlanks(
    _ start: Int, _ bytes: UnsafeBufferPointer<UInt8>, _ delimiter: UInt8
  ) -> (Field, next: Int)? {
    let opening = afterBlanks(start, bytes)
    guard opening < bytes.count, bytes[opening] == UInt8(ascii: "\"") else { return nil }
    var index = opening + 1
    var isDoubled = false
    while index < bytes.count, bytes[index] != 0x0A, bytes[index] != 0x0D {
      guard bytes[index] == UInt8(ascii: "\"") else {
        index += 1
        continue
      }
      if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "\"") {
        isDoubled = true
        index += 2
        continue
      }
      let next = afterBlanks(index + 1, bytes)
      guard next == bytes.count || endsField(bytes[next], delimiter) else { return nil }
      return (Field(range: opening + 1..<index, hasDoubledQuotes: isDoubled), next)
    }
    return nil
  }
}

/// What separates the fields of a table.
enum Delimiter {
  static let all = [",", ";", "\t", "|"].map { UInt8(ascii: $0) }
  /// For a table of one column, in which no byte separates anything (ASCII's own unit separator, which no text has).
  static let none: UInt8 = 0x1F

  static func name(_ delimiter: UInt8) -> String {
    switch delimiter {
    case UInt8(ascii: ","): "a comma"
    case UInt8(ascii: ";"): "a semicolon"
    case UInt8(ascii: "\t"): "a tab"
    default: "a \(Character(Unicode.Scalar(delimiter)))"
    }
  }

  /// Excel's own first line: `sep=;` names the delimiter and is no row. Programs that quote every field quote it too.
  static func named(by line: ArraySlice<UInt8>) -> UInt8? {
    let isQuoted = line.count == 7 && [line.first, line.last].allSatisfy { $0 == UInt8(ascii: "\"") }
    let line = isQuoted ? line.dropFirst().dropLast() : line
    guard line.count == 5, let last = line.last, last < 0x7F, last != UInt8(ascii: "\""),
      String(decoding: line.dropLast(), as: UTF8.self).lowercased() == "sep="
    else { return nil }
    return last
  }
}

/// Reads a table with a header.
struct CSVReader: RowReader {
  private var records: CSVRecords
  private let columns: Columns
  private let needsCategories: Bool
  private var maker = RowMaker()
  /// Whether the current record could not be split, so that the next reading must first get past it.
  private var isAtMalformed = false

  /// `records` stands behind the header.
  init(_ records: CSVRecords, columns: Columns, needsCategories: Bool) {
    self.records = records
    self.columns = columns
    self.needsCategories = needsCategories
  }

  var offset: Int { records.window.offset }

  mutating func next() throws -> AssetRow? {
    if isAtMalformed { try records.skipLine() }
    isAtMalformed = false
    do {
      guard try records.next() else { return nil }
    } catch let error as LoadError {
      if case .badRow = error {
        maker.begin()
        isAtMalformed = true
      }
      throw error
    }
    maker.begin()
    defer { records.consume() }
    return try row()
  }

  private func row() throws -> AssetRow {
    let (window, fields) = (records.window, records.fields)
    if let damage = window.damage(before: records.end) { throw damage }
    let width = columns.names.count
    // Some programs end each row with a delimiter.
    guard fields.count == width || fields.count > width && records.isBlank(from: width) else {
      let expected =
        "\(width) \(width == 1 ? "field" : "fields") as in the header, found \(fields.count)"
      // A short row is wrong where it ends, a long one where the surplus begins.
      let place = fields.count < width ? fields.count - 1 : width
      let range = fields[place].range
      throw window.badRow(
        at: fields.count < width ? range.upperBound : range.lowerBound, expected: expected)
    }
    let text = RowMaker.join(columns.texts.map { records.text(fields[$0]) })
    if text.isBlank {
      throw window.badRow(at: fields[columns.texts[0]].range.lowerBound, expected: "a text, found none")
    }
    let category = columns.category.map { records.text(fields[$0]).trimmingBlanks } ?? ""
    if category.isEmpty, needsCategories, let column = columns.category {
      throw window.badRow(at: fields[column].range.lowerBound, expected: "a category, found none")
    }
    return maker.row(
      line: window.line, identifier: columns.identifier.map { records.text(fields[$0]) }, text: text,
      category: category.isEmpty ? nil : String(category),
      author: columns.author.map { records.text(fields[$0]) })
  }
}
