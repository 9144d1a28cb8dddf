/// A place in a text: physical line and column in characters, both from 1.
struct Position: Equatable {
  var line: Int
  var column: Int

  init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  /// The position of the byte at `offset`, when `start` is the first byte of line `line`.
  init(of offset: Int, in bytes: UnsafeBufferPointer<UInt8>, start: Int = 0, line: Int = 1) {
    let offset = min(offset, bytes.count)
    var line = line
    var lineStart = start
    var index = start
    while index < offset {
      let byte = bytes[index]
      index += 1
      if byte == 0x0A {
        line += 1
        lineStart = index
      } else if byte == 0x0D, index == bytes.count || bytes[index] != 0x0A {
        line += 1
        lineStart = index
      }
    }
    // The last character may still be on its way: an offset inside it counts as its beginning.
    let before = String(
      decoding: UnsafeBufferPointer(rebasing: bytes[min(lineStart, offset)..<offset]), as: UTF8.self)
    self.init(line: line, column: before.count + 1)
  }
}
