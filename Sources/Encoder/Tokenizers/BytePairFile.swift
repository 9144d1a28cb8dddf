import Foundation

/// A byte-level BPE as Hugging Face's `tokenizer.json` has it. What it asks for and fettle does not know is refused by name.
struct BytePairFile {
  private let contents: Contents
  private let vocabulary: Data
  private let name: String

  /// - Throws: `ModelError.unreadableFile`.
  init(_ data: Data, name: String) throws {
    self.name = name
    do {
      contents = try JSONDecoder().decode(Contents.self, from: data)
    } catch {
      throw ModelError.unreadableFile(name, reason: "it is not a tokenizer's JSON")
    }
    guard contents.model.type == "BPE", let text = VocabularyObject.text(in: data) else {
      throw ModelError.unreadableFile(name, reason: "it holds no BPE vocabulary")
    }
    // One number in a small file could ask for any amount of memory.
    guard text.count <= data.count else {
      throw ModelError.unreadableFile(name, reason: "most numbers have no token")
    }
    vocabulary = text
  }

  func tokenizer() throws -> BytePair {
    try refuseUnknownModel()
    let (rules, composes) = (try rules(), try composes())
    let vocabulary = try BytePairVocabulary(
      entries(composes: composes), merges: contents.model.merges.pairs,
      ignoresMerges: contents.model.ignoresMerges ?? false, file: name)
    if let unknown = contents.model.unknown, !unknown.isEmpty, vocabulary.byteTokens.contains(-1) {
      throw unknownPart("unk_token \(unknown) for bytes without a token")
    }
    return BytePair(
      vocabulary: vocabulary, rules: rules, composes: composes, beginning: try beginning(vocabulary))
  }

  private func unknownPart(_ what: String) -> ModelError {
    .unreadableFile(name, reason: "it asks for \(what), which fettle does not know")
  }

  private func refuseUnknownModel() throws {
    let model = contents.model
    if let prefix = model.prefix, !prefix.isEmpty { throw unknownPart("continuing_subword_prefix") }
    if let suffix = model.suffix, !suffix.isEmpty { throw unknownPart("end_of_word_suffix") }
    if model.byteFallback == true { throw unknownPart("byte_fallback") }
    if let dropout = model.dropout, dropout != 0 { throw unknownPart("dropout") }
    if let decoder = contents.decoder, decoder.type != "ByteLevel" {
      throw unknownPart("the decoder \(decoder.type)")
    }
  }

  // MARK: - Tokens

  private func entries(composes: Bool) throws -> [BytePairVocabulary.Entry] {
    var lines = vocabulary.split(separator: 10, omittingEmptySubsequences: false)
    lines.removeLast()
    var entries = lines.map {
      BytePairVocabulary.Entry(name: String(decoding: $0, as: UTF8.self), kind: $0.isEmpty ? .unused : .plain)
    }
    for token in contents.added ?? [] {
      guard !token.content.isEmpty, token.id >= 0, token.id < entries.count + 65_536 else {
        throw ModelError.unreadableFile(name, reason: "an added token has the number \(token.id) or no name")
      }
      if token.stripsLeft == true { throw unknownPart("lstrip of \(token.content)") }
      if token.stripsRight == true { throw unknownPart("rstrip of \(token.content)") }
      if token.isWord == true { throw unknownPart("single_word of \(token.content)") }
      if token.isSpecial != true, composes, token.isNormalised == true {
        throw unknownPart("normalized of \(token.content)")
      }
      while entries.count <= token.id { entries.append(.init(name: "", kind: .unused)) }
      entries[token.id] = .init(name: token.content, kind: token.isSpecial == true ? .special : .added)
    }
    return entries
  }

  /// The special token that the post-processor puts before every text.
  private func beginning(_ vocabulary: BytePairVocabulary) throws -> Int32? {
    guard let processor = contents.postProcessor else { return nil }
    var beginning: Int32?
    for step in processor.steps {
      switch step.type {
      case "ByteLevel": continue
      case "TemplateProcessing":
        guard let single = step.single, single.last?.sequence != nil, single.count <= 2 else {
          throw unknownPart("other special tokens around a text than one before it")
        }
        guard single.count == 2 else { continue }
        guard let special = single[0].special,
          let id = Array(special.id.utf8).withUnsafeBytes({ vocabulary.named.find($0) })
        else { throw unknownPart("a special token before a text that it does not have") }
        beginning = id
      default: throw unknownPart("the post-processor \(step.type)")
      }
    }
    return beginning
  }

  // MARK: - Rules

  private func composes() throws -> Bool {
    guard let normaliser = contents.normaliser else { return false }
    for step in normaliser.steps where step.type != "NFC" { throw unknownPart("the normalizer \(step.type)") }
    return !normaliser.steps.isEmpty
  }

  private func rules() throws -> PreTokenizer {
    guard let steps = contents.preTokenizer?.steps, let last = steps.last, last.type == "ByteLevel" else {
      let type = contents.preTokenizer?.steps.first { $0.type != "ByteLevel" }?.type
      throw unknownPart(type.map { "the pre-tokenizer \($0) without ByteLevel" } ?? "no pre-tokenizer")
    }
    for step in steps where !["Digits", "Split", "ByteLevel"].contains(step.type) {
      throw unknownPart("the pre-tokenizer \(step.type)")
    }
    if last.addsBlank != false { throw unknownPart("add_prefix_space") }
    let splits = last.splits ?? true
    if steps.count == 1, splits { return .gpt2 }
    if steps.count == 2, splits, steps[0].type == "Digits" {
      guard steps[0].individually == true else { throw unknownPart("Digits that stay together") }
      return .smollm
    }
    if steps.count == 2, !splits, steps[0].type == "Split" {
      if steps[0].behaviour != "Isolated" { throw unknownPart("a Split that is not Isolated") }
      if steps[0].inverts == true { throw unknownPart("a Split that inverts") }
      let expression = steps[0].pattern?.expression ?? ""
      guard let rules = Self.expressions[expression] else {
        throw unknownPart("the regular expression \(expression.prefix(200))")
      }
      return rules
    }
    throw unknownPart("the pre-tokenizers " + steps.map(\.type).joined(separator: ", ") + " together")
  }

  /// The regular expression of rules that have one of their own.
  static func expression(of rules: PreTokenizer) -> String {
    expressions.first { $0.value == rules }?.key ?? ""
  }

  private static let expressions: [String: PreTokenizer] = [
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#: .gpt2,
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#:
      .llama3,
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#:
      .qwen2,
  ]

  // MARK: - The file

  private struct Contents: Decodable {
    var model: Model
    var added: [AddedToken]?
    var normaliser: Step?
    var preTokenizer: Step?
    var postProcessor: Step?
    var decoder: Step?

    enum CodingKeys: String, CodingKey {
      case model, decoder
      case added = "added_tokens"
      case normaliser = "normalizer"
      case preTokenizer = "pre_tokenizer"
      case postProcessor = "post_processor"
    }
  }

  private struct Model: Decodable {
    var type: String
    var merges: Merges
    var dropout: Double?
    var unknown: String?
    var prefix: String?
    var suffix: String?
    var byteFallback: Bool?
    var ignoresMerges: Bool?

    enum CodingKeys: String, CodingKey {
      case type, merges, dropout
      case unknown = "unk_token"
      case prefix = "continuing_subword_prefix"
      case suffix = "end_of_word_suffix"
      case byteFallback = "byte_fallback"
      case ignoresMerges = "ignore_merges"
    }
  }

  /// Each `"a b"`, or in newer files `["a", "b"]`.
  private struct Merges: Decodable {
    let pairs: [String]

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let texts = try? container.decode([String].self) {
        pairs = texts
      } else {
        pairs = try container.decode([[String]].self).map { $0.joined(separator: " ") }
      }
    }
  }

  private struct AddedToken: Decodable {
    var id: Int
    var content: String
    var isSpecial: Bool?
    var isWord: Bool?
    var isNormalised: Bool?
    var stripsLeft: Bool?
    var stripsRight: Bool?

    enum CodingKeys: String, CodingKey {
      case id, content
      case isSpecial = "special"
      case isWord = "single_word"
      case isNormalised = "normalized"
      case stripsLeft = "lstrip"
      case stripsRight = "rstrip"
    }
  }

  /// A normalizer, pre-tokenizer, post-processor or decoder; `Sequence` holds others.
  private struct Step: Decodable {
    var type: String
    var normalisers: [Step]?
    var preTokenizers: [Step]?
    var processors: [Step]?
    var individually: Bool?
    var addsBlank: Bool?
    var splits: Bool?
    var behaviour: String?
    var inverts: Bool?
    var pattern: Pattern?
    var single: [Piece]?

    /// One after another, sequences taken apart.
    var steps: [Step] {
      type == "Sequence"
        ? (normalisers ?? preTokenizers ?? processors ?? []).flatMap(\.steps) : [self]
    }

    enum CodingKeys: String, CodingKey {
      case type, processors, pattern, single
      case normalisers = "normalizers"
      case preTokenizers = "pretokenizers"
      case individually = "individual_digits"
      case addsBlank = "add_prefix_space"
      case splits = "use_regex"
      case behaviour = "behavior"
      case inverts = "invert"
    }

    struct Pattern: Decodable {
      var expression: String?
      enum CodingKeys: String, CodingKey { case expression = "Regex" }
    }

    struct Piece: Decodable {
      var special: Name?
      var sequence: Name?
      enum CodingKeys: String, CodingKey {
        case special = "SpecialToken"
        case sequence = "Sequence"
      }
      struct Name: Decodable { var id: String }
    }
  }
}
