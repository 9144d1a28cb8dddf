import Basics

/// A model that was fine-tuned here.
public struct TunedModel: Equatable, Sendable {
  /// Unique in the workspace: `tuned-1`, or as the learner chose.
  public var name: String
  /// The model it was trained from: `base`, a tuned one's name, or an installed language model's.
  public var base: String
  /// SHA-256 of the embedded model on which it stands in the end (weights, sizes and vocabulary), 64 hexadecimal
  /// digits; nil where nobody kept it.
  public var baseDigest: String?
  /// `linear`, `full`, …
  public var method: String
  /// The data set it was trained on, by name, as it was called then.
  public var dataset: String
  /// How many examples it saw in an epoch.
  public var examples: Int
  /// The options of its training, a JSON object.
  public var options: String
  /// Its folder's name within the workspace's `models`.
  public var folder: String
  /// Bytes on disk.
  public var bytes: Int
  /// Keys of its categories, in the order of its head's rows.
  public var categories: [String]
  /// Mean cross-entropy of the last epoch, nats.
  public var finalLoss: Double?
  /// 0 to 1; nil where nothing was held out.
  public var heldOutAccuracy: Double?
  /// What a language model was taught with, a JSON object: the prompt, the categories, what it is to write. Nil for an encoder.
  public var taught: String?

  public init(
    name: String, base: String, baseDigest: String? = nil, method: String, dataset: String, examples: Int,
    options: String = "{}",
    folder: String, bytes: Int, categories: [String], finalLoss: Double? = nil,
    heldOutAccuracy: Double? = nil,
    taught: String? = nil
  ) {
    self.name = name
    self.base = base
    self.baseDigest = baseDigest
    self.method = method
    self.dataset = dataset
    self.examples = examples
    self.options = options
    self.folder = folder
    self.bytes = bytes
    self.categories = categories
    self.finalLoss = finalLoss
    self.heldOutAccuracy = heldOutAccuracy
    self.taught = taught
  }
}

/// What stands for a text when asking whether a model has seen it: the first 16 bytes of the SHA-256 of the
/// text without the blanks around it. Two different texts with one digest are as likely as guessing a 128-bit
/// key.
public struct TextDigest: Hashable, Sendable {
  package let first: UInt64
  package let second: UInt64

  public init(_ text: String) {
    var hash = SHA256()
    text.trimmingBlanks.withUTF8Bytes { hash.update(UnsafeRawBufferPointer($0)) }
    self.init(hash)
  }

  /// Of what a model read of a text: equal for all texts that are the same to it.
  public init(tokens: [Int32]) {
    var hash = SHA256()
    // NUL, which no stored text has, keeps these apart from the digests of texts.
    hash.update(Array("tokens\0".utf8))
    for token in tokens {
      withUnsafeBytes(of: token.littleEndian) { hash.update($0) }
    }
    self.init(hash)
  }

  /// The same for texts that differ only in case and in the width of blanks.
  public init(folding text: String) { self.init(Contradiction.key(of: text)) }

  private init(_ hash: consuming SHA256) {
    var words: [UInt64] = [0, 0]
    for (index, byte) in hash.finalize().prefix(16).enumerated() {
      words[index / 8] = words[index / 8] << 8 | UInt64(byte)
    }
    first = words[0]
    second = words[1]
  }
}

extension Substring {
  fileprivate func withUTF8Bytes(_ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    var copy = self
    copy.withUTF8(body)
  }
}

extension TunedModel {
  /// The encoder on which it stands in the end; nil where nobody kept which, and for a language model.
  public var encoder: EncoderReference? { taught == nil ? foundation : nil }

  /// The installed model on which it stands in the end, encoder or language model; nil where nobody kept which.
  public var foundation: EncoderReference? {
    baseDigest.map { digest in
      let json = Array(options.utf8)
      let name = json.withUnsafeBufferPointer { try? JSONNode(reading: $0)[Self.encoderKey]?.string }
      return EncoderReference(name: name ?? nil, digest: digest)
    }
  }

  /// Among ``options``: what that model was called.
  public static let encoderKey = "embedded"
}
