/// Why a data file could not be read. Nothing of the file is kept when one of these is thrown.
public enum LoadError: Error, Equatable, Sendable {
  case notFound(file: String)
  case isFolder(file: String)
  /// A pipe, a device: what cannot be read twice.
  case notPlain(file: String)
  case notReadable(file: String)
  /// The disk or the network drive gave up while reading.
  case readFailed(file: String)
  /// No rows at all.
  case empty(file: String)
  /// NUL bytes, which no text has; `kind` where the first bytes tell what it is.
  case binary(file: String, line: Int, kind: String?)
  /// Four bytes a character.
  case utf32(file: String)
  /// Neither UTF-8 nor anything else that is recognised.
  case encoding(file: String, line: Int, column: Int, byte: UInt8)
  /// A row that cannot be used.
  case badRow(file: String, line: Int, column: Int, expected: String)
  case lineTooLong(file: String, line: Int, limit: Int)
  case duplicateIdentifier(file: String, identifier: String, line: Int, firstLine: Int)
  /// No column could be recognised; `option` is what names it.
  case missingColumn(file: String, line: Int, role: Column, found: [String])
  /// A column that was asked for does not exist.
  case noSuchColumn(file: String, role: Column, wanted: String, found: [String], nearest: Near?)
  /// More categories than a category column plausibly has.
  case tooManyCategories(file: String, column: String, limit: Int)
  /// `--per-category` and the like for a file without categories.
  case noCategories(file: String, option: String)
  /// A category was chosen that no row has.
  case noSuchCategory(file: String, wanted: String, nearest: String?, found: [String])
  /// No row is of the chosen categories.
  case allLeftOut(file: String, rows: Int)
  /// A line of a map of categories that cannot be used.
  case badMap(file: String, line: Int, column: Int, expected: String)
  /// A JSON file that is not JSON lines.
  case notLines(file: String, line: Int, form: JSONForm)
  /// Every row was bad.
  case allBad(file: String, rows: Int, first: String)
  /// The file was written to while it was read.
  case changedWhileReading(file: String)
  /// The same path under the same name, but other bytes.
  case changed(name: String, file: String)
  /// The same bytes under the same name, but other options.
  case otherOptions(name: String, file: String, loaded: String)
  /// Another file has the name.
  case nameTaken(name: String, file: String)
  case badName(name: String)
  /// An option's value that makes no sense, in a sentence.
  case badOption(String)

  /// What somebody may have meant.
  public enum Near: Equatable, Sendable {
    case one(String)
    /// The word begins several.
    case several([String])
  }

  /// What a column is for.
  public enum Column: String, Sendable {
    case text, category

    package var option: String { "--\(rawValue)" }
  }
}

extension LoadError {
  /// A stable name for programs.
  public var code: String {
    switch self {
    case .notFound: "file-not-found"
    case .isFolder: "file-is-folder"
    case .notPlain: "file-not-plain"
    case .notReadable: "file-not-readable"
    case .readFailed: "file-read-failed"
    case .empty: "file-empty"
    case .binary: "file-binary"
    case .encoding, .utf32: "file-encoding"
    case .badRow: "bad-row"
    case .lineTooLong: "line-too-long"
    case .duplicateIdentifier: "duplicate-id"
    case .missingColumn: "missing-column"
    case .noSuchColumn: "no-such-column"
    case .tooManyCategories: "too-many-categories"
    case .noCategories: "no-categories"
    case .noSuchCategory: "no-such-category"
    case .allLeftOut: "all-rows-left-out"
    case .badMap: "bad-map"
    case .notLines: "not-json-lines"
    case .allBad: "all-rows-bad"
    case .changedWhileReading: "file-changing"
    case .changed: "dataset-changed"
    case .otherOptions: "dataset-other-options"
    case .nameTaken: "dataset-name-taken"
    case .badName: "dataset-bad-name"
    case .badOption: "bad-option"
    }
  }

  /// Where it is wrong, for errors that are about a file.
  public var place: Place? {
    switch self {
    case .notFound(let file), .isFolder(let file), .notPlain(let file), .notReadable(let file),
      .readFailed(let file), .empty(let file), .noCategories(let file, _), .changedWhileReading(let file),
      .noSuchCategory(let file, _, _, _), .allLeftOut(let file, _),
      .changed(_, let file), .otherOptions(_, let file, _), .nameTaken(_, let file),
      .noSuchColumn(let file, _, _, _, _), .tooManyCategories(let file, _, _), .allBad(let file, _, _),
      .utf32(let file):
      Place(file: file)
    case .binary(let file, let line, _), .lineTooLong(let file, let line, _),
      .notLines(let file, let line, _),
      .duplicateIdentifier(let file, _, let line, _), .missingColumn(let file, let line, _, _):
      Place(file: file, line: line)
    case .encoding(let file, let line, let column, _), .badRow(let file, let line, let column, _),
      .badMap(let file, let line, let column, _):
      Place(file: file, line: line, column: column)
    case .badName, .badOption: nil
    }
  }
}

extension LoadError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notFound(let file):
      "\(file.visible) is not there. Check the path\(Self.whereItStarts)."
    case .isFolder(let file): "\(file.visible) is a folder. Name a file in it."
    case .notPlain(let file): "\(file.visible) is a pipe or a device. Save it as a file and load that."
    case .notReadable(let file):
      "\(file.visible) may not be read by you. Change its permissions (chmod u+r) or copy it."
    case .readFailed(let file):
      "\(file.visible) could not be read to its end. Copy it to this computer's own disk and load the copy."
    case .empty(let file): "\(file.visible) has no rows. fettle reads one text a row."
    case .binary(let file, _, let kind?):
      "\(file.visible) is \(kind), not text. Open it in its program and save it as CSV UTF-8."
    case .binary(let file, let line, nil):
      "\(file.visible) is not text: line \(line) has a NUL byte. Save it as CSV in UTF-8."
    case .utf32(let file):
      "\(file.visible) is UTF-32. fettle reads UTF-8, UTF-16 and Windows-1252; save it as one of these."
    case .encoding(let file, let line, let column, let byte):
      """
      \(file.visible), line \(line), column \(column): byte 0x\(hexadecimal(byte)) is not UTF-8. Save the file as UTF-8, \
      or leave such rows out with --skip-bad.
      """
    case .badRow(let file, let line, let column, let expected):
      """
      \(file.visible), line \(line), column \(column): expected \(expected). Nothing was loaded; mend the row, \
      or leave bad rows out with --skip-bad.
      """
    case .lineTooLong(let file, let line, let limit):
      "\(file.visible), line \(line) is longer than \(limit >> 20) MB. Is it one text a line?"
    case .duplicateIdentifier(let file, let identifier, let line, let firstLine):
      """
      \(file.visible), line \(line): the id \(identifier.excerpt()) is on line \(firstLine) already. Give each row its own id, \
      or leave the later rows out with --skip-bad.
      """
    case .missingColumn(let file, _, .text, let found) where found.count < 2:
      """
      \(file.visible) does not begin with a header: its first line is \(sentence(Self.listed(found))) \
      fettle reads CSV with a header, JSON lines, and text|CATEGORY.
      """
    case .missingColumn(let file, _, .text, let found):
      """
      \(file.visible) has no text column among \(Self.listed(found)). Name it: --text COLUMN\(Self.orNumber(found)). \
      The first line is taken for the header; if it is a row already, put a header above it.
      """
    case .missingColumn(let file, _, .category, let found):
      """
      \(file.visible) has no category column among \(Self.listed(found)). Name it: --category COLUMN\(Self.orNumber(found)); \
      or --category none for texts without categories.
      """
    case .noSuchColumn(let file, let role, let wanted, let found, let near):
      "\(file.visible) has no column \(wanted.excerpt(300)); it has \(Self.listed(found)). \(Self.meant(near, role, found))"
    case .tooManyCategories(let file, let column, let limit):
      """
      \(file.visible): column \(column.excerpt()) has more than \(limit) different values, so it is hardly the category. \
      Name the right one: --category COLUMN.
      """
    case .noCategories(let file, let option):
      "\(file.visible) has no categories to choose by, as \(option) does. Use --sample N, or name them: --category COLUMN."
    case .noSuchCategory(let file, let wanted, let nearest, let found):
      """
      No row of \(file.visible) has the category \(wanted.excerpt()). \
      \(nearest.map { "Did you mean \($0.excerpt())?" } ?? "It has \(found.prefix(20).map { $0.excerpt() }.joined(separator: ", "))\(found.count > 20 ? ", …" : ".")")
      """
    case .allLeftOut(let file, let rows):
      "All \(rows) rows of \(file.visible) are left out by --map or --only, so there is nothing to load."
    case .badMap(let file, let line, let column, let expected):
      "\(file.visible), line \(line), column \(column): expected \(expected)."
    case .notLines(let file, _, let form):
      """
      \(file.visible) is \(form == .objects ? "JSON over several lines" : "one JSON value"). \
      fettle reads JSON lines, one object a line\(Self.converting(file, form))
      """
    case .allBad(let file, let rows, let first):
      "\(file.visible): all of its \(rows) rows are bad. The first, \(first)."
    case .changedWhileReading(let file):
      "\(file.visible) changed while it was read. Load it again when whatever writes it has finished."
    case .changed(let name, let file):
      """
      \(file.visible) has changed since it was loaded as \(name.visible). Load it with --replace (its labels and predictions go), \
      or with --name NAME beside the old one.
      """
    case .otherOptions(let name, let file, let loaded):
      """
      \(file.visible) is loaded as \(name.visible) already, \
      \(loaded.isEmpty ? "whole" : "with other options (\(loaded.visible))"). \
      Load it with --replace (its labels and predictions go), or with --name NAME beside the old one.
      """
    case .nameTaken(let name, let file):
      """
      Another file is loaded as \(name.visible). Give \(file.visible) a name of its own: --name NAME; \
      or put it in the other's place: --replace.
      """
    case .badName(let name):
      "\(name.isEmpty ? "An empty name" : name.excerpt()) cannot name a data set. Use letters, digits, - _ and . (up to 100)."
    case .badOption(let sentence): sentence
    }
  }

  /// What is said of a path besides that it leads nowhere; a path from the root or from one's home says itself where it starts.
  package static let whereItStarts = "; it is relative to the folder you started fettle in"

  /// What is wrong with one row, without advice: for a list of rows that were left out.
  public var reason: String {
    switch self {
    case .badRow(_, let line, let column, let expected):
      "line \(line), column \(column): expected \(expected)"
    case .encoding(_, let line, let column, let byte):
      "line \(line), column \(column): byte 0x\(hexadecimal(byte)) is not UTF-8"
    case .duplicateIdentifier(_, let identifier, let line, let firstLine):
      "line \(line): the id \(identifier.excerpt()) is on line \(firstLine) already"
    default: description
    }
  }

  /// The columns' names, whole: of the long questions of a form the ends differ. Those are numbered, since a number is
  /// easier to give.
  private static func listed(_ columns: [String]) -> String {
    let isNumbered = isNumbered(columns)
    let shown = columns.prefix(mostListed).enumerated().map { index, name in
      isNumbered ? "\(index + 1) \(name.columnShown)" : name.columnShown
    }
    return shown.joined(separator: ", ") + (columns.count > mostListed ? ", …" : "")
  }

  private static let mostListed = 40

  private static func isNumbered(_ columns: [String]) -> Bool {
    columns.contains { $0.columnShown != $0.visible } || Set(columns).count < columns.count
  }

  private static func orNumber(_ columns: [String]) -> String {
    isNumbered(columns) ? ", or give its number or its beginning" : ""
  }

  private static func meant(_ near: Near?, _ role: Column, _ found: [String]) -> String {
    switch near {
    case .one(let name): "Did you mean \(role.option) \(name.columnTyped)?"
    case .several(let names):
      "\(names.map(\.columnShown).joined(separator: " and ")) begin so; type more of it, or give its number."
    case nil: "Name one of them: \(role.option) COLUMN\(orNumber(found))."
    }
  }

  /// The command that makes lines of a JSON file, to be typed in the Unix shell as it stands.
  private static func converting(_ file: String, _ form: JSONForm) -> String {
    if form == .columns {
      return "; pandas writes them with to_json(\"lines.jsonl\", orient=\"records\", lines=True)."
    }
    guard let filter = form.filter else { return "." }
    let isPlain = file.allSatisfy { $0.isLetter || $0.isNumber || "_-./~+@".contains($0) }
    let path = isPlain ? file : "'\(file.replacing("'", with: "'\\''"))'"
    return ": jq -c \(filter) \(path.visible) > lines.jsonl"
  }

  /// Ends with one full stop.
  private func sentence(_ text: String) -> String { text.hasSuffix(".") ? text : text + "." }

  private func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return digits.count == 1 ? "0" + digits : digits
  }
}
