import Basics
import Foundation

/// New names for a file's categories, from a table of two columns: the old name and the new one.
///
/// Several old names may have one new name; an empty new name leaves the rows out; a category that is not named
/// stays as it is. Names are compared as ``CategoryKey``s. A header line is an entry like others, of a category that
/// no row has.
public struct CategoryMap: Equatable, Sendable {
  /// As the learner named it.
  public let file: String
  /// SHA-256 of the file, 64 hexadecimal digits.
  public let digest: String
  let entries: [Entry]
  private let places: [String: Int]

  struct Entry: Equatable, Sendable {
    let old: String
    /// Empty to leave the rows out.
    let new: String
  }

  /// The entry for a category's key.
  func entry(_ key: String) -> Entry? { places[key].map { entries[$0] } }

  /// Reads the table: CSV with any of the usual delimiters, in any of the usual encodings.
  ///
  /// Throws ``LoadError``: for a row that has not two fields, and for an old name that has two new ones.
  public static func open(_ url: URL, shownAs: String? = nil, opener: FileOpener = .anywhere) throws
    -> CategoryMap
  {
    let source = try OpenFile(url, named: shownAs ?? url.lastPathComponent, opener: opener)
    let survey = try FileSurvey(source)
    let window = TextWindow(source, survey: survey)
    let delimiter = try Delimiter.all.first { try fits($0, window) } ?? UInt8(ascii: ",")
    return try CategoryMap(source, survey, CSVRecords(window, delimiter: delimiter))
  }

  /// Whether every record has two fields.
  private static func fits(_ delimiter: UInt8, _ window: TextWindow) throws -> Bool {
    var records = CSVRecords(window, delimiter: delimiter)
    do {
      while try records.next() {
        guard records.fields.count == 2 else { return false }
        records.consume()
      }
      return true
    } catch let error as LoadError {
      if case .badRow = error { return false }
      throw error
    }
  }

  private init(_ source: OpenFile, _ survey: FileSurvey, _ records: CSVRecords) throws {
    var records = records
    var entries: [Entry] = []
    var places: [String: Int] = [:]
    while try records.next() {
      let (window, fields) = (records.window, records.fields)
      if let damage = window.damage(before: records.end) { throw damage }
      guard fields.count == 2 else {
        throw LoadError.badMap(
          file: source.name, line: window.line, column: 1,
          expected: "an old name and a new one with \(Delimiter.name(records.delimiter)) between, "
            + "found \(fields.count) \(fields.count == 1 ? "field" : "fields")")
      }
      let entry = Entry(
        old: String(records.text(fields[0]).trimmingBlanks),
        new: String(records.text(fields[1]).trimmingBlanks))
      let key = CategoryKey.key(forName: entry.old)
      if let place = places[key],
        CategoryKey.key(forName: entries[place].new) != CategoryKey.key(forName: entry.new)
      {
        throw LoadError.badMap(
          file: source.name, line: window.line, column: 1,
          expected:
            "one new name for \(entry.old.excerpt()), which has \(Self.shown(entries[place].new)) above")
      }
      if places[key] == nil {
        places[key] = entries.count
        entries.append(entry)
      }
      records.consume()
    }
    guard !entries.isEmpty else { throw LoadError.empty(file: source.name) }
    (file, digest, self.entries, self.places) = (source.name, survey.digest, entries, places)
  }

  private static func shown(_ new: String) -> String { new.isEmpty ? "none" : new.excerpt() }
}
