import Foundation
import PseudoTerminal
import Testing

extension Front {
  /// SmolLM2, which `make test` fetches, linked into the folder's own cache.
  func installLanguageModel() throws {
    let environment = ProcessInfo.processInfo.environment
    let cache =
      environment["XDG_CACHE_HOME"].map { URL(filePath: $0) }
      ?? FileManager.default.homeDirectoryForCurrentUser.appending(path: ".cache")
    let files =
      (try? FileManager.default.contentsOfDirectory(
        at: cache.appending(path: "fettle/models/smollm2"), includingPropertiesForKeys: nil)) ?? []
    let file = try #require(
      files.first { $0.pathExtension == "gguf" }, "SmolLM2 is not installed. Run `make language-model`.")
    let own = folder.appending(path: ".cache/fettle/models/smollm2")
    try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      at: own.appending(path: file.lastPathComponent), withDestinationURL: file)
  }
}

/// The language model that ships, as a learner meets it.
@Suite(.serialized) struct LanguageModelTests {
  private static let names =
    "CULTURE AND ARTS, MEDIA AND ENTERTAINMENT, MONEY AND BUSINESS, POLITICS, SCIENCE AND TECHNOLOGY, SPORTS, "
    + "STYLE AND BEAUTY, WORLD NEWS"

  private func front(_ names: String = Self.names) throws -> Front {
    let front = try Front()
    try front.installLanguageModel()
    try #require(front.run("interface", "define", names).status == 0)
    return front
  }

  private func json(_ front: Front, _ arguments: String...) throws -> [String: Any] {
    let outcome = try front.run(["--json"] + arguments)
    try #require(outcome.status == 0, "\(outcome.error)")
    return try object(outcome.lines[0])
  }

  @Test(
    "classify gives the references' prompts, answers and log-probabilities, one text or several",
    arguments: [("smollm2.jsonl", "chat"), ("smollm2-plain.jsonl", "plain")])
  func references(file: String, preset: String) throws {
    let front = try front()
    let reference = Front.repository.appending(path: "Tests/EncoderTests/Reference/\(file)")
    let lines = try String(contentsOf: reference, encoding: .utf8).split(separator: "\n").prefix(4)
      .map { try object(String($0)) }
    let texts = try lines.map { ["text": try #require($0["text"] as? String)] }
    let rows = try texts.map {
      try String(decoding: JSONSerialization.data(withJSONObject: $0), as: UTF8.self)
    }
    try front.write(rows.joined(separator: "\n") + "\n", to: "texts.jsonl")
    #expect(try front.run("prompt", "set", "--preset", preset).status == 0)
    let model = ["--json", "classify", "--model", "smollm2"]
    let free = try front.run(model + ["--file", "texts.jsonl"]).lines.map(object)
    let decided = try front.run(model + ["--decide", "--file", "texts.jsonl"]).lines.map(object)
    try #require(free.count == lines.count && decided.count == lines.count)
    for (line, (free, decided)) in zip(lines, zip(free, decided)) {
      #expect(free["prompt_ids"] as? [Int] == line["prompt_ids"] as? [Int])
      let margins = try #require(line["greedy_margins"] as? [Double])
      if margins.allSatisfy({ $0 > 1e-3 }) {
        #expect(free["answer"] as? String == line["answer"] as? String)
      }
      let expected = try #require(line["category_logprobs"] as? [String: Double])
      let found = try #require(decided["log_probabilities"] as? [String: Double])
      for (name, value) in expected {
        let own = try #require(found[name.replacing(" ", with: "_")])
        #expect(abs(own - value) < 0.02, "\(name)")
      }
      #expect(decided["category"] as? String == found.max { $0.value < $1.value }?.key)
      #expect(decided["answer"] is NSNull)
    }
    let alone = try json(front, "classify", "--model", "smollm2", try #require(texts[1]["text"]))
    #expect(alone["answer"] as? String == free[1]["answer"] as? String)
  }

  @Test("complete: the same by the same seed, other words by others, --stop and --max-tokens")
  func complete() throws {
    let front = try front()
    let capital = try json(front, "complete", "--max-tokens", "3", "The capital of France is")
    let ids = try #require(capital["ids"] as? [Int])
    #expect(ids.count == 3 && (capital["log_probabilities"] as? [Double])?.count == 3)
    #expect((capital["prompt_ids"] as? [Int])?.count == 5)
    let text = try #require(capital["text"] as? String)
    #expect(text.hasPrefix(" Paris."))
    let stopped = try json(front, "complete", "--stop", "aris", "The capital of France is")
    #expect(stopped["text"] as? String == " P")
    let drawn = try ["3", "3", "4"].map {
      try #require(
        json(front, "complete", "--temperature", "1.2", "--seed", $0, "--max-tokens", "8", "Once upon")[
          "text"]
          as? String)
    }
    #expect(drawn[0] == drawn[1] && drawn[0] != drawn[2])
    for (arguments, reason) in [
      (["--max-tokens", "0", "x"], "counts from 1"), (["--temperature", "nan", "x"], "from 0 to 100"),
      ([""], "Give a text"), (["--model", "base", "x"], "compares texts"),
      (["--stop", "", "x"], "needs a text"),
    ] {
      let refused = try front.run(["complete"] + arguments)
      #expect(refused.status != 0 && refused.error.contains(reason), "\(refused.error)")
    }
    let much = try json(
      front, "complete", "--max-tokens", "100000", "--stop", ".", "The capital of France is")
    #expect(much["text"] as? String == " Paris")
  }

  @Test("What is written at a terminal stands there once; Ctrl-C leaves a prompt")
  func streaming() throws {
    let front = try front()
    let terminal = try front.prompt()
    terminal.type("complete --max-tokens 4 The capital of France is\n")
    try terminal.wait(for: "4 tokens by smollm2")
    try terminal.waitForPrompt()
    #expect(terminal.screen.text.split(separator: "Paris").count == 2, "\(terminal.screen.text)")
    // It counts on for as long as it is let.
    terminal.type("complete --max-tokens 4000 Count to a million: 1, 2, 3, 4,\n")
    try terminal.waitForScreen("some words") {
      let parts = $0.text.components(separatedBy: "3, 4,")
      return parts.count > 1 && parts[parts.count - 1].filter { !$0.isWhitespace }.count > 5
    }
    terminal.type("\u{3}")
    try terminal.wait(for: "Interrupted")
    try terminal.waitForPrompt()
    terminal.type("prompt\n")
    try terminal.wait(for: "plain-category")
    try terminal.waitForPrompt()
    terminal.type("\u{4}")
    _ = try terminal.waitForExit()
  }

  @Test("Marks of the template in a text stay text")
  func marks() throws {
    let front = try front()
    try front.run("prompt", "set", "--preset", "chat")
    let ids = try #require(
      json(front, "classify", "--model", "smollm2", "a<|im_end|><|im_start|>b")["prompt_ids"] as? [Int])
    #expect(ids.filter { $0 < 17 } == [1, 2, 1])
    let tokens = try json(front, "tokens", "--model", "smollm2", "hi <|im_end|>")
    #expect((tokens["ids"] as? [Int])?.contains { $0 < 17 } == false)
    #expect((tokens["tokens"] as? [String])?.first == "hi")
  }

  @Test("prompt: files of any editor, presets, what is refused")
  func prompts() throws {
    let front = try Front(tiny: false)
    try front.write("\u{FEFF}Say {categories}\r\nmessage: {text}\r\ncategory:\r\n", to: "windows.txt")
    let windows = try json(front, "prompt", "set", "--file", "windows.txt")
    #expect(windows["template"] as? String == "Say {categories}\nmessage: {text}\ncategory:")
    #expect(windows["preset"] is NSNull && windows["chat"] as? Bool == false)
    let chat = try json(front, "prompt", "set", "--preset", "chat")
    #expect(chat["preset"] as? String == "chat-tutorial" && chat["chat"] as? Bool == true)
    try front.write("", to: "empty.txt")
    for arguments in [
      ["--file", "empty.txt"], ["--file", "."], ["--file", "missing.txt"], ["no place"],
      ["--preset", "nope"],
      ["--preset", ""], ["--chat"], ["--examples", "101"],
    ] {
      #expect(try front.run(["prompt", "set"] + arguments).status != 0, "\(arguments)")
      #expect(try json(front, "prompt", "show")["preset"] as? String == "chat-tutorial")
    }
    #expect(try json(front, "prompt", "reset")["preset"] as? String == "plain-category")
    let own = try json(front, "prompt", "set", "--plain", #"$HOME "quoted" {text}\nis:"#)
    #expect(own["template"] as? String == "$HOME \"quoted\" {text}\nis:")
  }

  @Test("Predictions by several ways stand side by side, are shown, replay, and are old by another prompt")
  func predictions() throws {
    let front = try front("WORLD & NEWS, SPORTS")
    try front.writeLetters(count: 6)
    let first = try front.lines(
      "load letters.csv", "label simulate", "prompt --examples 2", "predict --model smollm2",
      "predict --model smollm2 --decide", "kpi --models smollm2 smollm2+decide", "show answers")
    #expect(first.status == 0, "\(first.error)")
    #expect(first.output.contains("6 answers of smollm2 on letters"))
    let counts = try #require(json(front, "predict", "--model", "smollm2")["answers"] as? [String: Int])
    #expect(Set(counts.keys) == ["one", "several", "none"] && counts.values.reduce(0, +) == 6)
    let shown = try json(front, "show", "answers", "--kind", "one")
    #expect((shown["counts"] as? [String: Int]) == counts)
    #expect(try front.run("show", "asset", "0").output.contains("smollm2 wrote: "))
    #expect(try front.read(".fettle/session.md").contains("prompt --examples 2 --dataset letters"))
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
    let changed = try front.run("prompt", "set", "--preset", "short")
    #expect(changed.output.contains("predict asks again"))
    // Decided last and shown by free answers: it is these that are old.
    let old = try front.run("show", "answers").text
    #expect(old.contains("The prompt or its categories are others now than when smollm2 predicted letters"))
    #expect(try front.run("kpi", "--model", "smollm2").text.contains("are others now than when smollm2"))
  }

  @Test("What cannot be done is said in one sentence, and with what to do")
  func refusals() throws {
    let front = try front("WORLD & NEWS, SPORTS")
    try front.writeLetters(count: 6)
    try front.lines("load letters.csv", "label simulate")
    let bare = try Front()
    for (from, line, reason) in [
      (front, "classify --model base --decide news", "--decide is for language models"),
      (front, "validate --model smollm2", "smollm2 is a language model that nobody has tuned"),
      (front, "predict --model smollm2 --decide --filter tutorial", "--filter tutorial reads"),
      (
        bare, "classify --model smollm2 news",
        "smollm2 is not installed. Fetch it once: model install smollm2"
      ),
      (bare, "complete news", "No language model is installed"),
    ] {
      let refused = try from.run("-c", line)
      let error = refused.error.replacing("\n  ", with: " ")
      #expect(refused.status != 0 && error.contains(reason), "\(error)")
    }
    let empty = try json(front, "classify", "--model", "smollm2", "   ")
    #expect(empty["answer"] is NSNull && empty["category"] as? String == "UNABLE_TO_CLASSIFY")
    try front.write(String(repeating: "x y z ", count: 3000) + "{text}", to: "big.txt")
    try front.run("prompt", "set", "--file", "big.txt")
    let long = try front.run("classify", "--model", "smollm2", "news")
    #expect(long.status == 1 && long.error.contains("The prompt alone has"), "\(long.error)")
  }
}
