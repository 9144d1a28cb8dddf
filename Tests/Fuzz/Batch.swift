import Foundation

/// Some hundred inputs of one target, in a process of their own.
struct Batch {
  let target: Target
  let seed: UInt64
  /// Holds the number of the input that is being read.
  let state: URL

  struct TooMuch: Error, CustomStringConvertible { let description: String }

  /// - Throws: `TooMuch` for an input that takes more time or memory than a document may; what a target finds wrong.
  func run(from first: Int, count: Int) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "fettle-fuzz-\(getpid())", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let place = open(state.path, O_WRONLY)
    defer { close(place) }
    for number in first..<(first + count) {
      let text = Array("\(number)          \n".utf8)
      guard pwrite(place, text, text.count, 0) == text.count else {
        throw TooMuch(description: "the state cannot be written")
      }
      let input = try target.input(seed: seed, number: number)
      alarm(60)
      let before = Usage.now
      do {
        try target.read(input, folder)
      } catch let finding as Finding {
        throw finding
      } catch {
        // An error with a sentence is what a damaged file should come to.
      }
      let after = Usage.now
      // A second, and another for each 100 kB; twice that, since other processes run here too.
      let allowed = 2 * (1 + Double(input.count) / 100_000)
      guard after.seconds - before.seconds <= allowed else {
        throw TooMuch(description: "\(after.seconds - before.seconds) seconds for \(input.count) bytes")
      }
      guard after.peak <= 300_000_000 + Usage.beginning.peak else {
        throw TooMuch(description: "\(after.peak / 1_000_000) MB for \(input.count) bytes")
      }
    }
    alarm(0)
  }
}

/// What the process has used so far.
struct Usage {
  var seconds: Double
  /// The most memory at any time, in bytes.
  var peak: Int

  static let beginning = Usage.now

  static var now: Usage {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let seconds = { (time: timeval) in Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return Usage(seconds: seconds(usage.ru_utime) + seconds(usage.ru_stime), peak: usage.ru_maxrss * 1024)
  }
}

/// Something that a target found wrong, besides what kills or takes too long.
struct Finding: Error, CustomStringConvertible {
  let description: String

  static func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
    if !condition { throw Finding(description: what()) }
  }
}
