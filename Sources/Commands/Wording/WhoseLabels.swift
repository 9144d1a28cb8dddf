import Shell
import Workbench

extension Truth {
  /// Whose labels count, as a part of a sentence: `the labels of ana`, or, where several ranks decide, each with its
  /// assets: `the labels of ana for 2 assets, the file's own categories for 98`.
  var phrase: String {
    guard origins.count > 1 else { return origins.first?.phrase ?? "no labels" }
    return origins.enumerated().map { index, origin in
      "\(origin.phrase) for \(index == 0 ? counted(origin.assets, "asset") : String(origin.assets))"
    }.joined(separator: ", ")
  }
}

extension Truth.Origin {
  fileprivate var phrase: String { Self.phrase(source, authors) }

  fileprivate static func phrase(_ source: Label.Source, _ authors: [String]) -> String {
    source == .file
      ? "the file's own categories" : "the labels of \(authors.map(\.visible).joined(separator: ", "))"
  }
}

/// What a verb that gives or takes labels says about whose count.
extension Workbench {
  /// For labels just given by one author: whose on the same assets count before them, and before whose they count.
  func rank(of given: [Label], in dataset: Dataset) throws -> [String] {
    guard let source = given.first?.source else { return [] }
    let assets = Set(given.map(\.asset))
    let others = try labels(of: dataset).filter { $0.source != source && assets.contains($0.asset) }
    guard !others.isEmpty else { return [] }
    let order = try labellers(of: dataset).map(\.author)
    func names(_ labels: [Label]) -> String {
      Label.Source.allCases.reversed().compactMap { source in
        let authors = Set(labels.filter { $0.source == source }.map(\.author))
        return authors.isEmpty ? nil : Truth.Origin.phrase(source, order.filter(authors.contains))
      }.joined(separator: " and ")
    }
    let (higher, lower) = (others.filter { $0.source > source }, others.filter { $0.source < source })
    var sentences: [String] = []
    if !higher.isEmpty {
      let count = Set(higher.map(\.asset)).count
      sentences.append(
        "\(count == assets.count ? "On all" : "On \(count)") of them \(names(higher)) count before these.")
    }
    if !lower.isEmpty { sentences.append("They count before \(names(lower)).") }
    return sentences
  }

  /// For one asset whose label was given by hand: what counts for it, where others have chosen differently.
  func remark(on verdict: Verdict, of asset: Asset, given label: Label) throws -> String? {
    let others = try labels(of: asset).filter {
      $0.author != label.author && $0.category != label.category
    }
    guard !others.isEmpty else { return nil }
    let isOwn = verdict.category == label.category
    if isOwn, verdict.authors.count == 1 {
      let outranked = try others.map { "\(try name(ofCategory: $0.category)) (\($0.author.visible))" }
      return "It counts before \(outranked.joined(separator: ", "))."
    }
    let reason =
      verdict.isTie
      ? "as many chose each, and \(verdict.decider.visible) labelled first"
      : "\(verdict.votes) of \(verdict.authors.count) readers chose it"
    return "\(try name(ofCategory: verdict.category)) \(isOwn ? "counts" : "still counts"): \(reason)."
  }

  /// What labels that were just given say of repeated texts: how many repeat, and which contradict each other.
  func remarks(on texts: RepeatedTexts) throws -> [String] {
    try [repetitionRemark(texts.assets, of: "asset"), remark(on: texts.contradictions)].compactMap { $0 }
  }

  /// The texts that are labelled differently in different assets, in a sentence; nil where there are none.
  func remark(on found: [Contradiction]) throws -> String? {
    guard !found.isEmpty else { return nil }
    let examples = try found.prefix(3).map { contradiction in
      let names = try contradiction.categories.map(name(ofCategory:)).map(\.visible)
      return "\(contradiction.assets.prefix(4).map(\.visible).joined(separator: ", ")) "
        + "\"\(contradiction.text.excerpt(40))\" (\(names.joined(separator: ", ")))"
    }
    let more = found.count > examples.count ? "; and \(found.count - examples.count) more" : ""
    return
      "\(counted(found.count, "text")) \(found.count == 1 ? "has" : "have") labels that contradict each other: "
      + "\(examples.joined(separator: "; "))\(more)."
  }
}
