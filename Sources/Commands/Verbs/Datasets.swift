import ArgumentParser
import Basics
import Foundation
import Shell
import Workbench

/// The data sets of the workspace.
struct Datasets: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "datasets", abstract: "List the data sets, or remove one.",
    discussion: """
      A verb works on the data set that was loaded last, unless --dataset names another. Removing one takes its labels and \
      predictions with it; models that learned from it stay.

      Examples:
        datasets
        datasets remove news-2

      Next: predict --dataset NAME.
      """,
    subcommands: [List.self, Remove.self], defaultSubcommand: List.self)

  struct List: Verb {
    static let onlyLooks = true
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the data sets.")

    func perform(in context: Context) throws -> Effect {
      Effect { workbench in
        let datasets = try workbench.datasets()
        var report = Report(verb: "datasets")
        if datasets.isEmpty {
          report.blocks.append(.line("No data sets yet. Load one: load FILE"))
        } else {
          let current = try workbench.currentDataset()?.name
          report.blocks.append(
            .table(
              Table(
                header: ["data set", "assets", "categories", "labels by", "text", "current"],
                rows: try datasets.map {
                  [
                    "\($0.name)", "\($0.assets)", "\($0.categories)",
                    "\(try workbench.labellers(of: $0).map(\.author.visible).joined(separator: ", "))",
                    "\(Bytes($0.bytes).description)", $0.name == current ? "yes" : "",
                  ]
                }, alignments: [.left, .right, .right, .left, .right, .left])))
        }
        report.json = [
          "datasets": .array(
            datasets.map {
              .object([
                "name": .string($0.name), "assets": .int($0.assets), "categories": .int($0.categories),
                "bytes": .int($0.bytes), "sha256": .string($0.digest),
              ])
            })
        ]
        return report
      }
    }
  }

  struct Remove: Verb {
    static let configuration = CommandConfiguration(
      commandName: "remove", abstract: "Remove a data set with its labels and predictions.")
    @Argument(help: ArgumentHelp("The data set's name.", valueName: "dataset")) var name: Text

    func perform(in context: Context) throws -> Effect {
      Effect { workbench in
        let dataset = try DatasetOption.named(name.description, workbench)
        try workbench.remove(dataset: dataset)
        var report = Report(verb: "datasets remove")
        report.blocks.append(
          .line(
            "Removed \(dataset.name): \(counted(dataset.assets, "asset")) with their labels and predictions.")
        )
        report.json = ["dataset": .string(dataset.name), "assets": .int(dataset.assets)]
        return report
      }
    }
  }
}
