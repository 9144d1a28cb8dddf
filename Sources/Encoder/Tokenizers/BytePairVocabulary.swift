import Synchronization

/// The tokens of a byte-level BPE and which of them merge.
///
/// A token is kept as the bytes that it stands for. In the files a byte is spelled as a letter (a blank is `Ġ`), so that a token can
/// be read; those that were added, `<|im_end|>` for one, are spelled as they are.
final class BytePairVocabulary: TokenSpelling, Sendable {
  enum Kind: Sendable {
    /// Made of bytes, by merges.
    case plain
    /// Taken from a text before anything else, as a whole.
    case added
    /// Placed by the program alone; in a text it is text.
    case special
    /// There to fill a gap.
    case unused
  }

  struct Entry {
    var name: String
    var kind: Kind
  }

  /// Of added tokens, in bytes; those of real models have some thirty.
  private static let longestName = 256

  let count: Int
  /// Whether a word that is a token is that token, whatever the merges would make of it.
  let ignoresMerges: Bool
  /// The added tokens that a text is searched for, and all that were added, special ones too.
  let added: ByteTree?
  let named: ByteTree
  /// Whether an added token begins with a byte.
  let beginnings: [Bool]
  /// The token of each byte, or -1.
  let byteTokens: [Int32]
  private let kinds: [Kind]

  private let contents: [UInt8]
  private let ends: [Int]
  private let longest: Int
  private let words: WordTable
  private let merges: MergeTable
  private let verified: Verified

  /// - Parameters:
  ///   - merges: two tokens with a blank between, the most important first.
  ///   - file: named in errors.
  /// - Throws: `ModelError.unreadableFile`.
  init(_ entries: [Entry], merges: [String], ignoresMerges: Bool, file: String) throws {
    func malformed(_ reason: String) -> ModelError { .unreadableFile(file, reason: reason) }
    guard !entries.isEmpty, entries.count < 1 << 24, merges.count < 1 << 24 else {
      throw malformed("it has \(entries.count) tokens and \(merges.count) merges")
    }
    count = entries.count
    self.ignoresMerges = ignoresMerges

    var contents: [UInt8] = []
    var ends: [Int] = []
    var kinds: [Kind] = []
    var named = ByteTree()
    var added: ByteTree?
    var beginnings = Array(repeating: false, count: 256)
    var longest = 0
    for (id, entry) in entries.enumerated() {
      let start = contents.count
      var kind = entry.kind
      if kind == .plain, !ByteAlphabet.append(entry.name, to: &contents) { kind = .unused }
      if kind != .plain {
        contents.append(contentsOf: entry.name.utf8)
      }
      if kind == .special || kind == .added, let first = entry.name.utf8.first {
        // A text is searched for it at each of its places.
        guard entry.name.utf8.count <= Self.longestName else {
          throw malformed(
            "its token \(id) has \(entry.name.utf8.count) bytes, and was added to a vocabulary of bytes")
        }
        contents.withUnsafeBytes { named.insert($0[start...], id: Int32(id)) }
        if kind == .added {
          var tree = added ?? ByteTree()
          added = nil
          contents.withUnsafeBytes { tree.insert($0[start...], id: Int32(id)) }
          added = tree
          beginnings[Int(first)] = true
        }
      }
      if kind == .plain { longest = max(longest, contents.count - start) }
      kinds.append(kind)
      ends.append(contents.count)
    }
    var words = WordTable(capacity: count)
    contents.withUnsafeBufferPointer { contents in
      for id in 0..<ends.count where kinds[id] == .plain {
        words.insert(Int32(id), contents, ends)
      }
    }

    func find(_ bytes: [UInt8]) -> Int32? {
      bytes.withUnsafeBufferPointer { bytes in
        contents.withUnsafeBufferPointer { words.find(bytes, $0, ends) }
      }
    }
    byteTokens = (0...255).map { find([UInt8($0)]) ?? -1 }

    var table = MergeTable(capacity: merges.count)
    var whole: [UInt8] = []
    for (rank, merge) in merges.enumerated() {
      let parts = merge.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      guard parts.count == 2 else { throw malformed("its merge \(rank) is not two tokens") }
      whole.removeAll(keepingCapacity: true)
      guard ByteAlphabet.append(Substring(parts[0]), to: &whole) else {
        throw malformed("its merge \(rank) is not of bytes")
      }
      let middle = whole.count
      guard ByteAlphabet.append(Substring(parts[1]), to: &whole) else {
        throw malformed("its merge \(rank) is not of bytes")
      }
      guard let left = find(Array(whole[..<middle])), let right = find(Array(whole[middle...])),
        let result = find(whole)
      else {
        // Text never becomes a token that was added, so a merge that asks for one is not wanted.
        let names = [Array(parts[0]), Array(parts[1]), Array(parts[0]) + Array(parts[1])]
        if names.contains(where: { $0.withUnsafeBytes { named.find($0) } != nil }) { continue }
        throw malformed("its merge \(rank) is of tokens that it does not have")
      }
      table.insert(left, right, rank: UInt32(rank), result: result)
    }

    self.contents = contents
    self.ends = ends
    self.kinds = kinds
    self.named = named
    self.added = added
    self.beginnings = beginnings
    self.longest = longest
    self.words = words
    self.merges = table
    verified = Verified(count: count)
  }

  /// The token as the file spells it, a blank as `Ġ`.
  func token(_ id: Int32) -> String {
    guard let kind = kind(of: id) else { return "" }
    return kind == .plain
      ? ByteAlphabet.spelled(bytes(of: id)) : String(decoding: bytes(of: id), as: UTF8.self)
  }

  /// Whether a token is part of a character, or a single letter beyond ASCII.
  func isForeign(_ id: Int32) -> Bool {
    guard kind(of: id) == .plain else { return false }
    let bytes = bytes(of: id)
    guard
      let text = String(
        validating: bytes.first == UInt8(ascii: " ") ? bytes.dropFirst() : bytes, as: UTF8.self)
    else { return true }
    guard let letter = text.unicodeScalars.first, text.unicodeScalars.count == 1 else { return false }
    return letter.value > 0x7f && letter.properties.isAlphabetic
  }

  func kind(of id: Int32) -> Kind? { id >= 0 && id < count ? kinds[Int(id)] : nil }

  /// What the token stands for. The id must be one of its own.
  func bytes(of id: Int32) -> ArraySlice<UInt8> {
    contents[(id == 0 ? 0 : ends[Int(id) - 1])..<ends[Int(id)]]
  }

  func pair(_ left: Int32, _ right: Int32) -> MergeTable.Merge { merges.find(left, right) }

  /// The one token that a word is, if it is one.
  func whole(_ word: UnsafeBufferPointer<UInt8>, _ merger: inout BytePairMerger) -> Int32? {
    guard word.count <= longest,
      let id = contents.withUnsafeBufferPointer({ words.find(word, $0, ends) })
    else { return nil }
    if ignoresMerges { return id }
    switch verified[id] {
    case .yes: return id
    case .no: return nil
    case .unknown:
      var ids: [Int32] = []
      merger.merge(word, with: self, into: &ids)
      verified[id] = ids == [id] ? .yes : .no
      return ids == [id] ? id : nil
    }
  }

  /// Which tokens come of their own bytes by merges: most words of a text are one token, and these need no merging once that is
  /// known. Found out when first asked; whoever writes writes the same, so no lock is needed.
  private final class Verified: @unchecked Sendable {
    enum Answer: UInt8 { case unknown, yes, no }

    private let states: UnsafeMutablePointer<Atomic<UInt8>>
    private let count: Int

    init(count: Int) {
      self.count = count
      states = .allocate(capacity: count)
      for place in 0..<count { (states + place).initialize(to: Atomic(0)) }
    }

    deinit {
      states.deinitialize(count: count)
      states.deallocate()
    }

    subscript(id: Int32) -> Answer {
      get { Answer(rawValue: states[Int(id)].load(ordering: .relaxed)) ?? .unknown }
      set { states[Int(id)].store(newValue.rawValue, ordering: .relaxed) }
    }
  }
}

/// The letters that GPT-2 writes bytes as: those that can be seen as themselves, the others from U+0100 on.
enum ByteAlphabet {
  private static let letters: [Unicode.Scalar] = {
    var next: UInt32 = 0x100
    return (0...255).map { byte in
      switch byte {
      case 0x21...0x7e, 0xa1...0xac, 0xae...0xff: return Unicode.Scalar(UInt8(byte))
      default:
        defer { next += 1 }
        return Unicode.Scalar(next) ?? "\u{fffd}"
      }
    }
  }()

  private static let bytes: [Int16] = {
    var bytes = [Int16](repeating: -1, count: 0x144)
    for (byte, letter) in letters.enumerated() { bytes[Int(letter.value)] = Int16(byte) }
    return bytes
  }()

  /// Appends the bytes that a token spells; if some letter of it is not one of the alphabet, nothing, and gives false.
  static func append(_ token: some StringProtocol, to result: inout [UInt8]) -> Bool {
    let start = result.count
    for letter in token.unicodeScalars {
      guard letter.value < bytes.count, bytes[Int(letter.value)] >= 0 else {
        result.removeSubrange(start...)
        return false
      }
      result.append(UInt8(bytes[Int(letter.value)]))
    }
    return true
  }

  static func spelled(_ bytes: some Sequence<UInt8>) -> String {
    var result = String.UnicodeScalarView()
    for byte in bytes { result.append(letters[Int(byte)]) }
    return String(result)
  }
}

/// Finds a plain token by its bytes: a hash table with open addressing. The seed is new in each process, so that no file can be made
/// whose tokens all fall on one place.
struct WordTable: Sendable {
  private var slots: [Int32]
  private let seed = UInt64.random(in: 0...UInt64.max)

  init(capacity: Int) { slots = Array(repeating: -1, count: (2 * capacity).roundedUpToPowerOfTwo) }

  /// Of two equal tokens the later counts.
  mutating func insert(_ id: Int32, _ contents: UnsafeBufferPointer<UInt8>, _ ends: [Int]) {
    let start = id == 0 ? 0 : ends[Int(id) - 1]
    let token = UnsafeBufferPointer(rebasing: contents[start..<ends[Int(id)]])
    guard !token.isEmpty else { return }
    slots[place(of: token, contents, ends)] = id
  }

  func find(
    _ token: UnsafeBufferPointer<UInt8>, _ contents: UnsafeBufferPointer<UInt8>, _ ends: [Int]
  ) -> Int32? {
    let id = slots[place(of: token, contents, ends)]
    return id < 0 ? nil : id
  }

  private func place(
    of token: UnsafeBufferPointer<UInt8>, _ contents: UnsafeBufferPointer<UInt8>, _ ends: [Int]
  ) -> Int {
    let mask = slots.count - 1
    var place = Int(truncatingIfNeeded: hash(token)) & mask
    while slots[place] >= 0 {
      let id = Int(slots[place])
      let start = id == 0 ? 0 : ends[id - 1]
      if ends[id] - start == token.count, contents[start..<ends[id]].elementsEqual(token) { break }
      place = (place + 1) & mask
    }
    return place
  }

  private func hash(_ token: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var hash = seed ^ UInt64(token.count)
    var word: UInt64 = 0
    for (position, byte) in token.enumerated() {
      word = word << 8 | UInt64(byte)
      if position & 7 == 7 {
        hash = Self.mixed(hash ^ word)
        word = 0
      }
    }
    return Self.mixed(hash ^ word)
  }

  private static func mixed(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
    return product.high ^ product.low
  }
}

/// Which token two that stand side by side become, and how early: a hash table with open addressing.
struct MergeTable: Sendable {
  /// The rank above, the token below; ranks compare as these do.
  struct Merge: Equatable {
    static let none = Merge(bits: .max)
    var bits: UInt64
    var rank: UInt64 { bits >> 32 }
    var result: Int32 { Int32(truncatingIfNeeded: bits) }
  }

  private var slots: [(key: UInt64, value: UInt64)]
  private let shift: UInt64
  private let factor = UInt64.random(in: 0...UInt64.max) | 1

  init(capacity: Int) {
    let size = (2 * capacity).roundedUpToPowerOfTwo
    slots = Array(repeating: (0, Merge.none.bits), count: size)
    shift = UInt64(64 - size.trailingZeroBitCount)
  }

  /// Of two equal pairs the later counts, as in Hugging Face's reader.
  mutating func insert(_ left: Int32, _ right: Int32, rank: UInt32, result: Int32) {
    let place = place(left, right)
    slots[place] = (Self.key(left, right), UInt64(rank) << 32 | UInt64(UInt32(bitPattern: result)))
  }

  @inline(__always)
  func find(_ left: Int32, _ right: Int32) -> Merge { Merge(bits: slots[place(left, right)].value) }

  /// Never 0, which is an empty place.
  @inline(__always)
  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left) + 1) << 32 | UInt64(UInt32(bitPattern: right))
  }

  @inline(__always)
  private func place(_ left: Int32, _ right: Int32) -> Int {
    let key = Self.key(left, right)
    var place = Int((key &* factor) >> shift)
    while slots[place].key != key, slots[place].key != 0 { place = (place + 1) & (slots.count - 1) }
    return place
  }
}

extension Int {
  /// At least 2.
  fileprivate var roundedUpToPowerOfTwo: Int {
    self <= 2 ? 2 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount)
  }
}
