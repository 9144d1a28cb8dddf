import Shell

extension Context {
  /// Runs the lines of a script or a block in order, up to the first failure; false where one of them leaves the shell.
  ///
  /// - Parameter mayFail: whether a line, by its place, is known to fail; the lines behind it run all the same.
  /// - Throws: `AlreadyReported`; `CancellationError`.
  func run(
    _ statements: [Statement], file: String?, mayFail: (Int) -> Bool = { _ in false }
  ) throws -> Bool {
    for (index, statement) in statements.enumerated() {
      try checkCancellation()
      let execution = nested.run(statement, file)
      if execution.status != 0, execution.status != Diagnostic.interruptedStatus, mayFail(index) { continue }
      if case .failure(let failure) = execution.result { throw AlreadyReported(diagnostic: failure) }
      if execution.status != 0 { throw AlreadyReported(diagnostic: nil) }
      if execution.leaves { return false }
    }
    return true
  }
}
