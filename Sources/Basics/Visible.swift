extension String {
  /// The text on one line, what nobody sees or a terminal would obey written out: `\u{1b}`, `\n`. Safe to show.
  ///
  /// A data file may hold escape codes that recolour the screen, or direction marks that make a line read
  /// backwards ("Trojan Source", Boucher and Anderson 2021). What is stored is the original; only what is
  /// shown goes through here. Joiners stay, since emoji and several scripts need them.
  package var visible: String { spellingHazards { _, _ in false } }

  /// ``visible``, but in its lines: tabs and line feeds stay, and so do carriage returns before these.
  package var visibleLines: String {
    spellingHazards { scalar, next in scalar == "\n" || scalar == "\t" || (scalar == "\r" && next == "\n") }
  }

  /// - Parameter stays: asked of a hazardous scalar and the one behind it.
  private func spellingHazards(
    unless stays: (_ scalar: Unicode.Scalar, _ next: Unicode.Scalar?) -> Bool
  ) -> String {
    guard unicodeScalars.contains(where: \.isHazardous) else { return self }
    var shown = String.UnicodeScalarView()
    var rest = unicodeScalars[...]
    while let scalar = rest.popFirst() {
      if scalar.isHazardous, !stays(scalar, rest.first) {
        shown.append(contentsOf: scalar.spelled)
      } else {
        shown.append(scalar)
      }
    }
    return String(shown)
  }

  /// ``visible``, cut to `length` characters with `…`: an excerpt for a message.
  package func excerpt(_ length: Int = 60) -> String {
    // The cut comes first, so that a text of a megabyte costs no more than its excerpt.
    let head = prefix(length + 1)
    return head.count <= length ? String(head).visible : String(head.dropLast()).visible + "…"
  }
}

extension Unicode.Scalar {
  fileprivate var isHazardous: Bool {
    switch value {
    case 0x00...0x1F, 0x7F...0x9F: true  // C0, DEL and C1
    case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true  // direction
    case 0x2028, 0x2029: true  // line and paragraph separators
    case 0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE007F: true  // unseen: byte order mark, annotations, tags
    default: false
    }
  }

  fileprivate var spelled: String.UnicodeScalarView {
    switch self {
    case "\n": "\\n".unicodeScalars
    case "\r": "\\r".unicodeScalars
    case "\t": "\\t".unicodeScalars
    default: "\\u{\(String(value, radix: 16))}".unicodeScalars
    }
  }
}
