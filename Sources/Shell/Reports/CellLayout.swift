import Basics
import Transcripts

/// What both drawings ask of a cell.
extension Cell {
  /// The cell as text: estimates in their form, controls escaped.
  var drawn: String { tokens.map(\.drawn).joined() }

  /// The same tokens with their texts made harmless.
  var harmless: Cell {
    Cell(
      tokens.map { token in
        switch token {
        case .text(let text): .text(text.visible)
        case .estimate: token
        }
      })
  }

  /// Joins neighbouring texts and drops blanks at the end.
  var tidied: Cell {
    var tidied: [Token] = []
    for token in tokens {
      if case .text(let text) = token, case .text(let before)? = tidied.last {
        tidied[tidied.count - 1] = .text(before + text)
      } else {
        tidied.append(token)
      }
    }
    while case .text(var text)? = tidied.last, text.last == " " || text.isEmpty {
      while text.last == " " { text.removeLast() }
      tidied.removeLast()
      if !text.isEmpty { tidied.append(.text(text)) }
    }
    return Cell(tidied)
  }

  /// This cell with blanks beside it, up to `width` columns.
  func padded(to width: Int, _ alignment: Table.Alignment) -> Cell {
    let blanks = Cell(String(repeating: " ", count: max(0, width - drawn.displayWidth)))
    return alignment == .left ? self + blanks : blanks + self
  }

  var hasEstimate: Bool {
    tokens.contains { token in
      if case .estimate = token { true } else { false }
    }
  }
}

extension Token {
  /// As a document shows it, made harmless.
  var drawn: String { text.visible }
}
