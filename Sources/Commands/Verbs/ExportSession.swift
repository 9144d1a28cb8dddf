import ArgumentParser
import Foundation
import Publishing
import Shell
import Transcripts

/// The session, or a document, for readers without fettle.
struct ExportSession: Verb {
  static let recording = Recording.nothing
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write the document as a web page or a Jupyter notebook.",
    discussion: """
      A name that ends in .html gives one page that needs nothing else, with the plots drawn; .ipynb gives a notebook for Jupyter, whose \
      cells run where fettle is installed.

      Examples:
        session export monday.html
        session export tutorial.ipynb --from Sessions/tutorial.md
      """)
  @Argument(help: "The file: .html or .ipynb.", completion: .file()) var file: Text
  @Option(
    help: ArgumentHelp("A document, in place of this session.", valueName: "document"),
    completion: .file(extensions: ["md"]))
  var from: Text?
  @Flag(help: "Write over a file that is there.") var replace = false

  private enum Form: String {
    case page = "html"
    case notebook = "ipynb"
  }

  func perform(in context: Context) throws -> Effect {
    let name = file.description
    guard let form = Form(rawValue: URL(filePath: name).pathExtension.lowercased()) else {
      throw CommandError.usage(
        "\(name.visible) is neither a page nor a notebook. End the name in .html (a web page) or .ipynb (a Jupyter notebook)."
      )
    }
    let url = try context.files.writing(name)
    if !replace, FileManager.default.fileExists(atPath: url.path) {
      throw CommandError.fileExists(path: name)
    }
    let document = try document(for: url, context)
    let title = URL(filePath: from?.description ?? name).deletingPathExtension().lastPathComponent
    let data =
      switch form {
      case .page: Data(Page(document, name: title).html.utf8)
      case .notebook: try Notebook(document).json()
      }
    try context.write(data, to: url, shownAs: name)
    let steps = document.steps.count
    return Effect { _ in
      var report = Report(verb: "session export")
      report.blocks.append(.line("Exported \(counted(steps, "step")) to \(name.visible)."))
      report.json = ["file": .string(name), "format": .string(form.rawValue), "steps": .int(steps)]
      return report
    }
  }

  private func document(for url: URL, _ context: Context) throws -> Document {
    guard let from else {
      let session = SessionDocument(context.workspace)
      try session.catchUp()
      let root = context.files.root.path(relativeTo: url.deletingLastPathComponent())
      return try Document(parsing: session.edited(root: root))
    }
    let document = try Document(
      parsing: context.files.text(of: from.description).text, file: from.description)
    if let line = document.breaksOff {
      context.nested.show(
        "\(from.description.visible) breaks off in line \(line); it is exported up to there.")
    }
    return document
  }
}
