import Basics

/// What Tab offers for the word at the cursor.
public struct Candidate: Sendable, Equatable {
  /// What stands in place of the word.
  public var text: String
  /// Characters before the cursor that it replaces.
  public var replacing: Int
  /// How it is listed beside others; `nil`: as `text`.
  public var display: String?
  /// Whether a blank follows when it is the only one.
  public var isWhole: Bool

  public init(_ text: String, replacing: Int, display: String? = nil, isWhole: Bool = true) {
    self.text = text
    self.replacing = replacing
    self.display = display
    self.isWhole = isWhole
  }
}

/// What Tab does with its candidates.
enum Completion: Equatable {
  case nothing
  /// Puts `text` in place of the `deleting` characters before the cursor.
  case insert(deleting: Int, text: String)
  /// Shows what there is to choose from.
  case list([String])

  /// One candidate is inserted whole, several as far as they agree; where that is no further than what stands there, they
  /// are listed.
  init(_ candidates: [Candidate], before: Substring) {
    guard let first = candidates.first else {
      self = .nothing
      return
    }
    let typed = String(before.suffix(first.replacing))
    if candidates.count == 1 {
      self = .insert(deleting: first.replacing, text: first.text + (first.isWhole ? " " : ""))
      return
    }
    let agreed = candidates.dropFirst().reduce(first.text[...]) { agreed, candidate in
      agreed.prefix(agreed.commonPrefix(with: candidate.text).count)
    }
    let isSameWord = candidates.allSatisfy { $0.replacing == first.replacing }
    if isSameWord, agreed.count > typed.count {
      self = .insert(deleting: first.replacing, text: String(agreed))
    } else {
      self = .list(candidates.map { $0.display ?? $0.text })
    }
  }

  /// The names in columns that fill the window, read downwards.
  static func columns(_ names: [String], width: Int) -> [String] {
    let shown = names.prefix(200).map(\.visible)
    let cell = (shown.map(\.displayWidth).max() ?? 0) + 2
    let columns = max(1, min(shown.count, width / cell))
    let rows = (shown.count + columns - 1) / columns
    var lines = (0..<rows).map { row in
      stride(from: row, to: shown.count, by: rows).map { index in
        let isLast = index + rows >= shown.count
        let padding = isLast ? 0 : cell - shown[index].displayWidth
        return shown[index] + String(repeating: " ", count: padding)
      }.joined()
    }
    if names.count > shown.count { lines.append("and \(names.count - shown.count) more") }
    return lines
  }
}

extension Substring {
  fileprivate func commonPrefix(with other: String) -> Substring {
    prefix(zip(self, other).prefix { $0 == $1 }.count)
  }
}
