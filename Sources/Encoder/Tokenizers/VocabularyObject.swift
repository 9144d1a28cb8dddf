import Foundation

/// The tokens and their numbers in `tokenizer.json`: the object behind `"vocab":`.
///
/// Read byte by byte, because a Swift dictionary takes two spellings of one character (é, and e with an accent that follows) for
/// one key, and to a vocabulary they are two tokens.
enum VocabularyObject {
  /// A token a line, in the order of their numbers, as `vocab.txt` has them; an empty line where a number has no token. Nil where
  /// there is no such object. The file must be well-formed JSON.
  static func text(in json: Data) -> Data? {
    json.withUnsafeBytes { bytes in
      var reader = Reader(bytes: bytes)
      while let string = reader.nextString() {
        if bytes[string].elementsEqual(Array("vocab".utf8)), reader.entersObject() { return reader.tokens() }
      }
      return nil
    }
  }

  private struct Reader {
    let bytes: UnsafeRawBufferPointer
    var position = 0

    /// Goes behind a colon and an opening brace, if these are what follows; else stays where it is.
    mutating func entersObject() -> Bool {
      var next = position
      for wanted in [UInt8(ascii: ":"), UInt8(ascii: "{")] {
        while next < bytes.count, [9, 10, 13, 32].contains(bytes[next]) { next += 1 }
        guard next < bytes.count, bytes[next] == wanted else { return false }
        next += 1
      }
      position = next
      return true
    }

    /// What stands between the next two quotation marks.
    mutating func nextString() -> Range<Int>? {
      while position < bytes.count, bytes[position] != UInt8(ascii: "\"") { position += 1 }
      let start = position + 1
      position = start
      while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
        position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
      }
      guard position < bytes.count else { return nil }
      position += 1
      return start..<position - 1
    }

    /// The pairs up to the closing brace.
    mutating func tokens() -> Data? {
      var lines: [Int: [UInt8]] = [:]
      while true {
        while position < bytes.count, bytes[position] != UInt8(ascii: "\""),
          bytes[position] != UInt8(ascii: "}")
        {
          position += 1
        }
        guard position < bytes.count else { return nil }
        if bytes[position] == UInt8(ascii: "}") { break }
        guard let string = nextString(), let token = unescaped(string), let number = number(),
          lines.updateValue(token, forKey: number) == nil, !token.contains(10)
        else { return nil }
      }
      // Numbers that are no token's are few, and never more than the file has bytes.
      guard let last = lines.keys.max(), last < bytes.count else { return nil }
      return Data((0...last).flatMap { (lines[$0] ?? []) + [10] })
    }

    private func unescaped(_ string: Range<Int>) -> [UInt8]? {
      guard bytes[string].contains(UInt8(ascii: "\\")) else { return Array(bytes[string]) }
      let quoted = Data(bytes[string.lowerBound - 1...string.upperBound])
      return (try? JSONDecoder().decode(String.self, from: quoted)).map { Array($0.utf8) }
    }

    /// A number of at most eight digits.
    private mutating func number() -> Int? {
      while position < bytes.count, [9, 10, 13, 32, UInt8(ascii: ":")].contains(bytes[position]) {
        position += 1
      }
      var number = 0
      let start = position
      while position < bytes.count, position - start < 8, (48...57).contains(bytes[position]) {
        number = number * 10 + Int(bytes[position] - 48)
        position += 1
      }
      return position > start ? number : nil
    }
  }
}
