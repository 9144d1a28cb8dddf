import Basics
import Foundation

/// A data file: what it is, how it is written, and its rows.
///
/// Reads CSV by RFC 4180 (delimiter `, ; tab |` found by itself, LF, CRLF or CR, byte order mark), JSON
/// lines, and the notebook's `text|CATEGORY`; in UTF-8, in Windows-1252 as Excel saves it, and in UTF-16 with
/// its mark. Memory does not grow with the file.
public struct AssetFile: Sendable {
  public enum Format: Equatable, Sendable {
    case csv(delimiter: UInt8)
    case jsonLines
    case pipe

    public var name: String {
      switch self {
      case .csv: "CSV"
      case .jsonLines: "JSON lines"
      case .pipe: "text|CATEGORY"
      }
    }
  }

  /// As the learner named it.
  public let file: String
  /// Absolute, for telling files apart.
  public let path: String
  /// What its data set is called.
  public let name: String
  /// SHA-256, 64 hexadecimal digits.
  public let digest: String
  /// Bytes of the file.
  public let size: Int
  public let format: Format
  public let encoding: TextEncoding
  /// As they were given, but for columns, which have their whole names.
  public let options: LoadOptions
  /// Whether its rows have categories.
  public var hasCategories: Bool { format == .pipe || columns?.category != nil }

  /// Whether its rows have ids of their own, and no counted ones.
  public var hasIdentifiers: Bool { columns?.identifier != nil }

  private let columns: Columns?
  private let recordsAhead: Int
  private let source: OpenFile
  private let survey: FileSurvey

  /// Opens the file, takes its digest and finds out how it is written: one pass over its bytes.
  ///
  /// Throws ``LoadError``. `shownAs` is the file's name in messages, best the path as it was typed.
  public static func open(
    _ url: URL, shownAs: String? = nil, options: LoadOptions = LoadOptions(), opener: FileOpener = .anywhere
  ) throws -> AssetFile {
    try options.check()
    return try AssetFile(url, named: shownAs ?? url.lastPathComponent, options: options, opener)
  }

  private init(_ url: URL, named file: String, options: LoadOptions, _ opener: FileOpener) throws {
    self.file = file
    path = url.standardizedFileURL.resolvingSymlinksInPath().path
    name = options.name ?? Name.make(from: url.deletingPathExtension().lastPathComponent)
    guard Name.isValid(name) else { throw LoadError.badName(name: name) }
    source = try OpenFile(url, named: file, opener: opener)
    size = source.size
    survey = try FileSurvey(source)
    digest = survey.digest
    encoding = survey.encoding
    var sniffer = FormatSniffer(
      window: TextWindow(source, survey: survey), pathExtension: url.pathExtension.lowercased(),
      options: options)
    let sniffed = try sniffer.sniff()
    format = sniffed.format
    columns = sniffed.columns
    recordsAhead = sniffed.recordsAhead
    var resolved = options
    if let columns {
      if !options.textColumns.isEmpty { resolved.textColumns = columns.texts.map(columns.canonical) }
      if options.categoryColumn != nil {
        resolved.categoryColumn = columns.category.map(columns.canonical) ?? "none"
      }
    }
    self.options = resolved
    if let option = options.needingCategories, !hasCategories {
      throw LoadError.noCategories(file: file, option: option)
    }
  }

  /// The names of a file's columns or keys, in order; none where it has none. Reads its beginning only.
  public static func columnNames(of url: URL) throws -> [String] {
    let source = try OpenFile(url, named: url.lastPathComponent)
    var sniffer = FormatSniffer(
      window: TextWindow(source, survey: try FileSurvey(source, limit: 1)),
      pathExtension: url.pathExtension.lowercased(), options: LoadOptions())
    return try sniffer.columnNames()
  }

  /// The columns (or keys) that were taken, by name; nil for a file that has none.
  public var columnsTaken: (text: [String], category: String?)? {
    columns.map { columns in
      (columns.texts.map { columns.names[$0] }, columns.category.map { columns.names[$0] })
    }
  }

  /// Whether other columns could have been taken, or several were joined.
  public var hasChoiceOfColumns: Bool {
    columns.map { $0.isChat || $0.texts.count > 1 || !$0.leftOut.isEmpty } ?? false
  }

  /// Which columns were taken and which were left out, in a sentence; nil for a file that has none.
  public var columnsTakenSentence: String? {
    guard let columns else { return nil }
    func shown(_ column: Int) -> String { columns.names[column].columnShown }
    var sentence =
      columns.isChat
      ? "Text from the last user message, category from the last assistant message"
      : "Text from \(columns.texts.map(shown).joined(separator: " and "))"
    if !columns.isChat, let category = columns.category { sentence += ", category from \(shown(category))" }
    let rest = columns.leftOut
    if !rest.isEmpty {
      let more = rest.count > 6 ? " and \(rest.count - 5) more" : ""
      let some = rest.prefix(more.isEmpty ? 6 : 5).map(shown).joined(separator: ", ")
      sentence += "; left out: \(some)\(more)"
    }
    return sentence + "."
  }

  /// What the learner should know about how the file was read, in sentences; none for plain UTF-8 with
  /// categories.
  public var remarks: [String] {
    var remarks: [String] = []
    switch encoding {
    case .utf8: break
    case .windows1252: remarks.append("Read as Windows-1252, as Excel saves CSV; it is not UTF-8.")
    case .utf16: remarks.append("Read as UTF-16, as Excel saves Unicode text.")
    }
    if !hasCategories { remarks.append("The file has no categories.") }
    return remarks + (columns?.advice ?? [])
  }

  /// The file's rows in order, from the first; each call begins anew.
  public func rows() throws -> AssetRows {
    let window = TextWindow(source, survey: survey)
    switch (format, columns) {
    case (.csv(let delimiter), let columns?):
      var records = CSVRecords(window, delimiter: delimiter)
      for _ in 0..<recordsAhead where try records.next() { records.consume() }
      return AssetRows(
        CSVReader(records, columns: columns, needsCategories: options.needsCategories),
        skipBad: options.skipBad, file: source)
    case (.jsonLines, let columns?):
      return AssetRows(
        JSONLinesReader(window, columns: columns, needsCategories: options.needsCategories),
        skipBad: options.skipBad, file: source)
    default:
      return AssetRows(
        PipeReader(window, needsCategories: options.needsCategories), skipBad: options.skipBad, file: source)
    }
  }

  var categoryColumn: String {
    columns.flatMap { columns in columns.category.map { columns.names[$0] } } ?? ""
  }
}

/// The rows of a data file, one after the other.
public struct AssetRows {
  private var reader: any RowReader
  private let skipBad: Bool
  private let file: OpenFile
  /// Rows that were left out as bad so far.
  public private(set) var skipped = 0
  /// Why, for the first few of them.
  public private(set) var reasons: [LoadError] = []

  static let reasonsKept = 5

  init(_ reader: any RowReader, skipBad: Bool, file: OpenFile) {
    self.reader = reader
    self.skipBad = skipBad
    self.file = file
  }

  /// Bytes of the file read so far.
  public var bytesRead: Int { min(reader.offset, file.size) }

  /// The next row; nil at the end. Throws ``LoadError`` for a bad row, or leaves it out where that was asked
  /// for.
  public mutating func next() throws -> AssetRow? {
    while true {
      do {
        if let row = try reader.next() { return row }
        try file.checkUnchanged()
        return nil
      } catch let error as LoadError where skipBad && error.isAboutOneRow {
        skip(error)
      }
    }
  }

  /// Counts a row that turned out to be bad outside, a duplicate say.
  mutating func skip(_ reason: LoadError) {
    skipped += 1
    if reasons.count < Self.reasonsKept { reasons.append(reason) }
  }
}

extension LoadError {
  /// Whether leaving a row out mends it.
  var isAboutOneRow: Bool {
    switch self {
    case .badRow, .encoding, .duplicateIdentifier: true
    default: false
    }
  }
}
