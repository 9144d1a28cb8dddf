import ArgumentParser
import Foundation
import Shell
import Workbench

/// What was typed at the prompt.
struct History: Verb {
  static let recording = Recording.nothing
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "List what was typed at the prompt.",
    discussion: """
      The workspace keeps what was typed, each line once and the newest last; a line that begins with a blank is not kept. \
      Up brings the lines back that begin with what is typed, and Ctrl-R searches in them.

      Examples:
        history
        history 5
        history finetune

      Next: help keys.
      """)
  @Argument(help: ArgumentHelp("How many, or what they have in them.", valueName: "text")) var text: [Text] =
    []

  func perform(in context: Context) throws -> Effect {
    var entries = PromptHistory(file: context.workspace.history).entries
    // The question itself was typed last.
    if entries.last?.hasPrefix(context.statement.source) == true { entries.removeLast() }
    let wanted = context.rest(text)
    var numbered = Array(entries.enumerated())
    if let count = Int(wanted), count >= 0 {
      numbered = numbered.suffix(count)
    } else if !wanted.isEmpty {
      numbered = numbered.filter { $0.element.localizedCaseInsensitiveContains(wanted) }
    }
    let report = Self.report(numbered, wanted: wanted)
    return Effect { _ in report }
  }

  private static func report(_ numbered: [(offset: Int, element: String)], wanted: String) -> Report {
    var report = Report(verb: "history")
    let width = numbered.last.map { String($0.offset + 1).count } ?? 0
    if numbered.isEmpty {
      let what =
        wanted.isEmpty ? "Nothing was typed here yet." : "Nothing that was typed has \(wanted.visible) in it."
      report.blocks.append(.line("\(what)"))
    } else {
      report.blocks.append(
        .preformatted(
          numbered.flatMap { offset, entry in
            let number = String(offset + 1)
            let lines = entry.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            let blanks = String(repeating: " ", count: width)
            return lines.enumerated().map { index, line in
              "  " + (index == 0 ? blanks.dropFirst(number.count) + number : blanks) + "  " + line
            }
          }))
    }
    report.json = ["lines": .array(numbered.map { .string($0.element) })]
    return report
  }
}

extension Workspace {
  /// The file of what was typed at its prompt.
  public var history: URL { folder.appending(path: "history") }
}
