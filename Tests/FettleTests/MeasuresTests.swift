import Foundation
import Testing

/// What kpi says of readers and models beyond one score, and the texts behind it.
@Suite struct MeasuresTests {
  /// letters.csv with the labels of simulated, Ada (some wrong) and, where asked for, the base model's predictions.
  private func labelled(predicted: Bool = false) throws -> Front {
    let front = try Front()
    try front.writeLetters()
    var lines = ["load letters.csv", "interface define --from letters", "label simulate"]
    lines.append("label simulate --author Ada --noise 0.3")
    if predicted { lines.append("predict") }
    let outcome = try front.run(lines.flatMap { ["-c", $0] })
    try #require(outcome.status == 0, "\(outcome.error)")
    return front
  }

  private func json(_ front: Front, _ line: String) throws -> [String: Any] {
    let outcome = try front.run("--json", "-c", line)
    try #require(outcome.status == 0, "\(line): \(outcome.output)")
    return try object(outcome.lines[0])
  }

  @Test("--consensus: kappa and the rest are what the labels themselves come to")
  func consensus() throws {
    let front = try labelled()
    let assets = try #require(try json(front, "show assets --limit 1000")["assets"] as? [[String: Any]])
    let pairs = try assets.map { asset in
      let labels = try #require(asset["labels"] as? [String: String])
      return (try #require(labels["simulated"]), try #require(labels["Ada"]))
    }
    let n = Double(pairs.count)
    let agree = pairs.count { $0.0 == $0.1 }
    let expected = Set(pairs.map(\.0)).reduce(0.0) { sum, category in
      sum + Double(pairs.count { $0.0 == category }) / n * Double(pairs.count { $0.1 == category }) / n
    }
    let kappa = (Double(agree) / n - expected) / (1 - expected)
    #expect(agree < 40 && agree > 20)

    let found = try json(front, "kpi --consensus")
    #expect(found["agree"] as? Int == agree)
    #expect(abs((found["kappa"] as? Double ?? 0) - kappa) < 1e-12)
    #expect(abs((found["consensus"] as? Double ?? 0) - (Double(agree) + Double(40 - agree) / 2) / 40) < 1e-12)
    let sports = pairs.count { $0.0 == "SPORTS" && $0.1 == "SPORTS" }
    let onlyOne = pairs.count { ($0.0 == "SPORTS") != ($0.1 == "SPORTS") }
    let specific = (found["categories"] as? [String: Double])?["SPORTS"] ?? 0
    #expect(abs(specific - Double(2 * sports) / Double(2 * sports + onlyOne)) < 1e-12)

    // Three readers: no one kappa, but one for each pair.
    try front.lines("label simulate --author Bo --noise 0.1")
    let three = try front.lines("kpi --consensus")
    #expect(three.output.contains("3 readers of letters: simulated (40), Ada (40), Bo (40)"))
    #expect(!three.output.contains("Cohen") && three.output.contains("Krippendorff's alpha"))
    #expect((try json(front, "kpi --consensus")["pairs"] as? [Any])?.count == 3)
    #expect(try front.lines("expect $kpi.alpha < 1").status == 0)
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
  }

  @Test("--honeypot holds each reader against an author, or against the file")
  func honeypot() throws {
    let front = try labelled()
    let agree = try #require(try json(front, "kpi --consensus")["agree"] as? Int)
    for truth in ["simulated", "file"] {
      let readers = try #require(
        try json(front, "kpi --honeypot \(truth)")["readers"] as? [String: [String: Any]])
      #expect(readers["Ada"]?["agree"] as? Int == agree)
      #expect(readers.count == (truth == "file" ? 2 : 1))
    }
    #expect(try front.lines("expect $kpi.readers.Ada.accuracy < 1").status == 0)
    #expect(try front.lines("kpi --honeypot Aad").error.contains("Did you mean Ada?"))
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
  }

  @Test("One reader alone: what to do")
  func alone() throws {
    let front = try Front(tiny: false)
    try front.writeLetters()
    try front.lines("load letters.csv", "interface define --from letters")
    #expect(try front.lines("kpi --consensus").error.contains("Nobody has labelled letters"))
    try front.lines("label simulate")
    let outcome = try front.lines("kpi --consensus")
    #expect(outcome.status == 1 && outcome.error.contains("label simulate --author reader-2 --noise 0.1"))
    #expect(try front.lines("kpi --honeypot simulated").status == 1)
  }

  @Test("--by category and --models: the sums are those of kpi and validate")
  func models() throws {
    let front = try labelled(predicted: true)
    let kpi = try json(front, "kpi")
    let by = try json(front, "kpi --by category")
    let categories = try #require(by["categories"] as? [String: [String: Any]])
    #expect(categories.values.compactMap { $0["support"] as? Int }.reduce(0, +) == 40)
    let f1 = categories.values.compactMap { $0["f1"] as? Double }
    #expect(abs(f1.reduce(0, +) / Double(f1.count) - (kpi["macro_f1"] as? Double ?? 0)) < 1e-12)
    #expect(try front.lines("expect $kpi.categories.SPORTS.support > 1").status == 0)

    try front.lines("finetune --method linear", "predict")
    let both = try json(front, "kpi --models base tuned-1")
    #expect(both["base_accuracy"] as? Double == kpi["accuracy"] as? Double)
    #expect(both["p_value"] is Double && both["model"] as? String == "tuned-1")
    let shown = try front.lines("kpi --models base tuned-1").output
    #expect(shown.contains("tuned-1 was trained on 40 of these very assets") && shown.contains("McNemar's p"))
    for (line, says) in [
      ("kpi --models base", "takes two models"), ("kpi --models base base", "takes two models"),
      ("kpi --models base tuned-1 --consensus", "two questions"),
      ("kpi --consensus --model base", "goes without"),
      ("kpi --by dataset", "category"),
    ] {
      let outcome = try front.lines(line)
      #expect(outcome.status == 2 && outcome.error.contains(says), "\(outcome.error)")
    }
    #expect(try front.lines("kpi --models base tuned-2").error.contains("tuned-1"))
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
  }

  @Test("show lists the assets where readers, or model and people, differ, and one with all its labels")
  func show() throws {
    let front = try labelled()
    let agree = try #require(try json(front, "kpi --consensus")["agree"] as? Int)
    let list = try front.lines("show assets --where disagree --limit 2")
    #expect(list.lines.first == "\(40 - agree) of 40 assets of letters on which two readers disagree")
    #expect(list.lines.last == "and \(38 - agree) more: --limit \(40 - agree)")
    let first = try #require(
      (try json(front, "show assets --where disagree --limit 1")["assets"] as? [[String: Any]])?.first)
    let id = try #require(first["id"] as? String)
    try front.lines("predict")
    let one = try front.lines("show asset \(id)")
    #expect(
      one.output.contains("  Ada        DEFAULT") && one.output.contains("  base       INFERENCE"),
      "\(one.output)")
    let labels = try #require(try json(front, "show asset \(id)")["labels"] as? [[String: Any]])
    #expect(labels.map { $0["by"] as? String } == ["letters", "simulated", "Ada", "base"])
    #expect(labels.last?["confidence"] is Double)
    #expect(try front.lines("show asset nobody").error.contains("Its ids look like 0"))
    #expect(
      try front.lines("show assets --where unlabelled").lines.first
        == "0 of 40 assets of letters without a label")
    #expect(try json(front, "show assets --where disagree")["count"] as? Int ?? 0 >= 40 - agree)
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
  }
}
