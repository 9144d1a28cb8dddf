import ArgumentParser
import Foundation
import Shell
import Workbench

extension SessionVerb {
  /// Takes the last step's record back.
  struct Forget: Verb {
    static let recording = Recording.nothing
    static let configuration = CommandConfiguration(
      commandName: "forget", abstract: "Take the last step out of the document, if it changed nothing.",
      discussion: """
        A look at the wrong asset, a command that failed, a note with a slip need not stay. What has changed the workspace stays: without \
        it the document would not replay to where you are.

        Examples:
          session forget

        Next: session show.
        """)

    func perform(in context: Context) throws -> Effect {
      try context.requireNoBlock("session forget")
      let document = SessionDocument(context.workspace)
      return Effect { workbench in
        guard let step = try workbench.steps().last else {
          throw CommandError.other(code: "no-steps", "There is no step to forget: the document is empty.")
        }
        let name = (step.command.split(whereSeparator: \.isNewline).first.map(String.init) ?? "").visible
        guard step.changedNothing else {
          throw CommandError.other(
            code: "step-changed-something",
            "The last step, \(name), changed the workspace, so it stays: without it the document would not replay. "
              + "To begin anew: session new")
        }
        try document.takeOut(step, workbench)
        try workbench.forget(step: step.id)
        var report = Report(verb: "session forget")
        report.blocks.append(.line("Forgotten: \(name)"))
        report.json = ["command": .string(step.command)]
        return report
      }
    }
  }
}

extension LoggedStep {
  /// Whether the workspace would be the same without it. A step that failed or was interrupted has left nothing that a later answer
  /// could show.
  fileprivate var changedNothing: Bool {
    guard status == .done else { return true }
    guard let statement = try? Language.statements(command).first,
      let verb = try? VerbParser.verb(from: statement.words.map { VerbParser.Input($0) }).verb
    else { return false }
    return type(of: verb).onlyLooks
  }
}
