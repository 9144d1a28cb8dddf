import Foundation

/// BERT (Devlin et al. 2019), an encoder: `config.json` and `vocab.txt` as Hugging Face transformers writes them, and the names of
/// its BertModel.
package struct BERT: Backbone {
  package static let families = ["bert"]

  package static func fileNames(of checkpoint: Checkpoint) -> [String] {
    let vocabulary = checkpoint.has("vocab.txt") ? "vocab.txt" : "tokenizer.json"
    return [
      "config.json", vocabulary, "model.safetensors", "tokenizer_config.json", "sentence_bert_config.json",
    ]
  }

  package let configuration: BERTConfiguration
  private let wordPiece: WordPiece
  package let maximumLength: Int

  package var tokenizer: any Tokenizer { wordPiece }

  package var shape: ModelShape {
    ModelShape(
      layers: configuration.layers, hiddenSize: configuration.hiddenSize,
      vocabularySize: configuration.vocabularySize, maximumPositions: configuration.maximumPositions)
  }

  package init(_ checkpoint: Checkpoint) throws {
    configuration = try BERTConfiguration(checkpoint)
    wordPiece = try WordPiece(folder: checkpoint.folder)
    guard wordPiece.count <= configuration.vocabularySize else {
      throw ModelError.malformedVocabulary(
        reason: "it has \(wordPiece.count) tokens, and config.json says \(configuration.vocabularySize)")
    }
    maximumLength = try Self.readMaximumLength(checkpoint, configuration)
  }

  package static func maximumLength(of checkpoint: Checkpoint) throws -> Int {
    try readMaximumLength(checkpoint, BERTConfiguration(checkpoint))
  }

  package static func identity(of checkpoint: Checkpoint) throws -> Data {
    let configuration = try BERTConfiguration(checkpoint)
    let files = try TokenizerFiles(checkpoint.folder)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    var settings = try encoder.encode(configuration)
    let rules = files.rules
    let words: [any CustomStringConvertible] = [
      rules.lowercases, rules.stripsAccents, rules.separatesIdeographs,
      try readMaximumLength(checkpoint, configuration),
    ]
    settings.append(contentsOf: words.map { "\n\($0)" }.joined().utf8)
    settings.append(0x0a)
    settings.append(files.vocabulary)
    return settings
  }

  /// 256 as all-MiniLM-L6-v2 has it, unless the folder says otherwise or the model has fewer positions.
  private static func readMaximumLength(_ checkpoint: Checkpoint, _ configuration: BERTConfiguration) throws
    -> Int
  {
    struct Settings: Decodable {
      var maximumLength: Int?
      enum CodingKeys: String, CodingKey { case maximumLength = "max_seq_length" }
    }
    let data = try checkpoint.contentsIfPresent(of: "sentence_bert_config.json")
    let stated = data.flatMap { try? JSONDecoder().decode(Settings.self, from: $0).maximumLength }
    return min(max(stated ?? 256, 2), configuration.maximumPositions)
  }

  /// A tensor's name without the prefix that models with a head have; and as it is today, where an old file says gamma and beta.
  package func ownName(_ name: String) -> String {
    let name = name.hasPrefix("bert.") ? String(name.dropFirst("bert.".count)) : name
    for (old, new) in [(".gamma", ".weight"), (".beta", ".bias")] where name.hasSuffix("LayerNorm" + old) {
      return name.dropLast(old.count) + new
    }
    return name
  }

  package static let newAdapterSize = 16

  package func adapterSize(in tensors: [String: Tensor]) -> Int {
    tensors["encoder.layer.0.attention.output.adapter.down.weight"]?.shape.first ?? 0
  }

  package func place(in layout: inout ParameterLayout, words: Int, adapterSize: Int) -> any Network {
    BERTNetwork(configuration, in: &layout, words: words, adapterSize: adapterSize)
  }

  package func settingsFiles() throws -> [(name: String, contents: Data)] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let rules = wordPiece.rules
    func json(_ object: [String: Any]) throws -> Data {
      try JSONSerialization.data(withJSONObject: object, options: [.prettyPrinted, .sortedKeys])
    }
    return [
      ("vocab.txt", wordPiece.vocabulary.contents),
      ("config.json", try encoder.encode(configuration)),
      (
        "tokenizer_config.json",
        try json([
          "do_lower_case": rules.lowercases, "strip_accents": rules.stripsAccents,
          "tokenize_chinese_chars": rules.separatesIdeographs, "tokenizer_class": "BertTokenizer",
          "model_max_length": maximumLength, "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]",
          "pad_token": "[PAD]", "mask_token": "[MASK]",
        ])
      ),
      (
        "sentence_bert_config.json",
        try json(["max_seq_length": maximumLength, "do_lower_case": false])
      ),
    ]
  }
}
