import Foundation
import PseudoTerminal
import Testing

/// A language model that is taught, as learners do it: with tiny-llama, whose weights were drawn at random, so that whatever it can
/// do it has learned here.
@Suite struct LanguageTuningTests {
  private static let llama = Front.repository.appending(path: "Tests/EncoderTests/Reference/tiny-llama").path

  /// tiny-llama is installed, letters.csv loaded and labelled, and the prompt short.
  private func labelled(count: Int = 40) throws -> Front {
    let front = try Front(tiny: false)
    try front.writeLetters(count: count)
    let outcome = try front.lines(
      "model install --from \(Self.llama)", "load letters.csv", "interface define --from letters",
      "label simulate", "prompt set --preset short-plain")
    try #require(outcome.status == 0, "\(outcome.error)")
    return front
  }

  private func code(_ outcome: Front.Outcome) throws -> String? {
    (try object(outcome.lines.last ?? "")["error"] as? [String: Any])?["code"] as? String
  }

  private func json(_ front: Front, _ line: String) throws -> [String: Any] {
    let outcome = try front.run("--json", "-c", line)
    try #require(outcome.status == 0, "\(line): \(outcome.output)\(outcome.error)")
    return try object(outcome.lines.last ?? "")
  }

  private static let taught = "finetune --base tiny-llama --method full --learning-rate 3e-3 --epochs 6"

  @Test(
    "A model that knew nothing answers in categories when it was taught; validate, kpi and a replay agree")
  func taught() throws {
    let front = try labelled(count: 80)
    let finetune = try json(front, Self.taught)
    #expect(finetune["base"] as? String == "tiny-llama" && finetune["model"] as? String == "tuned-1")
    let prompt = try #require(finetune["prompt"] as? [String: Any])
    #expect(prompt["template"] as? String == "message: {text}\ncategory:" && prompt["chat"] as? Bool == false)
    #expect(try #require(finetune["tokens"] as? Int) > 1000)
    #expect(finetune["completions"] as? String == "names")
    // What it wrote for the same texts, one a category, before and after each of the six epochs.
    let answers = try #require(finetune["answers"] as? [[String: Any]])
    let written = answers.compactMap { $0["written"] as? [String] }
    #expect(answers.count == 2 && written.allSatisfy { $0.count == 7 }, "\(answers)")
    let names = ["WORLD AND NEWS", "SPORTS"]
    #expect(written.allSatisfy { texts in !names.contains { texts[0].contains($0) } }, "\(written)")
    let timing = try #require(finetune["timing"] as? [String: Any])
    #expect(try #require(timing["tokens_per_second"] as? Double) > 0)
    let classify = try json(front, "classify --model tuned-1 news of the b")
    #expect(classify["category"] as? String == "WORLD_AND_NEWS", "\(classify)")
    #expect((classify["answer"] as? String)?.contains("WORLD") == true && classify["confidence"] is NSNull)
    // The newest model is the one that is asked.
    let decided = try json(front, "classify --decide z y x b")
    #expect(decided["model"] as? String == "tuned-1+decide" && decided["category"] as? String == "SPORTS")
    try front.writeLetters(count: 30, to: "new.csv", offset: 300)
    try front.lines("load new.csv", "label simulate")
    let validate = try json(front, "validate")
    #expect(validate["model"] as? String == "tuned-1" && validate["base"] as? String == "tiny-llama")
    #expect(try #require(validate["accuracy"] as? Double) > 0.9, "\(validate)")
    #expect(try #require(validate["base_accuracy"] as? Double) < 0.2)
    let chosen = try json(front, "validate --decide")
    #expect(
      chosen["model"] as? String == "tuned-1+decide" && chosen["base"] as? String == "tiny-llama+decide")
    #expect(try #require(chosen["accuracy"] as? Double) > 0.9)
    #expect(try json(front, "kpi --model tuned-1")["accuracy"] as? Double == validate["accuracy"] as? Double)
    let models = try front.run("models")
    #expect(models.output.contains(#/tuned-1 +tiny-llama +full/#), "\(models.output)")
    let replayed = try front.run("replay", ".fettle/session.md")
    #expect(replayed.status == 0, "\(replayed.output)\(replayed.error)")
    try front.run("models", "remove", "tuned-1")
    #expect(try code(front.run("--json", "kpi", "--model", "tuned-1+decide")) == "unknown-model")
  }

  @Test("It is asked as it was taught whatever the prompt is now, and its base as it was, in another process")
  func askedAsTaught() throws {
    let front = try labelled()
    try front.lines("finetune --base tiny-llama --epochs 1")
    func answer() throws -> [String: Any] {
      try json(front, "classify --model tuned-1 --decide news of the c")
    }
    let before = try answer()
    let set = try front.lines("prompt set --plain \"{text} is about\"")
    #expect(set.output.contains("tuned-1 goes on being asked as it was taught"), "\(set.output)")
    let after = try answer()
    #expect(
      after["log_probabilities"] as? [String: Double] == before["log_probabilities"] as? [String: Double])
    #expect(after["prompt_ids"] as? [Int] == before["prompt_ids"] as? [Int])
    try front.writeLetters(count: 6, to: "new.csv", offset: 300)
    try front.lines("load new.csv", "label simulate")
    let validate = try json(front, "validate --decide")
    #expect(validate["base"] as? String == "tiny-llama@tuned-1+decide", "\(validate)")
    let other = try json(front, "validate --decide --against tiny-llama")
    #expect(other["base"] as? String == "tiny-llama+decide")
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
    // Further tuning keeps the prompt.
    let again = try json(front, "finetune --base tuned-1 --dataset letters --epochs 1")
    #expect((again["prompt"] as? [String: Any])?["preset"] as? String == "short-plain", "\(again)")
    #expect(again["base"] as? String == "tuned-1" && again["method"] as? String == "adapter")
    let further = try json(front, "classify --model tuned-2 --decide news of the c")
    #expect(
      further["log_probabilities"] as? [String: Double] != before["log_probabilities"] as? [String: Double])
    #expect(try code(front.run("--json", "models", "remove", "tuned-1")) == "in-use")
  }

  @Test("Taught keys and read as the notebook reads, a model scores only where the key has no underscore")
  func notebookFilter() throws {
    let front = try labelled(count: 80)
    #expect(try json(front, "\(Self.taught) --completions keys")["completions"] as? String == "keys")
    try front.writeLetters(count: 30, to: "new.csv", offset: 300)
    try front.lines("load new.csv", "label simulate")
    let ours = try json(front, "validate")
    #expect(try #require(ours["accuracy"] as? Double) > 0.9, "\(ours)")
    let notebook = try json(front, "predict --model tuned-1 --filter tutorial")
    let predictions = try #require(notebook["predictions"] as? [String: Int])
    #expect(predictions["WORLD_AND_NEWS"] == nil && notebook["unable_to_classify"] as? Int ?? 0 >= 13)
    let kpi = try json(front, "kpi --model tuned-1+tutorial")
    #expect(try #require(kpi["accuracy"] as? Double) <= 0.5 && kpi["accuracy"] as? Double ?? 0 > 0.4)
  }

  @Test("The four methods beside each other, the same weights for the same seed, whatever the threads")
  func allMethods() throws {
    let front = try labelled()
    let all = try json(front, "finetune --base tiny-llama --method all --epochs 1 --name four --threads 1")
    for method in ["linear", "full", "gradual", "adapter"] {
      let one = try #require(all[method] as? [String: Any], "\(all)")
      #expect(one["model"] as? String == "four-\(method)" && one["held_out"] as? Int == 4)
      #expect(
        try json(front, "classify --model four-\(method) news of the d")["model"] as? String
          == "four-\(method)")
    }
    let linear = try json(front, "classify --model four-linear news of the d")
    #expect(linear["category"] as? String == "WORLD_AND_NEWS" && linear["confidence"] is Double, "\(linear)")
    #expect(
      try json(front, "finetune --base tiny-llama --epochs 1 --threads 2")["method"] as? String == "adapter")
    func weights(_ model: String) throws -> Data {
      try Data(
        contentsOf: front.folder.appending(path: ".fettle/models/\(model)/adapter_model.safetensors"))
    }
    #expect(try weights("four-adapter") == weights("tuned-1"))
  }

  @Test("Ctrl-C leaves no half of a model")
  func interrupted() throws {
    let front = try labelled(count: 2000)
    let running = try front.start(["finetune", "--base", "tiny-llama", "--epochs", "500"])
    Thread.sleep(forTimeInterval: 2)
    running.interrupt()
    let outcome = running.wait()
    #expect(outcome.status == 130 && outcome.error.contains("Interrupted"), "\(outcome.error)")
    let models = front.folder.appending(path: ".fettle/models").path
    #expect(((try? FileManager.default.contentsOfDirectory(atPath: models)) ?? []) == [])
    #expect(try json(front, "models")["models"] as? [String] == [])
  }

  @Test(
    "Ctrl-C at the prompt between two epochs: nothing is left, and the next try is as if that had not been")
  func interruptedAtThePrompt() throws {
    let front = try labelled()
    let terminal = try front.prompt()
    terminal.type("finetune --base tiny-llama --epochs 500\n")
    try terminal.wait(for: "epoch 2 of 500")
    terminal.type("\u{3}")
    try terminal.wait(for: "Interrupted: no model was made")
    try terminal.waitForPrompt()
    let models = front.folder.appending(path: ".fettle/models")
    #expect(((try? FileManager.default.contentsOfDirectory(atPath: models.path)) ?? []) == [])
    terminal.type("finetune --base tiny-llama --epochs 2\n")
    try terminal.wait(for: "epoch 2 of 2")
    try terminal.waitForPrompt()
    terminal.type("quit\n")
    #expect(try terminal.waitForExit() == 0)
    #expect(try front.read(".fettle/session.md").contains("# interrupted: finetune"))
    #expect(try json(front, "finetune --base tiny-llama --epochs 2")["model"] as? String == "tuned-2")
    let weights = try (1...2).map {
      try Data(contentsOf: models.appending(path: "tuned-\($0)/adapter_model.safetensors"))
    }
    #expect(weights[0] == weights[1])
  }

  @Test("Tuned further, a model goes on from its LoRA")
  func further() throws {
    let front = try labelled()
    func loss(_ line: String) throws -> Double { try #require(json(front, line)["final_loss"] as? Double) }
    let first = try loss("finetune --base tiny-llama --epochs 1 --learning-rate 1e-2")
    let learned = try loss("finetune --base tiny-llama --epochs 4 --learning-rate 1e-2 --name good")
    // At this rate it changes nothing, so the loss is that of what it began with.
    let further = try loss("finetune --base good --epochs 1 --learning-rate 1e-8 --name same")
    #expect(further < 0.75 * first && further < 1.1 * learned, "\(first), \(learned), \(further)")
    func probabilities(_ model: String) throws -> [String: Double] {
      try #require(
        json(front, "classify --model \(model) --decide news of the b")["log_probabilities"]
          as? [String: Double])
    }
    let (same, good, base) = (
      try probabilities("same"), try probabilities("good"), try probabilities("tiny-llama")
    )
    #expect(good.allSatisfy { abs($0.value - (same[$0.key] ?? 0)) < 1e-3 }, "\(good), \(same)")
    #expect(good.contains { abs($0.value - (base[$0.key] ?? 0)) > 0.5 }, "\(good), \(base)")
  }

  @Test(
    "What is not for a language model, or for it alone, is said in a sentence",
    arguments: [
      ("finetune --base tiny-llama --dropout 0.1", 2, "is for encoders"),
      ("finetune --base tiny-llama --method full --rank 4", 2, "is for LoRA"),
      ("finetune --base tiny-llama --rank 0", 2, "--rank cannot be"),
      ("finetune --rank 4", 2, "is for language models"),
      ("finetune --base tiny-llama --name tiny-llama", 1, "tiny-llama"),
    ])
  func refusals(line: String, status: Int32, says: String) throws {
    let front = try labelled()
    if !line.contains("--base") {
      let bert = Front.repository.appending(path: "Tests/EncoderTests/Reference/tiny-bert").path
      try front.run("model", "install", "--from", bert)
    }
    let outcome = try front.lines(line)
    #expect(outcome.status == status && outcome.error.contains(says), "\(outcome.status) \(outcome.error)")
  }

  @Test("A tuned language model is listed and read, and missed where its base has gone")
  func elsewhere() throws {
    let front = try labelled()
    try front.lines("finetune --base tiny-llama --epochs 1")
    #expect(try #require(json(front, "tokens --model tuned-1 abc")["ids"] as? [Int]).count > 0)
    #expect(try json(front, "status")["models"] as? [String] == ["tuned-1"])
    try FileManager.default.removeItem(at: front.folder.appending(path: ".cache/fettle/models/tiny-llama"))
    let gone = try front.run("--json", "classify", "--model", "tuned-1", "abc")
    #expect(try code(gone) == "model-other-base", "\(gone.output)")
    // FETTLE_MODEL is for encoders.
    #expect(
      gone.output.contains("model install --from DIR --name tiny-llama")
        && !gone.output.contains("FETTLE_MODEL"), "\(gone.output)")
  }
}
