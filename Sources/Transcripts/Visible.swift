extension String {
  /// The text with control characters, and those that turn the direction of what follows, written out, as in `\\u{1b}`.
  ///
  /// A stranger's document may hold them: a terminal would obey them, and a page would show one thing and mean another. Tabs and line
  /// feeds stay, and so do carriage returns before these.
  public var showingControls: String {
    guard unicodeScalars.contains(where: \.isControlling) else { return self }
    var escaped = ""
    var rest = unicodeScalars[...]
    while let scalar = rest.popFirst() {
      if scalar.isControlling, !(scalar == "\r" && rest.first == "\n") {
        escaped += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}

extension Unicode.Scalar {
  fileprivate var isControlling: Bool {
    switch value {
    case 0x09, 0x0A: false
    case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}
