import Basics

/// The words of a GraphQL document. GraphQL specification, October 2021, section 2.1.
struct GraphQLLexer {
  enum Token: Equatable {
    /// `{`, `$`, `...`
    case mark(String)
    case name(String)
    case int(Int)
    case float(Double)
    case string(String)
    case end

    var shown: String {
      switch self {
      case .mark(let mark): "\"\(mark)\""
      case .name(let name): "\"\(name)\""
      case .int(let number): "\(number)"
      case .float(let number): "\(number)"
      case .string: "a string"
      case .end: "the document's end"
      }
    }
  }

  private let bytes: [UInt8]
  private var offset = 0
  private var line = 1
  /// Where the line begins.
  private var start = 0
  private var tokens = 0

  static let mostTokens = 20_000

  init(_ text: String) {
    bytes = Array(text.utf8)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
  }

  private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private func byte(_ ahead: Int) -> UInt8? {
    offset + ahead < bytes.count ? bytes[offset + ahead] : nil
  }

  private func place(of offset: Int) -> GraphQLPlace {
    let scalars = bytes[min(start, offset)..<offset].count { $0 & 0xC0 != 0x80 }
    return GraphQLPlace(line: line, column: scalars + 1)
  }

  private mutating func newLine() {
    // \r\n is one.
    if next == 0x0D, byte(1) == 0x0A { offset += 1 }
    offset += 1
    line += 1
    start = offset
  }

  /// - Throws: `GraphQLError`.
  mutating func token() throws -> (token: Token, place: GraphQLPlace) {
    skip()
    let place = place(of: offset)
    tokens += 1
    guard tokens <= Self.mostTokens else {
      throw GraphQLError.syntax("the document has more than \(Self.mostTokens) words.", place)
    }
    guard let byte = next else { return (.end, place) }
    switch byte {
    case UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "("), UInt8(ascii: ")"),
      UInt8(ascii: ":"), UInt8(ascii: "="), UInt8(ascii: "@"), UInt8(ascii: "["), UInt8(ascii: "]"),
      UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"):
      offset += 1
      return (.mark(String(UnicodeScalar(byte))), place)
    case UInt8(ascii: "."):
      guard self.byte(1) == byte, self.byte(2) == byte else {
        throw GraphQLError.syntax("a single dot; a spread has three.", place)
      }
      offset += 3
      return (.mark("..."), place)
    case UInt8(ascii: "\""):
      if self.byte(1) == byte, self.byte(2) == byte { return (.string(try block(place)), place) }
      return (.string(try string(place)), place)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return (try number(place), place)
    case _ where Self.beginsName(byte):
      let begin = offset
      while let byte = next, Self.beginsName(byte) || Self.isDigit(byte) { offset += 1 }
      return (.name(String(decoding: bytes[begin..<offset], as: UTF8.self)), place)
    default:
      let scalar = String(decoding: bytes[offset...].prefix(4), as: UTF8.self).unicodeScalars.first
      throw GraphQLError.syntax(
        "\(scalar.map { String(Character($0)).visible } ?? "a byte") has no place here.", place)
    }
  }

  private static func beginsName(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) && byte >= 0x41
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  /// Goes past blanks, commas and comments.
  private mutating func skip() {
    while let byte = next {
      switch byte {
      case 0x20, 0x09, UInt8(ascii: ","): offset += 1
      case 0x0A, 0x0D: newLine()
      case UInt8(ascii: "#"): while let byte = next, byte != 0x0A, byte != 0x0D { offset += 1 }
      case 0xEF where self.byte(1) == 0xBB && self.byte(2) == 0xBF: offset += 3
      default: return
      }
    }
  }

  private mutating func number(_ place: GraphQLPlace) throws -> Token {
    let begin = offset
    func fail() -> GraphQLError { .syntax("this is no number.", place) }
    if next == UInt8(ascii: "-") { offset += 1 }
    let leading = next
    func digits() -> Int {
      var count = 0
      while let byte = byte(count), Self.isDigit(byte) { count += 1 }
      return count
    }
    let whole = digits()
    guard whole == 1 || whole > 1 && leading != UInt8(ascii: "0") else { throw fail() }
    offset += whole
    var isFloat = false
    if next == UInt8(ascii: ".") {
      offset += 1
      guard digits() > 0 else { throw fail() }
      offset += digits()
      isFloat = true
    }
    if let byte = next, byte | 0x20 == UInt8(ascii: "e") {
      offset += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { offset += 1 }
      guard digits() > 0 else { throw fail() }
      offset += digits()
      isFloat = true
    }
    if let byte = next, Self.beginsName(byte) || Self.isDigit(byte) || byte == UInt8(ascii: ".") {
      throw fail()
    }
    let word = String(decoding: bytes[begin..<offset], as: UTF8.self)
    if !isFloat, let number = Int(word) { return .int(number) }
    guard let number = Double(word), number.isFinite else { throw fail() }
    return .float(number)
  }

  private mutating func string(_ place: GraphQLPlace) throws -> String {
    offset += 1
    var text: [UInt8] = []
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        offset += 1
        return String(decoding: text, as: UTF8.self)
      case 0x0A, 0x0D: throw GraphQLError.syntax("a string that does not end on its line.", place)
      case UInt8(ascii: "\\"): text += try escaped()
      default:
        text.append(byte)
        offset += 1
      }
    }
    throw GraphQLError.syntax("a string that does not end.", place)
  }

  private mutating func escaped() throws -> [UInt8] {
    let place = place(of: offset)
    offset += 1
    guard let letter = next else { throw GraphQLError.syntax("nothing follows \\.", place) }
    offset += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [letter]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"):
      var unit = try codeUnit(place)
      if (0xD800..<0xDC00).contains(unit), next == UInt8(ascii: "\\"), byte(1) == UInt8(ascii: "u") {
        offset += 2
        let second = try codeUnit(place)
        guard (0xDC00..<0xE000).contains(second) else {
          throw GraphQLError.syntax("half of a surrogate pair.", place)
        }
        unit = 0x10000 + (unit - 0xD800) << 10 + (second - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(unit) else {
        throw GraphQLError.syntax("half of a surrogate pair.", place)
      }
      return Array(String(Character(scalar)).utf8)
    default: throw GraphQLError.syntax("\\\(UnicodeScalar(letter)) stands for nothing.", place)
    }
  }

  /// `{1F600}` or four digits.
  private mutating func codeUnit(_ place: GraphQLPlace) throws -> UInt32 {
    var unit: UInt32 = 0
    let isBraced = next == UInt8(ascii: "{")
    if isBraced { offset += 1 }
    var digits = 0
    while digits < (isBraced ? 8 : 4), let byte = next, byte < 0x80,
      let digit = Character(UnicodeScalar(byte)).hexDigitValue
    {
      unit = unit << 4 | UInt32(digit)
      (digits, offset) = (digits + 1, offset + 1)
    }
    guard isBraced ? digits > 0 && next == UInt8(ascii: "}") : digits == 4 else {
      throw GraphQLError.syntax("\\u takes four hexadecimal digits.", place)
    }
    if isBraced { offset += 1 }
    return unit
  }

  /// `"""…"""`: its lines without the blanks that all of them begin with, and without blank lines before and behind.
  private mutating func block(_ place: GraphQLPlace) throws -> String {
    offset += 3
    var lines: [[UInt8]] = [[]]
    let quote = UInt8(ascii: "\"")
    while let byte = next {
      if byte == quote, self.byte(1) == quote, self.byte(2) == quote {
        offset += 3
        return Self.dedented(lines)
      }
      switch byte {
      case UInt8(ascii: "\\") where self.byte(1) == quote && self.byte(2) == quote && self.byte(3) == quote:
        lines[lines.count - 1] += [quote, quote, quote]
        offset += 4
      case 0x0A, 0x0D:
        newLine()
        lines.append([])
      default:
        lines[lines.count - 1].append(byte)
        offset += 1
      }
    }
    throw GraphQLError.syntax("a string that does not end.", place)
  }

  private static func dedented(_ lines: [[UInt8]]) -> String {
    func indent(_ line: [UInt8]) -> Int { line.prefix { $0 == 0x20 || $0 == 0x09 }.count }
    let common = lines.dropFirst().filter { indent($0) < $0.count }.map(indent).min() ?? 0
    var lines = lines.prefix(1) + lines.dropFirst().map { Array($0.dropFirst(common)) }
    while let first = lines.first, indent(first) == first.count { lines.removeFirst() }
    while let last = lines.last, indent(last) == last.count { lines.removeLast() }
    return lines.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
  }
}
