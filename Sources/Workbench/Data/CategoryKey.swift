import Foundation

/// The mapping from a category's name, as files and people write it, to the key that labels carry.
///
/// It is the notebook's own (cell 6): upper case, `&` becomes `AND`, a run of blanks becomes `_`, so that
/// `Media & Entertainment` is `MEDIA_AND_ENTERTAINMENT`. Nothing else in fettle makes keys.
public enum CategoryKey {
  /// What a text gets that fits no category, or whose answer could not be read.
  public static let unableToClassify = "UNABLE_TO_CLASSIFY"

  /// The key of a category's name. Applying it to a key gives the same key.
  public static func key(forName name: String) -> String {
    name.precomposedStringWithCanonicalMapping
      .uppercased()
      .replacing("&", with: "AND")
      .split(whereSeparator: \.isWhitespace)
      .joined(separator: "_")
  }

  /// The name to show for a key that no interface names: `MEDIA_AND_ENTERTAINMENT` reads `MEDIA AND
  /// ENTERTAINMENT`.
  public static func name(forKey key: String) -> String {
    key.replacing("_", with: " ")
  }
}

/// The number of characters to insert, delete, replace or swap with a neighbour to make one word of the other
/// (optimal string alignment; Damerau 1964).
package func editDistance(_ first: String, _ second: String) -> Int {
  let first = Array(first.prefix(200))
  let second = Array(second.prefix(200))
  var beforeLast: [Int] = []
  var last = Array(0...second.count)
  for (row, character) in first.enumerated() {
    var current = [row + 1]
    for (column, other) in second.enumerated() {
      var cost = min(last[column + 1] + 1, current[column] + 1, last[column] + (character == other ? 0 : 1))
      let isSwap =
        row > 0 && column > 0 && character == second[column - 1] && first[row - 1] == other
      if isSwap { cost = min(cost, beforeLast[column - 1] + 1) }
      current.append(cost)
    }
    beforeLast = last
    last = current
  }
  return last[second.count]
}
