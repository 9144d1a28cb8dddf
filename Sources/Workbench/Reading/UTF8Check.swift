/// A UTF-8 validator that takes a file block by block (Unicode 17, table 3-7).
///
/// It counts what it saw besides plain ASCII, since that tells a damaged UTF-8 file from one in Windows-1252.
struct UTF8Check {
  /// Well-formed sequences of two bytes and more.
  private(set) var sequences = 0
  /// Bytes that begin or continue no well-formed sequence.
  private(set) var invalid = 0
  /// Where the first of those is, from the start of the file, and its value.
  private(set) var firstInvalid: (offset: Int, byte: UInt8)?

  private var consumed = 0
  private var missing = 0
  private var lead: (offset: Int, byte: UInt8) = (0, 0)
  /// What the next continuation byte may be: narrower just after some lead bytes.
  private var allowed: ClosedRange<UInt8> = 0x80...0xBF

  static func firstInvalid(in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    var check = UTF8Check()
    check.take(bytes)
    check.finish()
    return check.firstInvalid?.offset
  }

  mutating func take(_ block: UnsafeBufferPointer<UInt8>) {
    var index = 0
    let count = block.count
    while index < count {
      if missing == 0 {
        index += Self.plainPrefix(of: block, from: index)
        if index == count { break }
        begin(block[index], at: consumed + index)
        index += 1
      } else if allowed.contains(block[index]) {
        allowed = 0x80...0xBF
        missing -= 1
        if missing == 0 { sequences += 1 }
        index += 1
      } else {
        // The byte that broke the sequence off is looked at again: it may begin one itself.
        note(lead.offset, lead.byte)
        missing = 0
      }
    }
    consumed += count
  }

  mutating func finish() {
    if missing > 0 { note(lead.offset, lead.byte) }
    missing = 0
  }

  private mutating func begin(_ byte: UInt8, at offset: Int) {
    lead = (offset, byte)
    allowed = 0x80...0xBF
    switch byte {
    case 0xC2...0xDF: missing = 1
    case 0xE0: (missing, allowed) = (2, 0xA0...0xBF)
    case 0xED: (missing, allowed) = (2, 0x80...0x9F)
    case 0xE1...0xEF: missing = 2
    case 0xF0: (missing, allowed) = (3, 0x90...0xBF)
    case 0xF1...0xF3: missing = 3
    case 0xF4: (missing, allowed) = (3, 0x80...0x8F)
    default: note(offset, byte)
    }
  }

  private mutating func note(_ offset: Int, _ byte: UInt8) {
    invalid += 1
    if firstInvalid == nil { firstInvalid = (offset, byte) }
  }

  /// How many bytes from `start` on are ASCII, eight at a time.
  private static func plainPrefix(of block: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    let raw = UnsafeRawBufferPointer(block)
    var index = start
    while index + 8 <= raw.count,
      raw.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
    {
      index += 8
    }
    while index < raw.count, raw[index] < 0x80 { index += 1 }
    return index - start
  }
}
