import Basics
import Foundation

/// A file of plain texts, for verbs that look at texts one by one (`tokens --file`, `embed --file`).
///
/// JSON lines (a key `text`; empty texts and control characters are allowed), CSV with a text column, else
/// one text a line. Encodings are recognised as in ``AssetFile``.
public struct TextFile {
  private enum Form {
    case jsonLines(TextWindow, key: String)
    case csv(CSVRecords, columns: [Int], width: Int)
    case lines(TextWindow)
  }

  private var form: Form
  private let source: OpenFile
  /// How the file writes its characters.
  public let encoding: TextEncoding

  /// Throws ``LoadError``. `textColumn` names the column or key; nil for `text` and its likes.
  public static func open(
    _ url: URL, shownAs: String? = nil, textColumn: String? = nil, opener: FileOpener = .anywhere
  ) throws -> TextFile {
    try TextFile(url, named: shownAs ?? url.lastPathComponent, textColumn: textColumn, opener)
  }

  private init(_ url: URL, named name: String, textColumn: String?, _ opener: FileOpener) throws {
    source = try OpenFile(url, named: name, opener: opener)
    let survey = try FileSurvey(source)
    encoding = survey.encoding
    let window = TextWindow(source, survey: survey)
    var ahead = window
    let first = try ahead.nextLine().map { ahead.text($0.line) } ?? ""
    let pathExtension = url.pathExtension.lowercased()
    if ["jsonl", "ndjson", "json"].contains(pathExtension)
      || (first.hasPrefix("{") && first.contains("\"text\""))
    {
      form = .jsonLines(window, key: textColumn ?? "text")
    } else if ["csv", "tsv"].contains(pathExtension) || textColumn != nil {
      form = try Self.table(window, pathExtension: pathExtension, textColumn: textColumn)
    } else {
      form = .lines(window)
    }
  }

  private static func table(_ window: TextWindow, pathExtension: String, textColumn: String?) throws -> Form {
    var sniffer = FormatSniffer(
      window: window, pathExtension: pathExtension,
      options: LoadOptions(textColumns: [textColumn].compactMap { $0 }, categoryColumn: "none"))
    let finding = try sniffer.sniff()
    guard case .csv(let delimiter) = finding.format, let columns = finding.columns else {
      return .lines(window)
    }
    var records = CSVRecords(window, delimiter: delimiter)
    for _ in 0..<finding.recordsAhead where try records.next() { records.consume() }
    return .csv(records, columns: columns.texts, width: columns.names.count)
  }

  /// The next text; nil at the end.
  public mutating func next() throws -> String? {
    switch form {
    case .jsonLines(var window, let key):
      defer { form = .jsonLines(window, key: key) }
      return try Self.nextObject(&window, key: key)
    case .csv(var records, let columns, let width):
      defer { form = .csv(records, columns: columns, width: width) }
      guard try records.next() else { return nil }
      defer { records.consume() }
      if let damage = records.window.damage(before: records.end) { throw damage }
      guard records.fields.count == width || records.fields.count > width && records.isBlank(from: width)
      else {
        throw records.window.badRow(
          at: records.fields.last?.range.upperBound ?? records.end,
          expected: "\(width) fields as in the header, found \(records.fields.count)")
      }
      return RowMaker.join(columns.map { records.text(records.fields[$0]) })
    case .lines(var window):
      defer { form = .lines(window) }
      guard let (line, next) = try window.nextLine() else { return nil }
      defer { window.advance(to: next, lines: 1) }
      if let damage = window.damage(before: next) { throw damage }
      return window.text(line)
    }
  }

  private static func nextObject(_ window: inout TextWindow, key: String) throws -> String? {
    while let (line, next) = try window.nextLine() {
      defer { window.advance(to: next, lines: 1) }
      if window.bytes[line].allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
      if let damage = window.damage(before: next) { throw damage }
      var text: String?
      do {
        try window.bytes.withUnsafeBufferPointer { bytes throws(JSONSyntaxError) in
          var scanner = JSONScanner(bytes, from: line.lowerBound, to: line.upperBound)
          scanner.skipBlanks()
          try scanner.object { (scanner, name, _) throws(JSONSyntaxError) in
            if name == key { text = try scanner.string() } else { try scanner.skipValue() }
          }
          try scanner.expectEnd()
        }
      } catch {
        throw window.badRow(at: error.offset, expected: error.expected)
      }
      guard let text else {
        throw window.badRow(at: line.upperBound, expected: "a text in \"\(key.excerpt())\", found none")
      }
      return text
    }
    return nil
  }
}
