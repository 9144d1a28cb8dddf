import ArgumentParser
import Foundation
import Shell
import Tasks
import Workbench

/// Cell 2 of the tutorial: the interface (Kili's word for the ontology), which says what categories there are.
struct InterfaceVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "interface", abstract: "Say which categories there are.",
    discussion: """
      The interface is the list of categories that a text can have, exactly one each. It is Kili's JSON, one classification job, \
      so an interface exported from there works here.

      Predictions of the base model go when the categories change, since it chose among them; those of tuned models stay, which know \
      the categories that they learned. No label goes.

      Examples:
        interface load Samples/interface.json
        interface define "Sports, Politics, Science & Technology"
        interface define --from news-1

      Next: classify TEXT, predict.
      """,
    subcommands: [LoadInterface.self, Define.self, Show.self], defaultSubcommand: Show.self)

  struct LoadInterface: Verb {
    static let configuration = CommandConfiguration(
      commandName: "load", abstract: "Read the interface from Kili's JSON.")
    @Argument(help: "The JSON file.", completion: .file()) var file: Text

    func perform(in context: Context) throws -> Effect {
      let url = try context.files.reading(file.description)
      let interface = try Interface.load(
        url, shownAs: context.files.shown(file.description), opener: context.files.opener)
      return Effect { try InterfaceVerb.set(interface, $0) }
    }
  }

  struct Define: Verb {
    static let configuration = CommandConfiguration(
      commandName: "define", abstract: "Make an interface from names, or from a data set's categories.")
    @Argument(help: ArgumentHelp("The names, with commas between.", valueName: "names")) var names: [Text] =
      []
    @Option(help: ArgumentHelp("Take the categories that this data set has.", valueName: "dataset")) var from:
      Text?

    func validate() throws {
      if names.isEmpty == (from == nil) {
        throw ValidationError("Give either names, with commas between, or --from DATASET")
      }
    }

    func perform(in context: Context) throws -> Effect {
      Effect { workbench in
        guard let from else {
          let list = names.map(\.description).joined(separator: " ").split(
            separator: ",", omittingEmptySubsequences: false)
          return try InterfaceVerb.set(
            Interface.define(names: list.map { $0.trimmingCharacters(in: .whitespaces) }), workbench)
        }
        let dataset = try DatasetOption.named(from.description, workbench)
        let own = try workbench.project(of: dataset)?.categories
        return try InterfaceVerb.set(
          own ?? Interface.define(from: workbench.categories(of: dataset), of: dataset.name), workbench)
      }
    }
  }

  struct Show: Verb {
    static let onlyLooks = true
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show the categories.")
    func perform(in context: Context) throws -> Effect {
      Effect { workbench in
        guard let interface = try workbench.interface() else { throw TaskError.noInterface }
        return InterfaceVerb.report(interface, first: "The interface has")
      }
    }
  }

  private static func set(_ interface: Interface, _ workbench: Workbench) throws -> Report {
    let change = try workbench.set(interface: interface)
    var report = report(interface, first: "The interface now has")
    for (model, runs) in Dictionary(grouping: change.removedRuns, by: \.model).sorted(by: { $0.key < $1.key })
    {
      report.blocks.append(
        .line(
          "The predictions of \(model) on \(runs.map(\.dataset).joined(separator: ", ")) went with the old categories. "
            + "Make them anew: predict --model \(model)"))
    }
    if !change.orphanedLabels.isEmpty {
      let list = change.orphanedLabels.map { "\($0.name.visible) (\(counted($0.count, "label")))" }
      report.blocks.append(
        .line(
          "It lacks categories that people labelled with: \(list.joined(separator: ", ")). Those labels stay; to cover them: "
            + "\(workbench.interfaceCovering(change.orphanedLabels.map(\.name), besides: interface))"))
    }
    report.json["predictions_removed"] = .array(
      change.removedRuns.map { .object(["dataset": .string($0.dataset), "model": .string($0.model)]) })
    report.json["labels_not_covered"] = .object(
      Dictionary(
        change.orphanedLabels.map { ($0.name, .int($0.count)) }, uniquingKeysWith: { first, _ in first }))
    for dataset in try workbench.datasets() {
      let unknown = try workbench.unknownCategories(of: dataset)
      if !unknown.isEmpty { report.blocks.append(.line("\(lacking(unknown, dataset))")) }
    }
    report.hint = "classify TEXT, then predict"
    return report
  }

  private static func report(_ interface: Interface, first: String) -> Report {
    var report = Report(verb: "interface")
    report.blocks.append(
      .line(
        "\(first) \(counted(interface.categories.count, "category").replacingOccurrences(of: "categorys", with: "categories")): \(interface.instruction.visible)"
      ))
    report.blocks.append(
      .table(
        Table(
          header: ["key", "name"], rows: interface.categories.map { ["\($0.key)", "\($0.name.visible)"] })))
    report.json = [
      "categories": .array(interface.categories.map { .string($0.key) }),
      "names": .array(interface.categories.map { .string($0.name) }),
    ]
    return report
  }

  /// Names the categories that a data set has and the interface lacks.
  static func lacking(_ unknown: [UnknownCategory], _ dataset: Dataset) -> String {
    let list = unknown.prefix(10).map { category in
      "\(category.name.visible) (\(counted(category.count, "asset"))"
        + (category.nearest.map { ", nearest: \($0.name.visible))" } ?? ")")
    }
    let rest = unknown.count > list.count ? " and \(unknown.count - list.count) more" : ""
    return "The interface lacks what \(dataset.name) has: \(list.joined(separator: ", "))\(rest)."
  }
}

extension Workbench {
  /// The command that gives an interface with these categories too, beside its own.
  func interfaceCovering(_ keys: [String], besides interface: Interface) -> String {
    let names = interface.classes.map(\.name) + keys.map(CategoryKey.name(forKey:))
    return "interface define \(Language.quoted(names.joined(separator: ", ")))"
  }

  /// The command that mends an interface which lacks categories that a data set is labelled with: from the data set's
  /// own where they are among them, else with all names written out.
  func interfaceMend(lacking keys: [String], of dataset: Dataset) throws -> String {
    let own = Set(try fileCategories(of: dataset).values)
    guard let interface = try interface(), !own.isSuperset(of: keys) else {
      return "interface define --from \(dataset.name)"
    }
    return interfaceCovering(keys, besides: interface)
  }
}
