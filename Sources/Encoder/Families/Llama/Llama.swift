import Basics
import Foundation

/// Llama's kind of decoder (Touvron et al. 2023) with Qwen2's biases as a variation: `config.json` and `tokenizer.json` as Hugging
/// Face transformers writes them, and the names of its LlamaForCausalLM.
package struct Llama: Backbone {
  package static let families = ["llama", "qwen2"]
  package static let isGenerative = true

  package let configuration: LlamaConfiguration
  package private(set) var adapterAlpha: Float? = 16
  let bytePairs: BytePair
  /// Nil for a model from a GGUF file.
  private let files: [(name: String, contents: Data)]?
  /// Nil for a model from a folder.
  let gguf: GGUF?
  /// Whether the rows of queries and keys stand as GGUF's Llama has them.
  let interleavesRotations: Bool

  package var tokenizer: any Tokenizer { bytePairs }
  package var maximumLength: Int { configuration.maximumPositions }

  package var shape: ModelShape {
    ModelShape(
      layers: configuration.layers, hiddenSize: configuration.hiddenSize, keyWidth: configuration.keyWidth,
      keyHeads: configuration.keyHeads, vocabularySize: configuration.vocabularySize,
      maximumPositions: configuration.maximumPositions)
  }

  package static func fileNames(of checkpoint: Checkpoint) -> [String] {
    ["config.json", "tokenizer.json", "model.safetensors"] + templateFiles + ["generation_config.json"]
  }

  /// Where the chat template lies, which is no part of the tokenizer's own file.
  private static let templateFiles = ["tokenizer_config.json", "chat_template.jinja"]

  package static func maximumLength(of checkpoint: Checkpoint) throws -> Int {
    try LlamaConfiguration(checkpoint).maximumPositions
  }

  package init(_ checkpoint: Checkpoint) throws {
    configuration = try LlamaConfiguration(checkpoint)
    if let gguf = checkpoint.gguf {
      bytePairs = try Self.tokenizer(gguf)
      files = nil
      self.gguf = gguf
      interleavesRotations = gguf.architecture == "llama"
    } else {
      var files = try ["config.json", "tokenizer.json"].map {
        (name: $0, contents: try checkpoint.contents(of: $0))
      }
      for name in Self.templateFiles {
        if let contents = try checkpoint.contentsIfPresent(of: name) { files.append((name, contents)) }
      }
      bytePairs = try BytePair(folder: checkpoint.folder)
      self.files = files
      gguf = nil
      interleavesRotations = false
    }
    guard bytePairs.count <= configuration.vocabularySize else {
      throw checkpoint.malformed(
        "it has \(configuration.vocabularySize) tokens, and its tokenizer \(bytePairs.count)")
    }
  }

  private static func tokenizer(_ file: GGUF) throws -> BytePair {
    func malformed(_ reason: String) -> ModelError {
      .malformedConfiguration(file: file.file, reason: reason)
    }
    func needed<Value>(_ key: String, _ value: Value?) throws -> Value {
      guard let value else { throw malformed("\(key) is missing") }
      return value
    }
    let kind = try needed("tokenizer.ggml.model", file.string("tokenizer.ggml.model"))
    guard kind == "gpt2" else {
      throw malformed("its tokenizer is \(kind.excerpt()), not gpt2")
    }
    let beginning =
      try file.boolean("tokenizer.ggml.add_bos_token") == true
      ? file.integer("tokenizer.ggml.bos_token_id").flatMap(Int32.init(exactly:)) : nil
    return try BytePair(
      tokens: needed("tokenizer.ggml.tokens", file.strings("tokenizer.ggml.tokens")),
      merges: needed("tokenizer.ggml.merges", file.strings("tokenizer.ggml.merges")),
      types: file.integers("tokenizer.ggml.token_type"),
      preTokenizer: needed("tokenizer.ggml.pre", file.string("tokenizer.ggml.pre")), beginning: beginning,
      file: file.file)
  }

  package static func identity(of checkpoint: Checkpoint) throws -> Data {
    // A GGUF file's own digest says it all.
    guard checkpoint.gguf == nil else { return Data() }
    let settings = try checkpoint.contents(of: "config.json") + checkpoint.contents(of: "tokenizer.json")
    return try templateFiles.reduce(settings) { try $0 + (checkpoint.contentsIfPresent(of: $1) ?? Data()) }
  }

  package static let newAdapterSize = 8
  package static let adaptersTuneNorms = false

  package func adapterSize(in tensors: [String: Tensor]) -> Int {
    tensors["model.layers.0.self_attn.q_proj.lora_A.weight"]?.shape.first ?? 0
  }

  package func with(adapterAlpha: Float) -> (any Backbone)? {
    var copy = self
    copy.adapterAlpha = adapterAlpha
    return copy
  }

  package func place(in layout: inout ParameterLayout, words: Int, adapterSize: Int) -> any Network {
    LlamaNetwork(
      configuration, in: &layout, words: words,
      adapters: (rank: adapterSize, scale: (adapterAlpha ?? 0) / Float(max(adapterSize, 1))))
  }

  package func settingsFiles() throws -> [(name: String, contents: Data)] {
    if let files { return files }
    guard let gguf else { return [] }
    return try self.files(of: gguf)
  }

  // MARK: - Names and rows of GGUF

  static let parts = [
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
    "token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head",
  ]

  /// `blk.3.attn_q.weight` is `model.layers.3.self_attn.q_proj.weight`.
  package func ownName(_ name: String) -> String {
    guard files == nil else { return name }
    let words = name.split(separator: ".").map(String.init)
    guard words.count >= 2, let part = Self.parts[words[words.count - 2]] else { return name }
    let ending = words[words.count - 1]
    return words[0] == "blk" && words.count == 4
      ? "model.layers.\(words[1]).\(part).\(ending)" : "\(part).\(ending)"
  }

  /// Within each head GGUF's Llama has the two coordinates of a rotation beside each other; they are rotated here as halves.
  package func own(_ tensor: Tensor, name: String) -> Tensor {
    guard interleavesRotations, name.hasSuffix("q_proj.weight") || name.hasSuffix("k_proj.weight"),
      let rows = tensor.shape.first, rows > 0, rows % configuration.headSize == 0
    else { return tensor }
    let size = configuration.headSize
    return tensor.withRows { row in
      let (head, place) = row.quotientAndRemainder(dividingBy: size)
      return head * size + place % (size / 2) * 2 + place / (size / 2)
    }
  }
}
