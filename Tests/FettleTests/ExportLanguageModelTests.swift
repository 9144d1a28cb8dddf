import Foundation
import Testing

/// A language model in other programs' forms. That these programs give the same answers is checked by
/// Tests/Peers/exported_language.py, where they are at hand; here fettle itself reads the forms again.
@Suite struct ExportLanguageModelTests {
  private static let llama = Front.repository.appending(path: "Tests/EncoderTests/Reference/tiny-llama")

  /// tiny-llama from a GGUF file in 8 bits is installed as `tiny`, letters.csv loaded and labelled, the prompt short, and what
  /// `finetune` says trained.
  private func front(_ finetune: String..., from file: String = "model-q8_0.gguf") throws -> Front {
    let front = try Front(tiny: false)
    try front.writeLetters()
    let source = file.isEmpty ? Self.llama : Self.llama.appending(path: file)
    let lines = [
      "model install --from \(source.path) --name tiny", "load letters.csv",
      "interface define --from letters", "label simulate", "prompt set --preset short-plain",
    ]
    let outcome = try front.run(
      (lines
        + finetune.map {
          "finetune --base tiny \($0)" + ($0.contains("linear") ? "" : " --epochs 1")
        }).flatMap { ["-c", $0] })
    try #require(outcome.status == 0, "\(outcome.error)")
    return front
  }

  private func names(_ folder: String, _ front: Front) throws -> Set<String> {
    Set(try FileManager.default.contentsOfDirectory(atPath: front.folder.appending(path: folder).path))
  }

  private func json(_ front: Front, _ line: String) throws -> [String: Any] {
    let outcome = try front.run("--json", "-c", line)
    try #require(outcome.status == 0, "\(line): \(outcome.output)\(outcome.error)")
    return try object(outcome.lines.last ?? "")
  }

  private func code(_ front: Front, _ line: String) throws -> String? {
    let outcome = try front.run("--json", "-c", line)
    #expect(outcome.status != 0, "\(line)")
    return (try object(outcome.lines.last ?? "")["error"] as? [String: Any])?["code"] as? String
  }

  private func rows(_ front: Front, _ file: String) throws -> [[String: String]] {
    try front.read(file).split(separator: "\n").map {
      try #require(try object(String($0)) as? [String: String])
    }
  }

  private static let taught = "--learning-rate 1e-2"

  @Test("A LoRA leaves as peft's two files, byte for byte as they are kept, and a README says whose it is")
  func lora() throws {
    let front = try front(Self.taught)
    let answer = try front.lines("export model out")
    #expect(
      answer.text.contains(
        "Wrote the LoRA of tuned-1, 2 categories, to out.\nIt goes with tiny, dequantised from its GGUF file: "
          + "export model tiny --model tiny --merge"), "\(answer.output)\(answer.error)")
    #expect(try names("out", front) == ["README.md", "adapter_config.json", "adapter_model.safetensors"])
    func data(_ path: String) throws -> Data {
      try Data(contentsOf: front.folder.appending(path: path + "/adapter_model.safetensors"))
    }
    #expect(try data("out") == data(".fettle/models/tuned-1"))
    let settings = try object(front.read("out/adapter_config.json"))
    #expect(settings["peft_type"] as? String == "LORA" && settings["task_type"] as? String == "CAUSAL_LM")
    #expect(
      settings["target_modules"] as? [String] == [
        "down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj",
      ])
    let readme = try front.read("out/README.md")
    #expect(readme.contains(#""message: {text}\ncategory:".replace("{text}", "#))
    #expect(readme.contains("`export model tiny --model tiny --merge`") && readme.contains("PeftModel"))
    #expect(readme.contains("WORLD & NEWS") && readme.contains(#"from_pretrained("../tiny""#))
  }

  @Test(
    "All of it as a folder or as a GGUF file, installed again, weighs the categories as the tuned one does")
  func installedAgain() throws {
    let front = try front(Self.taught)
    let ends = try #require(json(front, "export model whole --merge")["prompt"] as? String)
    #expect(ends == "message: {text}\ncategory:")
    #expect(
      try names("whole", front) == [
        "README.md", "config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
        "tokenizer_config.json",
      ])
    let exact = try json(front, "export model --gguf exact.gguf --f32")
    #expect(exact["file"] as? String == "exact.gguf" && exact["form"] as? String == "gguf")
    try front.lines("export model --gguf small.gguf")
    func size(_ name: String) throws -> Int { try Data(contentsOf: front.folder.appending(path: name)).count }
    #expect(try size("small.gguf") < size("exact.gguf") * 3 / 4)
    func weights(_ model: String) throws -> [String: Double] {
      let answer = try json(front, "classify --decide --model \(model) news of the c")
      return try #require(answer["log_probabilities"] as? [String: Double])
    }
    func furthest(_ model: String) throws -> Double {
      try weights(model).merging(weights("tuned-1")) { abs($0 - $1) }.values.max() ?? .nan
    }
    for (source, bound) in [("whole", 1e-4), ("exact.gguf", 1e-4), ("small.gguf", 0.05)] {
      let name = String(source.prefix(5))
      let installed = try front.lines("model install --from \(source) --name \(name)")
      #expect(installed.status == 0, "\(installed.error)")
      #expect(try furthest(name) < bound, "\(source)")
    }
    #expect(try furthest("tiny") > 0.5)
    let complete = #"complete --max-tokens 5 --model \#("tuned-1") message: news of the d\ncategory:"#
    let own = try json(front, complete)
    let again = try json(front, complete.replacing("tuned-1", with: "whole"))
    #expect(own["model"] as? String == "tuned-1" && own["ids"] as? [Int] == again["ids"] as? [Int])
    #expect(own["prompt_ids"] as? [Int] == again["prompt_ids"] as? [Int])
    #expect(
      try own["ids"] as? [Int] != json(front, complete.replacing("tuned-1", with: "tiny"))["ids"] as? [Int])
    #expect(try names(".", front).filter { $0.contains(".fettle-") } == [])
  }

  @Test("What stands in the place stays, unless an export may be replaced; then nothing of it is left")
  func replacing() throws {
    let front = try front(Self.taught)
    try front.lines("export model out", "export model --gguf out.gguf")
    let before = try Data(contentsOf: front.folder.appending(path: "out.gguf"))
    #expect(
      try front.lines("export model out --merge").text.isEmpty
        && front.lines("export model out --merge").error.contains("out is not empty"))
    #expect(try code(front, "export model --gguf out.gguf --f32") == "file-exists")
    #expect(try Data(contentsOf: front.folder.appending(path: "out.gguf")) == before)
    try front.lines("export model out --merge --replace", "export model --gguf out.gguf --f32 --replace")
    #expect(try !names("out", front).contains("adapter_config.json"))
    #expect(try Data(contentsOf: front.folder.appending(path: "out.gguf")).count > before.count)
    try front.write("mine", to: "out/notes.txt")
    #expect(
      try front.lines("export model out --replace").error.replacing(#/\s+/#, with: " ").contains(
        "it holds notes.txt. Name another folder."))
    #expect(try code(front, "export model --gguf nowhere/out.gguf") == "no-folder")
    #expect(try code(front, "export model --gguf out") == "file-not-plain")
  }

  @Test("Tuned as a whole it is a whole folder; a LoRA learned on top of that goes with it")
  func whole() throws {
    let front = try front("--method full --name all")
    try front.lines(
      "finetune --base all --method adapter --epochs 1 --name more", "export model out --model all")
    #expect(try names("out", front).contains("model.safetensors"))
    let more = try json(front, "export model lora --model more")
    #expect(more["base"] as? String == "all" && more["form"] as? String == "lora")
    // Further tuning goes on from the same LoRA, which still goes with the same weights.
    try front.lines("finetune --base more --epochs 1 --name most", "export model lora-2 --model most")
    #expect(try front.read("lora-2/README.md").contains("export model all --model all --merge"))
  }

  @Test("One that nobody has tuned is written too, as it stands")
  func untuned() throws {
    let front = try front()
    #expect(try code(front, "export model out --model tiny") == "not-tuned")
    try front.lines("export model out --model tiny --merge", "export model --gguf out.gguf --model tiny")
    try front.lines("model install --from out --name folder", "model install --from out.gguf --name file")
    func written(_ model: String) throws -> [Int]? {
      try json(front, "complete --max-tokens 8 --model \(model) news of the")["ids"] as? [Int]
    }
    #expect(try written("folder") == written("tiny") && written("file") == written("tiny"))
  }

  @Test(
    "What cannot be written so is said in a sentence, with what to do",
    arguments: [
      ("export model out --model linear", 1, "finetune --base tiny --dataset letters --method adapter"),
      ("export model", 2, "--gguf FILE"), ("export model out --gguf out.gguf", 2, "one at a time"),
      ("export model out --f32", 2, "--f32 is for --gguf"),
      ("complete --model linear news", 1, "writes nothing of its own"),
      ("complete --model nobody news", 1, "There is no model named nobody"),
      ("export finetune x.jsonl --model linear", 1, "writes nothing of its own"),
      ("export finetune x.jsonl --legacy --model tiny", 2, "--legacy is another service's form"),
      ("export finetune x.jsonl --completions keys", 2, "--completions is for --model"),
    ])
  func refusals(line: String, status: Int32, says: String) throws {
    let front = try front("--method linear --name linear")
    let outcome = try front.lines(line)
    #expect(
      outcome.status == status && outcome.error.replacing("\n  ", with: " ").contains(says),
      "\(outcome.status) \(outcome.error)")
    #expect(try names(".", front).filter { $0 == "out" || $0 == "out.gguf" || $0 == "x.jsonl" } == [])
  }

  @Test("Encoders have neither LoRA nor GGUF, and a model from a folder is not written as a GGUF file")
  func otherKinds() throws {
    let front = try front(Self.taught, from: "")
    #expect(try code(front, "export model --gguf out.gguf") == "model-gguf")
    #expect(try json(front, "export model out")["form"] as? String == "lora")
    #expect(try !front.read("out/README.md").contains("GGUF"))
    let bert = Front.repository.appending(path: "Tests/EncoderTests/Reference/tiny-bert").path
    try front.lines("model install --from \(bert)", "finetune --method linear --name encoder")
    for line in ["export model other --merge --model encoder", "export model --gguf x.gguf --model encoder"] {
      let outcome = try front.lines(line)
      #expect(outcome.status == 2 && outcome.error.contains("is for language models"), "\(outcome.error)")
    }
    for line in ["complete --model encoder news", "export finetune x.jsonl --model encoder"] {
      let outcome = try front.lines(line)
      #expect(outcome.status == 1 && outcome.error.contains("encoder compares texts"), "\(outcome.error)")
    }
  }

  @Test(
    "export finetune --model writes the very prompts and completions, of a tuned one what it learned from")
  func finetuneFile() throws {
    let front = try front("--completions keys")
    let untuned = try json(front, "export finetune plain.jsonl --model tiny")
    #expect(untuned["examples"] as? Int == 40 && untuned["completions"] as? String == "names")
    #expect(
      try rows(front, "plain.jsonl").first == [
        "prompt": "message: news of the aa\ncategory:", "completion": " WORLD & NEWS\n",
      ])
    try front.lines("prompt set --preset chat")
    try front.lines("export finetune chat.jsonl --model tiny --completions keys")
    let chat = try #require(rows(front, "chat.jsonl").first)
    #expect(
      chat["prompt"]?.hasPrefix("<|im_start|>user\nClassify the text of") == true
        && chat["prompt"]?.hasSuffix("text:<|im_end|>\n<|im_start|>assistant\n") == true, "\(chat)")
    #expect(chat["completion"] == "WORLD_AND_NEWS<|im_end|>")
    // Two more labels came later, and other data is loaded by now.
    try front.writeLetters(count: 42)
    try front.lines("load letters.csv --name more", "label simulate")
    let learned = try json(front, "export finetune tuned.jsonl --model tuned-1")
    #expect(learned["examples"] as? Int == 40 && learned["dataset"] as? String == "letters")
    #expect(learned["left_out"] as? Int == 0 && learned["completions"] as? String == "keys")
    let tuned = try rows(front, "tuned.jsonl")
    #expect(
      tuned.first == ["prompt": "message: news of the aa\ncategory:", "completion": " WORLD_AND_NEWS\n"])
    let other = try json(front, "export finetune other.jsonl --model tuned-1 --dataset more")
    #expect(other["left_out"] as? Int == 2)
    #expect(try rows(front, "other.jsonl") == tuned)
    // They are the prompts that it is asked with.
    let asked = try json(front, "classify --model tuned-1 news of the aa")
    let completed = try json(
      front, #"complete --max-tokens 1 --model tuned-1 message: news of the aa\ncategory:"#)
    #expect(asked["prompt_ids"] as? [Int] == completed["prompt_ids"] as? [Int])
    #expect(try code(front, "export finetune tuned.jsonl --model tuned-1") == "file-exists")
    let plain = try front.lines("export finetune services.jsonl --dataset letters")
    #expect(try front.read("services.jsonl").contains("\"messages\""), "\(plain.error)")
  }

  @Test("A replay exports into its own folder, and says the same")
  func replay() throws {
    let front = try front(Self.taught)
    try front.lines(
      "export model out", "export model whole --merge", "export model --gguf out.gguf",
      "export finetune out.jsonl --model tuned-1")
    let gone = ["out", "whole", "out.gguf", "out.jsonl"]
    for name in gone { try FileManager.default.removeItem(at: front.folder.appending(path: name)) }
    let replay = try front.run("replay", ".fettle/session.md")
    #expect(replay.status == 0, "\(replay.output)\(replay.error)")
    #expect(try names(".", front).isDisjoint(with: gone))
  }
}
