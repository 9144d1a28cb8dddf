import ArgumentParser
import Foundation
import Shell
import Workbench

/// Cells 1 and 3 of the tutorial: a file of texts becomes a data set of assets.
struct Load: Verb {
  static let configuration = CommandConfiguration(
    commandName: "load", abstract: "Read a data file into a named data set.",
    discussion: """
      Every fine-tuning begins with texts. fettle reads CSV (comma, semicolon, tab or bar, found by itself), JSON lines, and the \
      notebook's text|CATEGORY form. Each row becomes an asset; a category column, if there is one, is kept as the file's own.

      Examples:
        load Samples/news-1.csv
        load Samples/news-2.csv --sample 100
        load letters.csv --text body --category topic --name letters

      Next: interface load FILE, or interface define --from DATASET.
      """)

  @Argument(help: "The file.", completion: .file()) var file: Text
  @Option(help: ArgumentHelp("What to call the data set; the file's name if left out.", valueName: "name"))
  var name: Text?
  @Option(help: ArgumentHelp("The column that holds the text.", valueName: "column")) var text: Text?
  @Option(
    help: ArgumentHelp("The column that holds the category; none for no categories.", valueName: "column"))
  var category: Text?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Keep N assets, chosen at random by the seed.", valueName: "n")) var sample: Int?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Keep N assets of each category, chosen at random by the seed.", valueName: "n"))
  var perCategory: Int?
  @Flag(help: "Leave bad rows out instead of stopping at the first.") var skipBad = false
  @Flag(help: "Put the file in the place of a data set of the same name.") var replace = false

  func perform(in context: Context) throws -> Work {
    let url = try context.files.reading(file.description)
    let options = LoadOptions(
      name: name?.description, textColumn: text?.description, categoryColumn: category?.description,
      skipBad: skipBad,
      sample: sample, perCategory: perCategory, seed: context.seed)
    let data = try AssetFile.open(
      url, shownAs: context.files.shown(file.description), options: options,
      opener: context.files.opener)
    if context.files.isOutside(url) {
      context.progress.message(
        "\(context.files.shown(file.description).visible) lies outside \(context.files.root.lastPathComponent): "
          + "a replay of this session will need --allow-read.")
    }
    return Work { workbench in
      let loaded = try workbench.load(data, replacing: replace, isCancelled: context.isCancelled) {
        done, total in
        context.progress.update(done: done, total: total, unit: "bytes", note: "reading")
      }
      return try report(loaded, remarks: data.remarks, workbench)
    }
  }

  private func report(_ loaded: Loading, remarks: [String], _ workbench: Workbench) throws -> Report {
    let dataset = loaded.dataset
    let categories = loaded.categories
    var report = Report(verb: "load")
    let sizes = Set(categories.map(\.count))
    var sentence = "Loaded \(dataset.name): \(counted(dataset.assets, "asset"))"
    switch (categories.count, sizes.count) {
    case (0, _): sentence += ", no categories"
    case (1, _): sentence += ", 1 category (\(categories[0].name.visible))"
    case (let count, 1): sentence += ", \(count) categories, \(categories[0].count) each"
    case (let count, _): sentence += ", \(count) categories of \(sizes.min() ?? 0) to \(sizes.max() ?? 0)"
    }
    report.blocks.append(.line("\(sentence) (sha256 \(String(dataset.digest.prefix(12))))."))
    for remark in remarks { report.blocks.append(.line("\(remark)")) }
    if dataset.skipped > 0 {
      report.blocks.append(.line("Left out \(counted(dataset.skipped, "bad row")):"))
      report.blocks += loaded.reasons.map { .line("  \($0.reason)") }
      if dataset.skipped > loaded.reasons.count {
        report.blocks.append(.line("  and \(dataset.skipped - loaded.reasons.count) more"))
      }
    }
    let unknown = try workbench.unknownCategories(of: dataset)
    if !unknown.isEmpty { report.blocks.append(.line("\(InterfaceVerb.lacking(unknown, dataset))")) }
    report.json = [
      "dataset": .string(dataset.name), "assets": .int(dataset.assets), "categories": .int(categories.count),
      "remarks": .array(remarks.map(JSONValue.string)), "sha256": .string(dataset.digest),
      "skipped": .int(dataset.skipped),
      "per_category": .object(
        Dictionary(
          categories.map { ($0.name, JSONValue.int($0.count)) }, uniquingKeysWith: { first, _ in first })),
    ]
    report.hint =
      try workbench.interface() == nil
      ? "interface load FILE, or interface define --from \(dataset.name)" : "predict"
    return report
  }
}
