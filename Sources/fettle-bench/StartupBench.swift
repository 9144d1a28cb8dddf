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
    for _ in 0...runs { times.append(try seconds { try program.run(["--no-record", "-c", "status"]) }) }
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
  let folder: URL
  private let program: URL

  init() throws {
    let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    program = own.deletingLastPathComponent().appendingPathComponent("fettle")
    guard FileManager.default.isExecutableFile(atPath: program.path) else {
      throw ValidationError("There is no fettle beside fettle-bench. Build it: make build")
    }
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "fettle-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  /// By the system's own calls: Foundation's Process notices an end only every 50 ms.
  func run(_ arguments: [String]) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0)
    posix_spawn_file_actions_adddup2(&actions, 0, 1)
    posix_spawn_file_actions_adddup2(&actions, 0, 2)
    var words = ([program.path] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    let before = FileManager.default.currentDirectoryPath
    _ = FileManager.default.changeCurrentDirectoryPath(folder.path)
    defer { _ = FileManager.default.changeCurrentDirectoryPath(before) }
    var process: pid_t = 0
    var status: Int32 = 0
    guard posix_spawn(&process, program.path, &actions, nil, &words, environ) == 0,
      waitpid(process, &status, 0) == process, status == 0
    else { throw ValidationError("fettle \(arguments.joined(separator: " ")) failed") }
  }
}
