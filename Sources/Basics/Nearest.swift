/// The candidate that was most likely meant by a mistyped word; `nil` where none is near.
///
/// Near is: equal but for case; the only one that the word begins; or at most a third of its letters changed, dropped, added
/// or swapped with a neighbour (optimal string alignment, Damerau 1964). Of equally near ones the first wins.
package func nearest(_ word: String, among candidates: [String]) -> String? {
  let typed = Array(word.lowercased())
  guard !typed.isEmpty else { return nil }
  if let same = candidates.first(where: { $0.lowercased() == word.lowercased() }) { return same }
  let begun = candidates.filter { $0.lowercased().hasPrefix(word.lowercased()) }
  if begun.count == 1 { return begun[0] }
  var best: (candidate: String, distance: Int)?
  for candidate in candidates {
    let letters = Array(candidate.lowercased())
    let allowed = max(1, max(typed.count, letters.count) / 3)
    guard abs(typed.count - letters.count) <= allowed else { continue }
    let distance = editDistance(typed, letters)
    if distance <= allowed, distance < typed.count, distance < best?.distance ?? .max {
      best = (candidate, distance)
    }
  }
  return best?.candidate
}

private func editDistance(_ from: [Character], _ to: [Character]) -> Int {
  if from.isEmpty || to.isEmpty { return max(from.count, to.count) }
  var beforeLast = [Int](repeating: 0, count: to.count + 1)
  var last = Array(0...to.count)
  for i in 1...from.count {
    var row = [i] + [Int](repeating: 0, count: to.count)
    for j in 1...to.count {
      let change = from[i - 1] == to[j - 1] ? 0 : 1
      row[j] = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + change)
      if i > 1, j > 1, from[i - 1] == to[j - 2], from[i - 2] == to[j - 1] {
        row[j] = min(row[j], beforeLast[j - 2] + 1)
      }
    }
    beforeLast = last
    last = row
  }
  return last[to.count]
}
