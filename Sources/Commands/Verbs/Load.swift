import ArgumentParser
import Foundation
import Shell
import Workbench

/// Cells 1 and 3 of the tutorial: a file of texts becomes a data set of assets.
struct Load: Verb, DigestingVerb {
  static let configuration = CommandConfiguration(
    commandName: "load", abstract: "Read a data file into a named data set.",
    discussion: """
      Every fine-tuning begins with texts. fettle reads CSV (comma, semicolon, tab or bar, found by itself), JSON lines, and the \
      notebook's text|CATEGORY form. Each row becomes an asset; a category column, if there is one, is kept as the file's own. \
      Rows without a category load too: they wait for predict, or for you to label them.

      A column is given by its name, its number, or a beginning that only one has. Several --text are read as one text, a full stop \
      between. --map takes a table of two columns, old name and new: several old ones may become one, and an empty new name leaves the rows out.

      Examples:
        load Samples/news-1.csv
        load Samples/news-2.csv --sample 100
        load letters.csv --text subject --text body --category topic --name letters
        load answers.csv --text 3 --category 4 --only "Praise, Complaint"
        load archive.json --map sections.csv --per-category 100

      Next: interface load FILE, or interface define --from DATASET.
      """)

  @Argument(help: "The file.", completion: .file()) var file: Text
  @Option(help: ArgumentHelp("What to call the data set; the file's name if left out.", valueName: "name"))
  var name: Text?
  @Option(
    help: ArgumentHelp(
      "The column that holds the text; given several times, they are joined.", valueName: "column"))
  var text: [Text] = []
  @Option(
    help: ArgumentHelp("The column that holds the category; none for no categories.", valueName: "column"))
  var category: Text?
  @Option(help: ArgumentHelp("Keep only these categories, with commas between.", valueName: "names"))
  var only: [Text] = []
  @Option(
    help: ArgumentHelp("Give categories new names, from a table of old and new.", valueName: "file"),
    completion: .file())
  var map: Text?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Keep N assets, chosen at random by the seed.", valueName: "n")) var sample: Int?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Keep N assets of each category, chosen at random by the seed.", valueName: "n"))
  var perCategory: Int?
  @Flag(help: "Leave bad rows out instead of stopping at the first.") var skipBad = false
  @Flag(help: "Put the file in the place of a data set of the same name.") var replace = false

  var digestedFiles: [Text] { [file] + [map].compactMap { $0 } }

  func perform(in context: Context) throws -> Effect {
    let url = try context.files.reading(file.description)
    let map = try map.map { map in
      try CategoryMap.open(
        context.files.reading(map.description), shownAs: context.files.shown(map.description),
        opener: context.files.opener)
    }
    let options = LoadOptions(
      name: name?.description, textColumns: text.map(\.description), categoryColumn: category?.description,
      skipBad: skipBad, only: only.map(\.description), map: map, sample: sample, perCategory: perCategory,
      seed: context.seed)
    let data = try AssetFile.open(
      url, shownAs: context.files.shown(file.description), options: options,
      opener: context.files.opener)
    if context.files.isOutside(url) {
      context.progress.message(
        "\(file.description.visible) lies outside \(context.files.root.lastPathComponent): "
          + "a replay of this session will need --allow-read.")
    }
    return Effect { workbench in
      let loaded = try workbench.load(data, replacing: replace, isCancelled: context.isCancelled) {
        done, total in
        context.progress.update(done: done, total: total, unit: "bytes", note: "reading")
      }
      return try LoadReport(loaded: loaded, data: data).report(workbench)
    }
  }
}

/// What `load` answers: the data set, how its file was read, and what one should know about its rows.
private struct LoadReport {
  let loaded: Loading
  let data: AssetFile

  func report(_ workbench: Workbench) throws -> Report {
    let dataset = loaded.dataset
    let remarks = data.remarks + choices + texts + contradictions.prefix(1)
    var report = Report(verb: "load")
    report.blocks.append(.line("\(summary)"))
    // Where there was no choice, nothing hangs on it.
    let columnsTaken = data.hasChoiceOfColumns ? data.columnsTakenSentence : nil
    for line in [columnsTaken].compactMap({ $0 }) + data.remarks + choices + texts + contradictions {
      report.blocks.append(.line("\(line)"))
    }
    if dataset.skipped > 0 {
      report.blocks.append(.line("Left out \(counted(dataset.skipped, "bad row")):"))
      report.blocks += loaded.reasons.map { .line("  \($0.reason)") }
      if dataset.skipped > loaded.reasons.count {
        report.blocks.append(.line("  and \(dataset.skipped - loaded.reasons.count) more"))
      }
    }
    let unknown = try workbench.unknownCategories(of: dataset)
    if !unknown.isEmpty { report.blocks.append(.line("\(InterfaceVerb.lacking(unknown, dataset))")) }
    let columns = data.columnsTaken
    report.json = [
      "dataset": .string(dataset.name), "assets": .int(dataset.assets),
      "categories": .int(loaded.categories.count),
      "remarks": .array(remarks.map(JSONValue.string)), "sha256": .string(dataset.digest),
      "skipped": .int(dataset.skipped), "unlabelled": .int(loaded.unlabelled),
      "repeated": .int(loaded.survey.repeated), "contradictory": .int(loaded.survey.contradictory),
      "left_out": .int(loaded.leftOut.rows),
      "columns": .object([
        "text": .array((columns?.text ?? []).map(JSONValue.string)),
        "category": columns?.category.map(JSONValue.string) ?? .null,
      ]),
      "per_category": .object(
        Dictionary(
          loaded.categories.map { ($0.name, JSONValue.int($0.count)) },
          uniquingKeysWith: { first, _ in first })),
    ]
    report.hint =
      try workbench.interface() == nil
      ? "interface load FILE, or interface define --from \(dataset.name)" : "predict"
    return report
  }

  private var summary: String {
    let (dataset, categories) = (loaded.dataset, loaded.categories)
    let sizes = Set(categories.map(\.count))
    var sentence = "Loaded \(dataset.name): \(counted(dataset.assets, "asset"))"
    switch (categories.count, sizes.count) {
    case (0, _): sentence += ", no categories"
    case (1, _): sentence += ", 1 category (\(categories[0].name.visible))"
    case (let count, 1): sentence += ", \(count) categories, \(categories[0].count) each"
    case (let count, _): sentence += ", \(count) categories of \(sizes.min() ?? 0) to \(sizes.max() ?? 0)"
    }
    if !categories.isEmpty, loaded.unlabelled > 0 { sentence += ", \(loaded.unlabelled) unlabelled" }
    return "\(sentence) (sha256 \(String(dataset.digest.prefix(12))))."
  }

  /// What a map and a choice of categories did.
  private var choices: [String] {
    let leftOut = loaded.leftOut
    var lines: [String] = []
    if let map = data.options.map {
      let file = map.file.visible
      lines.append(
        "Categories renamed by \(file) (sha256 \(map.digest.prefix(12))), which leaves out \(counted(leftOut.byMap, "row"))."
      )
      if !leftOut.unknown.isEmpty {
        let list = leftOut.unknown.prefix(10).map { name, near in
          name.excerpt() + (near.map { " (nearest: \($0.excerpt()))" } ?? "")
        }
        lines.append(
          "\(file) names what no row has: \(list.joined(separator: ", "))\(rest(leftOut.unknown.count)).")
      }
      if !leftOut.unmapped.isEmpty {
        let list = leftOut.unmapped.prefix(10).map { $0.excerpt() }.joined(separator: ", ")
        lines.append("\(file) does not name \(list)\(rest(leftOut.unmapped.count)), which stay as they are.")
      }
    }
    if !data.options.only.isEmpty { lines.append("--only leaves out \(counted(leftOut.byOnly, "row")).") }
    if leftOut.unlabelled > 0 {
      lines.append("--per-category leaves out \(counted(leftOut.unlabelled, "row")) without a category.")
    }
    return lines
  }

  private func rest(_ count: Int) -> String { count > 10 ? " and \(count - 10) more" : "" }

  private var texts: [String] {
    let survey = loaded.survey
    var lines: [String] = []
    switch survey.severalLines {
    case 0: break
    case 1: lines.append("1 text goes over \(survey.mostLines) lines.")
    case let count:
      lines.append("\(count) texts go over several lines, the longest over \(survey.mostLines).")
    }
    return lines + [repetitionRemark(survey.repeated, of: "row")].compactMap { $0 }
  }

  /// How many texts have contradicting categories, and the first few of them.
  private var contradictions: [String] {
    let (count, some) = (loaded.survey.contradictory, loaded.survey.contradictions)
    guard count > 0 else { return [] }
    let lines = some.compactMap { assets -> String? in
      guard let first = assets.first else { return nil }
      let places = assets.map { asset in
        "\(asset.category?.excerpt(40) ?? "") in line \(asset.line) (\(asset.externalID.excerpt(40)))"
      }
      return "  \"\(first.text.excerpt(40))\": \(places.joined(separator: ", "))"
    }
    return ["\(count) \(count == 1 ? "text has" : "texts have") contradicting categories:"] + lines
      + (count > some.count ? ["  and \(count - some.count) more"] : [])
  }
}
