import ArgumentParser
import Foundation

/// A program that was run to its end.
///
/// By the system's own calls: Foundation's Process notices an end only every 50 ms, and does not tell the memory.
struct Child {
  /// What it wrote to standard output and standard error.
  var output: String
  var errors: String
  var status: Int32
  /// Wall-clock time from start to end.
  var seconds: Double
  /// The most memory that it had, by `wait4`.
  var peakMegabytes: Int

  /// - Parameters:
  ///   - folder: where it runs; nil: here.
  ///   - environment: added to this process's own.
  init(
    _ program: String, _ arguments: [String], in folder: URL? = nil, environment: [String: String] = [:]
  ) throws {
    let files = FileManager.default.temporaryDirectory.appendingPathComponent(
      "fettle-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: files, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: files) }
    let written = (1...2).map { files.appendingPathComponent("\($0)").path }

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    for (number, path) in written.enumerated() {
      posix_spawn_file_actions_addopen(&actions, Int32(number + 1), path, O_WRONLY | O_CREAT, 0o600)
    }
    let before = FileManager.default.currentDirectoryPath
    if let folder { _ = FileManager.default.changeCurrentDirectoryPath(folder.path) }
    defer { _ = FileManager.default.changeCurrentDirectoryPath(before) }
    var variables = ProcessInfo.processInfo.environment
    variables.merge(environment) { $1 }
    var words = ([program] + arguments).map { strdup($0) } + [nil]
    var settings = variables.map { strdup("\($0)=\($1)") } + [nil]
    defer { for word in words + settings { free(word) } }

    var process: pid_t = 0
    var status: Int32 = 0
    var usage = rusage()
    var failure: Int32 = 0
    seconds = fettle_bench.seconds {
      failure = posix_spawnp(&process, program, &actions, nil, &words, &settings)
      if failure == 0 { while wait4(process, &status, 0, &usage) < 0, errno == EINTR {} }
    }
    guard failure == 0 else { throw ValidationError("\(program) cannot be run") }
    output = try String(contentsOfFile: written[0], encoding: .utf8)
    errors = try String(contentsOfFile: written[1], encoding: .utf8)
    // The low seven bits tell a signal, the next eight the exit status.
    self.status = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
    peakMegabytes = usage.ru_maxrss / 1024
  }

  /// - Throws: `ValidationError` with the end of what it said.
  func succeeded(_ name: String) throws -> Child {
    guard status == 0 else {
      throw ValidationError("\(name) failed (\(status)).\n\(errors.suffix(2000))\(output.suffix(500))")
    }
    return self
  }

  /// The last line of its output, as JSON.
  func answer() throws -> [String: Any] {
    let line = output.split(separator: "\n").last.map { Data($0.utf8) } ?? Data()
    guard let object = try JSONSerialization.jsonObject(with: line) as? [String: Any] else {
      throw ValidationError("No JSON in: \(output.suffix(500))")
    }
    return object
  }
}

/// The programs beside this one.
enum Own {
  static let bench = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()

  static func fettle() throws -> String {
    let path = bench.deletingLastPathComponent().appendingPathComponent("fettle").path
    guard FileManager.default.isExecutableFile(atPath: path) else {
      throw ValidationError("There is no fettle beside fettle-bench. Build it: make build")
    }
    return path
  }
}

/// A folder that is gone with this.
final class ScratchFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("fettle-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }
}
