/// A key that sends several bytes, by the sequence that stands for all of its encodings (xterm's control sequences; those of
/// rxvt, the Linux console and tmux beside them).
enum TerminalKey: String {
  case up = "\u{1B}[A"
  case down = "\u{1B}[B"
  case right = "\u{1B}[C"
  case left = "\u{1B}[D"
  case nextWord = "\u{1B}[1;5C"
  case previousWord = "\u{1B}[1;5D"
  case lineStart = "\u{1B}[H"
  case lineEnd = "\u{1B}[F"
  case textStart = "\u{1B}[1;5H"
  case textEnd = "\u{1B}[1;5F"
  case delete = "\u{1B}[3~"
  case deleteWord = "\u{1B}[3;5~"
  case paste = "\u{1B}[200~"
  /// What means nothing here, such as a function key.
  case unknown = "\u{1B}[99~"

  /// - Parameter sequence: from the escape to its last byte.
  init(sequence: String) {
    var body = sequence.dropFirst()
    var isWord = false
    if body.first == "\u{1B}" {
      // Alt, as terminals send it that have no number for it.
      isWord = true
      body = body.dropFirst()
    }
    let introducer = body.first
    let final = body.last ?? " "
    let numbers = body.dropFirst().dropLast().split(separator: ";", omittingEmptySubsequences: false)
      .map { Int($0) ?? 0 }
    // 1 and a bit each for shift, Alt, Ctrl, Meta.
    let modifiers = (numbers.count > 1 ? numbers[1] : final == "~" ? 1 : numbers.first ?? 1) - 1
    if modifiers > 0, modifiers & 0b1110 != 0 { isWord = true }
    switch final {
    case "A", "a": self = .up
    case "B", "b": self = .down
    case "C": self = isWord ? .nextWord : .right
    case "D": self = isWord ? .previousWord : .left
    case "c": self = introducer == "O" ? .nextWord : .right
    case "d": self = introducer == "O" ? .previousWord : .left
    case "H": self = isWord ? .textStart : .lineStart
    case "F": self = isWord ? .textEnd : .lineEnd
    case "~", "^", "$":
      if final == "^" { isWord = true }
      switch numbers.first {
      case 1, 7: self = isWord ? .textStart : .lineStart
      case 4, 8: self = isWord ? .textEnd : .lineEnd
      case 3: self = isWord ? .deleteWord : .delete
      case 200 where final == "~": self = .paste
      default: self = .unknown
      }
    default: self = .unknown
    }
  }
}
