/// A JSON value that knows where it begins, with its objects' keys in the file's order.
struct JSONNode {
  /// Bytes from the start of the file.
  let offset: Int
  let value: Value

  indirect enum Value {
    case object([Member])
    case array([JSONNode])
    case string(String)
    /// A number, `true`, `false` or `null` as it is written.
    case literal(String)
  }

  struct Member {
    let key: String
    let keyOffset: Int
    let node: JSONNode
  }

  /// Reads the one value that the bytes hold.
  init(reading bytes: UnsafeBufferPointer<UInt8>) throws(JSONSyntaxError) {
    var scanner = JSONScanner(bytes, from: 0, to: bytes.count)
    scanner.skipBlanks()
    guard scanner.next != nil else { throw scanner.failure("an object, but the file is empty") }
    self = try JSONNode(&scanner, depth: 0)
    try scanner.expectEnd()
  }

  private init(_ scanner: inout JSONScanner, depth: Int) throws(JSONSyntaxError) {
    guard depth < JSONScanner.deepest else {
      throw scanner.failure("at most \(JSONScanner.deepest) levels")
    }
    offset = scanner.offset
    switch scanner.next {
    case UInt8(ascii: "{"):
      var members: [Member] = []
      try scanner.object { (scanner, key, keyOffset) throws(JSONSyntaxError) in
        let node = try JSONNode(&scanner, depth: depth + 1)
        members.append(Member(key: key, keyOffset: keyOffset, node: node))
      }
      value = .object(members)
    case UInt8(ascii: "["):
      var elements: [JSONNode] = []
      try scanner.array { (scanner) throws(JSONSyntaxError) in
        elements.append(try JSONNode(&scanner, depth: depth + 1))
      }
      value = .array(elements)
    case UInt8(ascii: "\""): value = .string(try scanner.string())
    default: value = .literal(String(try scanner.literal()))
    }
  }

  var members: [Member]? {
    if case .object(let members) = value { members } else { nil }
  }

  var elements: [JSONNode]? {
    if case .array(let elements) = value { elements } else { nil }
  }

  var string: String? {
    if case .string(let string) = value { string } else { nil }
  }

  var isTrue: Bool {
    if case .literal("true") = value { true } else { false }
  }

  /// The value of a key; of the last one where a key comes twice, as most readers have it.
  subscript(key: String) -> JSONNode? {
    members?.last { $0.key == key }?.node
  }
}
