import Foundation
import Testing

/// The program as its users meet it: a process with arguments, an input, two outputs and an exit status.
struct Front {
  /// A fresh folder with its own model cache, in which `tiny-bert` is the embedded model.
  let folder: URL
  var environment: [String: String]
  /// Which program is run, for tests that put it somewhere else.
  var program = Front.program

  static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// `make test` builds it before it runs the tests.
  static var program: URL {
    ProcessInfo.processInfo.environment["FETTLE"].map { URL(filePath: $0) }
      ?? repository.appending(path: ".build/release/fettle")
  }

  /// Removed when the tests end: a run leaves 80 MB otherwise.
  private static let root: URL = {
    atexit { try? FileManager.default.removeItem(at: Front.root) }
    return FileManager.default.temporaryDirectory.appending(path: "fettle-tests-\(getpid())")
  }()

  /// - Parameter tiny: whether `tiny-bert` is installed as the embedded model.
  init(tiny: Bool = true) throws {
    folder = Self.root.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    environment = [
      "PATH": "/usr/bin:/bin", "HOME": folder.path, "XDG_CACHE_HOME": folder.path + "/.cache",
      "FETTLE_MODEL": "",
      "LC_ALL": "C.UTF-8", "TERM": "dumb",
    ]
    if tiny {
      let model = Self.repository.appending(path: "Tests/EncoderTests/Reference/tiny-bert").path
      let installed = try run("--no-record", "--workspace", "install", "model", "install", "--from", model)
      try #require(installed.status == 0, "\(installed.error)")
    }
  }

  /// A copy of the program at `place`, with the repository's samples and sessions in `share`; both lie in the folder.
  ///
  /// `cp` writes it: a child that another test starts just then would inherit a file that we hold open for writing, and
  /// a program that anybody may write to cannot be run ("Text file busy").
  func install(at place: String, share: String) throws -> URL {
    let program = folder.appending(path: place)
    let shared = folder.appending(path: share)
    for folder in [program.deletingLastPathComponent(), shared] {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }
    let samples = ["Samples", "Sessions"].map { Self.repository.appending(path: $0).path }
    for arguments in [[Self.program.path, program.path], ["-R"] + samples + [shared.path]] {
      let copy = try Process.run(URL(filePath: "/bin/cp"), arguments: arguments)
      copy.waitUntilExit()
      try #require(copy.terminationStatus == 0)
    }
    return program
  }

  struct Outcome {
    var status: Int32
    var output: String
    var error: String

    var lines: [String] {
      output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init).dropLast()
    }

    /// The output with sentences that were wrapped at the window's edge in one piece.
    var text: String { output.replacing("\n  ", with: " ") }
  }

  @discardableResult
  func run(_ arguments: String..., input: String? = nil, in folder: URL? = nil) throws -> Outcome {
    try run(arguments, input: input, in: folder)
  }

  @discardableResult
  func run(_ arguments: [String], input: String? = nil, in folder: URL? = nil) throws -> Outcome {
    let process = try start(arguments, input: input, in: folder)
    return process.wait()
  }

  /// Lines through `-c`, in order.
  @discardableResult
  func lines(_ lines: String..., options: [String] = []) throws -> Outcome {
    try run(options + lines.flatMap { ["-c", $0] })
  }

  func start(_ arguments: [String], input: String? = nil, in folder: URL? = nil) throws -> Running {
    try Running(self, arguments, input: input, in: folder ?? self.folder)
  }

  /// A process under way. Its outputs go to files, so that none of them can fill a pipe and stop it.
  final class Running {
    let process = Process()
    private let output: URL
    private let error: URL

    init(_ front: Front, _ arguments: [String], input: String?, in folder: URL) throws {
      let name = UUID().uuidString
      output = front.folder.appending(path: ".out-\(name)")
      error = front.folder.appending(path: ".err-\(name)")
      try Data().write(to: output)
      try Data().write(to: error)
      process.executableURL = front.program
      process.arguments = arguments
      process.environment = front.environment
      process.currentDirectoryURL = folder
      process.standardOutput = try FileHandle(forWritingTo: output)
      process.standardError = try FileHandle(forWritingTo: error)
      if let input {
        let file = front.folder.appending(path: ".in-\(name)")
        try input.write(to: file, atomically: true, encoding: .utf8)
        process.standardInput = try FileHandle(forReadingFrom: file)
      } else {
        process.standardInput = FileHandle.nullDevice
      }
      try process.run()
    }

    func wait() -> Outcome {
      process.waitUntilExit()
      let read = { (url: URL) in (try? String(contentsOf: url, encoding: .utf8)) ?? "" }
      let status =
        process.terminationReason == .uncaughtSignal ? -process.terminationStatus : process.terminationStatus
      return Outcome(status: status, output: read(output), error: read(error))
    }

    /// What has been written to standard output so far.
    var soFar: String { (try? String(contentsOf: output, encoding: .utf8)) ?? "" }

    /// The same of standard error.
    var errorsSoFar: String { (try? String(contentsOf: error, encoding: .utf8)) ?? "" }

    func kill() { Foundation.kill(process.processIdentifier, SIGKILL) }
    func interrupt() { Foundation.kill(process.processIdentifier, SIGINT) }
  }

  /// Writes a file into the folder; returns its name.
  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    let url = folder.appending(path: name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try text.write(to: url, atomically: true, encoding: .utf8)
    return name
  }

  func read(_ name: String) throws -> String {
    try String(contentsOf: folder.appending(path: name), encoding: .utf8)
  }

  /// Texts of tiny-bert's alphabet, in two categories that a linear head can tell apart.
  @discardableResult
  func writeLetters(count: Int = 40, to name: String = "letters.csv", offset: Int = 0) throws -> String {
    var rows = ["id,text,category"]
    for index in 0..<count {
      let number = index + offset
      let tail =
        String(UnicodeScalar(UInt8(97 + number % 7))) + String(UnicodeScalar(UInt8(97 + number / 7 % 26)))
      rows.append(
        number % 2 == 0 ? "\(number),news of the \(tail),WORLD & NEWS" : "\(number),z y x \(tail),SPORTS")
    }
    return try write(rows.joined(separator: "\n") + "\n", to: name)
  }
}

/// A line of JSON as a dictionary.
func object(_ line: String) throws -> [String: Any] {
  try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
}
