import Basics
import Scoring
import Shell
import Workbench

/// How well each reader does where the truth is known: the tutorial's honeypot.
struct Honeypot {
  /// What stands for the file's own categories where an author's name is asked for.
  static let file = Label.fileAuthor

  private let dataset: Dataset
  private let truthName: String
  private let readers: [Reader]

  private struct Reader {
    var author: String
    var outcomes: [ConfusionMatrix.Outcome]

    var right: Proportion { Proportion(outcomes.count { $0.truth == $0.prediction }, of: outcomes.count) }
    /// Kili's honeypot: the mean IoU of the reader's label and the known one.
    var honeypot: Double? { outcomes.map { IntersectionOverUnion([$0.truth, $0.prediction]) }.mean }
  }

  /// - Parameter truth: an author, whose labels are right, or `file`.
  init(of dataset: Dataset, truth: String, _ workbench: Workbench) throws {
    self.dataset = dataset
    let authors = try workbench.labellers(of: dataset).map(\.author)
    let labels = try workbench.labels(of: dataset)
    var right: [Int: String] = [:]
    if truth == Self.file {
      truthName = "the file's own categories"
      right = try workbench.fileCategories(of: dataset)
      guard !right.isEmpty else { throw CommandError.noTruth(dataset: dataset.name) }
    } else if authors.contains(truth) {
      truthName = "the labels of \(truth.visible)"
      for label in labels where label.author == truth { right[label.asset] = label.category }
    } else {
      let near = nearest(truth, among: authors + [Self.file])
      throw CommandError.other(
        code: "no-such-author",
        "Nobody named \(truth.visible) has labelled \(dataset.name). "
          + (near.map { "Did you mean \($0.visible)?" }
            ?? "Name one who has, or \(Self.file) for the file's own categories."))
    }
    readers = authors.filter { $0 != truth }.map { author in
      Reader(
        author: author,
        outcomes: labels.compactMap { label in
          guard label.author == author, let truth = right[label.asset] else { return nil }
          return ConfusionMatrix.Outcome(truth: truth, prediction: label.category)
        })
    }
    guard !readers.isEmpty else {
      throw CommandError.other(
        code: "one-reader",
        "Nobody else has labelled \(dataset.name). A reader can be simulated: label simulate --author reader-2 --noise 0.1"
      )
    }
  }

  func report(_ workbench: Workbench) throws -> Report {
    var report = Report(verb: "kpi")
    report.blocks.append(
      .line("\(counted(readers.count, "reader")) of \(dataset.name), measured against \(truthName)"))
    report.blocks.append(
      .table(
        Table(
          header: ["reader", "assets", "right", "share", "95 % from", "95 % to", "honeypot (IoU)"],
          rows: readers.map { reader in
            let right = reader.right
            return [
              "\(reader.author.visible)", "\(right.total)", "\(right.count)", "\(number(right.value))",
              "\(number(right.interval?.lowerBound))", "\(number(right.interval?.upperBound))",
              "\(number(reader.honeypot))",
            ]
          }, alignments: [.left] + Array(repeating: .right, count: 6))))
    for reader in readers {
      let keys = try workbench.order(of: Set(reader.outcomes.flatMap { [$0.truth, $0.prediction] }))
      let worst = try ConfusionMatrix(categories: keys, outcomes: reader.outcomes).worst(3).map {
        "\(try workbench.name(ofCategory: $0.truth)) as \(try workbench.name(ofCategory: $0.prediction)) (\($0.count))"
      }
      if !worst.isEmpty {
        report.blocks.append(
          .line("\(reader.author.visible) most often labels \(worst.joined(separator: ", "))"))
      }
    }
    report.json = [
      "dataset": .string(dataset.name),
      "readers": .object(
        Dictionary(
          readers.map { reader in
            (
              reader.author,
              .object([
                "assets": .int(reader.right.total), "agree": .int(reader.right.count),
                "accuracy": .double(reader.right.value ?? .nan), "honeypot": .double(reader.honeypot ?? .nan),
              ])
            )
          }, uniquingKeysWith: { first, _ in first })),
    ]
    return report
  }

  private func number(_ value: Double?) -> String { value.map { fixed($0, 3) } ?? "n/a" }
}
