/// How many columns of a terminal a text takes (UAX #11 for East Asian width, UTS #51 for emoji).
///
/// Our own few ranges, since the C library's answer changes with the locale and the document's must not.
extension String {
  var displayWidth: Int { reduce(0) { $0 + $1.displayWidth } }

  /// The longest beginning that fits, with `ellipsis` at its end where something is cut; never wider than `width`.
  func cut(to width: Int, ellipsis: String) -> String {
    guard displayWidth > width else { return self }
    let room = width - ellipsis.displayWidth
    guard room > 0 else { return String(ellipsis.prefix(max(0, width))) }
    var used = 0
    var kept = ""
    for character in self {
      used += character.displayWidth
      if used > room { break }
      kept.append(character)
    }
    while kept.last == " " { kept.removeLast() }
    return kept + ellipsis
  }

  /// The beginning and the end, as much as fits of both, with `ellipsis` between them; never wider than `width`.
  func cutInside(to width: Int, ellipsis: String) -> String {
    guard displayWidth > width else { return self }
    let room = width - ellipsis.displayWidth
    guard room > 1 else { return cut(to: width, ellipsis: ellipsis) }
    var used = 0
    let end = reversed().prefix { character in
      used += character.displayWidth
      return used <= (room + 1) / 2
    }
    let tail = String(String(end).reversed())
    return cut(to: width - tail.displayWidth, ellipsis: ellipsis) + tail
  }
}

extension Character {
  /// 0 for a lone combining mark, 2 for an East Asian wide character or an emoji, else 1.
  var displayWidth: Int {
    if isASCII { return 1 }
    // A base with the emoji selector, a flag, a family joined to one picture: each is one emoji.
    let scalars = unicodeScalars
    if scalars.contains("\u{FE0F}"), scalars.first?.properties.isEmoji == true { return 2 }
    return scalars.map(\.displayWidth).max() ?? 0
  }
}

extension Unicode.Scalar {
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2329...0x232A, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0xA4CF,
    0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF01...0xFF60,
    0xFFE0...0xFFE6, 0x16FE0...0x18DFF, 0x1AFF0...0x1B2FF, 0x1F200...0x1F265, 0x20000...0x3FFFD,
  ]

  fileprivate var displayWidth: Int {
    if value < 0x300 { return 1 }
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    // The second and third letters of a Hangul syllable stand above the first.
    if (0x1160...0x11FF).contains(value) { return 0 }
    if properties.isEmojiPresentation { return 2 }
    return Self.wide.contains { $0.contains(value) } ? 2 : 1
  }
}
