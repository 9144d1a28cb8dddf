import Foundation
import Shell
import Workbench

extension Application {
  /// Runs the lines of the user's own settings, `fettle/rc` in `XDG_CONFIG_HOME` or `~/.config`: `config` and `set`.
  ///
  /// What only this user sees of it (hints, the timer) is no step of the document; a seed or a variable that is another by
  /// then is one, since what follows depends on it.
  ///
  /// - Returns: what is wrong, with file and line. The prompt opens in any case.
  public func runUserSettings(_ environment: [String: String]) -> [Diagnostic] {
    let folder =
      environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
      ?? environment["HOME"].map { $0 + "/.config" }
    guard let path = folder.map({ $0 + "/fettle/rc" }), FileManager.default.fileExists(atPath: path) else {
      return []
    }
    do {
      var source = try LineSource(path: path)
      var failures: [Diagnostic] = []
      while let statement = try source.next() {
        if let failure = run(setting: statement, file: path) { failures.append(failure) }
      }
      return failures
    } catch let error as LanguageError {
      return [error.diagnostic]
    } catch let failure as Diagnostic {
      return [failure]
    } catch {
      return [Diagnostic(code: "unexpected", message: "\(path) cannot be read: \(error)")]
    }
  }

  private func run(setting statement: Statement, file: String) -> Diagnostic? {
    let words = statement.words.map(\.text)
    guard ["config", "set"].contains(words.first) else {
      return Diagnostic(
        code: "not-a-setting",
        message: "\(words.first?.visible ?? "This") is no setting; this file takes config and set alone.",
        file: file, line: statement.line, column: statement.words.first?.column,
        source: statement.physicalLine(statement.line))
    }
    let isState = words.first == "set" || words.count > 1 && words[1] == "seed"
    if isState, isSo(words) { return nil }
    let interpreter = isState ? interpreter : interpreter.withoutRecording
    if case .failure(let failure) = interpreter.execute(statement, file: file).result { return failure }
    return nil
  }

  /// Whether the workspace has what `set NAME VALUE` or `config seed N` would give it.
  private func isSo(_ words: [String]) -> Bool {
    guard words.count == 3 else { return false }
    let value = try? workspace.read { workbench in
      let settings = try Settings(workbench)
      return words[0] == "set" ? try settings.variable(words[1]) : String(try settings.seed)
    }
    return value == words[2]
  }

  /// Whether the prompt says how long an answer took.
  public var showsTimer: Bool { (try? workspace.read { try Settings($0).timer }) ?? false }
}
