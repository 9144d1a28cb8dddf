/// Not JSON: what was expected, and where.
struct JSONSyntaxError: Error, Equatable {
  /// Bytes from the start of the scanned bytes.
  let offset: Int
  /// Fits after "expected".
  let expected: String
}

/// A strict scanner over UTF-8 bytes (RFC 8259) that knows where it is and keeps the order of keys.
///
/// Foundation's decoders lose both the order of an object's keys, which is the order of an interface's
/// categories, and the place of an error. One scanner serves the interface (as a tree) and JSON lines (key by
/// key, nothing built for what is not asked for).
struct JSONScanner {
  /// Deeper values are refused, so that a hostile file cannot exhaust the stack.
  static let deepest = 64

  let bytes: UnsafeBufferPointer<UInt8>
  var offset: Int
  let end: Int

  init(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int) {
    self.bytes = bytes
    offset = start
    self.end = end
  }

  func failure(_ expected: String, at offset: Int? = nil) -> JSONSyntaxError {
    JSONSyntaxError(offset: offset ?? self.offset, expected: expected)
  }

  var next: UInt8? { offset < end ? bytes[offset] : nil }

  mutating func skipBlanks() {
    while offset < end {
      switch bytes[offset] {
      case 0x20, 0x09, 0x0A, 0x0D: offset += 1
      default: return
      }
    }
  }

  /// After the value: nothing but blanks.
  mutating func expectEnd() throws(JSONSyntaxError) {
    skipBlanks()
    if offset < end { throw failure("nothing after the value") }
  }

  /// Walks an object; `member` is called at each value and must consume it.
  mutating func object(
    _ member: (inout JSONScanner, _ key: String, _ keyOffset: Int) throws(JSONSyntaxError) -> Void
  ) throws(JSONSyntaxError) {
    guard next == UInt8(ascii: "{") else { throw failure("an object, which begins with {") }
    offset += 1
    skipBlanks()
    if next == UInt8(ascii: "}") {
      offset += 1
      return
    }
    while true {
      skipBlanks()
      let keyOffset = offset
      guard next == UInt8(ascii: "\"") else { throw failure("a key in double quotes") }
      let key = try string()
      skipBlanks()
      guard next == UInt8(ascii: ":") else { throw failure("a colon after the key") }
      offset += 1
      skipBlanks()
      try member(&self, key, keyOffset)
      skipBlanks()
      switch next {
      case UInt8(ascii: ","): offset += 1
      case UInt8(ascii: "}"):
        offset += 1
        return
      default: throw failure("a comma or }")
      }
    }
  }

  /// Walks an array; `element` is called at each value and must consume it.
  mutating func array(
    _ element: (inout JSONScanner) throws(JSONSyntaxError) -> Void
  ) throws(JSONSyntaxError) {
    guard next == UInt8(ascii: "[") else { throw failure("a list, which begins with [") }
    offset += 1
    skipBlanks()
    if next == UInt8(ascii: "]") {
      offset += 1
      return
    }
    while true {
      skipBlanks()
      try element(&self)
      skipBlanks()
      switch next {
      case UInt8(ascii: ","): offset += 1
      case UInt8(ascii: "]"):
        offset += 1
        return
      default: throw failure("a comma or ]")
      }
    }
  }

  mutating func skipValue(depth: Int = 0) throws(JSONSyntaxError) {
    guard depth < Self.deepest else { throw failure("at most \(Self.deepest) levels") }
    switch next {
    case UInt8(ascii: "{"):
      try object { (scanner, _, _) throws(JSONSyntaxError) in try scanner.skipValue(depth: depth + 1) }
    case UInt8(ascii: "["):
      try array { (scanner) throws(JSONSyntaxError) in try scanner.skipValue(depth: depth + 1) }
    case UInt8(ascii: "\""): try skipString()
    default: _ = try literal()
    }
  }

  /// A number, `true`, `false` or `null`, as it is written.
  mutating func literal() throws(JSONSyntaxError) -> Substring {
    let start = offset
    scan: while offset < end {
      switch bytes[offset] {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
        offset += 1
      default: break scan
      }
    }
    let word = String(decoding: bytes[start..<offset], as: UTF8.self)
    if word == "true" || word == "false" || word == "null" || Self.isNumber(bytes[start..<offset]) {
      return word[...]
    }
    throw failure("a value: a text in double quotes, a number, true, false, null, { or [", at: start)
  }

  private static func isNumber(_ word: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
    var rest = word[...]
    func digits(_ rest: inout Slice<UnsafeBufferPointer<UInt8>>) -> Int {
      let count = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.count
      rest = rest.dropFirst(count)
      return count
    }
    if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
    let leading = rest.first
    let whole = digits(&rest)
    guard whole == 1 || (whole > 1 && leading != UInt8(ascii: "0")) else { return false }
    if rest.first == UInt8(ascii: ".") {
      rest.removeFirst()
      guard digits(&rest) > 0 else { return false }
    }
    if let exponent = rest.first, exponent | 0x20 == UInt8(ascii: "e") {
      rest.removeFirst()
      if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest.removeFirst() }
      guard digits(&rest) > 0 else { return false }
    }
    return rest.isEmpty
  }
}
