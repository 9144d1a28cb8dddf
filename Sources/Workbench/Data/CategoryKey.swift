import Foundation

/// The mapping from a category's name, as files and people write it, to the key that labels carry.
///
/// It is the notebook's own (cell 6): upper case, `&` becomes `AND`, a run of blanks becomes `_`, so that
/// `Media & Entertainment` is `MEDIA_AND_ENTERTAINMENT`. The notebook replaces every `&`, which makes `H&S` and
/// `Hands` one category; here only an `&` that stands by itself is the word AND. Nothing else in fettle makes
/// keys.
public enum CategoryKey {
  /// What a text gets that fits no category, or whose answer could not be read.
  public static let unableToClassify = "UNABLE_TO_CLASSIFY"

  /// The key of a category's name. Applying it to a key gives the same key.
  ///
  /// Names that differ only in case, blanks, underscores, how accents are composed, or `&` against AND between
  /// words have one key.
  public static func key(forName name: String) -> String {
    let upper = withoutUnseen(name).uppercased().precomposedStringWithCanonicalMapping
    let words = upper.split { $0.isWhitespace || $0 == "_" }
    // A name of underscores alone must not come to nothing.
    guard !words.isEmpty else { return String(upper.trimmingBlanks) }
    return words.indices.flatMap { parts(of: words[$0], isFirst: $0 == 0, isLast: $0 == words.count - 1) }
      .joined(separator: "_")
  }

  /// The name to show for a key that neither an interface nor a data file names: `MEDIA_AND_ENTERTAINMENT`
  /// reads `MEDIA AND ENTERTAINMENT`.
  public static func name(forKey key: String) -> String {
    key.replacing("_", with: " ")
  }

  /// A word with an `&` at its edge is often typed in haste: `Arts &Culture`. Within a word (`M&A`), and at the
  /// edge of the whole name, it is a letter like others.
  private static func parts(of word: Substring, isFirst: Bool, isLast: Bool) -> [Substring] {
    if word == "&" { return ["AND"] }
    var (word, before, after) = (word, [Substring](), [Substring]())
    if !isFirst, word.first == "&", word.dropFirst().first != "&" {
      word.removeFirst()
      before = ["AND"]
    }
    if !isLast, word.last == "&", word.dropLast().last != "&", word.count > 1 {
      word.removeLast()
      after = ["AND"]
    }
    return before + [word] + after
  }

  /// Without characters that nobody sees: two names that look the same are meant to be the same.
  private static func withoutUnseen(_ name: String) -> String {
    guard name.utf8.contains(where: { $0 > 0x7F }) else { return name }
    var seen = String.UnicodeScalarView()
    for scalar in name.unicodeScalars {
      switch scalar.value {
      case 0xAD, 0x200B, 0x2060, 0xFEFF: continue  // soft hyphen, spaces of no width, byte order mark
      default: seen.append(scalar)
      }
    }
    return String(seen)
  }
}
