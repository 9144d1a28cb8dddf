import Basics
import Foundation

/// What was typed at the prompt, kept in a file across sessions: the newest last, nothing twice.
///
/// One entry a line, with `\n` for a newline and `\\` for a backslash. The file is only ever appended to under a lock, so that
/// two shells share it and neither loses what the other keeps; it is rewritten when it has grown to several times its use.
/// A file that cannot be written keeps nothing and disturbs nobody.
public struct PromptHistory {
  /// Entries that are kept.
  public static let capacity = 1000
  /// Longer entries, such as a pasted file, are left out.
  static let longestEntry = 65_536

  public private(set) var entries: [String] = []
  private let file: URL?

  /// Reads what earlier sessions kept.
  public init(file: URL?) {
    self.file = file
    guard let file, let data = try? Data(contentsOf: file) else { return }
    let lines = data.split(separator: UInt8(ascii: "\n"))
    entries = Self.unique(lines.map { Self.decoded(String(decoding: $0, as: UTF8.self)) })
    if lines.count > 4 * Self.capacity { compact() }
  }

  /// Keeps an entry, unless it begins with a blank.
  public mutating func append(_ entry: String) {
    guard let first = entry.first, !first.isWhitespace, entry.utf8.count <= Self.longestEntry else { return }
    // A newline that only ends the entry would be shown as an empty line when it is called back.
    var entry = entry
    while entry.last?.isWhitespace == true { entry.removeLast() }
    entries.removeAll { $0 == entry }
    entries.append(entry)
    if entries.count > Self.capacity { entries.removeFirst() }
    withLockedFile { descriptor in
      // One write: a crash leaves the whole line or none of it on any ordinary file system.
      let line = Array((Self.encoded(entry) + "\n").utf8)
      _ = write(descriptor, line, line.count)
    }
  }

  /// The last occurrence of each, in order, the newest `capacity` of them.
  private static func unique(_ entries: [String]) -> [String] {
    var seen: Set<String> = []
    let newestFirst = entries.reversed().filter { !$0.isEmpty && seen.insert($0).inserted }
    return newestFirst.prefix(capacity).reversed()
  }

  private func compact() {
    guard let file else { return }
    withLockedFile { _ in
      // Read again: another shell may have appended since.
      guard let data = try? Data(contentsOf: file) else { return }
      let lines = data.split(separator: UInt8(ascii: "\n"))
      let kept = Self.unique(lines.map { Self.decoded(String(decoding: $0, as: UTF8.self)) })
      let text = kept.map { Self.encoded($0) + "\n" }.joined()
      try? DurableFile.replace(file, with: Data(text.utf8))
    }
  }

  /// Calls with the file opened for appending and locked. Where another shell has just replaced the file, opens it again: what
  /// is appended to the old one would be lost.
  private func withLockedFile(_ body: (Int32) -> Void) {
    guard let file else { return }
    for _ in 0..<10 {
      let descriptor = open(file.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { return }
      defer { close(descriptor) }
      while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
      var opened = stat()
      var named = stat()
      guard fstat(descriptor, &opened) == 0 else { return }
      guard stat(file.path, &named) == 0, opened.st_ino == named.st_ino else { continue }
      if opened.st_mode & 0o077 != 0 { _ = fchmod(descriptor, 0o600) }
      return body(descriptor)
    }
  }

  private static func encoded(_ entry: String) -> String {
    entry.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\n", with: "\\n")
  }

  private static func decoded(_ line: String) -> String {
    var entry = ""
    var isEscaped = false
    for character in line {
      if isEscaped {
        entry.append(character == "n" ? "\n" : character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else {
        entry.append(character)
      }
    }
    return entry
  }
}
