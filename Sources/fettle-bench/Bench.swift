import ArgumentParser
import Encoder
import Foundation

/// Measures the engine. Each benchmark prints one line of JSON. Times drift with the machine, so compare what ran in the same
/// minute.
@main struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fettle-bench", abstract: "Measures fettle's engine, one line of JSON a benchmark.",
    subcommands: [
      CompareBench.self, AccuracyBench.self, GrowthBench.self, StartupBench.self, TutorialBench.self,
      EmbedBench.self, FineTuneBench.self, GenerateBench.self, LanguageTrainingBench.self, StatesBench.self,
      LinearBench.self, WordPieceBench.self, ProductsBench.self, OneEpochBench.self, AskBench.self,
    ])
}

/// What every benchmark of the encoder needs.
struct ModelOptions: ParsableArguments {
  @Option(help: "The folder of the pre-trained model.")
  var model: String

  @Option(help: "Threads; all cores unless given.")
  var threads: Int?

  @Option(help: "f32, bf16 or auto.")
  var precision: Precision = .f32

  func load() throws -> PretrainedModel { try PretrainedModel.load(folder: URL(fileURLWithPath: model)) }
}

extension Precision: ExpressibleByArgument {}
extension Method: ExpressibleByArgument {}

/// Lines of `text|category`.
struct LabelledTexts {
  var texts: [String] = []
  var categories: [String] = []

  init(_ files: [String]) throws {
    for file in files {
      for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n") {
        guard let bar = line.lastIndex(of: "|") else { throw ValidationError("\(file) has a line without |") }
        texts.append(String(line[..<bar]))
        categories.append(String(line[line.index(after: bar)...]))
      }
    }
  }

  /// So many of them, drawn by a seed that is always the same.
  func drawn(_ count: Int?) -> LabelledTexts {
    var (random, drawn) = (RandomNumbers(seed: 0), self)
    let places = texts.indices.shuffled(using: &random).prefix(count ?? .max)
    drawn.texts = places.map { texts[$0] }
    drawn.categories = places.map { categories[$0] }
    return drawn
  }
}

/// A row of the results.
func printRow(_ row: [String: any Sendable]) throws {
  var row = row
  row["peak_mb"] = peakMegabytes()
  let json = try JSONSerialization.data(withJSONObject: row, options: [.sortedKeys, .withoutEscapingSlashes])
  print(String(decoding: json, as: UTF8.self))
}

/// The most memory that this process has had, as Linux counts it.
func peakMegabytes() -> Int {
  let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
  let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
  return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) / 1024
}

func rounded(_ value: Double, _ digits: Double = 1000) -> Double { (value * digits).rounded() / digits }

func seconds(_ body: () throws -> Void) rethrows -> Double {
  let start = ContinuousClock.now
  try body()
  let parts = start.duration(to: .now).components
  return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
}
