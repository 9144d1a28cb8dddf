extension JSONScanner {
  /// A text in double quotes, its escapes resolved.
  mutating func string() throws(JSONSyntaxError) -> String {
    let opening = offset
    guard next == UInt8(ascii: "\"") else { throw failure("a text in double quotes") }
    offset += 1
    let start = offset
    // Most texts have no escape: found in one pass, copied once.
    while offset < end {
      let byte = bytes[offset]
      if byte == UInt8(ascii: "\"") {
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<offset]), as: UTF8.self)
        offset += 1
        return text
      }
      if byte == UInt8(ascii: "\\") { break }
      if byte < 0x20 { throw controlCharacter(byte, opening: opening) }
      offset += 1
    }
    var text = Array(bytes[start..<offset])
    while offset < end {
      let byte = bytes[offset]
      switch byte {
      case UInt8(ascii: "\""):
        offset += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): try escape(into: &text)
      case 0..<0x20: throw controlCharacter(byte, opening: opening)
      default:
        text.append(byte)
        offset += 1
      }
    }
    throw failure("a closing double quote for the one here", at: opening)
  }

  /// Goes past a text without building it.
  mutating func skipString() throws(JSONSyntaxError) {
    let opening = offset
    offset += 1
    while offset < end, bytes[offset] != UInt8(ascii: "\\"), bytes[offset] >= 0x20 {
      offset += 1
      if bytes[offset - 1] == UInt8(ascii: "\"") { return }
    }
    // An escape, or something wrong: read again with care.
    offset = opening
    _ = try string()
  }

  private func controlCharacter(_ byte: UInt8, opening: Int) -> JSONSyntaxError {
    // A newline in a string is nearly always a quote left open.
    byte == 0x0A || byte == 0x0D
      ? failure("a closing double quote for the one here", at: opening)
      : failure("no control character in a text (a tab is written \\t)")
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONSyntaxError) {
    let start = offset
    offset += 1
    guard let letter = next else { throw failure("a letter after \\", at: start) }
    offset += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): text.append(contentsOf: String(Character(try scalar(escapedAt: start))).utf8)
    default: throw failure("one of \" \\ / b f n r t u after \\", at: start)
    }
  }

  /// The scalar of `\uXXXX`, or of the two of them that make a surrogate pair; just after the `u`.
  private mutating func scalar(escapedAt start: Int) throws(JSONSyntaxError) -> Unicode.Scalar {
    let unit = try codeUnit(escapedAt: start)
    if let scalar = Unicode.Scalar(unit) { return scalar }
    let isPair =
      unit < 0xDC00 && offset + 1 < end && bytes[offset] == UInt8(ascii: "\\")
      && bytes[offset + 1] == UInt8(ascii: "u")
    if isPair {
      offset += 2
      let second = try codeUnit(escapedAt: start)
      if (0xDC00...0xDFFF).contains(second),
        let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (second - 0xDC00))
      {
        return scalar
      }
    }
    throw failure("both halves of a surrogate pair", at: start)
  }

  private mutating func codeUnit(escapedAt start: Int) throws(JSONSyntaxError) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw failure("four hexadecimal digits after \\u", at: start)
      }
      unit = unit << 4 | UInt32(digit)
      offset += 1
    }
    return unit
  }
}
