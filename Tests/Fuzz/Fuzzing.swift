import Foundation

/// Feeds each reader of strangers' files with damaged and hostile ones: nothing may trap, hang, or take more memory than a document may.
///
///     fettle-fuzz [TARGET…] [--seconds N | --inputs N] [--seed N] [--findings DIR]
///
/// An input is made of target, seed and number alone, so that a finding comes again by these. The inputs run in a child process, some
/// hundreds in each: what kills the child is a finding, and the next child goes on behind it.
enum Fuzzing {
  struct Options {
    var targets: [Target] = []
    var seconds: Double?
    var inputs = 500
    var seed: UInt64 = 1
    var findings = URL(filePath: "fuzz-findings", directoryHint: .isDirectory)
    /// Given to the child alone: the first input of its batch, and the file that it writes its place to.
    var first: Int?
    var state: URL?
  }

  /// Inputs a child.
  private static let batch = 500

  static func run(_ arguments: [String]) -> Int32 {
    do {
      let options = try options(arguments)
      if let first = options.first, let state = options.state, let target = options.targets.first {
        try Batch(target: target, seed: options.seed, state: state).run(from: first, count: options.inputs)
        return 0
      }
      return try report(options)
    } catch {
      FileHandle.standardError.write(Data("fettle-fuzz: \(error)\n".utf8))
      return 2
    }
  }

  private static func report(_ options: Options) throws -> Int32 {
    print("target        inputs  seconds  findings")
    var total = 0
    for target in options.targets {
      let start = ContinuousClock.now
      var done = 0
      var findings = 0
      while true {
        let seconds = (ContinuousClock.now - start).inSeconds
        guard options.seconds.map({ seconds < $0 }) ?? (done < options.inputs) else { break }
        let count = options.seconds == nil ? min(batch, options.inputs - done) : batch
        let outcome = try child(target, options, from: done, count: count)
        done = outcome.next
        guard let finding = outcome.finding else { continue }
        findings += 1
        try keep(finding, of: target, number: outcome.next - 1, options)
        // Where nearly every input is one, the rest adds nothing.
        if findings == 20 { break }
      }
      let seconds = (ContinuousClock.now - start).inSeconds
      print(
        target.name.padding(toLength: 12, withPad: " ", startingAt: 0)
          + String(format: "%8d %8.0f %9d", done, seconds, findings))
      total += findings
    }
    return total == 0 ? 0 : 1
  }

  private static func child(_ target: Target, _ options: Options, from first: Int, count: Int) throws
    -> (next: Int, finding: String?)
  {
    let state = FileManager.default.temporaryDirectory.appending(path: "fettle-fuzz-state-\(getpid())")
    try Data().write(to: state)
    defer { try? FileManager.default.removeItem(at: state) }
    let process = Process()
    process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = [
      target.name, "--seed", "\(options.seed)", "--inputs", "\(count)", "--first", "\(first)", "--state",
      state.path,
    ]
    let trace = Pipe()
    process.standardError = trace
    try process.run()
    let said = String(decoding: (try? trace.fileHandleForReading.readToEnd()) ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    if process.terminationReason == .exit, process.terminationStatus == 0 { return (first + count, nil) }
    let number =
      Int(try String(contentsOf: state, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines))
      ?? first
    let why =
      process.terminationReason == .exit
      ? said
      : "signal \(process.terminationStatus)\(process.terminationStatus == SIGALRM ? ": no end" : "")\n\(said)"
    return (number + 1, why)
  }

  private static func keep(_ why: String, of target: Target, number: Int, _ options: Options) throws {
    try FileManager.default.createDirectory(at: options.findings, withIntermediateDirectories: true)
    let file = options.findings.appending(path: "\(target.name)-\(options.seed)-\(number)")
    try Data(try target.input(seed: options.seed, number: number)).write(to: file)
    try Data(why.utf8).write(to: file.appendingPathExtension("why"))
    let line = why.split(separator: "\n").first.map(String.init) ?? ""
    print(
      "FINDING \(target.name) --seed \(options.seed), input \(number): \(line.prefix(200)). It is in \(file.path)"
    )
  }

  private struct Misuse: Error, CustomStringConvertible { let description: String }

  private static func options(_ arguments: [String]) throws -> Options {
    var options = Options()
    var rest = arguments[...]
    while let word = rest.popFirst() {
      guard word.hasPrefix("--") else {
        guard let target = Target.all.first(where: { $0.name == word }) else {
          throw Misuse(
            description:
              "there is no target \(word); there is \(Target.all.map(\.name).joined(separator: ", "))")
        }
        options.targets.append(target)
        continue
      }
      guard let value = rest.popFirst() else { throw Misuse(description: "\(word) needs a value") }
      switch word {
      case "--seconds": options.seconds = Double(value)
      case "--inputs": options.inputs = Int(value) ?? options.inputs
      case "--seed": options.seed = UInt64(value) ?? options.seed
      case "--findings": options.findings = URL(filePath: value, directoryHint: .isDirectory)
      case "--first": options.first = Int(value)
      case "--state": options.state = URL(filePath: value)
      default: throw Misuse(description: "there is no option \(word)")
      }
    }
    if options.targets.isEmpty { options.targets = Target.all }
    return options
  }
}

extension Duration {
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
