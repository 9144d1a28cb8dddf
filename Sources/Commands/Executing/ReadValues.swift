import Shell
import Synchronization
import Workbench

/// What a statement has read of the workspace before its step: the values of its names, each looked up once, and the seed.
///
/// Another shell may change them before the step is logged. The document plays in the log's order, so whoever logs compares.
final class ReadValues: Sendable {
  /// The last step in the log when the reading began.
  let step: Int
  private let currentSeed: UInt64
  private let lookUp: @Sendable (String) -> String?
  private let state = Mutex<(values: [String: String?], usesSeed: Bool)>(([:], false))

  init(_ workbench: Workbench, lookUp: @escaping @Sendable (String) -> String?) throws {
    step = try workbench.lastStepID()
    currentSeed = try Settings(workbench).seed
    self.lookUp = lookUp
  }

  /// What a name stands for throughout the statement.
  func value(_ name: String) -> String? {
    if let known = state.withLock({ $0.values[name] }) { return known }
    let found = lookUp(name)
    state.withLock { $0.values[name] = .some(found) }
    return found
  }

  var seed: UInt64 {
    state.withLock { $0.usesSeed = true }
    return currentSeed
  }

  var values: [String: String?] { state.withLock { $0.values } }

  /// Whether the seed is another by now than the one that was used.
  func seedHasChanged(_ workbench: Workbench) throws -> Bool {
    try state.withLock { $0.usesSeed } && Settings(workbench).seed != currentSeed
  }
}

/// Thrown where another shell has changed what a statement had read; it begins again.
struct Stale: Error {}

extension Statement {
  /// The same with values in the place of names.
  func replacing(_ values: [String: String]) -> Statement {
    let source = Array(source)
    var text = ""
    var position = 0
    for word in words {
      let isConcerned = word.pieces.contains { piece in
        guard case .variable(let name, _) = piece else { return false }
        return values.keys.contains { name == $0 || name.hasPrefix($0 + ".") }
      }
      guard isConcerned else { continue }
      let expanded = word.expanded { values[$0] }
      text += String(source[position..<word.range.lowerBound])
      if word.isOption, let equals = expanded.firstIndex(of: "=") {
        text += expanded[...equals] + Language.quoted(String(expanded[expanded.index(after: equals)...]))
      } else {
        text += Language.quoted(expanded)
      }
      position = word.range.upperBound
    }
    text += String(source[position...])
    let replaced = try? Language.statements(text, extractingPrompts: false)
    guard let replaced, replaced.count == 1, replaced[0].words.count == words.count else { return self }
    return replaced[0]
  }
}
