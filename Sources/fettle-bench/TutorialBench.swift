import ArgumentParser
import Foundation
import Transcripts

/// Where the tutorial's time goes: each step of its document as a process of its own, with its share of the whole.
struct TutorialBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tutorial", abstract: "The steps of the tutorial, each with its share of the time.")

  @Option(help: "The folder of the project, with Samples and Sessions.") var project = "."

  func run() throws {
    let program = try FettleProcess()
    let root = URL(fileURLWithPath: project)
    try FileManager.default.copyItem(
      at: root.appendingPathComponent("Samples"), to: program.folder.appendingPathComponent("Samples"))
    let text = try String(contentsOf: root.appendingPathComponent("Sessions/tutorial.md"), encoding: .utf8)
    let commands = try Document(parsing: text).steps.map(\.command)
    let times = try commands.map { command in try program.run(["-c", command]).seconds }
    let whole = times.reduce(0, +)
    for (command, time) in zip(commands, times) {
      try printRow([
        "benchmark": "tutorial", "step": command, "seconds": rounded(time), "share": rounded(time / whole),
      ])
    }
    try printRow(["benchmark": "tutorial", "steps": commands.count, "seconds": rounded(whole)])
  }
}
