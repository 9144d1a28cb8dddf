/// A stretch of a file's text in memory, in UTF-8, that moves along: its readers see one record at a time,
/// whole.
///
/// Memory is one block and one record. A record may have 16 MB; what is longer is no text but a forgotten
/// quote or a file without lines.
struct TextWindow {
  static let longestRecord = 16 << 20
  private static let blockSize = 1 << 18

  let file: OpenFile
  let isDamaged: Bool
  private(set) var bytes: [UInt8] = []
  /// The first byte not consumed yet, and its line.
  private(set) var start = 0
  private(set) var line = 1
  /// Whether `bytes` reaches to the file's end.
  private(set) var isAtEnd = false
  /// Bytes of the file read so far.
  private(set) var offset: Int
  private var transcoder: Transcoder
  private var block: [UInt8]

  init(_ file: OpenFile, survey: FileSurvey) {
    self.file = file
    isDamaged = survey.isDamaged
    offset = survey.markLength
    transcoder = Transcoder(survey.encoding)
    block = [UInt8](repeating: 0, count: Self.blockSize)
  }

  /// Reads on. What `start` has passed is forgotten, so offsets taken before no longer hold.
  mutating func more() throws {
    guard bytes.count - start <= Self.longestRecord else {
      throw LoadError.lineTooLong(file: file.name, line: line, limit: Self.longestRecord)
    }
    if start > 0 {
      bytes.removeSubrange(..<start)
      start = 0
    }
    // A long record at least doubles the stretch, so that readers that begin it again do so a few times only.
    let enough = min(max(1, bytes.count) * 2, Self.longestRecord + 1)
    repeat {
      let count = try block.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }
      offset += count
      isAtEnd = offset >= file.size || count == 0
      block.withUnsafeBufferPointer {
        transcoder.append(UnsafeBufferPointer(rebasing: $0[..<count]), to: &bytes, isLast: isAtEnd)
      }
    } while !isAtEnd && bytes.count < enough
  }

  /// Consumes up to `end`, which is `lines` line ends further.
  mutating func advance(to end: Int, lines: Int) {
    start = end
    line += lines
  }

  /// The next line without its end, as a range of `bytes`, and where the line after it begins; nil at the
  /// file's end.
  ///
  /// Lines end with LF, CRLF or CR.
  mutating func nextLine() throws -> (line: Range<Int>, next: Int)? {
    while true {
      let found: (Range<Int>, Int)? = bytes.withUnsafeBufferPointer { bytes in
        var index = start
        while index < bytes.count, bytes[index] != 0x0A, bytes[index] != 0x0D { index += 1 }
        if index == bytes.count { return isAtEnd ? (start..<index, index) : nil }
        // Whether a CR stands alone is seen from the byte after it.
        if bytes[index] == 0x0D, index + 1 == bytes.count, !isAtEnd { return nil }
        let isPair = bytes[index] == 0x0D && index + 1 < bytes.count && bytes[index + 1] == 0x0A
        return (start..<index, index + (isPair ? 2 : 1))
      }
      if let (line, next) = found { return line.isEmpty && next == start ? nil : (line, next) }
      try more()
    }
  }

  /// The text of a range, which must have been checked.
  func text(_ range: Range<Int>) -> String {
    bytes.withUnsafeBufferPointer {
      String(decoding: UnsafeBufferPointer(rebasing: $0[range]), as: UTF8.self)
    }
  }

  /// The place of a byte of the current record.
  func position(of offset: Int) -> Position {
    bytes.withUnsafeBufferPointer { Position(of: offset, in: $0, start: start, line: line) }
  }

  func badRow(at offset: Int, expected: String) -> LoadError {
    let position = position(of: offset)
    return .badRow(file: file.name, line: position.line, column: position.column, expected: expected)
  }

  /// What is wrong with the characters of the current record, if it ends at `end`.
  func damage(before end: Int) -> LoadError? {
    guard isDamaged else { return nil }
    return bytes.withUnsafeBufferPointer { bytes -> LoadError? in
      let record = UnsafeBufferPointer(rebasing: bytes[start..<end])
      if let invalid = UTF8Check.firstInvalid(in: record) {
        let position = Position(of: start + invalid, in: bytes, start: start, line: line)
        return .encoding(
          file: file.name, line: position.line, column: position.column, byte: record[invalid])
      }
      if let zero = record.firstIndex(of: 0) {
        return .badRow(
          file: file.name, line: line, column: Position(of: start + zero, in: bytes, start: start).column,
          expected: "no NUL character in a text")
      }
      return nil
    }
  }
}
