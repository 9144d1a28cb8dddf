import Foundation

/// A data set's file as it is written: all of its columns, also those that no asset keeps.
public struct OriginalTable: Sendable {
  public enum Value: Equatable, Sendable {
    case text(String)
    /// A number, `true`, `false`, `null`, a list or an object, as the file writes it.
    case json(String)
  }

  /// Names of the columns, or keys of the objects, in the file's order; each once, a second one of a name as `name_2`.
  public let columns: [String]
  private let rows: [Int: [Value?]]

  /// The row that begins on a physical line, a value for each of `columns`; nil for a line that was not asked for.
  public subscript(line: Int) -> [Value?]? { rows[line] }

  /// Reads the rows that assets came from.
  ///
  /// - Parameter assets: some of the data set's, all in file order.
  /// - Returns: nil where the file is no longer what was loaded: gone, changed, or not to be read.
  public static func read(_ dataset: Dataset, for assets: [Asset]) -> OriginalTable? {
    try? OriginalTable(dataset, assets)
  }

  private struct Unlike: Error {}
  private typealias Found = (names: [String], rows: [Int: [Value?]])

  private init(_ dataset: Dataset, _ assets: [Asset]) throws {
    let url = URL(fileURLWithPath: dataset.source)
    let file = try OpenFile(url, named: url.lastPathComponent)
    let survey = try FileSurvey(file)
    guard survey.digest == dataset.digest, let first = assets.first else { throw Unlike() }
    let window = TextWindow(file, survey: survey)
    let wanted = Set(assets.map(\.line))
    let found: Found?
    switch dataset.format {
    case AssetFile.Format.jsonLines.name: found = try Self.objects(window, wanted)
    case AssetFile.Format.pipe.name: found = (["text", "category"], Self.halves(assets))
    default: found = try Self.records(window, wanted, first)
    }
    guard let found, wanted.allSatisfy({ found.rows[$0] != nil }) else { throw Unlike() }
    try file.checkUnchanged()
    columns = Self.unique(found.names)
    rows = found.rows
  }

  /// `text|CATEGORY`: an asset keeps both halves.
  private static func halves(_ assets: [Asset]) -> [Int: [Value?]] {
    Dictionary(
      assets.map { ($0.line, [.text($0.text), $0.category.map(Value.text)]) },
      uniquingKeysWith: { first, _ in first })
  }

  private static func unique(_ names: [String]) -> [String] {
    var taken: Set<String> = []
    return names.map { name in
      var unique = name
      var number = 2
      while !taken.insert(unique).inserted {
        unique = "\(name)_\(number)"
        number += 1
      }
      return unique
    }
  }
}

// MARK: - Tables

extension OriginalTable {
  /// The delimiter is that under which the header is widest and the first asset's row as wide, with a field that its text
  /// has in it.
  private static func records(_ window: TextWindow, _ wanted: Set<Int>, _ first: Asset) throws -> Found? {
    var best: Found?
    for delimiter in Delimiter.all + [Delimiter.none] {
      guard let table = try records(window, delimiter, wanted), let row = table.rows[first.line],
        wanted.allSatisfy({ table.rows[$0] != nil })
      else { continue }
      let isText = row.contains {
        if case .text(let text)? = $0 {
          !text.isBlank && first.text.contains(text.trimmingBlanks)
        } else {
          false
        }
      }
      if isText, table.names.count > best?.names.count ?? 0 { best = table }
    }
    return best
  }

  private static func records(_ window: TextWindow, _ delimiter: UInt8, _ wanted: Set<Int>) throws -> Found? {
    var records = CSVRecords(window, delimiter: delimiter)
    var names: [String] = []
    var rows: [Int: [Value?]] = [:]
    while true {
      do {
        guard try records.next() else { return names.isEmpty ? nil : (names, rows) }
      } catch LoadError.badRow {
        if names.isEmpty { return nil }
        try records.skipLine()  // such a row became no asset
        continue
      }
      defer { records.consume() }
      if names.isEmpty {
        let header = records.fields.map { String(records.text($0).trimmingBlanks) }
        // Excel's own line above the header, which tells the delimiter.
        if header.joined(separator: ",").lowercased().hasPrefix("sep=") { continue }
        names = header
      } else if wanted.contains(records.window.line),
        records.fields.count <= names.count || records.isBlank(from: names.count)
      {
        let fields = records.fields.prefix(names.count)
        let missing = [Value?](repeating: nil, count: names.count - fields.count)
        rows[records.window.line] = fields.map { .text(records.text($0)) } + missing
      }
    }
  }
}

// MARK: - JSON lines

extension OriginalTable {
  private static func objects(_ window: TextWindow, _ wanted: Set<Int>) throws -> Found {
    var window = window
    var names: [String] = []
    var places: [String: Int] = [:]
    var rows: [Int: [Value?]] = [:]
    while let (line, next) = try window.nextLine() {
      defer { window.advance(to: next, lines: 1) }
      guard wanted.contains(window.line) else { continue }
      var row = [Value?](repeating: nil, count: names.count)
      try window.bytes.withUnsafeBufferPointer { bytes throws(JSONSyntaxError) in
        var scanner = JSONScanner(bytes, from: line.lowerBound, to: line.upperBound)
        scanner.skipBlanks()
        try scanner.object { (scanner, key, _) throws(JSONSyntaxError) in
          let value = try read(&scanner)
          if let place = places[key] {
            row[place] = value
          } else {
            places[key] = names.count
            names.append(key)
            row.append(value)
          }
        }
      }
      rows[window.line] = row
    }
    return (names, rows.mapValues { $0 + [Value?](repeating: nil, count: names.count - $0.count) })
  }

  private static func read(_ scanner: inout JSONScanner) throws(JSONSyntaxError) -> Value {
    if scanner.next == UInt8(ascii: "\"") { return .text(try scanner.string()) }
    let start = scanner.offset
    try scanner.skipValue()
    return .json(
      String(decoding: UnsafeBufferPointer(rebasing: scanner.bytes[start..<scanner.offset]), as: UTF8.self))
  }
}
