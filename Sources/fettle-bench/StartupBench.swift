import ArgumentParser
import Foundation

/// How long a learner waits before the first answer.
struct StartupBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "startup", abstract: "Start-up of fettle -c status, in a workspace with many assets.")

  @Option(help: "Assets in the workspace.") var assets = 10_000
  @Option(help: "Counted runs.") var runs = 21

  func run() throws {
    let program = try FettleProcess()
    var rows = "id,text,category\n"
    for number in 0..<assets {
      rows += "\(number),Text number \(number) of a file that nobody reads.,\(["A", "B", "C"][number % 3])\n"
    }
    try rows.write(to: program.folder.appendingPathComponent("many.csv"), atomically: true, encoding: .utf8)
    try program.run(["load", "many.csv"])
    var times: [Double] = []
    for _ in 0...runs { times.append(try program.run(["--no-record", "-c", "status"]).seconds) }
    // The first run warms the disk's cache.
    let sorted = times.dropFirst().sorted()
    try printRow([
      "benchmark": "startup", "assets": assets, "runs": runs,
      "median_ms": rounded(sorted[runs / 2] * 1000, 10),
      "least_ms": rounded(sorted[0] * 1000, 10), "most_ms": rounded(sorted[runs - 1] * 1000, 10),
    ])
  }
}

/// The program beside this one, in a fresh folder.
struct FettleProcess {
  private let scratch: ScratchFolder
  private let program: String
  var folder: URL { scratch.url }

  init() throws {
    program = try Own.fettle()
    scratch = try ScratchFolder()
  }

  @discardableResult func run(_ arguments: [String]) throws -> Child {
    try Child(program, arguments, in: folder).succeeded("fettle \(arguments.joined(separator: " "))")
  }
}
