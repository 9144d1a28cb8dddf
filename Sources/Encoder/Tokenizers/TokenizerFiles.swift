import Foundation

/// What a model's folder says about its tokenizer.
///
/// BERT's own file is `vocab.txt`, a token a line; transformers 5 leaves only `tokenizer.json`, in which the same tokens stand
/// with their numbers. `tokenizer_config.json` may lie beside either.
struct TokenizerFiles {
  /// As `vocab.txt` has it.
  let vocabulary: Data
  let rules: CharacterRules.Settings

  /// - Throws: `ModelError`.
  init(_ folder: URL) throws {
    let settings = try ModelFile.readIfPresent(folder.appendingPathComponent("tokenizer_config.json"))
      .flatMap { try? JSONDecoder().decode(Settings.self, from: $0) }
    if let text = try ModelFile.readIfPresent(folder.appendingPathComponent("vocab.txt")) {
      vocabulary = text
      rules = CharacterRules.Settings(
        lowercases: settings?.lowercases ?? true, stripsAccents: settings?.stripsAccents,
        separatesIdeographs: settings?.separatesIdeographs ?? true)
      return
    }
    guard let data = try ModelFile.readIfPresent(folder.appendingPathComponent("tokenizer.json")) else {
      throw ModelError.missingFile("vocab.txt", folder: folder.lastPathComponent)
    }
    guard let file = try? JSONDecoder().decode(TokenizerJSON.self, from: data),
      file.model.type == "WordPiece",
      let text = VocabularyObject.text(in: data)
    else {
      throw ModelError.unreadableFile("tokenizer.json", reason: "it holds no WordPiece vocabulary")
    }
    vocabulary = text
    let normaliser = file.normaliser
    rules = CharacterRules.Settings(
      lowercases: settings?.lowercases ?? normaliser?.lowercases ?? true,
      stripsAccents: settings?.stripsAccents ?? normaliser?.stripsAccents,
      separatesIdeographs: settings?.separatesIdeographs ?? normaliser?.separatesIdeographs ?? true)
  }

  /// `tokenizer_config.json`.
  private struct Settings: Decodable {
    var lowercases: Bool?
    var stripsAccents: Bool?
    var separatesIdeographs: Bool?

    enum CodingKeys: String, CodingKey {
      case lowercases = "do_lower_case"
      case stripsAccents = "strip_accents"
      case separatesIdeographs = "tokenize_chinese_chars"
    }
  }

  /// `tokenizer.json`.
  private struct TokenizerJSON: Decodable {
    var model: Model
    var normaliser: Normaliser?

    enum CodingKeys: String, CodingKey {
      case model
      case normaliser = "normalizer"
    }

    struct Normaliser: Decodable {
      var lowercases: Bool?
      var stripsAccents: Bool?
      var separatesIdeographs: Bool?

      enum CodingKeys: String, CodingKey {
        case lowercases = "lowercase"
        case stripsAccents = "strip_accents"
        case separatesIdeographs = "handle_chinese_chars"
      }
    }

    struct Model: Decodable {
      var type: String
    }
  }
}
