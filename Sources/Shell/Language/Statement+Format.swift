extension Statement {
  /// The statement without the format that its last word asks for. What stands behind `--` is text.
  public var takingFormat: (statement: Statement, format: ReportFormat?) {
    guard let last = words.last, words.count > 1, body == nil, last.isOption,
      let format = ReportFormat.allCases.first(where: { $0.option == last.text }),
      !words.contains(where: { $0.isOption && $0.text == "--" })
    else { return (self, nil) }
    var statement = self
    statement.words.removeLast()
    statement.source = String(source.prefix(statement.words.last?.range.upperBound ?? source.count))
    return (statement, format)
  }
}
