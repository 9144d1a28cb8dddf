import ArgumentParser
import Shell
import Workbench

extension LabelVerb {
  /// The file's own categories, for the rows that have one.
  struct FileLabels: Verb {
    static let configuration = CommandConfiguration(
      commandName: "file", abstract: "Take the file's own categories as labels.",
      discussion: """
        Most people's files are labelled in part. Each asset that has a category in the file gets it as its label, by an author named file; \
        the others have none and wait for predict. People's labels count before these, and these before simulated ones.

        Examples:
          label file
          label file --dataset letters

        Next: finetune, then predict.
        """)
    @OptionGroup var data: DatasetOption

    func perform(in context: Context) throws -> Effect {
      Effect { workbench in
        let dataset = try data.resolve(workbench)
        try workbench.requireCategories(of: dataset)
        let categories = try workbench.fileCategories(of: dataset)
        let labels = categories.sorted { $0.key < $1.key }.map {
          Label(asset: $0.key, author: Label.fileAuthor, category: $0.value, source: .file)
        }
        try workbench.insert(labels: labels)
        var report = Report(verb: "label file")
        let waiting = dataset.assets - labels.count
        let rest =
          waiting == 0
          ? ""
          : "; \(waiting) \(waiting == 1 ? "has no category and waits" : "have no category and wait") for predict"
        report.blocks.append(
          .line("The file labelled \(counted(labels.count, "asset")) of \(dataset.name)\(rest)."))
        let texts = try workbench.repeatedTexts(of: dataset)
        let remarks = try workbench.rank(of: labels, in: dataset) + workbench.remarks(on: texts)
        report.blocks += remarks.map { .line("\($0)") }
        report.json = [
          "dataset": .string(dataset.name), "author": .string(Label.fileAuthor), "labels": .int(labels.count),
          "unlabelled": .int(waiting), "repeated": .int(texts.assets),
          "contradictory": .int(texts.contradictions.count),
        ]
        report.hint =
          waiting == 0 ? "kpi, then finetune" : "finetune --method linear, then predict labels the others"
        return report
      }
    }
  }
}

extension Workbench {
  /// Makes sure that a file's own categories can become labels.
  ///
  /// - Throws: `CommandError` where it has none, or one that the interface lacks.
  func requireCategories(of dataset: Dataset) throws {
    guard dataset.categories > 0 else {
      throw CommandError.other(
        code: "no-categories",
        "\(dataset.name) has no category column to take labels from. Load it with --category COLUMN.")
    }
    let unknown = try unknownCategories(of: dataset)
    guard unknown.isEmpty else {
      throw CommandError.other(
        code: "category-not-in-interface",
        InterfaceVerb.lacking(unknown, dataset)
          + " Mend the file or the interface: interface define --from \(dataset.name)")
    }
  }
}
