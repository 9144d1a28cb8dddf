import Shell

extension Context {
  /// Asks before something is lost; whether the answer is yes.
  ///
  /// - Throws: `CommandError.usage` where nobody can be asked.
  func confirm(_ what: String) throws -> Bool {
    // A stranger's document asks nothing: it goes on in its own workspace, or stops.
    guard !files.isReplay else { throw CommandError.usage("\(what) Say that you mean it: --yes") }
    switch Confirmation.ask("\(what) Go on? (y/n)", isCancelled: isCancelled) {
    case .yes: return true
    case .no: return false
    case .nobody: throw CommandError.usage("\(what) Say that you mean it: --yes")
    }
  }
}

extension Effect {
  /// After a question that was not answered with yes.
  static var unchanged: Effect {
    Effect { _ in
      Report(verb: "", blocks: [.line("Nothing was changed.")], json: ["changed": false])
    }
  }
}
