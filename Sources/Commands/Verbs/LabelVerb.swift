import ArgumentParser
import Foundation
import Shell
import Workbench

/// Cell 6 of the tutorial: the human labels, simulated from the file's own categories.
struct LabelVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "label", abstract: "Give assets their human (DEFAULT) labels.",
    discussion: """
      A model learns from labels that people gave. The tutorial simulates the people: each asset's own category in the file \
      becomes its DEFAULT label. --noise lets the simulated labeller err now and then, as people do.

      Examples:
        label simulate
        label simulate --dataset news-2 --noise 0.1 --author trainee

      Next: kpi, finetune.
      """,
    subcommands: [Simulate.self])

  struct Simulate: Verb {
    static let configuration = CommandConfiguration(
      commandName: "simulate", abstract: "Take the file's own categories as labels.")
    @OptionGroup var data: DatasetOption
    @Option(help: ArgumentHelp("The share of labels, 0 to 1, that are wrong on purpose.", valueName: "share"), transform: { text in
      guard let share = Double(text), (0...1).contains(share) else {
        throw ValidationError("--noise is a share from 0 to 1, such as 0.1")
      }
      return share
    })
    var noise: Double = 0
    @Option(help: ArgumentHelp("Who labelled.", valueName: "name")) var author: Text = Text(argument: "simulated")

    func perform(in context: Context) throws -> Work {
      Work { workbench in
        let dataset = try data.resolve(workbench)
        let unknown = try workbench.unknownCategories(of: dataset)
        guard unknown.isEmpty else {
          throw Fault.other(
            code: "category-not-in-interface",
            InterfaceVerb.lacking(unknown, dataset) + " Mend the file or the interface: interface define --from \(dataset.name)")
        }
        let outcome = try workbench.simulateLabels(
          of: dataset, author: author.description, noise: noise, seed: context.seed)
        guard outcome.labels > 0 else {
          throw Fault.other(
            code: "no-categories",
            "\(dataset.name) has no category column to take labels from. Load it with --category COLUMN.")
        }
        var report = Report(verb: "label simulate")
        var sentence = "\(author.description.visible) labelled \(counted(outcome.labels, "asset")) of \(dataset.name)"
        if noise > 0 { sentence += ", \(outcome.wrong) of them wrongly on purpose" }
        report.blocks.append(.line("\(sentence)."))
        report.json = [
          "dataset": .string(dataset.name), "author": .string(author.description), "labels": .int(outcome.labels),
          "wrong": .int(outcome.wrong),
        ]
        report.hint = "kpi, then finetune"
        return report
      }
    }
  }
}
