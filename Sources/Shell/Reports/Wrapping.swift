extension String {
  /// In lines of at most `width` columns, as a document keeps them: broken at blanks, and lines after the first begin with the
  /// first's blanks and two more. A word too long for a line has one to itself, so that it can be copied.
  func wrapped(to width: Int) -> [String] {
    guard displayWidth > width else { return [self] }
    let leading = String(prefix { $0 == " " })
    let hanging = leading + "  "
    var lines: [String] = []
    var line = leading
    var hasWord = false
    for word in dropFirst(leading.count).split(separator: " ", omittingEmptySubsequences: false) {
      if hasWord, line.displayWidth + 1 + String(word).displayWidth > width {
        lines.append(line)
        line = hanging + word
      } else {
        line += (hasWord ? " " : "") + word
      }
      hasWord = true
    }
    return lines + [line]
  }

  /// In lines of at most `width` columns, as a window of just so many needs them: broken at blanks, and within a word that is
  /// longer than a line, since Chinese and Japanese have no blanks.
  public func folded(to width: Int) -> [String] {
    let width = max(4, width)
    var lines: [String] = []
    var line = ""
    var used = 0
    for word in split(separator: " ") {
      var word = word
      var length = String(word).displayWidth
      if used > 0, used + 1 + length > width, length <= width || width - used < 8 {
        lines.append(line)
        (line, used) = ("", 0)
      }
      if used > 0 {
        line += " "
        used += 1
      }
      while used + length > width {
        var taken = 0
        let head = word.prefix { character in
          taken += character.displayWidth
          return used + taken <= width
        }
        lines.append(line + head)
        word = word.dropFirst(head.count)
        length = String(word).displayWidth
        (line, used) = ("", 0)
      }
      line += word
      used += length
    }
    return lines + [line]
  }
}
