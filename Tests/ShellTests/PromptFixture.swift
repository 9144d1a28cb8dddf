import Foundation
import PseudoTerminal

/// The fixture's prompt on a terminal of its own, with a folder for its history.
struct PromptFixture {
  let folder: URL
  var history: URL { folder.appendingPathComponent("history") }

  static var executable: String {
    let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(fileURLWithPath: tests).deletingLastPathComponent()
      .appendingPathComponent("prompt-fixture").path
  }

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("prompt-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  /// Starts a shell and waits for its first prompt.
  func start(environment: [String: String] = [:], columns: Int = 80) throws -> PseudoTerminal {
    let terminal = try PseudoTerminal(
      Self.executable, [history.path], environment: environment, columns: columns)
    try terminal.waitForScreen("the first prompt") { $0.text.hasSuffix("fettle>") }
    return terminal
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }
}

extension PseudoTerminal {
  /// Types a line and waits for an answer.
  func type(_ line: String, untilAnswer answer: String) throws {
    type(line + "\n")
    try wait(for: answer)
    try waitForScreen("the prompt again") { $0.cursorLine == "fettle>" }
  }
}
