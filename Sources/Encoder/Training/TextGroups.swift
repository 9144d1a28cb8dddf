/// Texts with equal tokens: to the model they are one text, so none of them may be learned from while another is judged.
///
/// Where no text repeats, each is a group of its own, numbered as the texts are.
public struct TextGroups: Sendable {
  /// The group of each text; groups are numbered in the order of their first texts.
  public let numbers: [Int]
  /// The texts of each group, ascending.
  public let members: [[Int]]

  public var count: Int { members.count }

  /// By what the model reads: what was cut off at its limit counts for nothing.
  public init(_ encodings: some Sequence<Encoding>) {
    var known: [[Int32]: Int] = [:]
    self.init(
      numbers: encodings.map { encoding in
        let number = known[encoding.ids] ?? known.count
        known[encoding.ids] = number
        return number
      })
  }

  /// `count` texts that are all different.
  init(different count: Int) { self.init(numbers: Array(0..<count)) }

  private init(numbers: [Int]) {
    var members: [[Int]] = []
    for (text, number) in numbers.enumerated() {
      if number == members.count { members.append([]) }
      members[number].append(text)
    }
    self.numbers = numbers
    self.members = members
  }

  /// The groups of which not all texts have one and the same category.
  public func contradictions(_ categories: [Int]) -> [[Int]] {
    members.filter { texts in texts.contains { categories[$0] != categories[texts[0]] } }
  }
}
