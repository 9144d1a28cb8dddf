import Basics
import Shell
import Synchronization
import Workbench

/// The variables of the loops that are running: what another shell sets meanwhile does not change them.
final class LoopVariables: Sendable {
  private let running = Mutex<[(name: String, value: String?)]>([])

  func begin(_ name: String) {
    running.withLock { $0.append((name, nil)) }
  }

  func end() {
    running.withLock { _ = $0.popLast() }
  }

  /// Gives a loop's variable its value, as the loop does or a `set` in its block.
  func assign(_ name: String, _ value: String) {
    running.withLock { running in
      for index in running.indices where running[index].name == name { running[index].value = value }
    }
  }

  /// nil for a name that no running loop has.
  func value(_ name: String) -> String? {
    running.withLock { running in running.last { $0.name == name }?.value }
  }

  var names: [String] { running.withLock { $0.map(\.name) } }
}

extension LoopVariables {
  /// The step of a loop that sets its variable once more, since another shell has given it another value.
  static func step(_ name: String, _ value: String, _ workbench: Workbench) throws -> LoggedStep {
    try Settings(workbench).set(variable: name, to: value)
    var execution = Execution(verb: "set", result: .success(Report(variable: name, value)))
    execution.command = "set \(name) \(Language.quoted(value))"
    return execution.step
  }
}

extension Report {
  /// What `set` answers.
  init(variable name: String, _ value: String) {
    self.init(verb: "set")
    blocks.append(.line("\(name) = \(value.visible)"))
    json = ["name": .string(name), "value": .string(value)]
  }
}
