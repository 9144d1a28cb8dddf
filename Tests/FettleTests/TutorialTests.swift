import Foundation
import Testing

/// The tutorial's steps from the Unix shell, on tiny-bert: what scripts rely on.
@Suite struct TutorialTests {
  @Test("Every step gives the members of its JSON object, keys sorted, one line each")
  func jsonContract() throws {
    let front = try Front()
    try front.writeLetters(count: 42)
    try front.writeLetters(count: 42, to: "more.csv", offset: 1000)
    let outcome = try front.run(
      ["--json"]
        + [
          "load letters.csv", "interface define --from letters", "classify news of the a", "predict",
          "label simulate",
          "kpi", "finetune --method linear", "load more.csv", "validate", "tokens news of the a",
          "embed news", "status",
          "models", "datasets",
        ].flatMap { ["-c", $0] })
    #expect(outcome.status == 0, "\(outcome.error)\(outcome.output)")
    let objects = try outcome.lines.map(object)
    #expect(objects.count == 14)
    let members: [String: Set<String>] = [
      "load": ["dataset", "assets", "categories"], "classify": ["category", "confidence", "scores"],
      "kpi": [
        "assets", "agree", "iou", "accuracy", "accuracy_low", "accuracy_high", "macro_f1",
        "unable_to_classify", "model",
        "dataset",
      ],
      "validate": [
        "assets", "agree", "iou", "accuracy", "accuracy_low", "accuracy_high", "macro_f1",
        "unable_to_classify", "model",
        "dataset", "base", "base_accuracy", "difference", "p_value", "left_out",
      ],
      "finetune": ["model", "method", "examples", "epochs", "trainable_parameters", "final_loss", "timing"],
      "tokens": ["ids", "tokens"], "embed": ["embedding"],
    ]
    for object in objects {
      let verb = try #require(object["verb"] as? String)
      #expect(members[verb]?.isSubset(of: object.keys) ?? true, "\(verb): \(object.keys.sorted())")
    }
    for line in outcome.lines where !line.dropFirst().contains("{") {
      let keys = line.matches(of: #/[{,]"([a-z_0-9]+)":/#).map { String($0.1) }
      #expect(keys == keys.sorted(), "\(line)")
    }
    let validate = try #require(objects.first { $0["verb"] as? String == "validate" })
    #expect(validate["model"] as? String == "tuned-1")
    #expect(validate["base"] as? String == "base")
    #expect(validate["dataset"] as? String == "more")
    // The head tells the two kinds of text apart; a random encoder without training can not.
    #expect(try #require(validate["accuracy"] as? Double) > 0.9)
  }

  @Test("classify, predict and a resumed predict give the same category")
  func agreement() throws {
    let front = try Front()
    try front.writeLetters(count: 30)
    try front.lines(
      "load letters.csv", "interface define --from letters", "label simulate", "finetune --method linear")
    let predicted = try object(front.run("--json", "predict").lines[0])
    let counts = try #require(predicted["predictions"] as? [String: Int])
    var classified: [String: Int] = [:]
    for row in try front.read("letters.csv").split(separator: "\n").dropFirst() {
      let text = row.split(separator: ",")[1]
      let answer = try object(front.run("--json", "--no-record", "classify", String(text)).lines[0])
      classified[try #require(answer["category"] as? String), default: 0] += 1
    }
    #expect(classified == counts)
  }

  @Test("Doing a step twice duplicates nothing and answers the same")
  func idempotence() throws {
    let front = try Front()
    try front.writeLetters()
    let steps = ["load letters.csv", "interface define --from letters", "predict", "label simulate", "kpi"]
    let once = try front.run(["--json"] + steps.flatMap { ["-c", $0] })
    let twice = try front.run(["--json"] + steps.flatMap { ["-c", $0] })
    func withoutTiming(_ outcome: Front.Outcome) throws -> [NSDictionary] {
      try outcome.lines.map { line in
        var object = try object(line)
        object["timing"] = nil
        return object as NSDictionary
      }
    }
    #expect(once.status == 0 && twice.status == 0)
    #expect(try withoutTiming(once) == withoutTiming(twice))
  }

  @Test(
    "A tuned model can be trained further, its texts are left out, and it cannot be removed from under another"
  )
  func chain() throws {
    let front = try Front()
    try front.writeLetters(count: 40)
    try front.writeLetters(count: 40, to: "more.csv", offset: 20)
    let outcome = try front.lines(
      "load letters.csv", "interface define --from letters", "label simulate",
      "finetune --method full --epochs 1 --name first",
      "load more.csv", "label simulate", "finetune --method full --epochs 1 --base first --name second")
    #expect(outcome.status == 0, "\(outcome.error)")
    let refused = try front.run("--json", "models", "remove", "first")
    #expect(refused.status == 1)
    #expect((try object(refused.lines[0])["error"] as? [String: Any])?["code"] as? String == "in-use")
    try front.writeLetters(count: 60, to: "all.csv")
    // All sixty texts were in one training or the other, so that there is nothing to validate on.
    let validated = try front.lines("load all.csv", "validate", options: ["--json"])
    #expect(validated.status == 1)
    #expect(
      (try object(validated.lines[1])["error"] as? [String: Any])?["code"] as? String == "nothing-held-out")
  }

  @Test("kpi says when the model was trained on these very assets")
  func flattery() throws {
    let front = try Front()
    try front.writeLetters()
    let outcome = try front.lines(
      "load letters.csv", "interface define --from letters", "label simulate", "finetune --method linear",
      "predict", "kpi")
    #expect(outcome.output.contains("tuned-1 on letters: 40 assets"))
    #expect(outcome.output.contains("trained on 40 of these very assets"))
  }

  @Test("export finetune writes the chat form, and the tutorial's with --legacy")
  func export() throws {
    let front = try Front()
    try front.writeLetters(count: 4)
    try front.lines(
      "load letters.csv", "interface define --from letters", "label simulate", "export finetune chat.jsonl",
      "export finetune old.jsonl --legacy")
    let chat = try object(front.read("chat.jsonl").split(separator: "\n").first.map(String.init) ?? "")
    let messages = try #require(chat["messages"] as? [[String: String]])
    #expect(messages.map { $0["role"] } == ["system", "user", "assistant"])
    #expect(messages[1]["content"] == "news of the aa")
    #expect(messages[2]["content"] == "WORLD_AND_NEWS")
    let old = try object(front.read("old.jsonl").split(separator: "\n").first.map(String.init) ?? "")
    #expect(old["prompt"] as? String == "news of the aa[PROMPT_STOP]")
    #expect(old["completion"] as? String == " WORLD_AND_NEWS[END]")
  }
}
