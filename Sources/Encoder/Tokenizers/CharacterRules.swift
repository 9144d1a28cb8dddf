import Foundation

/// What BERT's tokenizer does with each character (Hugging Face tokenizers, `normalizers/bert.rs` and `pre_tokenizers/bert.rs`).
///
/// That code reads the categories of Unicode 8; Swift's are newer. A character that came later was nothing special to it, and
/// seven have changed their category since. (Compared for every character there is.)
enum CharacterRules {
  enum Kind { case dropped, blank, ideograph, other }

  /// What a model's tokenizer may do or leave; names as in transformers' `do_lower_case`, `strip_accents` and
  /// `tokenize_chinese_chars`.
  struct Settings: Equatable, Sendable {
    var lowercases: Bool
    var stripsAccents: Bool
    var separatesIdeographs: Bool

    /// - Parameter stripsAccents: nil: as `lowercases`, which is what BERT's own code did.
    init(lowercases: Bool = true, stripsAccents: Bool? = nil, separatesIdeographs: Bool = true) {
      self.lowercases = lowercases
      self.stripsAccents = stripsAccents ?? lowercases
      self.separatesIdeographs = separatesIdeographs
    }
  }

  static func kind(of scalar: Unicode.Scalar, _ settings: Settings) -> Kind {
    if scalar.value == 0xfffd { return .dropped }
    switch category(of: scalar) {
    case .control, .format, .privateUse, .surrogate: return .dropped
    default: break
    }
    if isBlank(scalar) { return .blank }
    return settings.separatesIdeographs && isIdeograph(scalar) ? .ideograph : .other
  }

  static func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace }

  static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 33...47, 58...64, 91...96, 123...126: return true
    case 0..<0x80: return false
    default: break
    }
    switch category(of: scalar) {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
      .finalPunctuation, .otherPunctuation:
      return true
    default: return false
    }
  }

  /// Characters that are a word each. The Korean and Japanese alphabets are not among them: they have blanks, or endings.
  static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x4e00...0x9fff, 0x3400...0x4dbf, 0x20000...0x2a6df, 0x2a700...0x2b73f, 0x2b740...0x2b81f,
      0x2b920...0x2ceaf,
      0xf900...0xfaff, 0x2f800...0x2fa1f:
      return true
    default: return false
    }
  }

  /// Without accents and capitals, where the model reads none: canonical decomposition, marks left out, then lower case.
  static func normalised(_ scalar: Unicode.Scalar, _ settings: Settings) -> [Unicode.Scalar] {
    guard settings.lowercases || settings.stripsAccents else { return [scalar] }
    var result: [Unicode.Scalar] = []
    for part in settings.stripsAccents ? decomposed(scalar) : [scalar] {
      if settings.stripsAccents, category(of: part) == .nonspacingMark { continue }
      if settings.lowercases {
        result.append(contentsOf: part.properties.lowercaseMapping.unicodeScalars)
      } else {
        result.append(part)
      }
    }
    return result
  }

  /// The general category as Unicode 8 has it.
  private static func category(of scalar: Unicode.Scalar) -> Unicode.GeneralCategory {
    switch scalar.value {
    case 0x166d, 0x111c9: return .otherPunctuation
    case 0x1734, 0x1171e: return .nonspacingMark
    case 0x1885, 0x1886: return .otherLetter
    case 0xa9bd: return .spacingMark
    default: break
    }
    let category = scalar.properties.generalCategory
    switch category {
    case .uppercaseLetter, .lowercaseLetter, .otherLetter, .mathSymbol, .currencySymbol, .otherSymbol,
      .decimalNumber:
      return category  // nothing hangs on their age
    default:
      let isKnown = scalar.properties.age.map { $0.major <= 8 } ?? false
      return isKnown || category == .privateUse ? category : .unassigned
    }
  }

  private static func decomposed(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    switch scalar.value {
    // Ideographs, kana, symbols, dashes and quotation marks: nothing to take apart, and no need to ask.
    // (U+11938 came after those rules.)
    case 0..<0xc0, 0x11938, 0x2010...0x2027, 0x3400...0x9fff, 0x1f000...0x1faff: [scalar]
    default: Array(String(Character(scalar)).decomposedStringWithCanonicalMapping.unicodeScalars)
    }
  }
}
