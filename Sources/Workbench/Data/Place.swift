/// Where in a file something is wrong.
public struct Place: Equatable, Hashable, Sendable {
  /// The file as the learner named it.
  public let file: String
  /// The physical line, from 1: a quoted field with newlines in it spans several.
  public let line: Int?
  /// The column in characters, from 1.
  public let column: Int?

  public init(file: String, line: Int? = nil, column: Int? = nil) {
    self.file = file
    self.line = line
    self.column = column
  }
}

extension Place: CustomStringConvertible {
  /// `news.csv:12:4`, as compilers write it.
  public var description: String {
    ([file.visible] + [line, column].compactMap { $0.map(String.init) }).joined(separator: ":")
  }
}
