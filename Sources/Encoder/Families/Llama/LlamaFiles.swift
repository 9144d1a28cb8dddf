import Foundation

/// What a model from a GGUF file is as a folder of Hugging Face's, and as a GGUF again.
extension Llama {
  /// `config.json`, `tokenizer.json` and `tokenizer_config.json`, made of the GGUF's metadata.
  func files(of gguf: GGUF) throws -> [(name: String, contents: Data)] {
    var tokenizer: [String: Any] = [
      "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": configuration.maximumPositions,
      "clean_up_tokenization_spaces": false,
    ]
    let tokens = try gguf.strings("tokenizer.ggml.tokens") ?? []
    var ids: [String: Any] = [:]
    for (key, name) in [("bos", "bos"), ("eos", "eos"), ("padding", "pad"), ("unknown", "unk")] {
      guard let id = try gguf.integer("tokenizer.ggml.\(key)_token_id"), tokens.indices.contains(id) else {
        continue
      }
      tokenizer["\(name)_token"] = tokens[id]
      if name != "unk" { ids["\(name)_token_id"] = id }
    }
    if let template = try gguf.string("tokenizer.chat_template") { tokenizer["chat_template"] = template }
    return [
      ("config.json", try json(settings(gguf).merging(ids) { $1 })),
      ("tokenizer.json", try json(tokenizerFile(gguf, tokens))),
      ("tokenizer_config.json", try json(tokenizer)),
    ]
  }

  private func json(_ object: [String: Any]) throws -> Data {
    try JSONSerialization.data(
      withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
  }

  private func settings(_ gguf: GGUF) -> [String: Any] {
    let isQwen = gguf.architecture == "qwen2"
    return [
      "model_type": gguf.architecture, "architectures": [isQwen ? "Qwen2ForCausalLM" : "LlamaForCausalLM"],
      "vocab_size": configuration.vocabularySize, "hidden_size": configuration.hiddenSize,
      "num_hidden_layers": configuration.layers, "num_attention_heads": configuration.attentionHeads,
      "num_key_value_heads": configuration.keyHeads, "head_dim": configuration.headSize,
      "intermediate_size": configuration.intermediateSize,
      "max_position_embeddings": configuration.maximumPositions,
      "rms_norm_eps": Double("\(configuration.rmsNormEpsilon)") ?? Double(configuration.rmsNormEpsilon),
      "rope_theta": configuration.ropeTheta, "tie_word_embeddings": configuration.isTied,
      "hidden_act": "silu",
      "attention_bias": configuration.hasAttentionBias, "mlp_bias": false, "torch_dtype": "float32",
    ]
  }

  private func tokenizerFile(_ gguf: GGUF, _ tokens: [String]) throws -> [String: Any] {
    let types = try gguf.integers("tokenizer.ggml.token_type") ?? []
    var vocabulary: [String: Int] = [:]
    var added: [[String: Any]] = []
    for (id, token) in tokens.enumerated() {
      vocabulary[token] = id
      guard id < types.count, [2, 3, 4].contains(types[id]) else { continue }
      added.append([
        "id": id, "content": token, "special": types[id] != 4, "normalized": false, "single_word": false,
        "lstrip": false, "rstrip": false,
      ])
    }
    let byteLevel: [String: Any] = [
      "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
    ]
    var processor: Any = NSNull()
    if let beginning = bytePairs.beginning, tokens.indices.contains(Int(beginning)) {
      let name = tokens[Int(beginning)]
      processor = [
        "type": "TemplateProcessing",
        "single": [["SpecialToken": ["id": name, "type_id": 0]], ["Sequence": ["id": "A", "type_id": 0]]],
        "pair": [["Sequence": ["id": "A", "type_id": 0]], ["Sequence": ["id": "B", "type_id": 1]]],
        "special_tokens": [name: ["id": name, "ids": [Int(beginning)], "tokens": [name]]],
      ]
    }
    return [
      "version": "1.0", "truncation": NSNull(), "padding": NSNull(), "added_tokens": added,
      "normalizer": bytePairs.composes ? ["type": "NFC"] as Any : NSNull(),
      "pre_tokenizer": bytePairs.rules.file(byteLevel), "post_processor": processor, "decoder": byteLevel,
      "model": [
        "type": "BPE", "dropout": NSNull(), "unk_token": NSNull(), "continuing_subword_prefix": NSNull(),
        "end_of_word_suffix": NSNull(), "fuse_unk": false, "byte_fallback": false,
        "ignore_merges": bytePairs.rules == .llama3, "vocab": vocabulary,
        "merges": try gguf.strings("tokenizer.ggml.merges") ?? [],
      ] as [String: Any],
    ]
  }

  // MARK: - GGUF

  package func ggufEntries() throws -> [(key: String, value: Data)]? {
    guard let gguf else { return nil }
    return gguf.entries()
  }

  /// `model.layers.3.self_attn.q_proj.weight` is `blk.3.attn_q.weight`, with its rows as a GGUF has them.
  package func ggufTensor(_ tensor: Tensor, name: String) -> (name: String, tensor: Tensor) {
    let words = name.split(separator: ".").map(String.init)
    let ending = words[words.count - 1]
    let inLayer = name.hasPrefix("model.layers.")
    let part = words[(inLayer ? 3 : 0)..<words.count - 1].joined(separator: ".")
    let short = Self.parts.first { $0.value == part }?.key ?? part
    let own = inLayer ? "blk.\(words[2]).\(short).\(ending)" : "\(short).\(ending)"
    guard interleavesRotations, name.hasSuffix("q_proj.weight") || name.hasSuffix("k_proj.weight") else {
      return (own, tensor)
    }
    let size = configuration.headSize
    return (
      own,
      tensor.withRows { row in
        let (head, place) = row.quotientAndRemainder(dividingBy: size)
        return head * size + place % 2 * (size / 2) + place / 2
      }
    )
  }
}

extension PreTokenizer {
  /// As `tokenizer.json` says it.
  fileprivate func file(_ byteLevel: [String: Any]) -> [String: Any] {
    func sequence(_ first: [String: Any], splits: Bool) -> [String: Any] {
      ["type": "Sequence", "pretokenizers": [first, byteLevel.merging(["use_regex": splits]) { $1 }]]
    }
    switch self {
    case .gpt2: return byteLevel
    case .smollm: return sequence(["type": "Digits", "individual_digits": true], splits: true)
    case .llama3, .qwen2:
      return sequence(
        [
          "type": "Split", "behavior": "Isolated", "invert": false,
          "pattern": ["Regex": BytePairFile.expression(of: self)],
        ], splits: false)
    }
  }
}
