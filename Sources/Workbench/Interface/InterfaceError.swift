/// Why an interface could not be read or defined.
public enum InterfaceError: Error, Equatable, Sendable {
  case notFound(file: String)
  case notReadable(file: String)
  /// Not JSON: what was expected at a place.
  case malformed(file: String, line: Int, column: Int, expected: String)
  /// JSON, but not an interface: what was expected at a place.
  case shape(file: String, line: Int, column: Int, expected: String)
  /// Something that Kili has and fettle does not do, by name.
  case unsupported(file: String, line: Int, column: Int, what: String)
  /// Two categories with one key.
  case duplicate(key: String, place: Place?)
  /// A category without a name.
  case nameless(place: Place?)
  /// Fewer than two categories to choose between.
  case tooFew(names: [String], place: Place?)
  /// The data set has no categories to define an interface from.
  case noCategories(dataset: String)
  /// A category that the interface does not have.
  case unknownCategory(String, nearest: String?)
}

extension InterfaceError {
  /// A stable name for programs.
  public var code: String {
    switch self {
    case .notFound: "file-not-found"
    case .notReadable: "file-not-readable"
    case .malformed: "interface-malformed"
    case .shape: "interface-shape"
    case .unsupported: "interface-unsupported"
    case .duplicate: "interface-duplicate-category"
    case .nameless: "interface-nameless-category"
    case .tooFew: "interface-too-few-categories"
    case .noCategories: "dataset-without-categories"
    case .unknownCategory: "unknown-category"
    }
  }

  public var place: Place? {
    switch self {
    case .notFound(let file), .notReadable(let file): Place(file: file)
    case .malformed(let file, let line, let column, _), .shape(let file, let line, let column, _),
      .unsupported(let file, let line, let column, _):
      Place(file: file, line: line, column: column)
    case .duplicate(_, let place), .nameless(let place), .tooFew(_, let place): place
    case .noCategories, .unknownCategory: nil
    }
  }
}

extension InterfaceError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notFound(let file):
      "\(file.visible) is not there. Check the path, or write the categories out: interface define \"A, B, C\"."
    case .notReadable(let file):
      "\(file.visible) could not be read. Is it a file, and are you allowed to read it?"
    case .malformed(let file, let line, let column, let expected):
      "\(file.visible), line \(line), column \(column) is not JSON: expected \(expected)."
    case .shape(let file, let line, let column, let expected):
      "\(file.visible), line \(line), column \(column): expected \(expected), as in Samples/interface.json."
    case .unsupported(let file, let line, let column, let what):
      """
      \(file.visible), line \(line), column \(column): fettle does not do \(what). \
      It does one CLASSIFICATION job with input radio: exactly one category a text.
      """
    case .duplicate(let key, let place):
      "\(at(place))Two categories have the key \(key.excerpt()). Rename one of them."
    case .nameless(let place): "\(at(place))A category has no name. Give it one, or take out the extra comma."
    case .tooFew(let names, let place):
      """
      \(at(place))\(names.isEmpty ? "There is no category" : "There is only \(names[0].excerpt())"). \
      Choosing takes two or more, say: interface define "SPORTS, POLITICS".
      """
    case .noCategories(let dataset):
      "\(dataset.visible) came without categories. Write them out: interface define \"A, B, C\"."
    case .unknownCategory(let name, let nearest?):
      "The interface has no category \(name.excerpt()). Did you mean \(nearest.visible)?"
    case .unknownCategory(let name, nil):
      "The interface has no category \(name.excerpt()). See them: interface show."
    }
  }

  private func at(_ place: Place?) -> String {
    guard let place else { return "" }
    let parts = [place.file.visible, place.line.map { "line \($0)" }, place.column.map { "column \($0)" }]
    return parts.compactMap { $0 }.joined(separator: ", ") + ": "
  }
}
