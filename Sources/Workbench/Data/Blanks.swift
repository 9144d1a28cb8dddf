extension String {
  /// The text without the blanks around it.
  package var trimmingBlanks: Substring {
    // Nearly all texts begin and end with a plain letter, and asking Unicode about each costs more than
    // reading them.
    if let first = utf8.first, let last = utf8.last, first.isPlain, last.isPlain { return self[...] }
    var rest = self[...]
    while let character = rest.first, character.isWhitespace { rest.removeFirst() }
    while let character = rest.last, character.isWhitespace { rest.removeLast() }
    return rest
  }

  /// Whether there is nothing to read in it.
  var isBlank: Bool {
    if let first = utf8.first, first.isPlain { return false }
    return allSatisfy(\.isWhitespace)
  }
}

extension UInt8 {
  /// Visible ASCII.
  fileprivate var isPlain: Bool { self > 0x20 && self < 0x7F }
}
