import Basics

/// How a JSON file that is not JSON lines is written: what `jq` has to be told to make lines of it.
public enum JSONForm: Equatable, Sendable {
  /// A list of objects: the file itself, or a member of its object.
  case list(member: String?)
  /// A list of something else.
  case otherList
  /// One object of rows, each under its name.
  case named
  /// One object of columns, as pandas writes a table unless it is told otherwise.
  case columns
  /// One object, or several one after the other, over several lines each.
  case objects

  /// The filter that gives one object a line; nil where there is none.
  var filter: String? {
    switch self {
    case .list(nil), .named: return "'.[]'"
    case .list(let key?):
      let isPlain =
        key.first?.isNumber == false
        && key.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
      return isPlain ? "'.\(key)[]'" : "'.[\(key.jsonQuoted.replacing("'", with: "'\\''"))][]'"
    case .otherList, .columns: return nil
    case .objects: return "."
    }
  }

  /// Looks at the value at the window's start; nil where it is neither a list nor an object.
  init?(_ window: TextWindow, _ options: LoadOptions) throws {
    var window = window
    while !window.isAtEnd, window.bytes.count - window.start < 1 << 20 { try window.more() }
    let found: JSONForm? = window.bytes.withUnsafeBufferPointer { bytes in
      var scanner = JSONScanner(bytes, from: window.start, to: bytes.count)
      scanner.skipBlanks()
      if let list = Self.list(scanner) { return list ? .list(member: nil) : .otherList }
      guard scanner.next == UInt8(ascii: "{") else { return nil }
      var member: String?
      var keys: [String] = []
      var objects = 0
      var inner: [String] = []
      // It may end in the middle: only its beginning is in memory.
      try? scanner.object { (scanner, key, _) throws(JSONSyntaxError) in
        keys.append(key)
        if member == nil, Self.list(scanner) == true { member = key }
        if scanner.next == UInt8(ascii: "{") {
          objects += 1
          if objects == 1 { inner = Self.keys(scanner) }
        }
        try scanner.skipValue()
      }
      if let member { return .list(member: member) }
      if keys.contains("columns"), keys.contains("data") { return .columns }
      guard objects > 0, objects == keys.count else { return .objects }
      return Columns.recognise(inner, options) ? .named : .columns
    }
    guard let found else { return nil }
    self = found
  }

  /// The keys of the object that begins here, as far as it is in memory.
  private static func keys(_ scanner: JSONScanner) -> [String] {
    var scanner = scanner
    var keys: [String] = []
    try? scanner.object { (scanner, key, _) throws(JSONSyntaxError) in
      keys.append(key)
      try scanner.skipValue()
    }
    return keys
  }

  /// Whether a list begins here, and its first element is an object; nil for no list.
  private static func list(_ scanner: JSONScanner) -> Bool? {
    var scanner = scanner
    guard scanner.next == UInt8(ascii: "[") else { return nil }
    scanner.offset += 1
    scanner.skipBlanks()
    return scanner.next == UInt8(ascii: "{")
  }
}

/// The keys of the first JSON lines: of several, since a row may lack what it has no value for.
struct JSONKeys {
  private(set) var names: [String] = []
  /// Whether `messages` is a list: the chat format.
  private(set) var isChat = false

  private static let linesRead = 100

  /// Throws `JSONSyntaxError` when the line at the window's start is no object.
  init(_ window: TextWindow) throws {
    var ahead = window
    for number in 0..<Self.linesRead {
      guard let (line, next) = try ahead.nextLine() else { return }
      do {
        let keys = try Self.keys(of: line, in: ahead)
        for (key, isList) in keys where !names.contains(key) {
          names.append(key)
          if key == Columns.messages, isList { isChat = true }
        }
      } catch {
        if number == 0 { throw error }
      }
      ahead.advance(to: next, lines: 1)
    }
  }

  private static func keys(
    of line: Range<Int>, in window: TextWindow
  ) throws(JSONSyntaxError) -> [(key: String, isList: Bool)] {
    var keys: [(String, Bool)] = []
    try window.bytes.withUnsafeBufferPointer { bytes throws(JSONSyntaxError) in
      var scanner = JSONScanner(bytes, from: line.lowerBound, to: line.upperBound)
      scanner.skipBlanks()
      try scanner.object { (scanner, key, _) throws(JSONSyntaxError) in
        keys.append((key, scanner.next == UInt8(ascii: "[")))
        try scanner.skipValue()
      }
      try scanner.expectEnd()
    }
    return keys
  }
}
