import ArgumentParser
import Foundation
import Shell
import Workbench

/// Cell 2 of the tutorial: the interface (Kili's word for the ontology), which says what categories there are.
struct InterfaceVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "interface", abstract: "Say which categories there are.",
    discussion: """
      The interface is the list of categories that a text can have, exactly one each. It is Kili's JSON, one classification job, \
      so an interface exported from there works here.

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

    func perform(in context: Context) throws -> Work {
      let url = try context.files.reading(file.description)
      let interface = try Interface.load(url, shownAs: context.files.shown(file.description))
      return Work { try InterfaceVerb.set(interface, $0) }
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

    func perform(in context: Context) throws -> Work {
      Work { workbench in
        guard let from else {
          let list = names.map(\.description).joined(separator: " ").split(
            separator: ",", omittingEmptySubsequences: false)
          return try InterfaceVerb.set(
            Interface.define(names: list.map { $0.trimmingCharacters(in: .whitespaces) }), workbench)
        }
        let dataset = try DatasetOption.named(from.description, workbench)
        return try InterfaceVerb.set(
          Interface.define(from: workbench.categories(of: dataset), of: dataset.name), workbench)
      }
    }
  }

  struct Show: Verb {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show the categories.")
    func perform(in context: Context) throws -> Work {
      Work { workbench in
        guard let interface = try workbench.interface() else { throw Fault.noInterface }
        return InterfaceVerb.report(interface, first: "The interface has")
      }
    }
  }

  private static func set(_ interface: Interface, _ workbench: Workbench) throws -> Report {
    try workbench.set(interface: interface)
    var report = report(interface, first: "The interface now has")
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
