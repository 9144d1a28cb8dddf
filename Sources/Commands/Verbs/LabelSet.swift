import ArgumentParser
import Basics
import Foundation
import Shell
import Tasks
import Workbench

/// `--author NAME`, on the verbs that give or take back labels one by one.
struct AuthorOption: ParsableArguments {
  /// What a person at the keyboard is called who gave no name.
  static let nobodyNamed = "me"

  @Option(help: ArgumentHelp("Who labels; me if left out.", valueName: "author"))
  var author: Text = Text(argument: nobodyNamed)

  func resolve() throws -> String {
    try Self.checked(author.description)
  }

  /// - Throws: `CommandError` for a name that tells nobody, or somebody else.
  static func checked(_ author: String) throws -> String {
    let name = author.trimmingCharacters(in: .whitespaces)
    guard !name.isEmpty else { throw CommandError.usage("--author needs a name.") }
    guard name.lowercased() != Label.fileAuthor else {
      throw CommandError.usage(
        "Nobody is called \(Label.fileAuthor), which stands for the file's own categories (label file). "
          + "Name the reader: --author NAME")
    }
    return author
  }
}

extension LabelVerb {
  /// One label: what labelling by hand is recorded as.
  struct SetLabel: Verb {
    static let configuration = CommandConfiguration(
      commandName: "set", abstract: "Give one asset its label.",
      discussion: """
        This is how the document keeps what was labelled by hand. A second label by the same author takes the place of the first. It \
        counts before the file's own category and before simulated labels; where other people have labelled the asset too, the majority \
        counts, and of as many for each the one who labelled first.

        Examples:
          label set news-1-001 SPORTS
          label set news-1-002 WORLD NEWS --author ana

        Next: kpi, finetune.
        """)
    @Argument(help: "The asset's id.") var asset: Text
    @Argument(help: "The category, by key or name.") var category: [Text]
    @OptionGroup var by: AuthorOption
    @OptionGroup var data: DatasetOption

    func perform(in context: Context) throws -> Effect {
      Effect { workbench in
        let author = try by.resolve()
        let dataset = try data.resolve(workbench)
        let asset = try workbench.asset(named: asset.description, in: dataset)
        let typed = category.map(\.description).joined(separator: " ")
        let key = try workbench.categoryKey(typed)
        let label = Label(asset: asset.id, author: author, category: key)
        try workbench.insert(labels: [label])
        let count = try workbench.labels(of: dataset, by: author).count
        var report = Report(verb: "label set")
        report.blocks.append(
          .line(
            "\(asset.externalID.visible): \(try workbench.name(ofCategory: key)) (\(author.visible), \(count) of \(dataset.assets))"
          ))
        let verdict = try workbench.verdict(of: asset, in: dataset)
        if let verdict, let remark = try workbench.remark(on: verdict, of: asset, given: label) {
          report.blocks.append(.line("\(remark)"))
        }
        report.json = [
          "asset": .string(asset.externalID), "category": .string(key), "author": .string(author),
          "dataset": .string(dataset.name), "labels": .int(count),
          "counts": .string(verdict?.category ?? key),
        ]
        report.hint = "kpi, then finetune"
        return report
      }
    }
  }

  /// Takes one label back.
  struct Remove: Verb {
    static let configuration = CommandConfiguration(
      commandName: "remove", abstract: "Take one asset's label back.",
      discussion: """
        Examples:
          label remove news-1-001
          label remove news-1-002 --author ana

        Next: label set, or label.
        """)
    @Argument(help: "The asset's id.") var asset: Text
    @OptionGroup var by: AuthorOption
    @OptionGroup var data: DatasetOption

    func perform(in context: Context) throws -> Effect {
      Effect { workbench in
        let author = try by.resolve()
        let dataset = try data.resolve(workbench)
        let asset = try workbench.asset(named: asset.description, in: dataset)
        let labels = try workbench.labels(of: dataset, by: author)
        guard labels[asset.id] != nil else {
          throw CommandError.other(
            code: "no-labels", "\(author.visible) has not labelled \(asset.externalID.visible).")
        }
        try workbench.removeLabel(of: asset, by: author)
        let verdict = try workbench.verdict(of: asset, in: dataset)
        var report = Report(verb: "label remove")
        report.blocks.append(
          .line(
            "\(asset.externalID.visible): no label (\(author.visible), \(labels.count - 1) of \(dataset.assets))"
          ))
        if let verdict {
          report.blocks.append(
            .line(
              "\(try workbench.name(ofCategory: verdict.category)) counts, by \(verdict.decider.visible)."))
        }
        report.json = [
          "asset": .string(asset.externalID), "author": .string(author), "dataset": .string(dataset.name),
          "labels": .int(labels.count - 1), "counts": verdict.map { .string($0.category) } ?? .null,
        ]
        report.hint = "label set, or label"
        return report
      }
    }
  }
}

extension Workbench {
  /// - Throws: `CommandError` that names the nearest id where there is no such asset.
  func asset(named id: String, in dataset: Dataset) throws -> Asset {
    if let found = try asset(id: id, in: dataset) { return found }
    let near = nearest(id, among: try assets(of: dataset, limit: 10_000).map(\.externalID))
    throw CommandError.other(
      code: "unknown-asset",
      "There is no asset \(id.visible) in \(dataset.name)."
        + (near.map { " Did you mean \($0.visible)?" } ?? ""))
  }

  /// The key of a category that was typed by name or key.
  ///
  /// - Throws: `CommandError` that names the nearest one, or all, where the interface has none such.
  func categoryKey(_ typed: String) throws -> String {
    guard let interface = try interface() else { throw TaskError.noInterface }
    if let found = interface.category(typed) { return found.key }
    let near = interface.nearest(to: typed)
    throw CommandError.other(
      code: "category-not-in-interface",
      "The interface has no category \(typed.visible). "
        + (near.map { "Did you mean \($0.name.visible)?" }
          ?? "It has: \(interface.categories.map(\.name.visible).joined(separator: ", ")).")
    )
  }
}
