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
    let lines = fold(text)
    if lines > 1 {
      survey.severalLines += 1
      survey.mostLines = max(survey.mostLines, lines)
    }
    var hasher = Hasher()
    folded.withUnsafeBytes { hasher.combine(bytes: $0) }
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

  /// Writes the text as it is compared into `folded`; returns its number of lines, blanks around it aside.
  private mutating func fold(_ text: String) -> Int {
    folded.removeAll(keepingCapacity: true)
    var text = text
    return text.withUTF8 { bytes in
      var lines = 1
      var lineEnds = 0
      var isBlank = false
      var index = 0
      while index < bytes.count {
        let byte = bytes[index]
        if byte < 0x80 {
          index += 1
          if byte == 0x20 || (0x09...0x0D).contains(byte) {
            isBlank = true
            let isEnd = byte == 0x0A || byte == 0x0D && !(index < bytes.count && bytes[index] == 0x0A)
            if isEnd { lineEnds += 1 }
            continue
          }
          endBlanks(isBlank, &lines, lineEnds)
          (isBlank, lineEnds) = (false, 0)
          folded.append((0x41...0x5A).contains(byte) ? byte | 0x20 : byte)
          continue
        }
        let width = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
        let end = min(index + width, bytes.count)
        defer { index = end }
        let isSpace =
          width == 2 && byte == 0xC2 && (bytes[end - 1] == 0xA0 || bytes[end - 1] == 0x85)
          || width == 3
            && Self.spaces.contains(Int(byte) << 16 | Int(bytes[end - 2]) << 8 | Int(bytes[end - 1]))
        if isSpace {
          isBlank = true
          continue
        }
        endBlanks(isBlank, &lines, lineEnds)
        (isBlank, lineEnds) = (false, 0)
        // Punctuation, signs and most of Asia have no case, and asking Unicode takes its time.
        if byte == 0xE2 || (0xE3...0xEE).contains(byte) {
          folded.append(contentsOf: bytes[index..<end])
        } else {
          folded.append(
            contentsOf: String(decoding: UnsafeBufferPointer(rebasing: bytes[index..<end]), as: UTF8.self)
              .lowercased().utf8)
        }
      }
      return lines
    }
  }

  private mutating func endBlanks(_ isBlank: Bool, _ lines: inout Int, _ lineEnds: Int) {
    guard isBlank, !folded.isEmpty else { return }
    lines += lineEnds
    folded.append(0x20)
  }

  /// U+2000–200A, 2028, 2029, 202F, 205F, 3000, in UTF-8.
  private static let spaces: Set<Int> = Set(
    (0xE28080...0xE2808A).map { $0 } + [0xE280A8, 0xE280A9, 0xE280AF, 0xE2819F, 0xE38080])
}
