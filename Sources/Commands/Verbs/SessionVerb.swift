import ArgumentParser
import Foundation
import Shell
import Workbench

/// The session's own document: what has been done, as Markdown that replays.
struct SessionVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "session",
    abstract: "Show, save or export the session's document; begin anew, or take old work up again.",
    discussion: """
      Every verb is written down with its answer in .fettle/session.md, which renders wherever Markdown does and replays with replay.

      Examples:
        session show
        session save Sessions/monday.md
        session export monday.html
        session export tutorial.ipynb --from Sessions/tutorial.md
        session new --name monday
        session list
        session open monday

      Next: replay FILE.
      """,
    subcommands: [
      Show.self, Save.self, ExportSession.self, Forget.self, New.self, List.self, Open.self, Remove.self,
    ],
    defaultSubcommand: Show.self)

  struct Show: Verb {
    static let recording = Recording.nothing
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show the document.")

    func perform(in context: Context) throws -> Effect {
      let text = try SessionDocument(context.workspace).text()
      return Effect { _ in
        var report = Report(verb: "session show")
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0).visible }
        report.blocks.append(.preformatted(lines.last == "" ? lines.dropLast() : lines))
        report.json = ["text": .string(text)]
        return report
      }
    }
  }

  struct Save: Verb {
    static let recording = Recording.nothing
    static let configuration = CommandConfiguration(
      commandName: "save", abstract: "Copy the document to a file.")
    @Argument(help: "The Markdown file.", completion: .file()) var file: Text
    @Flag(help: "Write over a file that is there.") var replace = false

    func perform(in context: Context) throws -> Effect {
      let url = try context.files.writing(file.description)
      if !replace, FileManager.default.fileExists(atPath: url.path) {
        throw CommandError.fileExists(path: file.description)
      }
      let root = context.files.root.path(relativeTo: url.deletingLastPathComponent())
      let document = SessionDocument(context.workspace)
      try document.catchUp()
      try context.write(Data(document.edited(root: root).utf8), to: url, shownAs: file.description)
      return Effect { workbench in
        let steps = try workbench.steps(after: 0).count { $0.status != .note }
        var report = Report(verb: "session save")
        report.blocks.append(.line("Saved \(counted(steps, "step")) to \(file.description.visible)."))
        report.json = ["file": .string(file.description), "steps": .int(steps)]
        report.hint = "replay \(file.description)"
        return report
      }
    }
  }
}
