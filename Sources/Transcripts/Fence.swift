/// The line that opens a fenced code block, by CommonMark 0.31, section 4.5.
struct Fence: Equatable {
  /// A backtick or a tilde.
  var mark: UInt8
  /// How many marks; a closing line has as many or more.
  var length: Int
  /// Blanks before the marks, 0 to 3; as many go from each line inside.
  var indentation: Int
  /// The first word after the marks: the block's language.
  var language: Substring

  /// `nil` where the line opens no fence.
  init?(opening line: Substring) {
    let bytes = line.utf8
    let indented = bytes.drop { $0 == UInt8(ascii: " ") }
    indentation = bytes.count - indented.count
    guard indentation < 4, let mark = indented.first, mark == UInt8(ascii: "`") || mark == UInt8(ascii: "~")
    else { return nil }
    let info = indented.drop { $0 == mark }
    self.mark = mark
    length = indented.count - info.count
    guard length >= 3 else { return nil }
    // `` ```code``` `` on one line is a code span, not a fence.
    if mark == UInt8(ascii: "`"), info.contains(mark) { return nil }
    let word = info.drop(while: isBlank).prefix { !isBlank($0) }
    language = Substring(word)
  }

  func isClosed(by line: Substring) -> Bool {
    let indented = line.utf8.drop { $0 == UInt8(ascii: " ") }
    guard line.utf8.count - indented.count < 4 else { return false }
    let rest = indented.drop { $0 == mark }
    return indented.count - rest.count >= length && rest.allSatisfy(isBlank)
  }

  /// A line inside the fence without the fence's own indentation.
  func content(of line: Substring) -> Substring {
    var bytes = line.utf8
    var left = indentation
    while left > 0, bytes.first == UInt8(ascii: " ") {
      bytes.removeFirst()
      left -= 1
    }
    return Substring(bytes)
  }
}

func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
