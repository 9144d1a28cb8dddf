import Shell

/// A failure that has been shown where it happened.
struct Shown: Error {
  let failure: Failure?
}

extension Context {
  /// Runs the lines of a script or a block in order, up to the first failure; false where one of them leaves the shell.
  ///
  /// - Throws: `Shown`; `CancellationError`.
  func run(_ statements: [Statement], file: String?) throws -> Bool {
    for statement in statements {
      try checkCancellation()
      let execution = nested.run(statement, file)
      if case .failure(let failure) = execution.result { throw Shown(failure: failure) }
      if execution.status != 0 { throw Shown(failure: nil) }
      if execution.leaves { return false }
    }
    return true
  }
}
