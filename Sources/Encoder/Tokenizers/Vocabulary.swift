import Foundation

/// The tokens of a model, from `vocab.txt`: one a line, its number the line's, counted from 0.
///
/// Greedy WordPiece always wants the longest token that a text begins with, so the tokens stand in a tree by their bytes, which
/// is walked once. There are two trees, one for beginnings of words and one for what follows `##`.
final class Vocabulary: TokenSpelling {
  /// The largest that are used, of half a million tokens, have five million.
  private static let mostBytes = 8 << 20

  let count: Int
  let unknown: Int32
  let classification: Int32
  let separator: Int32
  /// `[CLS]` and its like, where the vocabulary has them.
  let special: [(name: [UInt8], id: Int32)]

  private let text: Data
  private let ends: [Int]
  private let tree: ByteTree

  /// - Parameter text: as `vocab.txt` has it.
  /// - Throws: `ModelError.malformedVocabulary`.
  init(_ text: Data) throws {
    self.text = text
    func malformed(_ reason: String) -> ModelError { .malformedVocabulary(reason: reason) }
    guard text.count <= Self.mostBytes else {
      throw malformed("it has \(text.count) bytes, and fettle reads \(Self.mostBytes) at most")
    }
    guard String(data: text, encoding: .utf8) != nil else { throw malformed("it is not UTF-8") }

    var ends: [Int] = []
    var tree = ByteTree()
    text.withUnsafeBytes { bytes in
      var start = 0
      while start < bytes.count {
        let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        var last = end
        while last > start, [9, 11, 12, 13, 32].contains(bytes[last - 1]) { last -= 1 }
        tree.insert(bytes[start..<last], id: Int32(ends.count))
        ends.append(end)
        start = end + 1
      }
    }
    self.ends = ends
    self.tree = tree
    count = ends.count
    func number(_ name: String) -> Int32? {
      Array(name.utf8).withUnsafeBytes { tree.find($0) }
    }
    guard let unknown = number("[UNK]"), let classification = number("[CLS]"), let separator = number("[SEP]")
    else {
      throw malformed("it lacks [UNK], [CLS] or [SEP]")
    }
    self.unknown = unknown
    self.classification = classification
    self.separator = separator
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].compactMap { name in
      number(name).map { (Array(name.utf8), $0) }
    }
  }

  func token(_ id: Int32) -> String {
    guard id >= 0, id < count else { return "[UNK]" }
    let start = id == 0 ? 0 : ends[Int(id) - 1] + 1
    var line = text[text.startIndex + start..<text.startIndex + ends[Int(id)]]
    while let last = line.last, [9, 11, 12, 13, 32].contains(last) { line.removeLast() }
    return String(decoding: line, as: UTF8.self)
  }

  /// Whether a token is `[UNK]` or a single letter beyond ASCII.
  func isForeign(_ id: Int32) -> Bool {
    if id == unknown { return true }
    let token = token(id)
    let scalars = (token.hasPrefix("##") ? token.dropFirst(2) : token[...]).unicodeScalars
    guard let letter = scalars.first, scalars.count == 1 else { return false }
    return letter.value > 0x7f && letter.properties.isAlphabetic
  }

  /// The whole file, to be written out again.
  var contents: Data { text }

  /// Splits a word's bytes into the longest tokens, one after another; nil where no token fits.
  func split(_ word: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) -> Bool {
    let before = ids.count
    var start = 0
    var node = ByteTree.root
    while start < word.count {
      guard let (id, end) = tree.longest(word, from: start, node: node) else {
        ids.removeSubrange(before...)
        return false
      }
      ids.append(id)
      start = end
      node = tree.continuation
    }
    return true
  }
}

/// A tree of byte strings. An edge, from a node by a byte, is one entry of a hash table with open addressing.
struct ByteTree: Sendable {
  static let root: UInt32 = 1
  /// The node behind `##`, where tokens that continue a word begin.
  private(set) var continuation: UInt32 = 0

  private var keys: [UInt64]
  private var targets: [UInt32]
  private var mask: Int
  private var used = 0
  /// For each node the number of the token that ends there, or -1.
  private var ids: [Int32] = [-1, -1]

  init() {
    let size = 1 << 17
    keys = Array(repeating: 0, count: size)
    targets = Array(repeating: 0, count: size)
    mask = size - 1
    let hash = UInt8(ascii: "#")
    continuation = child(hash, of: child(hash, of: ByteTree.root))
  }

  /// Puts a token in; of two equal ones the later counts, as in Hugging Face's reader.
  mutating func insert(_ token: Slice<UnsafeRawBufferPointer>, id: Int32) {
    guard !token.isEmpty else { return }
    var node = ByteTree.root
    for byte in token { node = child(byte, of: node) }
    ids[Int(node)] = id
  }

  func find(_ token: UnsafeRawBufferPointer) -> Int32? {
    var node = ByteTree.root
    for byte in token {
      node = next(byte, of: node)
      if node == 0 { return nil }
    }
    return ids[Int(node)] < 0 ? nil : ids[Int(node)]
  }

  /// The longest token that stands at `start`, and where it ends.
  func longest(_ word: UnsafeBufferPointer<UInt8>, from start: Int, node: UInt32) -> (id: Int32, end: Int)? {
    var node = node
    var best: (Int32, Int)?
    for position in start..<word.count {
      node = next(word[position], of: node)
      if node == 0 { break }
      let id = ids[Int(node)]
      if id >= 0 { best = (id, position + 1) }
    }
    return best
  }

  @inline(__always)
  private func slot(_ key: UInt64) -> Int {
    Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> 32) & mask
  }

  @inline(__always)
  private func next(_ byte: UInt8, of node: UInt32) -> UInt32 {
    let key = UInt64(node) << 8 | UInt64(byte)
    var place = slot(key)
    while true {
      let found = keys[place]
      if found == key { return targets[place] }
      if found == 0 { return 0 }
      place = (place + 1) & mask
    }
  }

  private mutating func child(_ byte: UInt8, of node: UInt32) -> UInt32 {
    let existing = next(byte, of: node)
    if existing != 0 { return existing }
    if used * 2 > keys.count { grow() }
    ids.append(-1)
    let new = UInt32(ids.count - 1)
    put(UInt64(node) << 8 | UInt64(byte), new)
    used += 1
    return new
  }

  private mutating func put(_ key: UInt64, _ target: UInt32) {
    var place = slot(key)
    while keys[place] != 0 { place = (place + 1) & mask }
    keys[place] = key
    targets[place] = target
  }

  private mutating func grow() {
    let old = zip(keys, targets).filter { $0.0 != 0 }
    keys = Array(repeating: 0, count: keys.count * 2)
    targets = Array(repeating: 0, count: keys.count)
    mask = keys.count - 1
    for (key, target) in old { put(key, target) }
  }
}
