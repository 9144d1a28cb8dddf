import ArgumentParser
import Foundation
import Shell
import Transcripts
import Workbench

/// A script: lines of verbs in a file.
struct Run: Verb {
  static let recording = Recording.nothing
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run the lines of a script, or the commands of a document.",
    discussion: """
      Lines run in order, each recorded as if it had been typed; the first failure stops the script and names its line. A Markdown \
      document's commands run in this workspace, past the errors that it has recorded; replay runs them in a fresh one and compares the \
      answers.

      Examples:
        run lesson.fettle
        run Sessions/tutorial.md

      Next: status.
      """)
  @Argument(help: "The script or document.", completion: .file()) var file: Text

  func perform(in context: Context) throws -> Effect {
    let name = file.description
    let source = try context.files.text(of: name).text
    guard context.nested.depth < Self.deepest else {
      throw CommandError.other(
        code: "too-deep",
        "\(name.visible) is run from scripts that run scripts, \(Self.deepest) deep. Does one run itself?")
    }
    let lines = try Self.lines(source, file: name)
    _ = try context.run(lines.map(\.statement), file: name, mayFail: { lines[$0].mayFail })
    return Effect { _ in Report(verb: "run") }
  }

  private static let deepest = 16

  /// - Returns: the statements, each with whether it failed when the document was recorded.
  private static func lines(_ source: String, file: String) throws -> [(statement: Statement, mayFail: Bool)]
  {
    if file.hasSuffix(".md") {
      let document = try Document(parsing: source, file: file)
      try document.requireAllReplayed(named: file)
      return try document.steps.filter { !$0.isInterrupted }.flatMap { step in
        let mayFail = step.answer.first?.hasPrefix("error: ") == true
        return try Language.statements(
          in: step.command, file: file, firstLine: step.line, extractingPrompts: false
        ).map { (statement: $0, mayFail: mayFail) }
      }
    }
    return try Language.statements(in: source, file: file, firstLine: 1, extractingPrompts: true)
      .map { (statement: $0, mayFail: false) }
  }
}
