import ArgumentParser
import Encoder
import Foundation
import Shell
import Workbench

/// Cell 10 of the tutorial: the models there are.
struct Models: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models", abstract: "List the models, or remove one.",
    discussion: """
      base is the embedded model; the others were tuned in this workspace. A linear model is a few kilobytes, a full one \
      as large as its base.

      Examples:
        models
        models remove tuned-1

      Next: validate --model NAME.
      """,
    subcommands: [List.self, Remove.self], defaultSubcommand: List.self)

  struct List: Verb {
    static let onlyLooks = true
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the models.")

    func perform(in context: Context) throws -> Work {
      let name = context.encoders.isInstalled ? context.encoders.embeddedFolder.lastPathComponent : nil
      return Work { workbench in
        let models = try workbench.models()
        var report = Report(verb: "models")
        let first: [Cell] = ["base", "\(name ?? "not installed: model install")", "", "", "", ""]
        report.blocks.append(
          .table(
            Table(
              header: ["model", "from", "method", "trained on", "labels", "on disk"],
              rows: [first]
                + models.map {
                  [
                    "\($0.name)", "\($0.base)", "\($0.method)", "\($0.dataset)", "\($0.examples)",
                    "\(Bytes($0.bytes).description)",
                  ]
                }, alignments: [.left, .left, .left, .left, .right, .right])))
        report.json = [
          "embedded": name.map(JSONValue.string) ?? .null,
          "models": .array(
            models.map {
              .object([
                "name": .string($0.name), "base": .string($0.base), "method": .string($0.method),
                "dataset": .string($0.dataset), "examples": .int($0.examples), "bytes": .int($0.bytes),
                "final_loss": .double($0.finalLoss ?? .nan),
                "held_out_accuracy": .double($0.heldOutAccuracy ?? .nan),
              ])
            }),
        ]
        return report
      }
    }
  }

  struct Remove: Verb {
    static let configuration = CommandConfiguration(
      commandName: "remove", abstract: "Remove a tuned model with its predictions.")
    @Argument(help: ArgumentHelp("The model's name.", valueName: "tuned-model")) var name: Text

    func perform(in context: Context) throws -> Work {
      var removed: TunedModel?
      let removeFiles = { removed.map(context.workspace.removeFiles) ?? () }
      return Work(afterCommit: removeFiles) { workbench in
        guard case .tuned(let model) = try ChosenModel.named(name.description, workbench) else {
          throw Fault.usage("base is the embedded model itself and stays.")
        }
        if let other = try workbench.models().first(where: { $0.base == model.name }) {
          throw Fault.inUse(model: model.name, by: other.name)
        }
        try workbench.remove(model: model)
        removed = model
        var report = Report(verb: "models remove")
        report.blocks.append(
          .line("Removed \(model.name) and its predictions (\(Bytes(model.bytes).description))."))
        report.json = ["model": .string(model.name), "bytes": .int(model.bytes)]
        return report
      }
    }
  }
}
