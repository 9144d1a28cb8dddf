import Basics
import Classifiers
import Encoder
import Foundation
import Shell

/// A language model for other programs: its LoRA as Python's peft has it, all of it as transformers has it, or one GGUF file for
/// llama.cpp.
struct ExportedLanguageModel: Exported {
  let name: String
  /// Nil for a model that nobody has tuned.
  let method: String?
  /// As it was installed or tuned, a LoRA beside its weights.
  let model: PretrainedModel
  /// What it learned to write; nil where it learned nothing here.
  let lesson: PromptedLesson?
  let form: Form

  enum Form: Equatable {
    /// - Parameter base: the model that it goes with.
    case lora(base: String)
    case merged
    /// - Parameter halves: whether the matrices of a tuned one are rounded to f16.
    case gguf(halves: Bool)
  }

  /// All that a folder may hold.
  static let files: Set = [
    "README.md", "config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
    "tokenizer_config.json", "chat_template.jinja", PretrainedModel.loraWeightsName,
    PretrainedModel.loraConfigurationName,
  ]

  func write(to place: URL) throws {
    switch form {
    case .gguf(let halves): return try model.save(gguf: place, halves: halves)
    case .lora: try model.save(loraTo: place)
    case .merged:
      try model.withMergedAdapters().save(to: place)
      try completeSettings(in: place)
    }
    try Data(readme.utf8).write(to: place.appending(path: "README.md"))
  }

  func report(_ path: String) -> Report {
    var report = Report(verb: "export model")
    let categories = lesson.map { ", \($0.taught.categories.count) categories," } ?? ""
    report.json = [
      "model": .string(name), "method": method.map(JSONValue.string) ?? .null,
      "prompt": prompt.map(JSONValue.string) ?? .null,
      "categories": .array((lesson?.taught.categories ?? []).map { .string($0.key) }),
    ]
    switch form {
    case .lora(let base):
      report.blocks.append(.line("Wrote the LoRA of \(name)\(categories) to \(path.visible)."))
      report.blocks.append(
        .line(
          "It goes with \(base.visible)\(dequantised): export model \(Language.quoted(base)) --model \(Language.quoted(base)) --merge"
        ))
      report.json["folder"] = .string(path)
      (report.json["form"], report.json["base"]) = ("lora", .string(base))
      report.hint = "its README.md tells how Python's peft loads it"
    case .merged:
      report.blocks.append(.line("Wrote all of \(name)\(categories) to \(path.visible)."))
      (report.json["form"], report.json["folder"]) = ("merged", .string(path))
      report.hint = "its README.md tells how Python's transformers loads it"
    case .gguf:
      report.blocks.append(.line("Wrote all of \(name)\(categories) to \(path.visible)."))
      if let prompt { report.blocks.append(.line("It was taught behind this prompt: \(prompt.jsonQuoted)")) }
      (report.json["form"], report.json["file"]) = ("gguf", .string(path))
      report.hint =
        "llama-cli -m \(Language.quoted(path)), or in a Modelfile of Ollama's: FROM ./\(Language.quoted(path))"
    }
    return report
  }

  /// The prompt with `{text}` in it, the chat template's marks spelled out; nil where nothing was taught.
  private var prompt: String? { lesson.flatMap { try? $0.prompt(for: Prompt.textPlaceholder) } }

  // MARK: - Settings

  /// `generation_config.json`: what transformers writes with if it is not told otherwise. And a model's own `config.json` may ask for
  /// half precision, in which transformers would round what was learned.
  private func completeSettings(in folder: URL) throws {
    var settings = try object("config.json", folder)
    var generation: [String: Any] = ["do_sample": false, "eos_token_id": ends]
    for key in ["bos_token_id", "pad_token_id"] { generation[key] = settings[key] }
    try write(generation, "generation_config.json", folder)
    for key in ["dtype", "torch_dtype"] where settings[key] as? String ?? "float32" != "float32" {
      settings[key] = "float32"
      try write(settings, "config.json", folder)
    }
  }

  private var ends: [Int] {
    let own = lesson?.ends ?? (model.tokenizer as? BytePair).map { ChatTemplate($0).ends($0) } ?? []
    return own.map(Int.init).sorted()
  }

  private func object(_ file: String, _ folder: URL) throws -> [String: Any] {
    let data = try Data(contentsOf: folder.appending(path: file))
    return try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
  }

  private func write(_ object: [String: Any], _ file: String, _ folder: URL) throws {
    let data = try JSONSerialization.data(
      withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    try data.write(to: folder.appending(path: file))
  }

  // MARK: - README

  private var readme: String {
    switch form {
    case .lora(let base):
      readme(
        about: """
          The LoRA alone, of rank \(model.adapterSize). It goes with the weights of \(base)\(dequantised): let fettle's \
          `export model \(base) --model \(base) --merge` put them beside this folder.
          """,
        packages: "torch transformers peft", imports: "from peft import PeftModel\n", weights: "../\(base)",
        loading: "\nmodel = PeftModel.from_pretrained(model, \".\")")
    case .merged, .gguf:
      readme(
        about: lesson == nil
          ? "As fettle has it\(dequantised)." : "All weights in f32, what was learned among them.",
        packages: "torch transformers", imports: "", weights: ".", loading: "")
    }
  }

  private var dequantised: String { model.isFromGGUF ? ", dequantised from its GGUF file" : "" }

  private func readme(
    about: String, packages: String, imports: String, weights: String, loading: String
  ) -> String {
    let taught = lesson.map { lesson in
      "\nIt was taught by fettle to write one of these behind the prompt: \(lesson.taught.words.joined(separator: ", "))."
    }
    let text = "The ferries are on strike for a second week."
    let question =
      prompt.map { "\($0.jsonQuoted).replace(\"\(Prompt.textPlaceholder)\", \(text.jsonQuoted))" }
      ?? "\"The capital of France is\""
    return """
      # \(name)
      A language model. \(about)\(taught ?? "")

      Here, with `pip install \(packages)`:
      ```python
      \(imports)from transformers import AutoModelForCausalLM, AutoTokenizer
      tokenizer = AutoTokenizer.from_pretrained(\(weights.jsonQuoted))
      model = AutoModelForCausalLM.from_pretrained(\(weights.jsonQuoted), dtype="float32")\(loading)
      prompt = \(question)
      ids = tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
      written = model.generate(**ids, max_new_tokens=\(lesson?.room ?? 20), do_sample=False, eos_token_id=\(ends))
      print(tokenizer.decode(written[0, ids["input_ids"].shape[1]:], skip_special_tokens=True).strip())
      ```

      """
  }
}
