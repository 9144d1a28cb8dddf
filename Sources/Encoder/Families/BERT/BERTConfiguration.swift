import Foundation

/// The sizes of a BERT, as its `config.json` gives them (Devlin et al. 2019; names as in Hugging Face transformers).
public struct BERTConfiguration: Codable, Sendable, Equatable {
  /// Tokens in the vocabulary.
  public var vocabularySize: Int
  /// Numbers that stand for one token between layers.
  public var hiddenSize: Int
  public var layers: Int
  public var attentionHeads: Int
  /// Width of the feed-forward network inside a layer.
  public var intermediateSize: Int
  /// Longest sequence, in tokens, with the two special ones.
  public var maximumPositions: Int
  /// Kinds of segment; fettle uses the first.
  public var segmentTypes: Int
  public var layerNormEpsilon: Float
  public var activation: String
  public var modelType: String

  enum CodingKeys: String, CodingKey {
    case vocabularySize = "vocab_size"
    case hiddenSize = "hidden_size"
    case layers = "num_hidden_layers"
    case attentionHeads = "num_attention_heads"
    case intermediateSize = "intermediate_size"
    case maximumPositions = "max_position_embeddings"
    case segmentTypes = "type_vocab_size"
    case layerNormEpsilon = "layer_norm_eps"
    case activation = "hidden_act"
    case modelType = "model_type"
    case positionKind = "position_embedding_type"
  }

  /// Numbers of one attention head.
  public var headSize: Int { hiddenSize / attentionHeads }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    vocabularySize = try values.decode(Int.self, forKey: .vocabularySize)
    hiddenSize = try values.decode(Int.self, forKey: .hiddenSize)
    layers = try values.decode(Int.self, forKey: .layers)
    attentionHeads = try values.decode(Int.self, forKey: .attentionHeads)
    intermediateSize = try values.decode(Int.self, forKey: .intermediateSize)
    maximumPositions = try values.decode(Int.self, forKey: .maximumPositions)
    segmentTypes = try values.decodeIfPresent(Int.self, forKey: .segmentTypes) ?? 2
    layerNormEpsilon = try values.decodeIfPresent(Float.self, forKey: .layerNormEpsilon) ?? 1e-12
    activation = try values.decodeIfPresent(String.self, forKey: .activation) ?? "gelu"
    modelType = try values.decodeIfPresent(String.self, forKey: .modelType) ?? "bert"
    let positions = try values.decodeIfPresent(String.self, forKey: .positionKind) ?? "absolute"
    try check(positions: positions)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(vocabularySize, forKey: .vocabularySize)
    try values.encode(hiddenSize, forKey: .hiddenSize)
    try values.encode(layers, forKey: .layers)
    try values.encode(attentionHeads, forKey: .attentionHeads)
    try values.encode(intermediateSize, forKey: .intermediateSize)
    try values.encode(maximumPositions, forKey: .maximumPositions)
    try values.encode(segmentTypes, forKey: .segmentTypes)
    try values.encode(layerNormEpsilon, forKey: .layerNormEpsilon)
    try values.encode(activation, forKey: .activation)
    try values.encode(modelType, forKey: .modelType)
    try values.encode("absolute", forKey: .positionKind)
  }

  /// Reads `config.json`.
  /// - Throws: `ModelError` where the file is missing, no JSON, or describes a network that fettle does not run.
  init(_ checkpoint: Checkpoint) throws {
    self = try checkpoint.configuration(BERTConfiguration.self)
  }

  /// That of a model's folder.
  /// - Throws: `ModelError`.
  public static func load(folder: URL) throws -> BERTConfiguration {
    try BERTConfiguration(Checkpoint(folder))
  }

  private func check(positions: String) throws {
    func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws {
      if !condition { throw ModelError.malformedConfiguration(reason: reason()) }
    }
    try require(activation == "gelu", "hidden_act is \(activation), not gelu")
    try require(positions == "absolute", "position_embedding_type is \(positions), not absolute")
    // Limits far above any BERT: products of sizes within them cannot overflow.
    let limit = 1 << 24
    for (name, size) in [
      ("vocab_size", vocabularySize), ("hidden_size", hiddenSize), ("num_hidden_layers", layers),
      ("num_attention_heads", attentionHeads), ("intermediate_size", intermediateSize),
      ("max_position_embeddings", maximumPositions), ("type_vocab_size", segmentTypes),
    ] {
      try require((1...limit).contains(size), "\(name) is \(size)")
    }
    try require(hiddenSize <= 1 << 16 && intermediateSize <= 1 << 18 && layers <= 1 << 10, "it is too large")
    try require(
      hiddenSize % attentionHeads == 0,
      "hidden_size \(hiddenSize) does not divide by num_attention_heads \(attentionHeads)")
    try require(maximumPositions >= 2, "max_position_embeddings is \(maximumPositions)")
    try require(layerNormEpsilon >= 0 && layerNormEpsilon < 1, "layer_norm_eps is \(layerNormEpsilon)")
  }
}
