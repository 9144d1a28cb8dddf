import Foundation

/// Byte-level BPE, the tokenizer of GPT-2, Llama 3, Qwen2 and SmolLM: a text falls into words, and in each word bytes merge into
/// tokens, pair by pair. Gives the numbers that Hugging Face's tokenizers gives.
///
/// A text never becomes a special token, whatever it says: `<|im_end|>` is letters and signs. Special tokens are placed by `encode(_:)`
/// of a prompt's parts.
public struct BytePair: Tokenizer {
  /// A prompt falls into these. Texts do not merge across them, so what is one text has to be one part.
  public enum Part: Sendable, Equatable {
    case text(String)
    case special(Int32)
  }

  let vocabulary: BytePairVocabulary
  let rules: PreTokenizer
  /// Whether letters and their accents are composed first (Unicode's form C).
  let composes: Bool
  /// The special token that the model wants at the beginning of every text, `<|begin_of_text|>` with Llama 3.
  public let beginning: Int32?

  public var count: Int { vocabulary.count }

  /// The tokenizer of a model's folder, from `tokenizer.json`.
  /// - Throws: `ModelError`, also where the file asks for what fettle does not know.
  public init(folder: URL) throws {
    let name = "tokenizer.json"
    guard let data = try ModelFile.readIfPresent(folder.appendingPathComponent(name)) else {
      throw ModelError.missingFile(name, folder: folder.lastPathComponent)
    }
    self = try BytePairFile(data, name: name).tokenizer()
  }

  /// The tokenizer that a GGUF file holds under `tokenizer.ggml`, where its `model` is `gpt2`.
  /// - Parameters:
  ///   - tokens: as the file spells them, a blank as `Ġ`.
  ///   - merges: two tokens with a blank between, the most important first.
  ///   - types: 1 normal, 2 unknown, 3 control, 4 added by a user, 5 unused; nil: all are normal.
  ///   - preTokenizer: `pre`: `gpt-2`, `smollm`, `llama-bpe` or `qwen2`.
  ///   - beginning: `bos_token_id`, if `add_bos_token` says so.
  ///   - file: the file's name, for errors.
  /// - Throws: `ModelError.unreadableFile`.
  public init(
    tokens: [String], merges: [String], types: [Int]?, preTokenizer: String, beginning: Int32? = nil,
    file: String
  ) throws {
    func malformed(_ reason: String) -> ModelError { .unreadableFile(file, reason: reason) }
    guard let rules = PreTokenizer(rawValue: preTokenizer) else {
      let known = PreTokenizer.allCases.map(\.rawValue).joined(separator: ", ")
      throw malformed("its pre-tokenizer is \(preTokenizer), and fettle knows \(known)")
    }
    if let types, types.count != tokens.count {
      throw malformed("it has \(tokens.count) tokens and \(types.count) token types")
    }
    let entries = try tokens.indices.map { id in
      let kind: BytePairVocabulary.Kind
      switch types?[id] ?? 1 {
      case 1: kind = .plain
      case 2, 3: kind = .special
      case 4: kind = .added
      case 5: kind = .unused
      case let type: throw malformed("its token \(id) is of type \(type), and fettle knows 1 to 5")
      }
      return BytePairVocabulary.Entry(name: tokens[id], kind: kind)
    }
    // A GGUF file does not say that Llama 3 looks for whole words first, and that Qwen2 composes accents.
    let vocabulary = try BytePairVocabulary(
      entries, merges: merges, ignoresMerges: rules == .llama3, file: file)
    if let beginning, vocabulary.kind(of: beginning) == nil {
      throw malformed("its first token is number \(beginning), and it has \(tokens.count)")
    }
    self.init(vocabulary: vocabulary, rules: rules, composes: rules == .qwen2, beginning: beginning)
  }

  init(vocabulary: BytePairVocabulary, rules: PreTokenizer, composes: Bool, beginning: Int32?) {
    self.vocabulary = vocabulary
    self.rules = rules
    self.composes = composes
    self.beginning = beginning
  }

  // MARK: - Texts

  /// The text's tokens, behind `beginning` where the model wants that, `maximumLength` in all at most; what is beyond is left out.
  public func encode(_ text: String, maximumLength: Int) -> Encoding {
    var reader = Reader(self, limit: max(maximumLength, 0))
    if let beginning { reader.append(beginning) }
    reader.read(text)
    return encoding(reader, content: beginning == nil ? 0 : 1)
  }

  /// A prompt's tokens, `maximumLength` in all at most. Nothing is put before them.
  public func encode(_ parts: [Part], maximumLength: Int = .max) -> Encoding {
    var reader = Reader(self, limit: max(maximumLength, 0))
    for part in parts {
      switch part {
      case .text(let text): reader.read(text)
      case .special(let id): reader.append(id)
      }
    }
    return encoding(reader, content: 0)
  }

  public func encoding(of ids: [Int32]) -> Encoding {
    let start = beginning != nil && ids.first == beginning ? 1 : 0
    return Encoding(ids: ids, content: start..<ids.count, isTruncated: false, spelling: vocabulary)
  }

  private func encoding(_ reader: Reader, content start: Int) -> Encoding {
    Encoding(
      ids: Array(reader.ids.prefix(reader.limit)),
      content: min(start, reader.limit)..<min(reader.ids.count, reader.limit), isTruncated: reader.isFull,
      spelling: vocabulary)
  }

  // MARK: - Special tokens

  /// The number of a token that was added to the vocabulary, `<|im_end|>` for one.
  public func id(of special: String) -> Int32? {
    var name = special
    return name.withUTF8 { vocabulary.named.find(UnsafeRawBufferPointer($0)) }
  }

  /// Whether a token is placed by programs alone, and says nothing by itself.
  public func isSpecial(_ id: Int32) -> Bool { vocabulary.kind(of: id) == .special }

  /// A template in which the names of special tokens stand for these. Only for what the program itself writes: a learner's text is
  /// put into the parts afterwards.
  public func parts(ofTemplate template: String) -> [Part] {
    var parts: [Part] = []
    var template = template
    template.withUTF8 { bytes in
      var start = 0
      var position = 0
      func endText() {
        guard start < position else { return }
        parts.append(.text(String(decoding: bytes[start..<position], as: UTF8.self)))
      }
      while position < bytes.count {
        if let (id, end) = vocabulary.named.longest(bytes, from: position, node: ByteTree.root) {
          endText()
          parts.append(.special(id))
          position = end
          start = end
        } else {
          position += 1
        }
      }
      endText()
    }
    return parts
  }

  // MARK: - Back to text

  /// The text that tokens stand for. Bytes that are no UTF-8 become U+FFFD; numbers that are no token's are left out.
  /// - Parameter specials: whether special tokens are spelled or left out.
  public func decode(_ ids: some Sequence<Int32>, specials: Bool = false) -> String {
    var bytes: [UInt8] = []
    for id in ids { bytes.append(contentsOf: self.bytes(of: id, specials: specials)) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Decodes an answer that is shown while it is written.
  public func textStream(specials: Bool = false) -> TextStream {
    TextStream(tokenizer: self, specials: specials)
  }

  /// The bytes that a token stands for; none for a special one that is not to be spelled, and for a number that is no token's.
  package func bytes(of id: Int32, specials: Bool) -> ArraySlice<UInt8> {
    guard let kind = vocabulary.kind(of: id), specials || kind != .special else { return [] }
    return vocabulary.bytes(of: id)
  }

  // MARK: - Reading

  /// Gathers the tokens of texts, up to one more than are wanted: then it is known that something was left out.
  private struct Reader {
    let tokenizer: BytePair
    let limit: Int
    var ids: [Int32] = []
    private var merger = BytePairMerger()

    var isFull: Bool { ids.count > limit }

    init(_ tokenizer: BytePair, limit: Int) {
      self.tokenizer = tokenizer
      self.limit = limit
    }

    mutating func append(_ id: Int32) {
      if !isFull { ids.append(id) }
    }

    mutating func read(_ text: String) {
      var text = text
      text.withUTF8 { read($0) }
    }

    /// What stands between added tokens is text for the merges.
    private mutating func read(_ bytes: UnsafeBufferPointer<UInt8>) {
      let vocabulary = tokenizer.vocabulary
      guard let added = vocabulary.added else {
        compose(bytes)
        return
      }
      var start = 0
      var position = 0
      while position < bytes.count, !isFull {
        if vocabulary.beginnings[Int(bytes[position])],
          let (id, end) = added.longest(bytes, from: position, node: ByteTree.root)
        {
          compose(UnsafeBufferPointer(rebasing: bytes[start..<position]))
          append(id)
          position = end
          start = end
        } else {
          position += 1
        }
      }
      compose(UnsafeBufferPointer(rebasing: bytes[start...]))
    }

    private mutating func compose(_ bytes: UnsafeBufferPointer<UInt8>) {
      guard tokenizer.composes, !isFull else { return readPlain(bytes) }
      var text = CanonicalComposition.composed(String(decoding: bytes, as: UTF8.self))
      text.withUTF8 { readPlain($0) }
    }

    private mutating func readPlain(_ bytes: UnsafeBufferPointer<UInt8>) {
      let vocabulary = tokenizer.vocabulary
      let rules = tokenizer.rules
      var start = 0
      while start < bytes.count, !isFull {
        let end = rules.endOfWord(bytes, from: start)
        let word = UnsafeBufferPointer(rebasing: bytes[start..<end])
        if let id = vocabulary.whole(word, &merger) {
          ids.append(id)
        } else {
          merger.merge(word, with: vocabulary, into: &ids)
        }
        start = end
      }
    }
  }
}

/// Tokens to text, one after another. The bytes of a character that is not whole yet are held back.
public struct TextStream: Sendable {
  private let tokenizer: BytePair
  private let specials: Bool
  private var held: [UInt8] = []

  init(tokenizer: BytePair, specials: Bool) {
    self.tokenizer = tokenizer
    self.specials = specials
  }

  /// The text that can be shown now.
  public mutating func append(_ id: Int32) -> String {
    held.append(contentsOf: tokenizer.bytes(of: id, specials: specials))
    let whole = held.count - Self.unfinished(held)
    defer { held.removeFirst(whole) }
    return String(decoding: held[..<whole], as: UTF8.self)
  }

  /// What was held back, when nothing more comes: U+FFFD, or nothing.
  public mutating func finish() -> String {
    defer { held = [] }
    return String(decoding: held, as: UTF8.self)
  }

  /// How many bytes at the end may be the beginning of a character (Unicode, table 3-7).
  private static func unfinished(_ bytes: [UInt8]) -> Int {
    for length in 1...3 where length <= bytes.count {
      let tail = bytes[(bytes.count - length)...]
      guard let first = tail.first else { return 0 }
      if (0x80...0xbf).contains(first) { continue }
      let needed =
        switch first {
        case 0xc2...0xdf: 2
        case 0xe0...0xef: 3
        case 0xf0...0xf4: 4
        default: 0
        }
      guard length < needed else { return 0 }
      guard length > 1 else { return length }
      let allowed: ClosedRange<UInt8> =
        switch first {
        case 0xe0: 0xa0...0xbf
        case 0xed: 0x80...0x9f
        case 0xf0: 0x90...0xbf
        case 0xf4: 0x80...0x8f
        default: 0x80...0xbf
        }
      return allowed.contains(tail[tail.startIndex + 1]) ? length : 0
    }
    return 0
  }
}
