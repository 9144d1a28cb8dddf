import Foundation
import Shell

extension JSONValue {
  /// A seed; as text where it is greater than JSON's readers agree on.
  init(seed: UInt64) { self = Int(exactly: seed).map(JSONValue.int) ?? .string(String(seed)) }

  /// The value as a word of the language: what `$kpi.accuracy` stands for. Lists and objects have none.
  var word: String? {
    switch self {
    case .string(let text): text
    case .int(let number): String(number)
    case .double(let number): number.isFinite ? "\(number)" : "nan"
    case .bool(let value): value ? "true" : "false"
    case .null: "null"
    case .array, .object: nil
    }
  }

  /// The names of an object's members that have a word, sorted.
  var wordNames: [String] {
    guard case .object(let members) = self else { return [] }
    return members.filter { $0.value.word != nil }.map(\.key).sorted()
  }
}

extension Language {
  /// The statements of a text that begins at some line of its file.
  ///
  /// - Throws: `LanguageError`; `Fault` for a quote or brace that is never closed.
  static func statements(in source: String, file: String, firstLine: Int, extractingPrompts: Bool) throws
    -> [Statement]
  {
    let numbering = Numbering(file: file, firstLine: firstLine)
    switch try parse(source, numbering: numbering, extractingPrompts: extractingPrompts) {
    case .complete(let statements): return statements
    case .incomplete(let open):
      throw LanguageError.neverClosed(
        what: open.what, place: .init(file: file, line: open.line, column: open.column, source: nil))
    }
  }
}
