/// The candidate that was most likely meant by a mistyped word; `nil` where none is near.
///
/// Near is: equal but for case; the only one that the word begins; or at most a third of its letters changed, dropped, added
/// or swapped with a neighbour (optimal string alignment, Damerau 1964). Of equally near ones the first wins.
package func nearest(_ word: String, among candidates: [String]) -> String? {
  let typed = word.lowercased()
  guard !typed.isEmpty else { return nil }
  if let same = candidates.first(where: { $0.lowercased() == typed }) { return same }
  let begun = candidates.filter { $0.lowercased().hasPrefix(typed) }
  if begun.count == 1 { return begun[0] }
  var best: (candidate: String, distance: Int)?
  for candidate in candidates {
    let other = candidate.lowercased()
    let allowed = max(1, max(typed.count, other.count) / 3)
    guard abs(typed.count - other.count) <= allowed else { continue }
    let distance = editDistance(typed, other)
    if distance <= allowed, distance < typed.count, distance < best?.distance ?? .max {
      best = (candidate, distance)
    }
  }
  return best?.candidate
}

/// The number of characters to insert, delete, replace or swap with a neighbour to make one word of the other
/// (optimal string alignment; Damerau 1964). Of longer words than 200 characters only these count.
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
