/// How any error is shown: what is wrong, where, and what to do, with the status that the program ends with.
public struct Diagnostic: Error, Equatable, Sendable {
  /// A stable word with hyphens, for programs.
  public var code: String
  /// One sentence or two for the learner.
  public var message: String
  /// A sentence after these with numbers that depend on floating point: a document keeps it as a line that is not compared.
  public var numbers: String?
  public var file: String?
  /// 1-based.
  public var line: Int?
  /// 1-based, in characters.
  public var column: Int?
  /// The line that it speaks of, to put a caret under.
  public var source: String?
  /// 1 a verb failed, 2 usage, 130 interrupted.
  public var exitStatus: Int32
  /// It has been drawn where it happened, and whoever passes it on draws it no more.
  public var wasShown = false

  public init(
    code: String, message: String, file: String? = nil, line: Int? = nil, column: Int? = nil,
    source: String? = nil, exitStatus: Int32 = 1
  ) {
    self.code = code
    self.message = message
    self.file = file
    self.line = line
    self.column = column
    self.source = source
    self.exitStatus = exitStatus
  }

  /// `file:line:column`, as far as they are known; `nil` without a file and line.
  public var place: String? {
    let parts = [file, line.map(String.init), line == nil ? nil : column.map(String.init)]
    let known = parts.compactMap { $0 }
    guard file != nil || line != nil else { return nil }
    return file == nil ? "line " + known.joined(separator: ", column ") : known.joined(separator: ":")
  }
}

extension Diagnostic: CustomStringConvertible {
  public var description: String { [message, numbers].compactMap(\.self).joined(separator: " ") }
}
