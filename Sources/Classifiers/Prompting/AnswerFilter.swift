import Foundation

/// Which of the categories an answer in words names.
public struct AnswerFilter: Sendable {
  /// The keys, in the interface's order.
  private let keys: [String]
  private let names: [Pattern]
  private let kind: Kind

  public enum Kind: Sendable {
    /// The category that is named first wins. Case, blanks and underscores do not matter, and `&` is AND.
    case first
    /// As the tutorial's notebook does: of several the last of its list wins, and `WORLD_NEWS` is not `WORLD NEWS`.
    case tutorial
  }

  /// A name without case, in words.
  private struct Pattern: Sendable {
    var key: Int
    var words: [[Character]]
  }

  public init(_ categories: [(key: String, name: String)], kind: Kind = .first) {
    keys = categories.map(\.key)
    self.kind = kind
    switch kind {
    case .tutorial:
      names = categories.indices.map { Pattern(key: $0, words: [Array(categories[$0].name.uppercased())]) }
    case .first:
      // A key says the same, but for categories whose keys are codes.
      names = categories.indices.flatMap { index in
        let spellings = [categories[index].name, categories[index].key].map(Self.words)
        return (spellings[0] == spellings[1] ? [spellings[0]] : spellings)
          .filter { !$0.isEmpty }.map { Pattern(key: index, words: $0) }
      }
    }
  }

  private static func readable(_ text: String) -> String {
    text.lowercased().replacing("&", with: " and ")
  }

  private static func words(_ name: String) -> [[Character]] {
    readable(name).split { $0.isWhitespace || $0 == "_" }.map(Array.init)
  }

  /// How many categories an answer names.
  public enum Count: String, Sendable, CaseIterable {
    case one, several, none
  }

  /// What an answer comes to.
  public struct Finding: Sendable, Equatable {
    /// The key of the category that wins; nil where none is named.
    public var category: String?
    public var count: Count
  }

  public func find(in answer: String) -> Finding {
    let places = kind == .first ? firstPlaces(in: answer) : tutorialPlaces(in: answer)
    let count: Count = places.isEmpty ? .none : places.count == 1 ? .one : .several
    return Finding(category: places.first.map { keys[$0] }, count: count)
  }

  /// The categories that are named, the winner first.
  private func tutorialPlaces(in answer: String) -> [Int] {
    let upper = answer.uppercased()
    return names.filter { upper.contains(String($0.words[0])) }.map(\.key).reversed()
  }

  private func firstPlaces(in answer: String) -> [Int] {
    let characters = Array(Self.readable(answer))
    var found: [(key: Int, range: Range<Int>)] = []
    for pattern in names {
      var start = 0
      while let range = Self.place(of: pattern.words, in: characters, from: start) {
        found.append((pattern.key, range))
        start = range.upperBound
      }
    }
    // Of two that begin at one place the longer is meant; what stands within another's name is not named by itself.
    found.sort { ($0.range.lowerBound, -$0.range.count) < ($1.range.lowerBound, -$1.range.count) }
    var named: [Int] = []
    var end = 0
    for (key, range) in found where range.lowerBound >= end {
      end = range.upperBound
      if !named.contains(key) { named.append(key) }
    }
    return named
  }

  /// The words one after another, with nothing or blanks and underscores between, and no letter or digit at either end.
  private static func place(of words: [[Character]], in text: [Character], from start: Int) -> Range<Int>? {
    func isInWord(_ index: Int) -> Bool {
      text.indices.contains(index) && (text[index].isLetter || text[index].isNumber)
    }
    for first in start..<max(start, text.count) where !isInWord(first - 1) || !isInWord(first) {
      var position = first
      var fits = true
      for (number, word) in words.enumerated() {
        if number > 0 {
          while position < text.count, text[position].isWhitespace || text[position] == "_" { position += 1 }
        }
        guard position + word.count <= text.count, text[position..<position + word.count] == word[...] else {
          fits = false
          break
        }
        position += word.count
      }
      if fits, !isInWord(position) || !isInWord(position - 1) { return first..<position }
    }
    return nil
  }
}
