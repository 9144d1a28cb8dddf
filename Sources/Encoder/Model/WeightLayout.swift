/// Where each of a BERT's weights stands in one block of memory, and what it is called in a file.
struct WeightLayout: Sendable {
  /// The tensors that a file must hold, and their shapes.
  static func files(_ configuration: BERTConfiguration) -> [(name: String, shape: [Int])] {
    let hidden = configuration.hiddenSize
    let inner = configuration.intermediateSize
    var files: [(String, [Int])] = [
      ("embeddings.word_embeddings.weight", [configuration.vocabularySize, hidden]),
      ("embeddings.position_embeddings.weight", [configuration.maximumPositions, hidden]),
      ("embeddings.token_type_embeddings.weight", [configuration.segmentTypes, hidden]),
      ("embeddings.LayerNorm.weight", [hidden]),
      ("embeddings.LayerNorm.bias", [hidden]),
    ]
    for layer in 0..<configuration.layers {
      let prefix = "encoder.layer.\(layer)."
      for part in ["query", "key", "value"] {
        files.append((prefix + "attention.self.\(part).weight", [hidden, hidden]))
        files.append((prefix + "attention.self.\(part).bias", [hidden]))
      }
      files += [
        (prefix + "attention.output.dense.weight", [hidden, hidden]),
        (prefix + "attention.output.dense.bias", [hidden]),
        (prefix + "attention.output.LayerNorm.weight", [hidden]),
        (prefix + "attention.output.LayerNorm.bias", [hidden]),
        (prefix + "intermediate.dense.weight", [inner, hidden]),
        (prefix + "intermediate.dense.bias", [inner]),
        (prefix + "output.dense.weight", [hidden, inner]),
        (prefix + "output.dense.bias", [hidden]),
        (prefix + "output.LayerNorm.weight", [hidden]),
        (prefix + "output.LayerNorm.bias", [hidden]),
      ]
    }
    return files
  }
}
