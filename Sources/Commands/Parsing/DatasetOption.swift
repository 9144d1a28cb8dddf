import ArgumentParser
import Basics
import Workbench

/// `--dataset NAME`, on every verb that works on one.
struct DatasetOption: NamedOption {
  static let option = "--dataset"
  static func name(of dataset: Dataset) -> String { dataset.name }
  var given: Text? { dataset }

  @Option(help: ArgumentHelp("The data set; the one loaded last if left out.", valueName: "dataset"))
  var dataset: Text?

  func resolve(_ workbench: Workbench) throws -> Dataset {
    if let name = dataset?.description { return try Self.named(name, workbench) }
    guard let current = try workbench.currentDataset() else { throw CommandError.noDataset }
    return current
  }

  static func named(_ name: String, _ workbench: Workbench) throws -> Dataset {
    if let found = try workbench.dataset(named: name) { return found }
    let names = try workbench.datasets().map(\.name)
    throw names.isEmpty ? CommandError.noDataset : .unknownDataset(name, nearest: nearest(name, among: names))
  }
}
