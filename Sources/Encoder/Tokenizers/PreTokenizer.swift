/// How a text falls into words before the bytes of each are merged.
///
/// Written by hand after the regular expressions in the models' tokenizer.json, and equal to what Hugging Face's tokenizers makes of
/// them. Works on scalars of UTF-8 and never on `Character`s: the expressions know nothing of letters with their accents.
enum PreTokenizer: String, CaseIterable, Sendable {
  /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
  case gpt2 = "gpt-2"
  /// Every digit a word; what lies between them as GPT-2 has it, and as if the text ended there.
  case smollm
  /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
  case llama3 = "llama-bpe"
  /// As Llama 3's, but for `\p{N}` in place of `\p{N}{1,3}`.
  case qwen2

  /// Where the word that begins at `start` ends.
  /// - Parameter bytes: well-formed UTF-8; `start` is where a scalar begins, and not its end.
  func endOfWord(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    switch self {
    case .gpt2, .smollm: endOfWordInGPT2(bytes, from: start)
    case .llama3, .qwen2: endOfWordInLlama3(bytes, from: start)
    }
  }

  private func endOfWordInGPT2(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    if let end = endOfContraction(bytes, from: start) { return end }
    var next = scalar(bytes, at: start)
    if self == .smollm, next.kind == .number { return next.end }
    if bytes[start] == UInt8(ascii: " "), next.end < bytes.count {
      let second = scalar(bytes, at: next.end)
      if !second.kind.isBlank, !(self == .smollm && second.kind == .number) { next = second }
    }
    if next.kind.isBlank { return endOfBlanks(bytes, from: start) }
    return endOfRun(of: next.kind, bytes, from: next.end)
  }

  private func endOfWordInLlama3(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    if let end = endOfContraction(bytes, from: start) { return end }
    let first = scalar(bytes, at: start)
    switch first.kind {
    case .letter: return endOfRun(of: .letter, bytes, from: first.end)
    case .number:
      return endOfRun(of: .number, bytes, from: first.end, atMost: self == .llama3 ? 2 : 0)
    case .lineEnd: return endOfBlanks(bytes, from: start)
    case .blank, .other: break
    }
    let second = first.end < bytes.count ? scalar(bytes, at: first.end) : nil
    if let second, second.kind == .letter { return endOfRun(of: .letter, bytes, from: second.end) }
    let sign = bytes[start] == UInt8(ascii: " ") ? second : first
    guard let sign, sign.kind == .other else { return endOfBlanks(bytes, from: start) }
    var end = endOfRun(of: .other, bytes, from: sign.end)
    while end < bytes.count, bytes[end] == 10 || bytes[end] == 13 { end += 1 }
    return end
  }

  /// Behind `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d`, if one of them begins here. Where case does not matter, ſ is an s too.
  @inline(__always)
  private func endOfContraction(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    guard bytes[start] == UInt8(ascii: "'"), start + 1 < bytes.count else { return nil }
    let ignoresCase = self == .llama3 || self == .qwen2
    func letter(_ position: Int) -> UInt8 {
      guard position < bytes.count else { return 0 }
      let byte = bytes[position]
      return ignoresCase && (65...90).contains(byte) ? byte | 0x20 : byte
    }
    switch letter(start + 1) {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 2
    case UInt8(ascii: "r"), UInt8(ascii: "v"): return letter(start + 2) == UInt8(ascii: "e") ? start + 3 : nil
    case UInt8(ascii: "l"): return letter(start + 2) == UInt8(ascii: "l") ? start + 3 : nil
    case 0xc5 where ignoresCase: return letter(start + 2) == 0xbf ? start + 3 : nil
    default: return nil
    }
  }

  private func endOfRun(
    of kind: Kind, _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, atMost: Int = .max
  ) -> Int {
    var end = start
    var left = atMost
    while end < bytes.count, left > 0 {
      let next = scalar(bytes, at: end)
      if next.kind != kind { break }
      end = next.end
      left -= 1
    }
    return end
  }

  /// Blanks go to their last line end where lines count; else all of them, but the last is left to the word that follows.
  private func endOfBlanks(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    var end = start
    var last = start
    var lines: Int?
    var follower: Kind?
    while end < bytes.count {
      let next = scalar(bytes, at: end)
      guard next.kind.isBlank else {
        follower = next.kind
        break
      }
      last = end
      end = next.end
      if next.kind == .lineEnd { lines = end }
    }
    if self == .llama3 || self == .qwen2, let lines { return lines }
    if follower == nil || last == start || (self == .smollm && follower == .number) { return end }
    return last
  }

  // MARK: - Scalars

  /// What the expressions tell apart: `\p{L}`, `\p{N}`, `[\r\n]`, the rest of `\s`, and everything else.
  enum Kind: Sendable {
    case letter, number, lineEnd, blank, other

    @inline(__always) var isBlank: Bool { self == .blank || self == .lineEnd }
  }

  @inline(__always)
  private func scalar(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int) -> (kind: Kind, end: Int) {
    let byte = bytes[position]
    if byte < 0x80 { return (Self.kind(ascii: byte), position + 1) }
    let length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
    var value = UInt32(byte) & (0xff >> UInt32(length + 1))
    for offset in 1..<length { value = value << 6 | UInt32(bytes[position + offset] & 0x3f) }
    return (kind(of: value), position + length)
  }

  @inline(__always)
  private static func kind(ascii byte: UInt8) -> Kind {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): .letter
    case UInt8(ascii: "0")...UInt8(ascii: "9"): .number
    case 10, 13: .lineEnd
    case 9, 11, 12, 32: .blank
    default: .other
    }
  }

  /// That of a scalar beyond ASCII. The regular expressions of tokenizers 0.23 know Unicode 16, and what splits digits one by one
  /// knows Unicode 17. (Compared for every scalar there is.)
  func kind(of value: UInt32) -> Kind {
    switch value {
    case 0x85, 0xa0, 0x1680, 0x2000...0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000: return .blank
    // Most text is of these, and asking for a category takes a tenth of a microsecond.
    case 0xc0...0xd6, 0xd8...0xf6, 0xf8...0x24f, 0x400...0x481, 0x48a...0x52f, 0x5d0...0x5ea, 0x620...0x64a,
      0x3041...0x3096, 0x30a1...0x30fa, 0x3400...0x4dbf, 0x4e00...0x9fff, 0xac00...0xd7a3:
      return .letter
    case 0x300...0x36f, 0x2010...0x2027, 0x3001...0x3004, 0x1f600...0x1f64f: return .other
    default: break
    }
    guard let properties = Unicode.Scalar(value)?.properties else { return .other }
    func isKnown(_ version: Int) -> Bool { properties.age.map { $0.major <= version } ?? false }
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      return isKnown(16) ? .letter : .other
    case .decimalNumber, .letterNumber, .otherNumber:
      return isKnown(self == .smollm ? 17 : 16) ? .number : .other
    default: return .other
    }
  }
}
