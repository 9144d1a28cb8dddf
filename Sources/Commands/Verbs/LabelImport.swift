import ArgumentParser
import Basics
import Foundation
import Shell
import Workbench

extension LabelVerb {
  /// Another reader's labels, from a file.
  struct Import: Verb {
    static let configuration = CommandConfiguration(
      commandName: "import", abstract: "Take another reader's labels from a file.",
      discussion: """
        Two people who read the same texts do not always choose the same category, and how often they do says how clear the categories \
        are. The file has a row for each label: the asset's id or its text, and the category. Who labelled is --author, else the \
        file's author column, else the file's name. All rows are taken, or, when the interface lacks a category, none. They are people's \
        labels, which count before the file's own categories and before simulated ones.

        Examples:
          label import Samples/second-reader.csv
          label import Samples/second-reader.csv --author ana

        Next: kpi.
        """)
    @Argument(help: "The file: CSV, JSON lines or text|CATEGORY.", completion: .file()) var file: Text
    @Option(
      help: ArgumentHelp(
        "Who labelled; the file's author column, or its name, if left out.", valueName: "author"))
    var author: Text?
    @Option(help: ArgumentHelp("The column that holds the text or the id.", valueName: "column")) var text:
      Text?
    @Option(help: ArgumentHelp("The column that holds the category.", valueName: "column")) var category:
      Text?
    @OptionGroup var data: DatasetOption

    func perform(in context: Context) throws -> Effect {
      let url = try context.files.reading(file.description)
      let data = try open(
        url, shownAs: context.files.shown(file.description), opener: context.files.opener)
      guard data.hasCategories else {
        throw CommandError.other(
          code: "no-categories", "\(data.file.visible) has no categories. Name the column: --category COLUMN")
      }
      return Effect { try take(data, context, $0) }
    }

    /// A file of labels may have ids and no texts.
    private func open(_ url: URL, shownAs: String, opener: FileOpener) throws -> AssetFile {
      var options = LoadOptions(
        textColumns: [text?.description].compactMap { $0 }, categoryColumn: category?.description,
        skipBad: true, needsCategories: true)
      do {
        return try AssetFile.open(url, shownAs: shownAs, options: options, opener: opener)
      } catch LoadError.missingColumn(let file, let line, .text, let found) {
        guard let column = found.first(where: { ["id", "external_id"].contains($0.lowercased()) }) else {
          throw LoadError.missingColumn(file: file, line: line, role: .text, found: found)
        }
        options.textColumns = [column]
        return try AssetFile.open(url, shownAs: shownAs, options: options, opener: opener)
      }
    }

    private func take(_ file: AssetFile, _ context: Context, _ workbench: Workbench) throws -> Report {
      let dataset = try data.resolve(workbench)
      var assets = AssetFinder(try workbench.assets(of: dataset))
      let interface = try workbench.interface()
      var labels: [Label] = []
      var strangers: [String] = []
      var unknown: [String: Int] = [:]
      // Files write a category in one or two ways, and what each means is looked up once.
      var keysByName: [String: String] = [:]
      var rows = try file.rows()
      while let row = try rows.next() {
        try context.checkCancellation()
        let name = row.category ?? ""
        let key = keysByName[name] ?? interface?.category(name)?.key
        keysByName[name] = key
        if interface != nil, key == nil { unknown[name, default: 0] += 1 }
        let found = assets.find(row, hasIdentifiers: file.hasIdentifiers)
        if found.isEmpty { strangers.append(file.hasIdentifiers ? row.externalID : row.text) }
        let author = try self.author(of: row, in: file)
        labels += found.map {
          Label(asset: $0, author: author, category: key ?? CategoryKey.key(forName: name))
        }
      }
      try refuse(unknown, interface, file)
      guard !labels.isEmpty || !strangers.isEmpty else {
        throw CommandError.other(
          code: "no-labels",
          "\(file.file.visible) has no row with a label. "
            + (rows.reasons.first.map(\.reason) ?? "Each row needs an id or a text, and a category."))
      }
      guard !labels.isEmpty else {
        throw CommandError.other(
          code: "no-match",
          "None of the \(counted(strangers.count, "row")) of \(file.file.visible) is about an asset of \(dataset.name): "
            + "neither an id nor a text matches. Name the data set: --dataset NAME")
      }
      try workbench.insert(labels: labels)
      var report = report(file, dataset, labels, strangers, rows)
      for sentence in try workbench.rank(of: labels, in: dataset) {
        report.blocks.append(.line("\(sentence)"))
      }
      return report
    }

    private func author(of row: AssetRow, in file: AssetFile) throws -> String {
      let own = row.author?.trimmingCharacters(in: .whitespaces) ?? ""
      return try AuthorOption.checked(author?.description ?? (own.isEmpty ? file.name : own))
    }

    private func refuse(_ unknown: [String: Int], _ interface: Interface?, _ file: AssetFile) throws {
      guard !unknown.isEmpty else { return }
      let list = unknown.sorted { $0.key < $1.key }.prefix(10).map { name, count in
        "\(name.visible) (\(counted(count, "row"))"
          + (interface?.nearest(to: name).map { ", nearest: \($0.name.visible))" } ?? ")")
      }
      let rest = unknown.count > list.count ? " and \(unknown.count - list.count) more" : ""
      throw CommandError.other(
        code: "category-not-in-interface",
        "The interface lacks what \(file.file.visible) has: \(list.joined(separator: ", "))\(rest). "
          + "Nothing was taken. Mend the file or the interface.")
    }

    private func report(
      _ file: AssetFile, _ dataset: Dataset, _ labels: [Label], _ strangers: [String], _ rows: AssetRows
    ) -> Report {
      var report = Report(verb: "label import")
      // Of two rows about one asset the later one stands.
      let kept = Dictionary(grouping: labels, by: \.author).mapValues { Set($0.map(\.asset)).count }
      let authors = kept.keys.sorted()
      for author in authors {
        report.blocks.append(
          .line(
            "\(author.visible) labelled \(counted(kept[author] ?? 0, "asset")) of \(dataset.name) (sha256 \(String(file.digest.prefix(12))))."
          ))
      }
      let contradicted = Set(
        Dictionary(grouping: labels) { "\($0.asset) \($0.author)" }.values
          .filter { Set($0.map(\.category)).count > 1 }.map { $0[0].asset }
      ).count
      if contradicted > 0 {
        report.blocks.append(
          .line(
            "\(counted(contradicted, "asset")) of the file \(contradicted == 1 ? "has" : "have") rows that differ; the last one counts."
          ))
      }
      for remark in file.remarks { report.blocks.append(.line("\(remark)")) }
      if !strangers.isEmpty {
        let some = strangers.prefix(5).map { String($0.prefix(40)).visible }.joined(separator: ", ")
        let rest = strangers.count > 5 ? " and \(strangers.count - 5) more" : ""
        report.blocks.append(
          .line(
            "\(counted(strangers.count, "row")) without an asset in \(dataset.name), left out: \(some)\(rest)."
          ))
      }
      if rows.skipped > 0 {
        report.blocks.append(.line("Left out \(counted(rows.skipped, "bad row")):"))
        report.blocks += rows.reasons.map { .line("  \($0.reason)") }
      }
      report.json = [
        "dataset": .string(dataset.name), "authors": .array(authors.map(JSONValue.string)),
        "labels": .int(kept.values.reduce(0, +)), "unmatched": .int(strangers.count),
        "skipped": .int(rows.skipped), "sha256": .string(file.digest),
      ]
      report.hint = "kpi"
      return report
    }
  }
}

/// Finds the assets that a row of labels is about: by its id, else by its text, which may itself be an id.
private struct AssetFinder {
  private let byID: [String: Int]
  private let assets: [Asset]
  private lazy var byText = Dictionary(grouping: assets) { Self.trimmed($0.text) }.mapValues { $0.map(\.id) }

  init(_ assets: [Asset]) {
    self.assets = assets
    byID = Dictionary(assets.map { ($0.externalID, $0.id) }, uniquingKeysWith: { first, _ in first })
  }

  /// Several, where the data set has the text more than once.
  mutating func find(_ row: AssetRow, hasIdentifiers: Bool) -> [Int] {
    if hasIdentifiers, let found = byID[row.externalID] { return [found] }
    let text = Self.trimmed(row.text)
    if let found = byID[text] { return [found] }
    return byText[text] ?? []
  }

  private static func trimmed(_ text: String) -> String {
    text.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
