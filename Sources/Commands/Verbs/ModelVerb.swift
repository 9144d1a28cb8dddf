import ArgumentParser
import Foundation
import Shell
import Workbench

/// The pre-trained weights, which are too large for the project's own files.
struct ModelVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "Install the embedded model.",
    discussion: """
      The embedded model is all-MiniLM-L6-v2 (22.7 million weights, Apache-2.0), which reads English; it is fetched once, 91 MB, into your cache folder; after that \
      fettle needs no network. --from takes any folder with a BERT in it: model.safetensors, vocab.txt, config.json.

      Examples:
        model install
        model install --from Downloads/all-MiniLM-L6-v2

      Next: load FILE.
      """,
    subcommands: [Install.self])

  struct Install: Verb {
    static let recording = Recording.nothing
    static let configuration = CommandConfiguration(
      commandName: "install", abstract: "Fetch the model, or take it from a folder.")
    @Option(help: ArgumentHelp("A folder with a BERT in it.", valueName: "folder"), completion: .directory)
    var from: Text?

    func perform(in context: Context) throws -> Work {
      guard !context.files.isReplay else { throw Fault.notInReplay(verb: "model install") }
      let installation = ModelInstallation(context)
      let installed =
        try from.map { try installation.copy(from: context.files.reading($0.description)) }
        ?? installation.fetch()
      return Work { _ in
        var report = Report(verb: "model install")
        let name = installed.folder.lastPathComponent
        report.blocks.append(
          .line(
            installed.wasThere
              ? "\(name) is installed already." : "Installed \(name): \(Bytes(installed.bytes).description).")
        )
        report.json = ["model": .string(name), "bytes": .int(installed.bytes)]
        return report
      }
    }
  }
}
