/// Why a text is not a session document.
public struct DocumentError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What is wrong.
  public enum Kind: Equatable, Sendable {
    /// The document begins with `---`, and no second `---` ends its front matter.
    case openFrontMatter
    /// What stands between the `---` lines is not a list of `key: value`.
    case malformedFrontMatter
    /// A key of the front matter that fettle does not know.
    case unknownKey(String)
    /// A key of the front matter that stands there twice.
    case repeatedKey(String)
    /// A value of the front matter that does not fit its key.
    case badValue(key: String, value: String, expected: String)
    /// A `fettle` fence whose first line is no command.
    case answerWithoutCommand(String)
  }

  public var kind: Kind
  /// The document's path as it was given, where it came from a file.
  public var file: String?
  /// The line of the document, from 1.
  public var line: Int

  public init(_ kind: Kind, file: String?, line: Int) {
    self.kind = kind
    self.file = file
    self.line = line
  }

  /// A stable name for programs.
  public var code: String {
    switch kind {
    case .openFrontMatter, .malformedFrontMatter, .unknownKey, .repeatedKey, .badValue: "bad-front-matter"
    case .answerWithoutCommand: "bad-fence"
    }
  }

  /// What is wrong and what to do, without the place.
  public var message: String {
    switch kind {
    case .openFrontMatter:
      "The front matter opens with --- and does not end. Put a second line --- below its last key."
    case .malformedFrontMatter:
      "The front matter is not a list of keys and values. Write each on a line of its own, as in seed: 42."
    case .unknownKey(let key):
      "The front matter has a key \"\(key)\" that fettle does not know. It knows fettle, seed, precision and root."
    case .repeatedKey(let key):
      "The front matter has the key \"\(key)\" twice. Leave one of them."
    case .badValue(let key, let value, let expected):
      "The front matter gives \(key) as \"\(value)\", and it should be \(expected)."
    case .answerWithoutCommand(let line):
      "This fettle fence begins with \"\(line)\" and not with a command. Begin it with \"fettle> \", "
        + "or give the fence another name than fettle."
    }
  }

  public var description: String { "\(file ?? "The document"), line \(line): \(message)" }
}
