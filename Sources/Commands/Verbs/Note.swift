import ArgumentParser
import Foundation
import Shell
import Workbench

/// Prose for the document, as a notebook's text cell.
struct Note: Verb, TextVerb, Repeatable {
  static let recording = Recording.prose
  static let textEndsLine = true
  static let configuration = CommandConfiguration(
    commandName: "note", abstract: "Add a paragraph of prose to the session's document.",
    discussion: """
      A session that nobody explains is soon not understood, not even by who made it. What you note stands between the commands, as \
      a notebook's text cells do.

      Examples:
        note The base model has never seen our categories.
        note "## A second attempt"

      Next: session show.
      """)
  @Argument(help: "The prose, in Markdown; the rest of the line.") var text: [Text]

  func perform(in context: Context) throws -> Effect {
    let prose = context.rest(text)
    guard !prose.allSatisfy(\.isWhitespace) else {
      throw CommandError.usage("A note needs some text: note TEXT")
    }
    return Effect { workbench in
      try workbench.log(LoggedStep(verb: "note", command: prose, answer: "", status: .note))
      var report = Report(verb: "note")
      report.blocks.append(.line("Noted."))
      return report
    }
  }
}
