import Foundation

/// What was measured, a work a row.
struct RatioTable {
  private var rows = [["work", "fettle", "peer", "ratio", "aim"]]
  private var notes: [String] = []

  /// - Parameters:
  ///   - ratio: how many times better fettle is; nil where there is no peer.
  mutating func add(_ work: String, _ fettle: String, _ peer: String?, ratio: Double?, aim: String) {
    rows.append([work, fettle, peer ?? "–", ratio.map { String(format: "%.2f", $0) } ?? "–", aim])
  }

  mutating func note(_ sentence: String) { if !notes.contains(sentence) { notes.append(sentence) } }

  func draw() { print((drawTable(rows) + notes.map { "- \($0)" }).joined(separator: "\n")) }
}

/// Markdown, with columns that line up in a terminal too.
func drawTable(_ rows: [[String]]) -> [String] {
  let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
  func line(_ cells: [String]) -> String {
    "| "
      + zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: " | ")
      + " |"
  }
  return [line(rows[0]), line(widths.map { String(repeating: "-", count: $0) })] + rows.dropFirst().map(line)
}

func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  let middle = sorted.count / 2
  guard !sorted.isEmpty else { return .nan }
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/// `12,345`.
func grouped(_ value: Double) -> String {
  var digits = String(Int(value.rounded()))
  var index = digits.count - 3
  while index > 0 {
    digits.insert(",", at: digits.index(digits.startIndex, offsetBy: index))
    index -= 3
  }
  return digits
}

/// Programs that take turns, round after round, so that what disturbs the machine disturbs them alike.
struct Contest {
  private var contenders: [(name: String, run: () throws -> Answer)] = []
  private var answers: [String: [Answer]] = [:]

  mutating func enter(_ name: String, _ run: @escaping () throws -> Answer) { contenders.append((name, run)) }

  mutating func hold(rounds: Int) throws {
    for round in 1...rounds {
      for (name, run) in contenders {
        say("round \(round) of \(rounds): \(name)")
        answers[name, default: []].append(try run())
      }
    }
  }

  func median(_ name: String, _ value: String) throws -> Double {
    fettle_bench.median(try (answers[name] ?? []).map { try $0.value(value) })
  }

  func peakMegabytes(_ name: String) -> Double {
    fettle_bench.median((answers[name] ?? []).map(\.peakMegabytes))
  }

  func has(_ name: String) -> Bool { answers[name] != nil }

  /// Of these contenders that there are, the one with the greatest value.
  func best(_ names: [String], _ value: String) throws -> (name: String, value: Double)? {
    try names.filter(has).map { ($0, try median($0, value)) }.max { $0.1 < $1.1 }
  }
}
