import Scoring
import Shell

/// Two models on the same assets, asset by asset: what `validate` and `kpi --models` report.
struct ModelComparison {
  let before: Measurement
  let after: Measurement

  /// - Precondition: both are of the same assets in the same order.
  init(_ before: Measurement, _ after: Measurement) { (self.before, self.after) = (before, after) }

  private var count: Int { after.count }
  private var difference: Double { Double(after.agree - before.agree) / Double(count) }
  private var onlyBefore: Int {
    zip(before.assets, after.assets).count { $0.isRight && !$1.isRight }
  }
  private var onlyAfter: Int {
    zip(before.assets, after.assets).count { !$0.isRight && $1.isRight }
  }
  private var test: McNemar { McNemar(onlyFirst: onlyBefore, onlySecond: onlyAfter) }

  var title: String {
    "\(after.model) against \(before.model) on \(after.dataset.name): \(counted(count, "asset")), \(after.source)"
  }

  var blocks: [Block] {
    func row(_ name: String, _ cell: (Measurement) -> Cell) -> [Cell] {
      ["\(name)", cell(before), cell(after)]
    }
    return [
      .table(
        Table(
          header: ["", before.model, after.model],
          rows: [
            row("agree") { "\(.count($0.agree, of: count))" },
            row("accuracy") { "\(.share($0.accuracy.value ?? .nan, of: count))" },
            row("95 % from") { "\(.intervalEnd($0.accuracy.interval?.lowerBound ?? .nan, of: count))" },
            row("95 % to") { "\(.intervalEnd($0.accuracy.interval?.upperBound ?? .nan, of: count))" },
            row("macro F1") { "\(.macroF1($0.macroF1, of: count))" },
          ], alignments: [.left, .right, .right])),
      .fields([
        ("difference", "\(.difference(difference, of: count))"),
        ("only \(after.model) right", "\(.count(onlyAfter, of: count))"),
        ("only \(before.model) right", "\(.count(onlyBefore, of: count))"),
        ("McNemar's p", "\(.pValue(test.pValue))"),
      ]),
      .derived([test.verdict]),
    ]
  }

  /// The second model's measures under their names, and the first's under `base_…`.
  var json: [String: JSONValue] {
    var json = after.json
    json["base"] = .string(before.model)
    json["base_accuracy"] = .double(before.accuracy.value ?? .nan)
    json["base_macro_f1"] = .double(before.macroF1)
    json["difference"] = .double(difference)
    json["p_value"] = .double(test.pValue)
    return json
  }
}
