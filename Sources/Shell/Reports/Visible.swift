/// Text that cannot command the terminal or turn the line around.
extension String {
  /// This text with control and bidirectional characters written out, as in `\u{1b}`, newlines and tabs too.
  ///
  /// Every drawing passes its tokens through this, so that an escape code in a data file is seen, never obeyed.
  var escapingControls: String {
    guard unicodeScalars.contains(where: \.isHarmful) else { return self }
    var escaped = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "\n": escaped += "\\n"
      case "\r": escaped += "\\r"
      case "\t": escaped += "\\t"
      default:
        if scalar.isHarmful {
          escaped += "\\u{" + String(scalar.value, radix: 16) + "}"
        } else {
          escaped.unicodeScalars.append(scalar)
        }
      }
    }
    return escaped
  }
}

extension Unicode.Scalar {
  fileprivate var isHarmful: Bool {
    switch value {
    case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029: true
    case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}
