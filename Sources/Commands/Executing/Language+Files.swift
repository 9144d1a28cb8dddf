import Shell

extension Language {
  /// The statements of a text that begins at some line of its file.
  ///
  /// - Throws: `LanguageError`; `CommandError` for a quote or brace that is never closed.
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
