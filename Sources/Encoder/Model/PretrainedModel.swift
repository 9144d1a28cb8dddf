import Foundation

/// A BERT with its tokenizer, from a folder with `model.safetensors`, `config.json` and `vocab.txt`: the pre-trained model that a
/// user installs, or what training has made of it. Copies share the weights, which never change.
public struct PretrainedModel: Sendable {
  public let configuration: BERTConfiguration
  public let tokenizer: WordPiece
  /// Tokens of the longest text that is read whole, `[CLS]` and `[SEP]` included; what is beyond is left out.
  public let maximumLength: Int
  /// By the names of Hugging Face's BertModel, without a leading `bert.`.
  let tensors: [String: Tensor]
  /// Width of its adapters' bottlenecks; 0: it has none.
  public let adapterSize: Int

  init(
    configuration: BERTConfiguration, tokenizer: WordPiece, maximumLength: Int, tensors: [String: Tensor],
    adapterSize: Int = 0
  ) {
    self.adapterSize = adapterSize
    self.configuration = configuration
    self.tokenizer = tokenizer
    self.maximumLength = maximumLength
    self.tensors = tensors
  }

  /// Maps the weights and checks all shapes; numbers are read from the disk when they are needed.
  /// - Throws: `ModelError`.
  public static func load(folder: URL) throws -> PretrainedModel {
    let configuration = try BERTConfiguration.load(folder.appendingPathComponent("config.json"))
    let tokenizer = try WordPiece(folder: folder)
    guard tokenizer.vocabulary.count <= configuration.vocabularySize else {
      throw ModelError.malformedVocabulary(
        reason:
          "it has \(tokenizer.vocabulary.count) tokens, and config.json says \(configuration.vocabularySize)")
    }
    let file = folder.appendingPathComponent("model.safetensors")
    try checkFormat(file)
    // A model with adapters that has been tuned in full holds them among its weights.
    let names = Set(WeightLayout.files(configuration, adapterSize: 1).map(\.name))
    let (stored, _) = try SafeTensors.open(file) { names.contains(ownName($0)) }
    var tensors: [String: Tensor] = [:]
    for (name, tensor) in stored { tensors[ownName(name)] = tensor }
    let adapterSize = AdapterFile.size(in: tensors)
    try check(tensors, WeightLayout.files(configuration, adapterSize: adapterSize))
    return PretrainedModel(
      configuration: configuration, tokenizer: tokenizer,
      maximumLength: try readMaximumLength(folder, configuration), tensors: tensors, adapterSize: adapterSize)
  }

  /// A tensor's name without the prefix that models with a head have; and as it is today, where an old file says gamma and beta.
  private static func ownName(_ name: String) -> String {
    let name = name.hasPrefix("bert.") ? String(name.dropFirst("bert.".count)) : name
    for (old, new) in [(".gamma", ".weight"), (".beta", ".bias")] where name.hasSuffix("LayerNorm" + old) {
      return name.dropLast(old.count) + new
    }
    return name
  }

  /// Says where the weights are, if they are there in another form.
  private static func checkFormat(_ file: URL) throws {
    func exists(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }
    guard !exists(file) else { return }
    let folder = file.deletingLastPathComponent()
    for other in ["model.safetensors.index.json", "pytorch_model.bin", "tf_model.h5", "flax_model.msgpack"]
    where exists(folder.appendingPathComponent(other)) {
      throw ModelError.otherWeights(other, folder: folder.lastPathComponent)
    }
  }

  static func check(_ tensors: [String: Tensor], _ needed: [(name: String, shape: [Int])]) throws {
    for (name, shape) in needed {
      guard let tensor = tensors[name] else { throw ModelError.missingTensor(name) }
      guard tensor.shape == shape else {
        throw ModelError.wrongShape(tensor: name, expected: shape, found: tensor.shape)
      }
    }
  }

  /// 256 as all-MiniLM-L6-v2 has it, unless the folder says otherwise or the model has fewer positions.
  static func readMaximumLength(_ folder: URL, _ configuration: BERTConfiguration) throws -> Int {
    struct Settings: Decodable {
      var maximumLength: Int?
      enum CodingKeys: String, CodingKey { case maximumLength = "max_seq_length" }
    }
    let data = try ModelFile.readIfPresent(folder.appendingPathComponent("sentence_bert_config.json"))
    let stated = data.flatMap { try? JSONDecoder().decode(Settings.self, from: $0).maximumLength }
    return min(max(stated ?? 256, 2), configuration.maximumPositions)
  }

  /// Writes a folder that `load` and Hugging Face transformers read.
  /// - Parameter withAdapters: whether a model's adapters stand among its weights, which transformers does not know.
  /// - Throws: `ModelError.cannotWrite`.
  public func save(to folder: URL, withAdapters: Bool = true) throws {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw ModelError.cannotWrite(folder.lastPathComponent, reason: "the folder cannot be made")
    }
    let written = withAdapters ? tensors : tensors.filter { !$0.key.contains(AdapterFile.mark) }
    try SafeTensors.write(written, to: folder.appendingPathComponent("model.safetensors"))
    try ModelFile.write(tokenizer.vocabulary.contents, to: folder.appendingPathComponent("vocab.txt"))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try ModelFile.write(try encoder.encode(configuration), to: folder.appendingPathComponent("config.json"))
    try writeJSON(
      [
        "do_lower_case": tokenizer.rules.lowercases, "strip_accents": tokenizer.rules.stripsAccents,
        "tokenize_chinese_chars": tokenizer.rules.separatesIdeographs, "tokenizer_class": "BertTokenizer",
        "model_max_length": maximumLength, "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]",
        "pad_token": "[PAD]", "mask_token": "[MASK]",
      ], to: folder.appendingPathComponent("tokenizer_config.json"))
    try writeJSON(
      ["max_seq_length": maximumLength, "do_lower_case": false],
      to: folder.appendingPathComponent("sentence_bert_config.json"))
  }

  /// Lets go of what memory holds of the model's file.
  func releasePages() {
    let files = tensors.values.compactMap { $0.owner as? MappedFile }
    for (_, file) in Dictionary(files.map { (ObjectIdentifier($0), $0) }, uniquingKeysWith: { $1 }) {
      file.releasePages()
    }
  }

  /// - Throws: `ModelError` where the model cannot read these tokens.
  func check(_ encoding: Encoding) throws {
    guard !encoding.ids.isEmpty, encoding.ids.count <= configuration.maximumPositions else {
      throw ModelError.textTooLong(tokens: encoding.ids.count, maximum: configuration.maximumPositions)
    }
    for id in encoding.ids where id < 0 || id >= configuration.vocabularySize {
      throw ModelError.tokenOutOfRange(id: Int(id), vocabulary: configuration.vocabularySize)
    }
  }

  private func writeJSON(_ object: [String: Any], to file: URL) throws {
    let data = try JSONSerialization.data(withJSONObject: object, options: [.prettyPrinted, .sortedKeys])
    try ModelFile.write(data, to: file)
  }

  /// Bytes that `save` writes, weights and vocabulary; the settings are a kilobyte more.
  public var bytesOnDisk: Int {
    tensors.values.reduce(tokenizer.vocabulary.contents.count) { $0 + $1.count * 4 }
  }

  /// Bytes of numbers that a model of this one tuned by `method` takes on the disk, its head of `categories` too; the files'
  /// headers are some kilobytes more.
  public func bytesOnDisk(tunedBy method: Method, categories: Int) -> Int {
    let head = 4 * categories * (configuration.hiddenSize + 1)
    switch method {
    case .linear: return head
    case .adapter:
      let size = adapterSize > 0 ? adapterSize : AdapterFile.newSize
      return head
        + AdapterFile.contents(configuration, size: size).reduce(0) { $0 + 4 * $1.shape.reduce(1, *) }
    case .full, .gradual: return head + bytesOnDisk
    }
  }
}
