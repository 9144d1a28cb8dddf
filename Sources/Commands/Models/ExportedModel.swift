import Encoder
import Foundation
import Shell

/// A tuned model as a folder for Python's sentence-transformers (https://sbert.net): the encoder and its pooling as modules that
/// it loads by itself, the head beside them.
///
/// The modules give just the vector that the head was trained on, so that a category is `weight @ vector + bias` for every
/// method. Adapters are no part of a BERT as Python knows it: a module of their own, in the folder, adds them.
struct ExportedModel: Exported {
  let name: String
  let method: String
  let categories: [String]
  let encoder: PretrainedModel
  let head: Head

  /// All that `write` may make.
  static let files: Set = [
    "README.md", "config.json", "model.safetensors", "vocab.txt", "tokenizer_config.json",
    "sentence_bert_config.json", "modules.json", "1_Pooling", "head.safetensors",
    "categories.json", adapterFile, "\(adapterModule).py",
  ]
  private static let adapterFile = PretrainedModel.adapterName
  private static let adapterModule = "bert_with_adapters"

  private var hasAdapters: Bool { encoder.adapterSize > 0 }

  func write(to folder: URL) throws {
    try encoder.save(to: folder, withAdapters: false)
    if hasAdapters {
      try encoder.save(adapterTo: folder)
      try text(Self.adapterCode, "\(Self.adapterModule).py", folder)
    }
    try head.save(to: folder.appending(path: "head.safetensors"))
    try json(categories, "categories.json", folder)
    try json(modules, "modules.json", folder)
    let pooling = folder.appending(path: "1_Pooling")
    try FileManager.default.createDirectory(at: pooling, withIntermediateDirectories: false)
    try json(
      ["word_embedding_dimension": encoder.shape.hiddenSize, "pooling_mode_mean_tokens": true],
      "config.json", pooling)
    try text(readme, "README.md", folder)
  }

  func report(_ path: String) -> Report {
    var report = Report(verb: "export model")
    report.blocks.append(.line("Wrote \(name), \(categories.count) categories, to \(path.visible)."))
    report.json = [
      "model": .string(name), "method": .string(method), "folder": .string(path),
      "categories": .array(categories.map { .string($0) }),
    ]
    report.hint = "its README.md tells how Python loads it"
    return report
  }

  private var modules: [[String: any Sendable]] {
    var types = [
      (
        "",
        hasAdapters ? "\(Self.adapterModule).BERTWithAdapters" : "sentence_transformers.models.Transformer"
      ),
      ("1_Pooling", "sentence_transformers.models.Pooling"),
    ]
    if head.normalises { types.append(("2_Normalize", "sentence_transformers.models.Normalize")) }
    return types.enumerated().map { ["idx": $0, "name": "\($0)", "path": $1.0, "type": $1.1] }
  }

  private func json(_ value: Any, _ file: String, _ folder: URL) throws {
    let data = try JSONSerialization.data(
      withJSONObject: value, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    try text(String(decoding: data, as: UTF8.self) + "\n", file, folder)
  }

  private func text(_ text: String, _ file: String, _ folder: URL) throws {
    try Data(text.utf8).write(to: folder.appending(path: file))
  }

  private var readme: String {
    let trust = hasAdapters ? ", trust_remote_code=True" : ""
    let about =
      hasAdapters
      ? "\nIts adapters are added by `\(Self.adapterModule).py`, which is why it has to be trusted.\n" : ""
    return """
      # \(name)
      A text classifier with \(categories.count) categories, fine-tuned by fettle (\(method)). Here, with `pip install sentence-transformers`:
      ```python
      import json
      from safetensors.numpy import load_file
      from sentence_transformers import SentenceTransformer
      model = SentenceTransformer("."\(trust))
      head, categories = load_file("head.safetensors"), json.load(open("categories.json"))
      vectors = model.encode(["The ferries are on strike for a second week."])
      print([categories[row.argmax()] for row in vectors @ head["weight"].T + head["bias"]])
      ```
      A text without words has no category: fettle says UNABLE_TO_CLASSIFY there, the head something arbitrary.\(about)

      """
  }

  private static let adapterCode = """
    \"""A BERT with adapters: behind each layer's two output products y becomes y + up(GELU(down(y))) (Houlsby et al. 2019).\"""

    import os

    import torch
    from safetensors.torch import load_file
    from sentence_transformers.models import Transformer


    class Adapter(torch.nn.Module):
        def __init__(self, tensors, name):
            super().__init__()
            self.weights = torch.nn.ParameterDict(
                {part.replace(".", "_"): tensors[name + part] for part in ("down.weight", "down.bias", "up.weight", "up.bias")})

        def forward(self, y):
            inner = torch.nn.functional.gelu(torch.nn.functional.linear(y, self.weights["down_weight"], self.weights["down_bias"]))
            return y + torch.nn.functional.linear(inner, self.weights["up_weight"], self.weights["up_bias"])


    class BERTWithAdapters(Transformer):
        def __init__(self, model_name_or_path, *arguments, **options):
            super().__init__(model_name_or_path, *arguments, **options)
            tensors = load_file(os.path.join(model_name_or_path, "\(adapterFile)"))
            for number, layer in enumerate(self.auto_model.encoder.layer):
                for place, block in (("attention.output", layer.attention.output), ("output", layer.output)):
                    adapter = Adapter(tensors, f"encoder.layer.{number}.{place}.adapter.")
                    block.dense = torch.nn.Sequential(block.dense, adapter)

    """
}
