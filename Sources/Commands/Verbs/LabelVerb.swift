import ArgumentParser
import Encoder
import Foundation
import Shell
import Workbench

/// Cell 6 of the tutorial: the labels to learn from, which people gave, or the file has, or that are simulated.
struct LabelVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "label", abstract: "Give assets their human (DEFAULT) labels.",
    discussion: """
      A model learns from labels. label file takes the categories that the file has, for the rows that have one; the others wait for \
      predict. Kili's tutorial simulates people instead: in label simulate, --noise lets the simulated labeller err now and then, as people \
      do.

      label alone asks you yourself, at the keyboard: one key a category, each label kept at once, and the next time it goes on where you \
      left. label import takes what another reader has labelled.

      Where an asset has several labels, people's count before the file's, and the file's before simulated ones, in whatever order they \
      were given. Between several people the majority counts, and of as many for each the one who labelled first.

      Examples:
        label file
        label simulate --dataset news-2 --noise 0.1 --author trainee
        label --author ana
        label set news-1-001 SPORTS
        label import Samples/second-reader.csv

      Next: kpi, finetune.
      """,
    subcommands: [FileLabels.self, Simulate.self, ByHand.self, SetLabel.self, Remove.self, Import.self],
    defaultSubcommand: ByHand.self)

  struct Simulate: Verb {
    static let configuration = CommandConfiguration(
      commandName: "simulate", abstract: "Pretend that a reader labelled, now and then wrongly.",
      discussion: """
        Each asset that has a category in the file gets it as its label, or with --noise SHARE in that share of them another one. \
        Simulated labels count only where neither people nor label file have said otherwise.

        Examples:
          label simulate
          label simulate --noise 0.1 --author trainee

        Next: kpi, finetune.
        """)
    @OptionGroup var data: DatasetOption
    @Option(
      parsing: .unconditional,
      help: ArgumentHelp("The share of labels, 0 to 1, that are wrong on purpose.", valueName: "share"),
      transform: { text in
        guard let share = Double(text), (0...1).contains(share) else {
          throw ValidationError("--noise is a share from 0 to 1, such as 0.1")
        }
        return share
      })
    var noise: Double = 0
    @Option(help: ArgumentHelp("Who labelled.", valueName: "author")) var author: Text = Text(
      argument: "simulated")

    func perform(in context: Context) throws -> Effect {
      Effect { workbench in
        _ = try AuthorOption.checked(author.description)
        let dataset = try data.resolve(workbench)
        try workbench.requireCategories(of: dataset)
        // The seed of this moment in the log: another shell may have set it since the line began.
        let seed = try Settings(workbench).seed
        let (labels, wrong, kept) = try simulated(dataset, seed: seed, workbench)
        try workbench.insert(labels: labels)
        let author = author.description
        var report = Report(verb: "label simulate")
        var sentence = "\(author.visible) labelled \(counted(labels.count, "asset")) of \(dataset.name)"
        if noise > 0 { sentence += ", \(wrong) of them wrongly on purpose" }
        report.blocks.append(.line("\(sentence)."))
        if kept > 0 {
          report.blocks.append(
            .line(
              "\(counted(kept, "label")) that \(author.visible) gave by hand \(kept == 1 ? "stays" : "stay")."
            ))
        }
        let texts = try workbench.repeatedTexts(of: dataset)
        let remarks = try workbench.rank(of: labels, in: dataset) + workbench.remarks(on: texts)
        report.blocks += remarks.map { .line("\($0)") }
        report.json = [
          "dataset": .string(dataset.name), "author": .string(author), "labels": .int(labels.count),
          "wrong": .int(wrong), "repeated": .int(texts.assets),
          "contradictory": .int(texts.contradictions.count),
        ]
        report.hint = "kpi, then finetune"
        return report
      }
    }

    /// Each author errs on assets of their own: people do not make the same mistakes. FNV-1a (Fowler, Noll and Vo), since
    /// Swift's own hash differs from run to run.
    private static func stream(of author: String) -> UInt64 {
      author.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// The labels, how many of them are wrong on purpose (another category, any of them equally likely), and how many
    /// assets keep what a person of this name gave them.
    private func simulated(
      _ dataset: Dataset, seed: UInt64, _ workbench: Workbench
    ) throws -> (labels: [Label], wrong: Int, kept: Int) {
      let interface = try workbench.interface()
      let keys =
        try interface?.classes.map(\.key)
        ?? workbench.categories(of: dataset).map { CategoryKey.key(forName: $0.name) }
      var random = RandomNumbers(seed: seed, stream: Self.stream(of: author.description))
      let byHand = Set(
        try workbench.labels(of: dataset)
          .filter { $0.author == author.description && $0.source == .person }.map(\.asset))
      var wrong = 0
      var labels: [Label] = []
      // Files write a category in one or two ways, and what each means is looked up once.
      var keysByName: [String: String] = [:]
      for asset in try workbench.assets(of: dataset) {
        guard let name = asset.category else { continue }
        var key = keysByName[name] ?? interface?.key(name) ?? CategoryKey.key(forName: name)
        keysByName[name] = key
        let others = keys.filter { $0 != key }
        // Drawn for every asset, so that more noise errs on the same assets and more.
        let (chance, other) = (random.uniform(), random.below(max(1, others.count)))
        if byHand.contains(asset.id) { continue }
        if Double(chance) < noise, !others.isEmpty {
          key = others[other]
          wrong += 1
        }
        labels.append(
          Label(asset: asset.id, author: author.description, category: key, source: .simulated))
      }
      return (labels, wrong, byHand.count)
    }
  }
}
