import ArgumentParser
import Foundation

extension Comparison {
  private static let rowsOfTable = 210_000
  private static let bytesOfRow = 238

  /// A large CSV into the workspace, against the sqlite3 shell's import of the same file.
  func load(_ table: inout RatioTable) throws {
    let scratch = try ScratchFolder()
    let file = scratch.path("large.csv")
    try Self.writeTable(to: file)
    let fettle = try Own.fettle()
    var contest = Contest()
    contest.enter("fettle") {
      let workspace = scratch.path(UUID().uuidString)
      defer { try? FileManager.default.removeItem(atPath: workspace) }
      let child = try Child(fettle, ["--workspace", workspace, "load", file], in: scratch.url).succeeded(
        "fettle load")
      return Answer(seconds: child.seconds, peakMegabytes: child.peakMegabytes)
    }
    if (try? Child("sqlite3", ["-version"]))?.status == 0 {
      contest.enter("sqlite3") {
        let store = scratch.path(UUID().uuidString)
        defer { try? FileManager.default.removeItem(atPath: store) }
        let child = try Child("sqlite3", [store, ".mode csv", ".import \(file) t"]).succeeded(
          "sqlite3 .import")
        return Answer(seconds: child.seconds, peakMegabytes: child.peakMegabytes)
      }
    } else {
      say("There is no sqlite3; apt-get install sqlite3 gives the peer of load.")
    }
    try contest.hold(rounds: rounds)
    let own = try contest.median("fettle", "seconds")
    let other = contest.has("sqlite3") ? try contest.median("sqlite3", "seconds") : nil
    table.add(
      "load of 210,000 rows, 50 MB", String(format: "%.2f s", own),
      other.map { String(format: "sqlite3: %.2f s", $0) },
      ratio: other.map { $0 / own }, aim: "0.25 or more")
    table.add(
      "load, peak memory", "\(grouped(contest.peakMegabytes("fettle"))) MB", nil, ratio: nil,
      aim: "under 200 MB")
  }

  /// Rows as a data file has them; written piece by piece, because a child's peak memory begins at this process's own.
  private static func writeTable(to file: String) throws {
    try Data().write(to: URL(fileURLWithPath: file))
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file))
    defer { try? handle.close() }
    let words = [
      "harbour", "bank", "goal", "parliament", "telescope", "linen", "review", "ferry", "recall", "woodcut",
    ]
    var piece = "id,text,category\n"
    for row in 0..<rowsOfTable {
      var line = "row-\(row),\"Text \(row):"
      var word = row
      while line.utf8.count < bytesOfRow - 12 {
        line += " \(words[word % words.count])"
        word = word / 3 + line.utf8.count
      }
      piece += line + ",\",CATEGORY \(row % 8)\n"
      if row % 1000 == 999 || row == rowsOfTable - 1 {
        try handle.write(contentsOf: Data(piece.utf8))
        piece = ""
      }
    }
  }
}

extension Answer {
  init(seconds: Double, peakMegabytes: Int) {
    values = ["seconds": seconds]
    self.peakMegabytes = Double(peakMegabytes)
  }
}
