import Basics

/// Text for a page: what would be markup is text, and what would steer the reader's machine is visible.
func escaped(_ text: some StringProtocol) -> String {
  var html = ""
  for scalar in String(text).visibleLines.unicodeScalars {
    switch scalar {
    case "&": html += "&amp;"
    case "<": html += "&lt;"
    case ">": html += "&gt;"
    case "\"": html += "&quot;"
    case "'": html += "&#39;"
    default: html.unicodeScalars.append(scalar)
    }
  }
  return html
}
