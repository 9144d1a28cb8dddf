import Basics

/// What one pass over a file's bytes tells: its digest, and how it writes characters.
struct FileSurvey {
  /// SHA-256, 64 hexadecimal digits.
  let digest: String
  let encoding: TextEncoding
  /// Bytes of the byte order mark, which is no part of the text.
  let markLength: Int
  /// Whether each row's bytes must be checked, because somewhere in the file they are not well-formed.
  let isDamaged: Bool

  private static let blockSize = 1 << 20

  /// Throws ``LoadError`` for an empty file, for binary data and for an encoding that is not known.
  ///
  /// - Parameter limit: looks at so many bytes at least and then stops, where the digest is not wanted.
  init(_ file: OpenFile, limit: Int = .max) throws {
    var hash = SHA256()
    var check = UTF8Check()
    var isAssigned = true
    var head: [UInt8] = []
    var firstNUL: Int?
    var offset = 0
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.blockSize, alignment: 16)
    defer { block.deallocate() }
    while offset < limit {
      let count = try file.read(into: block, at: offset)
      if count == 0 { break }
      let bytes = UnsafeBufferPointer(
        rebasing: UnsafeRawBufferPointer(block).bindMemory(to: UInt8.self)[..<count])
      if offset == 0 {
        head = Array(bytes.prefix(64))
        if head.starts(with: [0xFF, 0xFE, 0, 0]) || head.starts(with: [0, 0, 0xFE, 0xFF]) {
          throw LoadError.utf32(file: file.name)
        }
      }
      hash.update(UnsafeRawBufferPointer(bytes))
      check.take(bytes)
      // Whether a byte is unassigned in 1252 matters only once the file is not UTF-8.
      if isAssigned, check.invalid > 0 || check.sequences > 0 {
        isAssigned = bytes.allSatisfy(Windows1252.isAssigned)
      }
      if firstNUL == nil { firstNUL = bytes.firstIndex(of: 0).map { $0 + offset } }
      // Nothing behind it makes a text of it, and a file of nothing else may have terabytes.
      if let firstNUL, !Self.isUTF16(head) { throw try Self.binary(file, head, firstNUL) }
      offset += count
    }
    check.finish()
    guard offset > 0 else { throw LoadError.empty(file: file.name) }
    digest = hash.finalize().hexadecimal

    if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) {
      encoding = .utf16(isBigEndian: head[0] == 0xFE)
      markLength = 2
      isDamaged = true  // its halves of pairs are found row by row
      return
    }
    if let isBigEndian = Self.unmarkedUTF16(head) {
      encoding = .utf16(isBigEndian: isBigEndian)
      markLength = 0
      isDamaged = true
      return
    }
    if let firstNUL {
      throw try Self.binary(file, head, firstNUL)
    }
    markLength = head.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    // A mark is a promise of UTF-8; and where well-formed sequences outnumber the others, the file is UTF-8
    // with some damage, not 1252: text in 1252 makes such a sequence only by a rare accident.
    let isWindows = check.invalid > 0 && isAssigned && markLength == 0 && check.invalid > check.sequences
    encoding = isWindows ? .windows1252 : .utf8
    isDamaged = check.invalid > 0 && !isWindows
  }

  /// Which of two bytes comes first, where every other byte at the beginning is zero and the rest is ASCII: a header in
  /// UTF-16 whose mark somebody cut off.
  private static func unmarkedUTF16(_ head: [UInt8]) -> Bool? {
    let pairs = stride(from: 0, to: head.count - 1, by: 2).map { (head[$0], head[$0 + 1]) }
    guard pairs.count >= 4 else { return nil }
    if pairs.allSatisfy({ $0.0 == 0 && (0x09...0x7E).contains($0.1) }) { return true }
    return pairs.allSatisfy { $0.1 == 0 && (0x09...0x7E).contains($0.0) } ? false : nil
  }

  private static func isUTF16(_ head: [UInt8]) -> Bool {
    head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) || unmarkedUTF16(head) != nil
  }

  private static func binary(_ file: OpenFile, _ head: [UInt8], _ firstNUL: Int) throws -> LoadError {
    .binary(file: file.name, line: try line(of: firstNUL, in: file), kind: kind(head))
  }

  private static func kind(_ head: [UInt8]) -> String? {
    let kinds: [([UInt8], String)] = [
      ([0x50, 0x4B, 0x03, 0x04], "an Excel workbook or a zip archive"),
      ([0xD0, 0xCF, 0x11, 0xE0], "an old Excel workbook"),
      ([0x1F, 0x8B], "a gzip archive"), ([0x25, 0x50, 0x44, 0x46], "a PDF"),
      (Array("SQLite f".utf8), "an SQLite database"), (Array("PAR1".utf8), "a Parquet file"),
    ]
    return kinds.first { head.starts(with: $0.0) }?.1
  }

  /// The line of a byte: the file is read once more, since nobody counts lines for files that are in order.
  private static func line(of offset: Int, in file: OpenFile) throws -> Int {
    var line = 1
    var block = [UInt8](repeating: 0, count: blockSize)
    for start in stride(from: 0, to: offset, by: blockSize) {
      let count = try block.withUnsafeMutableBytes { try file.read(into: $0, at: start) }
      line += block.prefix(min(count, offset - start)).count { $0 == 0x0A }
    }
    return line
  }
}
