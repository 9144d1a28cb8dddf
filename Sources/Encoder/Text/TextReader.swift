import Foundation

/// What a model reads of a text, without the model: enough to tell whether two texts are the same to it.
public struct TextReader: Sendable {
  private let tokenizer: WordPiece
  /// Tokens of the longest text that is read whole.
  public let maximumLength: Int

  /// The reader of a model's folder.
  /// - Throws: `ModelError`.
  public init(folder: URL) throws {
    tokenizer = try WordPiece(folder: folder)
    maximumLength = try PretrainedModel.readMaximumLength(
      folder, try BERTConfiguration.load(folder.appendingPathComponent("config.json")))
  }

  /// The token ids of a text, cut at the model's limit.
  public func encode(_ text: String) -> Encoding { tokenizer.encode(text, maximumLength: maximumLength) }
}

extension PretrainedModel {
  /// All of a model's folder besides its weights that decides what it makes of a text: for telling models apart. The same for
  /// folders that say the same in other words.
  /// - Throws: `ModelError`.
  public static func settings(of folder: URL) throws -> Data {
    let configuration = try BERTConfiguration.load(folder.appendingPathComponent("config.json"))
    let files = try TokenizerFiles(folder)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    var settings = try encoder.encode(configuration)
    let rules = files.rules
    let words: [any CustomStringConvertible] = [
      rules.lowercases, rules.stripsAccents, rules.separatesIdeographs,
      try readMaximumLength(folder, configuration),
    ]
    settings.append(contentsOf: words.map { "\n\($0)" }.joined().utf8)
    settings.append(0x0a)
    settings.append(files.vocabulary)
    return settings
  }
}
