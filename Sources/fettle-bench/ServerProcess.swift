import ArgumentParser
import Foundation

/// A server that runs beside this program, until this value is gone.
final class ServerProcess {
  let port: Int
  let process: pid_t
  private let scratch: ScratchFolder

  /// - Parameter program: says `Serving on http://127.0.0.1:PORT` on standard error once it can be asked.
  /// - Throws: `ValidationError` with what it said, where it ends before, or is not ready in five minutes.
  init(_ name: String, _ program: String, _ arguments: [String], scratch: ScratchFolder) throws {
    self.scratch = scratch
    let log = scratch.path("\(UUID().uuidString).log")
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    var words = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var process: pid_t = 0
    guard posix_spawnp(&process, program, &actions, nil, &words, environ) == 0 else {
      throw ValidationError("\(program) cannot be run")
    }
    self.process = process
    let end = ContinuousClock.now + .seconds(300)
    var said = ""
    while ContinuousClock.now < end {
      said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
      if let address = said.range(of: "Serving on http://127.0.0.1:"),
        let port = Int(said[address.upperBound...].prefix(while: \.isNumber)),
        said[address.upperBound...].contains("\n")
      {
        self.port = port
        return
      }
      var status: Int32 = 0
      if waitpid(process, &status, WNOHANG) != 0 { break }
      usleep(50_000)
    }
    kill(process, SIGKILL)
    throw ValidationError("\(name) does not serve.\n\(said.suffix(2000))")
  }

  deinit {
    kill(process, SIGTERM)
    var status: Int32 = 0
    waitpid(process, &status, 0)
  }
}
