/// Which examples are learned from, and which are kept out to measure accuracy.
package struct Split: Sendable {
  package var training: [Int]
  package var heldOut: [Int]

  /// Of each category the same share of its different texts is held out, but never all of them. A text with contradicting
  /// labels counts where its first one puts it.
  package init(_ categories: [Int], _ groups: TextGroups, share: Double, seed: UInt64) {
    var randomNumbers = RandomNumbers(seed: seed, stream: 2)
    var places: [Int: [Int]] = [:]
    for group in randomNumbers.permutation(groups.count) {
      places[categories[groups.members[group][0]], default: []].append(group)
    }
    var heldOut: [Int] = []
    for (_, texts) in places.sorted(by: { $0.key < $1.key }) {
      heldOut += texts.prefix(min(texts.count - 1, Int((Double(texts.count) * share).rounded())))
    }
    let outside = Set(heldOut)
    self.heldOut = categories.indices.filter { outside.contains(groups.numbers[$0]) }
    training = categories.indices.filter { !outside.contains(groups.numbers[$0]) }
    // Of contradicting labels those of one category can all have been held out: then there would be nothing to tell apart.
    if Set(training.map { categories[$0] }).count < 2 {
      (training, self.heldOut) = (Array(categories.indices), [])
    }
  }
}
