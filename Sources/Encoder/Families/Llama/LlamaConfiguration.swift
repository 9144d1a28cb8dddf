import Basics
import Foundation

/// The sizes of a decoder of Llama's kind (Touvron et al. 2023), as `config.json` gives them (names as in Hugging Face transformers).
package struct LlamaConfiguration: Sendable, Equatable {
  package var vocabularySize: Int
  package var hiddenSize: Int
  package var layers: Int
  package var attentionHeads: Int
  /// Heads of keys and values, each shared by a group of query heads (Ainslie et al. 2023).
  package var keyHeads: Int
  package var headSize: Int
  package var intermediateSize: Int
  package var maximumPositions: Int
  package var rmsNormEpsilon: Float
  /// The base of the rotations' wavelengths (Su et al. 2021).
  package var ropeTheta: Double
  /// Whether the word table is the output matrix too.
  package var isTied: Bool
  /// Whether queries, keys and values have a bias, as Qwen2's.
  package var hasAttentionBias: Bool

  /// Numbers of queries, and of keys or values, that stand for one token.
  package var queryWidth: Int { attentionHeads * headSize }
  package var keyWidth: Int { keyHeads * headSize }

  /// Of each pair of a head's coordinates, how far one position turns it.
  var rotationFrequencies: [Float] {
    (0..<headSize / 2).map { 1 / Float(pow(ropeTheta, Double(2 * $0) / Double(headSize))) }
  }

  private struct File: Decodable {
    struct Rope: Decodable {
      var theta: Double?
      var kind: String?
      var oldKind: String?
      enum CodingKeys: String, CodingKey {
        case theta = "rope_theta"
        case kind = "rope_type"
        case oldKind = "type"
      }
    }
    var modelType: String?
    var vocabularySize: Int
    var hiddenSize: Int
    var layers: Int
    var attentionHeads: Int
    var keyHeads: Int?
    var headSize: Int?
    var intermediateSize: Int
    var maximumPositions: Int
    var rmsNormEpsilon: Float?
    var ropeTheta: Double?
    var rope: Rope?
    var scaling: Rope?
    var isTied: Bool?
    var activation: String?
    var hasAttentionBias: Bool?
    var hasFeedForwardBias: Bool?
    var usesSlidingWindow: Bool?

    enum CodingKeys: String, CodingKey {
      case modelType = "model_type"
      case vocabularySize = "vocab_size"
      case hiddenSize = "hidden_size"
      case layers = "num_hidden_layers"
      case attentionHeads = "num_attention_heads"
      case keyHeads = "num_key_value_heads"
      case headSize = "head_dim"
      case intermediateSize = "intermediate_size"
      case maximumPositions = "max_position_embeddings"
      case rmsNormEpsilon = "rms_norm_eps"
      case ropeTheta = "rope_theta"
      case rope = "rope_parameters"
      case scaling = "rope_scaling"
      case isTied = "tie_word_embeddings"
      case activation = "hidden_act"
      case hasAttentionBias = "attention_bias"
      case hasFeedForwardBias = "mlp_bias"
      case usesSlidingWindow = "use_sliding_window"
    }
  }

  /// From `config.json`, or from the GGUF file.
  /// - Throws: `ModelError` where something is missing, or describes a network that fettle does not run.
  init(_ checkpoint: Checkpoint) throws {
    if let gguf = checkpoint.gguf { try self.init(gguf) } else { try self.init(folder: checkpoint) }
  }

  private init(folder checkpoint: Checkpoint) throws {
    let file = try checkpoint.configuration(File.self)
    func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws {
      if !condition { throw checkpoint.malformed(reason()) }
    }
    for rope in [file.rope, file.scaling].compactMap({ $0 }) {
      let kind = rope.kind ?? rope.oldKind ?? "default"
      try require(
        kind == "default", "its positions are scaled by \(kind.excerpt()), which fettle does not do")
    }
    try require(
      file.activation ?? "silu" == "silu", "hidden_act is \(file.activation?.excerpt() ?? ""), not silu")
    try require(file.hasFeedForwardBias != true, "mlp_bias is true")
    try require(file.usesSlidingWindow != true, "use_sliding_window is true")
    let heads = max(file.attentionHeads, 1)
    vocabularySize = file.vocabularySize
    hiddenSize = file.hiddenSize
    layers = file.layers
    attentionHeads = file.attentionHeads
    keyHeads = file.keyHeads ?? file.attentionHeads
    headSize = file.headSize ?? file.hiddenSize / heads
    intermediateSize = file.intermediateSize
    maximumPositions = file.maximumPositions
    rmsNormEpsilon = file.rmsNormEpsilon ?? 1e-6
    ropeTheta = file.rope?.theta ?? file.ropeTheta ?? 10_000
    isTied = file.isTied ?? false
    hasAttentionBias = file.hasAttentionBias ?? (file.modelType == "qwen2")
    try check(checkpoint.settingsFile)
  }

  /// As a GGUF file gives them, by the names of its specification.
  /// - Throws: `ModelError` where something is missing, or describes a network that fettle does not run.
  private init(_ file: GGUF) throws {
    func malformed(_ reason: String) -> ModelError {
      .malformedConfiguration(file: file.file, reason: reason)
    }
    func key(_ name: String) -> String { "\(file.architecture).\(name)" }
    func size(_ name: String) throws -> Int {
      guard let size = try file.integer(key(name)) else {
        throw malformed("\(key(name)) is missing")
      }
      return size
    }
    if let scaling = try file.string(key("rope.scaling.type")), scaling != "none" {
      throw malformed("its positions are scaled by \(scaling.excerpt()), which fettle does not do")
    }
    guard file.tensors["rope_freqs.weight"] == nil else {
      throw malformed("its positions are scaled by rope_freqs.weight, which fettle does not do")
    }
    guard let table = file.tensors["token_embd.weight"], table.shape.count == 2 else {
      throw ModelError.missingTensor("token_embd.weight")
    }
    vocabularySize = table.shape[0]
    hiddenSize = try size("embedding_length")
    layers = try size("block_count")
    attentionHeads = try size("attention.head_count")
    keyHeads = try file.integer(key("attention.head_count_kv")) ?? attentionHeads
    headSize =
      try file.integer(key("attention.key_length")) ?? file.integer(key("rope.dimension_count"))
      ?? hiddenSize / max(attentionHeads, 1)
    intermediateSize = try size("feed_forward_length")
    maximumPositions = try size("context_length")
    rmsNormEpsilon = Float(try file.number(key("attention.layer_norm_rms_epsilon")) ?? 1e-6)
    ropeTheta = try file.number(key("rope.freq_base")) ?? 10_000
    isTied = file.tensors["output.weight"] == nil
    hasAttentionBias = file.tensors["blk.0.attn_q.bias"] != nil
    try check(file.file)
  }

  private func check(_ file: String) throws {
    func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws {
      if !condition { throw ModelError.malformedConfiguration(file: file, reason: reason()) }
    }
    // Limits far above any model that fits this program: products of sizes within them cannot overflow.
    for (name, size, limit) in [
      ("vocab_size", vocabularySize, 1 << 22), ("hidden_size", hiddenSize, 1 << 16),
      ("num_hidden_layers", layers, 1 << 10), ("num_attention_heads", attentionHeads, 1 << 12),
      ("num_key_value_heads", keyHeads, 1 << 12), ("head_dim", headSize, 1 << 12),
      ("intermediate_size", intermediateSize, 1 << 18),
      ("max_position_embeddings", maximumPositions, 1 << 24),
    ] {
      try require((1...limit).contains(size), "\(name) is \(size)")
    }
    try require(
      attentionHeads % keyHeads == 0,
      "num_attention_heads \(attentionHeads) does not divide by num_key_value_heads \(keyHeads)")
    try require(headSize % 2 == 0, "head_dim is \(headSize), not even")
    try require(rmsNormEpsilon >= 0 && rmsNormEpsilon < 1, "rms_norm_eps is \(rmsNormEpsilon)")
    try require(ropeTheta > 0 && ropeTheta.isFinite, "rope_theta is \(ropeTheta)")
  }
}
