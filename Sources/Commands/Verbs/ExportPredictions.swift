import ArgumentParser
import Foundation
import Shell
import Tasks
import Workbench

extension Export {
  /// What a model predicted, for whoever goes on in a spreadsheet or in a program of their own.
  struct Predictions: Verb {
    static let configuration = CommandConfiguration(
      commandName: "predictions", abstract: "Write a data set's predictions as CSV or JSON lines.",
      discussion: """
        A row for each asset, in the file's order: id, the columns of the file that was loaded, then prediction, confidence and model. \
        Categories are written by their keys, as in labels. Where the file itself has a column of one of those three names, that is \
        written as file_prediction and so on. Where the file is gone or has changed since it was loaded, its text and category stand \
        in for its columns.

        Without --model it takes the model that predicted last, as kpi does.

        Examples:
          export predictions letters-predicted.csv
          export predictions out.jsonl --dataset news-2 --model base --replace
        """)
    @Argument(help: "The file to write: .csv or .jsonl.", completion: .file(extensions: ["csv", "jsonl"]))
    var file: Text
    @OptionGroup var data: DatasetOption
    @Option(help: ArgumentHelp("The model; the one that predicted last if left out.", valueName: "model"))
    var model: Text?
    @Flag(help: "Write over a file that is there.") var replace = false

    func perform(in context: Context) throws -> Effect {
      let path = file.description
      guard let form = PredictionsFile.Form(rawValue: URL(filePath: path).pathExtension.lowercased()) else {
        throw CommandError.usage(
          "\(path.visible) is neither a table nor JSON lines. End the name in .csv (for spreadsheets) or .jsonl (for programs)."
        )
      }
      let (dataset, name, rows) = try context.workspace.read { workbench in
        let dataset = try data.resolve(workbench)
        let run = try workbench.completeRun(of: model?.description, over: dataset, in: context.models)
        return (dataset, run.model, try workbench.predictions(of: run))
      }
      let stale = context.staleness(of: [model], over: data)
      let shown = context.files.shown(path)
      let target = NewFile(
        try context.files.writing(path, replacing: replace), shownAs: shown, in: context.workspace)
      let original = OriginalTable.read(dataset, for: rows.map(\.asset))
      let table = PredictionsFile(form: form, model: name, rows: rows, original: original)
      try target.write { output in
        if let header = table.header { try output.append(header) }
        for row in rows {
          try context.checkCancellation()
          try output.append(table.line(for: row))
        }
      }
      let recordedOptions: (Workbench) throws -> [String] = { try data.recordedOptions(dataset, $0) }
      return Effect(recordedOptions: recordedOptions) { workbench in
        var report = Report(verb: "export predictions")
        report.blocks.append(
          .line(
            "Wrote \(counted(rows.count, "prediction")) of \(name) on \(dataset.name) to \(shown.visible)."))
        report.blocks += stale.map { .line("\($0)") }
        if original == nil, !dataset.isProject {
          report.blocks.append(
            .line(
              "The file of \(dataset.name) is gone or has changed since it was loaded: its text and category stand in for its columns."
            ))
        }
        for (old, new) in table.renamed {
          report.blocks.append(.line("The file's own column \(old.visible) is written as \(new.visible)."))
        }
        report.json = [
          "file": .string(shown), "rows": .int(rows.count), "dataset": .string(dataset.name),
          "model": .string(name), "columns": .array(table.columns.map { .string($0) }),
        ]
        let standard = try StandardModel(workbench).chosen.name
        if try workbench.predictionRun(dataset: dataset, model: standard)?.isComplete != true {
          report.hint = "predict: \(standard) has not predicted \(dataset.name) yet"
        }
        return report
      }
    }
  }
}

extension Workbench {
  /// The predictions that a verb reads: a named model's, or of the one that predicted last.
  ///
  /// - Throws: `CommandError.noPredictions`, `.neverPredicted`, `.unknownModel`.
  func completeRun(of name: String?, over dataset: Dataset, in models: ModelLibrary) throws -> PredictionRun {
    guard let name else {
      guard let run = try lastCompleteRun(dataset: dataset) else {
        throw CommandError.neverPredicted(dataset: dataset.name)
      }
      return run
    }
    // Models that are not fettle's, whose predictions a client of serve has given, are known by these alone.
    if let run = try predictionRun(dataset: dataset, model: name), run.isComplete { return run }
    let model = try models.model(named: name, self).name
    guard let run = try predictionRun(dataset: dataset, model: model), run.isComplete else {
      throw CommandError.noPredictions(model: model, dataset: dataset.name)
    }
    return run
  }
}

/// Predictions as a table, beside the columns that the data file has.
struct PredictionsFile {
  enum Form: String {
    /// RFC 4180, with a header.
    case csv
    /// JSON lines.
    case jsonl
  }

  /// All names, in their order.
  let columns: [String]
  /// The file's own columns that had to make way, under their old and new names.
  let renamed: [(old: String, new: String)]
  private let form: Form
  private let model: String
  private let original: OriginalTable?
  /// Which of the file's columns are written: all but its id, which every row begins with.
  private let own: [Int]

  private static let added = ["prediction", "confidence", "model"]

  /// - Parameter original: the file's own columns; nil where they cannot be read any more.
  init(form: Form, model: String, rows: [PredictedAsset], original: OriginalTable?) {
    (self.form, self.model, self.original) = (form, model, original)
    let hasCategories = rows.contains { $0.asset.category != nil }
    let names = original?.columns ?? (hasCategories ? ["text", "category"] : ["text"])
    own = names.indices.filter { names[$0].lowercased() != "id" || !Self.isIdentifier($0, rows, original) }
    let ours = ["id"] + Self.added
    var taken = Set(names + ours)
    var renamed: [(old: String, new: String)] = []
    let kept = own.map { index in
      guard ours.contains(names[index]) else { return names[index] }
      var name = "file_\(names[index])"
      while !taken.insert(name).inserted { name += "_2" }
      renamed.append((names[index], name))
      return name
    }
    columns = ["id"] + kept + Self.added
    self.renamed = renamed
  }

  /// Whether a column says what every row begins with in any case.
  private static func isIdentifier(_ column: Int, _ rows: [PredictedAsset], _ original: OriginalTable?)
    -> Bool
  {
    rows.allSatisfy { row in
      switch original?[row.asset.line]?[column] {
      case nil: true
      case .text(let text)?, .json(let text)?:
        text == "null" || [row.asset.externalID, ""].contains(text.trimmingCharacters(in: .whitespaces))
      }
    }
  }

  /// What stands above the rows.
  var header: String? {
    form == .csv ? columns.map(Self.quoted).joined(separator: ",") + "\n" : nil
  }

  func line(for row: PredictedAsset) -> String {
    let values = values(of: row)
    switch form {
    case .csv: return values.map(Self.field).joined(separator: ",") + "\n"
    case .jsonl:
      let members = zip(columns, values).map { "\(JSONValue.string($0).line):\(Self.json($1))" }
      return "{\(members.joined(separator: ","))}\n"
    }
  }

  private func values(of row: PredictedAsset) -> [OriginalTable.Value?] {
    let asset = row.asset
    let fields = original?[asset.line] ?? [.text(asset.text), asset.category.map { .text($0) }]
    // More digits than these are the processor's own.
    let confidence = row.prediction.confidence.map { OriginalTable.Value.json(fixed($0, 6)) }
    return [.text(asset.externalID)] + own.map { fields[$0] } + [
      .text(row.prediction.category), confidence, .text(model),
    ]
  }

  private static func field(_ value: OriginalTable.Value?) -> String {
    switch value {
    case nil, .json("null")?: ""
    case .text(let text)?, .json(let text)?: quoted(text)
    }
  }

  private static func quoted(_ text: String) -> String {
    let isSpecial = text.utf8.contains { byte in
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: ","), 0x0A, 0x0D: true
      default: false
      }
    }
    return isSpecial ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
  }

  private static func json(_ value: OriginalTable.Value?) -> String {
    switch value {
    case nil: "null"
    case .text(let text)?: JSONValue.string(text).line
    case .json(let text)?: text
    }
  }
}
