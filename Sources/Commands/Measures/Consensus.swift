import Scoring
import Shell
import Workbench

/// How far the readers of a data set agree with each other: the tutorial's consensus.
///
/// It is about people's labels alone, which no processor rounds, so its numbers are exact.
struct Consensus {
  private let dataset: Dataset
  private let readers: [Labeller]
  /// The labels of each asset that two or more labelled.
  private let assets: [[Label]]

  /// - Throws: `CommandError.other` where fewer than two have labelled, or no asset twice.
  init(of dataset: Dataset, _ workbench: Workbench) throws {
    self.dataset = dataset
    readers = try workbench.labellers(of: dataset)
    var grouped: [[Label]] = []
    for label in try workbench.labels(of: dataset) {
      if grouped.last?.last?.asset == label.asset {
        grouped[grouped.count - 1].append(label)
      } else {
        grouped.append([label])
      }
    }
    assets = grouped.filter { $0.count > 1 }
    guard readers.count > 1 else {
      let who = readers.first.map { "Only \($0.author.visible) has labelled \(dataset.name)" }
      throw CommandError.other(
        code: "one-reader",
        "\(who ?? "Nobody has labelled \(dataset.name)"). A consensus takes two readers; a second one can be simulated: "
          + "label simulate --author reader-2 --noise 0.1")
    }
    guard !assets.isEmpty else {
      throw CommandError.other(
        code: "nothing-shared",
        "No asset of \(dataset.name) has labels of two readers, so there is nothing to compare.")
    }
  }

  private var choices: [[String]] { assets.map { $0.map(\.category) } }

  /// Two readers on the assets that both labelled.
  private struct Pair {
    var first: String
    var second: String
    var labels: [(first: String, second: String)]
    var agree: Int { labels.count { $0.first == $0.second } }
    var kappa: Double? { Agreement.kappa(labels) }
  }

  private var pairs: [Pair] {
    let byReader = assets.map { Dictionary($0.map { ($0.author, $0.category) }) { first, _ in first } }
    return readers.indices.flatMap { first in
      readers.indices.dropFirst(first + 1).map { second in
        let (one, other) = (readers[first].author, readers[second].author)
        return Pair(
          first: one, second: other,
          labels: byReader.compactMap { labels in
            guard let mine = labels[one], let theirs = labels[other] else { return nil }
            return (mine, theirs)
          })
      }
    }
  }

  func report(_ workbench: Workbench) throws -> Report {
    var report = Report(verb: "kpi")
    let agreements = choices.map { IntersectionOverUnion($0) }
    let agree = choices.count { Set($0).count == 1 }
    let alpha = Agreement.alpha(choices)
    let pairs = pairs
    let names = readers.map { "\($0.author.visible) (\($0.labels))" }
    report.blocks.append(
      .line(
        "\(readers.count) readers of \(dataset.name): \(names.joined(separator: ", ")); \(counted(assets.count, "asset")) with labels of two or more"
      ))
    var fields: [(name: String, value: Cell)] = [
      ("all agree", "\(agree)"),
      ("consensus", "\(number(agreements.mean))   (Kili's IoU, mean over assets)"),
    ]
    if pairs.count == 1 { fields.append(("Cohen's kappa", "\(number(pairs[0].kappa))")) }
    fields.append(("Krippendorff's alpha", "\(number(alpha))"))
    report.blocks.append(.fields(fields))
    if pairs.count > 1 {
      report.blocks.append(
        .table(
          Table(
            header: ["reader", "and", "assets", "agree", "kappa"],
            rows: pairs.map {
              [
                "\($0.first.visible)", "\($0.second.visible)", "\($0.labels.count)", "\($0.agree)",
                "\(number($0.kappa))",
              ]
            }, alignments: [.left, .left, .right, .right, .right])))
    }
    let specific = Agreement.specific(choices)
    let keys = try workbench.order(of: Set(specific.keys))
    let given = Dictionary(choices.joined().map { ($0, 1) }, uniquingKeysWith: +)
    report.blocks.append(
      .table(
        Table(
          header: ["category", "labels", "agreement"],
          rows: try keys.map {
            ["\(try workbench.name(ofCategory: $0))", "\(given[$0] ?? 0)", "\(number(specific[$0]?.value))"]
          }, alignments: [.left, .right, .right])))
    if let odds = try mostAtOdds(keys, workbench) {
      report.blocks.append(.line("most often at odds: \(odds)"))
    }
    report.json = [
      "dataset": .string(dataset.name), "readers": .int(readers.count), "assets": .int(assets.count),
      "agree": .int(agree), "consensus": .double(agreements.mean ?? .nan), "alpha": .double(alpha ?? .nan),
      "kappa": pairs.count == 1 ? .double(pairs[0].kappa ?? .nan) : .null,
      "pairs": .array(
        pairs.map {
          .object([
            "readers": .array([.string($0.first), .string($0.second)]), "assets": .int($0.labels.count),
            "agree": .int($0.agree), "kappa": .double($0.kappa ?? .nan),
          ])
        }),
      "categories": .object(specific.mapValues { .double($0.value ?? .nan) }),
    ]
    report.hint = agree < assets.count ? "show assets --where disagree" : nil
    return report
  }

  /// The pairs of categories that readers of one asset chose, the most frequent first.
  private func mostAtOdds(_ keys: [String], _ workbench: Workbench) throws -> String? {
    var odds: [[Int]: Int] = [:]
    for labels in choices {
      for (index, first) in labels.enumerated() {
        for second in labels[(index + 1)...] where first != second {
          odds[[first, second].compactMap { keys.firstIndex(of: $0) }.sorted(), default: 0] += 1
        }
      }
    }
    let worst = odds.sorted { ($1.value, $0.key[0], $0.key[1]) < ($0.value, $1.key[0], $1.key[1]) }.prefix(3)
    let texts = try worst.map { pair, count in
      "\(try pair.map { try workbench.name(ofCategory: keys[$0]) }.joined(separator: " and ")) (\(count))"
    }
    return texts.isEmpty ? nil : texts.joined(separator: ", ")
  }

  private func number(_ value: Double?) -> String { value.map { fixed($0, 3) } ?? "n/a" }
}
