/// Text for a page: what would be markup is text, and what would steer the reader's machine is visible.
func escaped(_ text: some StringProtocol) -> String {
  var html = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": html += "&amp;"
    case "<": html += "&lt;"
    case ">": html += "&gt;"
    case "\"": html += "&quot;"
    case "'": html += "&#39;"
    case "\n", "\t": html.unicodeScalars.append(scalar)
    case _ where scalar.properties.generalCategory == .control,
      "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}":
      html += "\\u{\(String(scalar.value, radix: 16))}"
    default: html.unicodeScalars.append(scalar)
    }
  }
  return html
}
