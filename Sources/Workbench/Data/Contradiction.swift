/// One text, several times in a data set, with labels of different categories: whatever a model answers, some of
/// them call it wrong.
public struct Contradiction: Equatable, Sendable {
  /// As it stands in the first of its assets.
  public let text: String
  /// Its labelled assets by ``Asset/externalID``, in file order.
  public let assets: [String]
  /// Keys of the categories that they have, in file order, each once.
  public let categories: [String]

  /// - Parameter categories: of each asset.
  public init(text: String, assets: [String], categories: [String]) {
    self.text = text
    self.assets = assets
    self.categories = categories.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// What makes two texts the same: neither case nor the width of blanks tells them apart, as they do not for the
  /// embedded model.
  public static func key(of text: String) -> String {
    let lowered = text.lowercased()
    var bytes: [UInt8] = []
    bytes.reserveCapacity(lowered.utf8.count)
    for byte in lowered.utf8 {
      // Asking Unicode about each character of a large file takes a minute.
      guard byte < 0x80 else { return lowered.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
      let isBlank = byte == 0x20 || (0x09...0x0D).contains(byte)
      if !isBlank { bytes.append(byte) } else if bytes.last ?? 0x20 != 0x20 { bytes.append(0x20) }
    }
    if bytes.last == 0x20 { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// What a data set's labels say about texts that stand in it several times.
public struct RepeatedTexts: Equatable, Sendable {
  /// Labelled assets whose text an earlier labelled one has.
  public let assets: Int
  /// In file order.
  public let contradictions: [Contradiction]
}

extension Workbench {
  /// The labelled texts of a data set that repeat, and those whose labels contradict each other; of an asset's labels the
  /// one that counts, and `UNABLE_TO_CLASSIFY` is a category too.
  public func repeatedTexts(of dataset: Dataset) throws -> RepeatedTexts {
    let verdicts = try verdicts(of: dataset)
    guard !verdicts.isEmpty else { return RepeatedTexts(assets: 0, contradictions: []) }
    let assets = try assets(of: dataset)
    let labelled = assets.indices.filter { verdicts[assets[$0].id] != nil }
    let groups = Dictionary(grouping: labelled) { Contradiction.key(of: assets[$0].text) }.values
      .filter { $0.count > 1 }
    let contradictions =
      groups
      .filter { Set($0.map { verdicts[assets[$0].id]?.category }).count > 1 }
      .sorted { $0[0] < $1[0] }
      .map { group in
        Contradiction(
          text: assets[group[0]].text, assets: group.map { assets[$0].externalID },
          categories: group.compactMap { verdicts[assets[$0].id]?.category })
      }
    return RepeatedTexts(
      assets: groups.reduce(0) { $0 + $1.count - 1 }, contradictions: contradictions)
  }
}
