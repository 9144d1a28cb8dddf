/// One row of a data file.
public struct AssetRow: Equatable, Sendable {
  /// The row's number among the file's rows, from 0; rows left out as bad have numbers too.
  public let ordinal: Int
  /// The physical line on which it begins.
  public let line: Int
  /// The file's own id, else `text_` and the ordinal.
  public let externalID: String
  public let text: String
  /// As the file writes it, without blanks around it; nil where the row has none.
  public let category: String?
  /// Who chose it, where the file says so.
  public let author: String?
}

/// Reads one form of data file, row by row.
///
/// `next` throws ``LoadError/badRow(file:line:column:expected:)`` or
/// ``LoadError/encoding(file:line:column:byte:)`` for a row that cannot be used; called again it goes on
/// behind that row. Other errors end the reading.
protocol RowReader {
  mutating func next() throws -> AssetRow?
  /// Bytes of the file read so far.
  var offset: Int { get }
}

/// Builds rows, with what all forms demand of them.
struct RowMaker {
  private(set) var rows = 0

  /// Counts a row before it is looked at, so that a bad one has its number too.
  mutating func begin() { rows += 1 }

  func row(
    line: Int, identifier: String?, text: String, category: String?, author: String? = nil
  ) -> AssetRow {
    let ordinal = rows - 1
    let identifier = identifier.map { String($0.trimmingBlanks) }
    return AssetRow(
      ordinal: ordinal, line: line,
      externalID: identifier.flatMap { $0.isEmpty ? nil : $0 } ?? "text_\(ordinal)",
      text: text, category: category, author: author)
  }

  /// `Headline. Short description`, as the notebook's files join them: a model reads sentences best. No second mark after
  /// `?` or `!`, and nothing for a part that is empty. A text of one part is left as it is.
  static func join(_ parts: [String]) -> String {
    if parts.count == 1 { return parts[0] }
    return parts.map(\.trimmingBlanks).filter { !$0.isEmpty }.reduce(into: "") { joined, part in
      if let last = joined.last { joined += ".?!…:".contains(last) ? " " : ". " }
      joined += part
    }
  }
}
