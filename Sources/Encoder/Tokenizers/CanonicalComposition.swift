import Foundation

/// Unicode's form C (UAX #15), in time that grows with the text.
///
/// Foundation's takes 40 seconds for a letter with 100,000 accents, so it is asked about single scalars and pairs alone.
enum CanonicalComposition {
  static func composed(_ text: String) -> String {
    // U+0300 and what follows it begin with these bytes.
    guard text.utf8.contains(where: { $0 >= 0xcc }) else { return text }
    var result = String.UnicodeScalarView()
    var run: [Unicode.Scalar] = []
    for scalar in text.unicodeScalars {
      if isInert(scalar) {
        append(run, to: &result)
        run.removeAll(keepingCapacity: true)
      }
      run.append(scalar)
    }
    append(run, to: &result)
    return String(result)
  }

  /// A scalar that composes with nothing before it, and alone is what it is.
  static func isInert(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x300, 0x400...0x482, 0x48a...0x52f, 0x5d0...0x5ea, 0x621...0x64a, 0x2010...0x20cf,
      0x3001...0x3029, 0x3041...0x3096, 0x30a1...0x30fa, 0x3400...0x4dbf, 0x4e00...0x9fff, 0xac00...0xd7a3,
      0x1f000...0x1faff:
      true
    default: false
    }
  }

  private static func append(_ run: [Unicode.Scalar], to result: inout String.UnicodeScalarView) {
    if run.count == 1, isInert(run[0]) {
      result.append(run[0])
    } else {
      result.append(contentsOf: composed(ordered(run.flatMap(decomposed))))
    }
  }

  private static func decomposed(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    scalar.value < 0xc0
      ? [scalar] : Array(String(Character(scalar)).decomposedStringWithCanonicalMapping.unicodeScalars)
  }

  /// Marks that follow one another by their combining class, those of one class as they came.
  private static func ordered(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    var marks: [(order: UInt8, position: Int, scalar: Unicode.Scalar)] = []
    func sorted() -> [Unicode.Scalar] {
      marks.sorted { ($0.order, $0.position) < ($1.order, $1.position) }.map(\.scalar)
    }
    for scalar in scalars {
      let order = scalar.properties.canonicalCombiningClass.rawValue
      if order == 0 {
        result.append(contentsOf: sorted())
        marks.removeAll(keepingCapacity: true)
        result.append(scalar)
      } else {
        marks.append((order, marks.count, scalar))
      }
    }
    return result + sorted()
  }

  /// Each scalar goes into the last starter where the two have a composition and nothing stands between them that hinders it.
  private static func composed(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    var starter: Int?
    var last: UInt8 = 0
    for scalar in scalars {
      let order = scalar.properties.canonicalCombiningClass.rawValue
      if let place = starter, place == result.count - 1 || last < order,
        let both = composition(result[place], scalar)
      {
        result[place] = both
        continue
      }
      if order == 0 { starter = result.count }
      last = order
      result.append(scalar)
    }
    return result
  }

  private static func composition(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> Unicode.Scalar? {
    // Korean syllables are reckoned; Foundation leaves their last letter alone, and a Kannada vowel's.
    switch (first.value, second.value) {
    case (0x1100...0x1112, 0x1161...0x1175):
      return Unicode.Scalar(0xac00 + ((first.value - 0x1100) * 21 + second.value - 0x1161) * 28)
    case (0xac00...0xd7a3, 0x11a8...0x11c2) where (first.value - 0xac00) % 28 == 0:
      return Unicode.Scalar(first.value + second.value - 0x11a7)
    case (0xcca, 0xcd5): return "\u{ccb}"
    default: break
    }
    var pair = String.UnicodeScalarView()
    pair.append(first)
    pair.append(second)
    let both = String(pair).precomposedStringWithCanonicalMapping.unicodeScalars
    // Beyond U+FFFF Foundation takes some letters for others; Swift's == of strings knows better.
    guard both.count == 1, let result = both.first, String(pair) == String(Character(result)) else {
      return nil
    }
    return result
  }
}
