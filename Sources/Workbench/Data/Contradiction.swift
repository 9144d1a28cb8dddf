/// One text, several times in a data set, with labels of different categories: whatever a model answers, some of
/// them call it wrong.
public struct Contradiction: Equatable, Sendable {
  /// As it stands in the first of its assets.
  public let text: String
  /// Its labelled assets by ``Asset/externalID``, in file order.
  public let assets: [String]
  /// Keys of the categories that they have, in file order, each once.
  public let categories: [String]

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

extension Workbench {
  /// The texts of a data set whose labels contradict each other, in file order; of an asset's labels the one that
  /// counts, and `UNABLE_TO_CLASSIFY` is a category too.
  public func contradictions(of dataset: Dataset) throws -> [Contradiction] {
    let verdicts = try verdicts(of: dataset)
    guard !verdicts.isEmpty else { return [] }
    let assets = try assets(of: dataset)
    let labelled = assets.indices.filter { verdicts[assets[$0].id] != nil }
    return Dictionary(grouping: labelled) { Contradiction.key(of: assets[$0].text) }.values
      .filter { $0.count > 1 && Set($0.map { verdicts[assets[$0].id]?.category }).count > 1 }
      .sorted { $0[0] < $1[0] }
      .map { group in
        Contradiction(
          text: assets[group[0]].text, assets: group.map { assets[$0].externalID },
          categories: group.compactMap { verdicts[assets[$0].id]?.category }
            .reduce(into: []) { if !$0.contains($1) { $0.append($1) } })
      }
  }
}
