import Foundation

/// BERT's tokenizer: text is cleaned, split at blanks and punctuation, and each word cut into the longest pieces that the
/// vocabulary has. Gives the numbers that Hugging Face's BertTokenizer gives.
public struct WordPiece: Tokenizer {
  /// Longer words become one `[UNK]`, as in the original.
  private static let longestWord = 100

  let vocabulary: Vocabulary
  public var count: Int { vocabulary.count }
  /// What is done to characters before words are cut.
  let rules: CharacterRules.Settings

  /// The tokenizer of a model's folder: `vocab.txt` and the settings in `tokenizer_config.json`; or, where transformers has left
  /// no `vocab.txt`, those of `tokenizer.json`.
  /// - Throws: `ModelError`.
  public init(folder: URL) throws {
    let files = try TokenizerFiles(folder)
    vocabulary = try Vocabulary(files.vocabulary)
    rules = files.rules
  }

  /// Numbers that are known already, `[CLS]` and `[SEP]` included.
  public func encoding(of ids: [Int32]) -> Encoding {
    Encoding(
      ids: ids, content: min(1, ids.count)..<max(1, ids.count - 1), isTruncated: false, spelling: vocabulary)
  }

  /// The text's tokens between `[CLS]` and `[SEP]`, `maximumLength` in all at most; what is beyond is left out. A text never becomes
  /// a special token, whatever it says: `[MASK]` is a word between signs.
  public func encode(_ text: String, maximumLength: Int) -> Encoding {
    encode(text, maximumLength: maximumLength, readsSpecials: false)
  }

  /// - Parameter readsSpecials: whether the name of a special token stands for it, as it does in Hugging Face's tokenizers.
  package func encode(_ text: String, maximumLength: Int, readsSpecials: Bool) -> Encoding {
    var words = Words(
      vocabulary: vocabulary, rules: rules, limit: max(maximumLength, 2) - 1, readsSpecials: readsSpecials)
    var text = text
    text.withUTF8 { words.read($0) }
    words.ids.append(vocabulary.separator)
    return Encoding(
      ids: words.ids, content: 1..<words.ids.count - 1, isTruncated: words.isFull, spelling: vocabulary)
  }

  /// Reads one text: gathers the bytes of a word, and cuts it when it ends.
  private struct Words {
    let vocabulary: Vocabulary
    let rules: CharacterRules.Settings
    /// `[CLS]` and the tokens, without `[SEP]`.
    let limit: Int
    let readsSpecials: Bool
    var ids: [Int32]
    var isFull = false
    private var word: [UInt8] = []
    private var characters = 0

    init(vocabulary: Vocabulary, rules: CharacterRules.Settings, limit: Int, readsSpecials: Bool) {
      self.readsSpecials = readsSpecials
      self.vocabulary = vocabulary
      self.rules = rules
      self.limit = limit
      ids = [vocabulary.classification]
      ids.reserveCapacity(64)
      word.reserveCapacity(64)
    }

    mutating func read(_ bytes: UnsafeBufferPointer<UInt8>) {
      var position = 0
      while position < bytes.count, !isFull {
        let byte = bytes[position]
        if byte < 0x80 {
          if readsSpecials, byte == UInt8(ascii: "["), let (id, length) = specialToken(bytes, at: position) {
            endWord()
            append([id])
            position += length
            continue
          }
          take(ascii: byte)
          position += 1
        } else {
          let (scalar, length) = decode(bytes, at: position)
          take(scalar)
          position += length
        }
      }
      endWord()
    }

    @inline(__always)
    private mutating func take(ascii byte: UInt8) {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        word.append(byte)
        characters += 1
      case UInt8(ascii: "A")...UInt8(ascii: "Z"):
        word.append(rules.lowercases ? byte | 0x20 : byte)
        characters += 1
      case 9, 10, 13, 32: endWord()
      case 0..<32, 127: break
      default:
        endWord()
        word.append(byte)
        characters += 1
        endWord()
      }
    }

    private mutating func take(_ scalar: Unicode.Scalar) {
      switch CharacterRules.kind(of: scalar, rules) {
      case .dropped: break
      case .blank: endWord()
      case .ideograph:
        endWord()
        for part in CharacterRules.normalised(scalar, rules) { add(part) }
        endWord()
      case .other:
        for part in CharacterRules.normalised(scalar, rules) {
          if CharacterRules.isBlank(part) {
            endWord()
          } else if CharacterRules.isPunctuation(part) {
            endWord()
            add(part)
            endWord()
          } else {
            add(part)
          }
        }
      }
    }

    private mutating func add(_ scalar: Unicode.Scalar) {
      word.append(contentsOf: scalar.utf8)
      characters += 1
    }

    private mutating func endWord() {
      guard characters > 0, !isFull else { return }
      if characters > WordPiece.longestWord {
        append([vocabulary.unknown])
      } else {
        if !word.withUnsafeBufferPointer({ vocabulary.split($0, into: &ids) }) {
          ids.append(vocabulary.unknown)
        }
        if ids.count > limit {
          ids.removeSubrange(limit...)
          isFull = true
        }
      }
      word.removeAll(keepingCapacity: true)
      characters = 0
    }

    private mutating func append(_ more: [Int32]) {
      guard !isFull else { return }
      if ids.count + more.count > limit {
        isFull = true
      } else {
        ids.append(contentsOf: more)
      }
    }

    private func specialToken(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int) -> (Int32, Int)? {
      for (name, id) in vocabulary.special
      where position + name.count <= bytes.count
        && bytes[position..<position + name.count].elementsEqual(name)
      {
        return (id, name.count)
      }
      return nil
    }

    /// A Swift string's bytes are well-formed UTF-8.
    private func decode(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int) -> (Unicode.Scalar, Int) {
      let first = UInt32(bytes[position])
      let length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
      var value = first & (0xff >> UInt32(length + 1))
      for offset in 1..<length { value = value << 6 | UInt32(bytes[position + offset] & 0x3f) }
      return (Unicode.Scalar(value) ?? "\u{fffd}", length)
    }
  }
}
