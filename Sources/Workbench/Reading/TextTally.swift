/// What a data set's texts have in common: repeated ones, contradicting labels, texts over several lines.
public struct TextSurvey: Equatable, Sendable {
  /// Rows whose text already stood in an earlier row, case and blanks aside.
  public internal(set) var repeated = 0
  /// Texts that have two or more different categories.
  public internal(set) var contradictory = 0
  /// Texts that go over several lines, and how many the longest has.
  public internal(set) var severalLines = 0
  public internal(set) var mostLines = 1
  /// The first few of the contradictory texts: the assets that differ, the first of each category.
  public internal(set) var contradictions: [[Asset]] = []

  /// How many contradictory texts are named.
  static let contradictionsKept = 3
}

/// Counts texts as they come.
///
/// Texts are compared as an uncased model reads them: in lower case, a run of blanks like one blank. Of each only a hash
/// of 64 bits is kept, so that memory is some dozens of bytes a text; two unlike texts with one hash are expected once
/// in a billion files of 200,000 rows.
struct TextTally {
  private(set) var survey = TextSurvey()
  /// For each of the first contradictory texts the assets that differ.
  private(set) var contradictions: [[Int]] = []
  private var seen: [Int: Seen] = [:]
  private var contradicting: [Int: Contradiction] = [:]
  private var folded: [UInt8] = []

  private struct Seen {
    var asset: Int
    /// -1 while none of the rows has a category.
    var category: Int32
  }

  private struct Contradiction {
    var categories: [Int32]
    /// Where it stands among the first; nil for a later one.
    var place: Int?
  }

  /// - Parameter category: its number in the data set; nil for a text without one.
  mutating func add(_ text: String, asset: Int, category: Int?) {
    let (count, lines) = fold(text)
    if lines > 1 {
      survey.severalLines += 1
      survey.mostLines = max(survey.mostLines, lines)
    }
    var hasher = Hasher()
    folded.withUnsafeBytes { hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    let hash = hasher.finalize()
    let category = Int32(truncatingIfNeeded: category ?? -1)
    guard let before = seen[hash] else {
      seen[hash] = Seen(asset: asset, category: category)
      return
    }
    survey.repeated += 1
    guard category >= 0, category != before.category else { return }
    guard before.category >= 0 else {
      seen[hash] = Seen(asset: asset, category: category)
      return
    }
    contradict(hash, first: before, asset: asset, category: category)
  }

  private mutating func contradict(_ hash: Int, first: Seen, asset: Int, category: Int32) {
    if contradicting[hash] == nil {
      var place: Int?
      if contradictions.count < TextSurvey.contradictionsKept {
        place = contradictions.count
        contradictions.append([first.asset])
      }
      contradicting[hash] = Contradiction(categories: [first.category], place: place)
      survey.contradictory += 1
    }
    guard let known = contradicting[hash], !known.categories.contains(category) else { return }
    contradicting[hash]?.categories.append(category)
    if let place = known.place { contradictions[place].append(asset) }
  }

  /// Writes the text as it is compared to the beginning of `folded`; returns its length there, and its number of lines,
  /// blanks around it aside.
  private mutating func fold(_ text: String) -> (count: Int, lines: Int) {
    var text = text
    return text.withUTF8 { bytes in
      // In lower case a character has at most three times as many bytes.
      let most = bytes.count * 3
      if folded.count < most { folded = [UInt8](repeating: 0, count: most * 2) }
      return folded.withUnsafeMutableBufferPointer { Self.fold(bytes, into: $0) }
    }
  }

  private static func fold(
    _ bytes: UnsafeBufferPointer<UInt8>, into folded: UnsafeMutableBufferPointer<UInt8>
  ) -> (count: Int, lines: Int) {
    var (count, lines, lineEnds) = (0, 1, 0)
    var isBlank = false
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      let width = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
      let end = min(index + width, bytes.count)
      if width == 1 && (byte == 0x20 || (0x09...0x0D).contains(byte))
        || width > 1 && isSpace(bytes[index..<end])
      {
        let isPair = byte == 0x0D && end < bytes.count && bytes[end] == 0x0A
        if byte == 0x0A || byte == 0x0D && !isPair { lineEnds += 1 }
        isBlank = true
        index = end
        continue
      }
      if isBlank {
        if count > 0 {
          folded[count] = 0x20
          count += 1
          lines += lineEnds
        }
        (isBlank, lineEnds) = (false, 0)
      }
      if width == 1 {
        folded[count] = byte &- 0x41 < 26 ? byte | 0x20 : byte
        count += 1
      } else if byte == 0xE2 || (0xE3...0xEE).contains(byte) {
        // Punctuation, signs and most of Asia have no case, and asking Unicode takes its time.
        for place in index..<end {
          folded[count] = bytes[place]
          count += 1
        }
      } else {
        let character = String(decoding: UnsafeBufferPointer(rebasing: bytes[index..<end]), as: UTF8.self)
        for byte in character.lowercased().utf8 {
          folded[count] = byte
          count += 1
        }
      }
      index = end
    }
    return (count, lines)
  }

  private static func isSpace(_ character: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
    guard let first = character.first, first == 0xC2 || first == 0xE2 || first == 0xE3 else { return false }
    return spaces.contains(character.reduce(0) { $0 << 8 | Int($1) })
  }

  /// U+0085, A0, 2000–200A, 2028, 2029, 202F, 205F, 3000, in UTF-8.
  private static let spaces: Set<Int> = Set(
    Array(0xE28080...0xE2808A) + [0xC285, 0xC2A0, 0xE280A8, 0xE280A9, 0xE280AF, 0xE2819F, 0xE38080])
}
