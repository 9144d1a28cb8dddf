/// How a data file writes its characters.
public enum TextEncoding: Equatable, Sendable {
  case utf8
  /// What Excel calls "CSV" on a computer set to a Western language.
  case windows1252
  /// What Excel calls "Unicode Text"; recognised by its byte order mark.
  case utf16(isBigEndian: Bool)

  /// For people.
  public var name: String {
    switch self {
    case .utf8: "UTF-8"
    case .windows1252: "Windows-1252"
    case .utf16: "UTF-16"
    }
  }
}

/// Turns blocks of a file into UTF-8.
struct Transcoder {
  let encoding: TextEncoding
  /// The first half of a code unit or of a surrogate pair that the block before ended with.
  private var pending: [UInt8] = []

  init(_ encoding: TextEncoding) { self.encoding = encoding }

  /// Appends a block to `text`; `isLast` for the file's last.
  mutating func append(_ block: UnsafeBufferPointer<UInt8>, to text: inout [UInt8], isLast: Bool) {
    switch encoding {
    case .utf8: text.append(contentsOf: block)
    case .windows1252:
      for byte in block {
        if byte < 0x80 { text.append(byte) } else { Self.append(Windows1252.scalar(byte), to: &text) }
      }
    case .utf16(let isBigEndian): appendUTF16(block, to: &text, isBigEndian: isBigEndian, isLast: isLast)
    }
  }

  private mutating func appendUTF16(
    _ block: UnsafeBufferPointer<UInt8>, to text: inout [UInt8], isBigEndian: Bool, isLast: Bool
  ) {
    let bytes = pending + Array(block)
    pending = []
    func unit(_ index: Int) -> UInt32 {
      isBigEndian
        ? UInt32(bytes[index]) << 8 | UInt32(bytes[index + 1])
        : UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index])
    }
    var index = 0
    while index + 1 < bytes.count {
      let first = unit(index)
      if (0xD800..<0xDC00).contains(first) {
        if index + 3 >= bytes.count {
          if !isLast { break }
        } else if (0xDC00..<0xE000).contains(unit(index + 2)) {
          Self.append(0x10000 + (first - 0xD800) << 10 + (unit(index + 2) - 0xDC00), to: &text)
          index += 4
          continue
        }
      }
      // Half a pair becomes bytes that are not UTF-8, so that the row's check finds it and names its place.
      Self.append(first, to: &text)
      index += 2
    }
    if isLast {
      if index < bytes.count { text.append(0xFF) }
    } else {
      pending = Array(bytes[index...])
    }
  }

  private static func append(_ value: UInt32, to text: inout [UInt8]) {
    func tail(_ shift: UInt32) -> UInt8 { UInt8(0x80 | (value >> shift) & 0x3F) }
    switch value {
    case 0..<0x80: text.append(UInt8(value))
    case 0x80..<0x800: text += [UInt8(0xC0 | value >> 6), tail(0)]
    case 0x800..<0x10000: text += [UInt8(0xE0 | value >> 12), tail(6), tail(0)]
    default: text += [UInt8(0xF0 | value >> 18), tail(12), tail(6), tail(0)]
    }
  }
}

/// Windows code page 1252 (WHATWG Encoding Standard), without the five bytes that Microsoft's table leaves
/// unassigned.
enum Windows1252 {
  static func isAssigned(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x81, 0x8D, 0x8F, 0x90, 0x9D: false
    default: true
    }
  }

  static func scalar(_ byte: UInt8) -> UInt32 {
    (0x80...0x9F).contains(byte) ? high[Int(byte) - 0x80] : UInt32(byte)
  }

  private static let high: [UInt32] = [
    0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152,
    0x8D,
    0x017D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161,
    0x203A,
    0x0153, 0x9D, 0x017E, 0x0178,
  ]
}
