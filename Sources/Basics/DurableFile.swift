import CPosix
import Foundation

/// The system's refusal to write a file.
package struct FileError: Error, Equatable, Sendable {
  /// The system's number, `errno`.
  package let number: Int32
  /// The file's own name.
  package let name: String

  package init(_ file: URL, number: Int32 = errno) {
    self.number = number
    name = file.lastPathComponent
  }

  /// Whether there is no room for it: on the disk, in the user's quota, or within the limit that `ulimit -f` has set.
  package var isOutOfRoom: Bool { [ENOSPC, EDQUOT, EFBIG].contains(number) }
}

/// Writing so that a kill or a power cut leaves the old file or the new one, and nothing else.
package enum DurableFile {
  /// How files are called that a kill left unfinished.
  package static let partPrefix = ".fettle-part-"

  /// Puts a file in the place of another, or where there was none: written beside, made durable, then renamed.
  ///
  /// A symbolic link stays one where it leads to a file: that is replaced. The permissions of a file that is there are kept.
  ///
  /// - Parameter staging: the folder in which it is written at first, where somebody sweeps what a kill leaves. Where that is
  ///   on another disk, or may not be written, and by default, it is the file's own.
  /// - Throws: ``FileError``.
  package static func replace(_ file: URL, with data: Data, staging: URL? = nil) throws {
    try replace(file, staging: staging) { descriptor in
      try data.withUnsafeBytes { try write($0, to: descriptor, of: file) }
    }
  }

  /// The same for what is written piece by piece.
  ///
  /// - Parameter body: writes to the descriptor; called once more where the staging folder does not serve.
  /// - Throws: ``FileError``, and what `body` throws; then nothing is left behind.
  package static func replace(_ file: URL, staging: URL? = nil, writing body: (Int32) throws -> Void) throws {
    let file = file.resolvingSymlinksInPath()
    if let staging {
      do {
        return try replace(file, writtenIn: staging, body)
      } catch is FileError {
        // Another disk, or one that may not be written.
      }
    }
    try replace(file, writtenIn: file.deletingLastPathComponent(), body)
  }

  private static func replace(_ file: URL, writtenIn folder: URL, _ body: (Int32) throws -> Void) throws {
    let part = folder.appendingPathComponent("\(partPrefix)\(UUID().uuidString)")
    let descriptor = open(part.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileError(file) }
    defer { close(descriptor) }
    flock(descriptor, LOCK_SH | LOCK_NB)
    do {
      if let permissions = permissions(of: file) { _ = fchmod(descriptor, permissions) }
      try body(descriptor)
      guard fsync(descriptor) == 0 else { throw FileError(file) }
      try move(part, to: file)
    } catch {
      unlink(part.path)
      throw error
    }
  }

  /// Writes the chunks one after the other into a file, and waits until they are on the disk. What the file held goes first: for
  /// files in a folder that nobody looks into yet.
  ///
  /// - Throws: ``FileError``.
  package static func write(
    _ chunks: some Sequence<UnsafeRawBufferPointer>, to file: URL
  ) throws {
    let descriptor = open(file.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileError(file) }
    defer { close(descriptor) }
    for chunk in chunks { try write(chunk, to: descriptor, of: file) }
    guard fsync(descriptor) == 0 else { throw FileError(file) }
  }

  /// Writes all bytes, where the system takes them a part at a time too.
  ///
  /// - Throws: ``FileError``.
  package static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, of file: URL) throws {
    var rest = bytes
    while let base = rest.baseAddress, !rest.isEmpty {
      let written = Glibc.write(descriptor, base, rest.count)
      if written < 0 {
        if errno == EINTR { continue }
        throw FileError(file)
      }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
    }
  }

  /// Renames, and waits until the new name is on the disk.
  ///
  /// - Throws: ``FileError``.
  package static func move(_ source: URL, to target: URL) throws {
    guard rename(source.path, target.path) == 0 else { throw FileError(target) }
    synchronise(folder: target.deletingLastPathComponent())
  }

  /// Puts a folder in the place of another, which then has the first one's name; there is no moment at which the place is empty.
  ///
  /// - Throws: ``FileError`` with EINVAL or ENOSYS where the file system cannot do it, and with ENOENT where one is missing.
  package static func exchange(_ one: URL, with other: URL) throws {
    guard fettle_exchange(one.path, other.path) == 0 else { throw FileError(other) }
    synchronise(folder: other.deletingLastPathComponent())
  }

  /// Waits until a file, or a folder with all that is in it, is on the disk.
  ///
  /// - Throws: ``FileError``.
  package static func synchronise(_ url: URL) throws {
    var status = stat()
    guard stat(url.path, &status) == 0 else { throw FileError(url) }
    if status.st_mode & S_IFMT == S_IFDIR {
      guard let names = try? FileManager.default.contentsOfDirectory(atPath: url.path) else {
        throw FileError(url)
      }
      for name in names { try synchronise(url.appendingPathComponent(name)) }
    }
    let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError(url) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw FileError(url) }
  }

  /// Waits until the names in a folder are on the disk. Should that fail, the names before come back after a power cut, which is
  /// sound too.
  package static func synchronise(folder: URL) {
    let descriptor = open(folder.path, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }

  /// Whether somebody is writing it: a file on its way, or what a ``FileHold`` is for.
  package static func isHeld(_ url: URL) -> Bool {
    let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_EX | LOCK_NB) != 0
  }

  private static func permissions(of file: URL) -> mode_t? {
    var status = stat()
    return stat(file.path, &status) == 0 ? status.st_mode & 0o7777 : nil
  }
}

/// Says of a file or folder without a name of its own yet that somebody is at work on it, until this goes; the system lets go of it
/// when the process ends.
package final class FileHold: Sendable {
  private let descriptor: Int32

  /// Nil where it cannot be opened.
  package init?(_ url: URL) {
    descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    flock(descriptor, LOCK_SH | LOCK_NB)
  }

  deinit { close(descriptor) }
}
