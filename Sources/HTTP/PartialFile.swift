import Basics
import Foundation

/// The beginning of a file that is being fetched: `NAME.part`, held by one process at a time.
final class PartialFile {
  private let target: URL
  private let path: String
  private let descriptor: CInt
  private var isFinished = false
  /// Bytes written so far.
  private(set) var size: Int64 = 0
  /// What went wrong with the last write, which libcurl only knows as a failure.
  private(set) var writeError: HTTPError?

  /// Opens or creates the partial file of `target`. Throws `.busy` where another process holds it.
  init(for target: URL) throws {
    self.target = target
    path = target.path + ".part"
    descriptor = try PartialFile.openLocked(path, target: target.path)
    let end = lseek(descriptor, 0, SEEK_END)
    guard end >= 0 else { throw PartialFile.error(errno, path) }
    size = Int64(end)
  }

  deinit {
    // A try that brought nothing leaves nothing.
    if size == 0, !isFinished { unlink(path) }
    // Said, and not left to closing: a child that is being started has a copy of the descriptor for a moment.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  /// Returns false where the disk does not take it; `writeError` says why.
  func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
    do {
      try DurableFile.write(bytes, to: descriptor, of: target)
      size += Int64(bytes.count)
      return true
    } catch {
      // A part of it may have been taken.
      size = Int64(max(lseek(descriptor, 0, SEEK_CUR), 0))
      writeError = PartialFile.error((error as? FileError)?.number ?? EIO, path)
      return false
    }
  }

  /// Forgets what came so far.
  func restart() throws {
    guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
      throw PartialFile.error(errno, path)
    }
    size = 0
  }

  /// Makes it the file: on the disk first, then under its name.
  func finish() throws {
    guard fsync(descriptor) == 0 else { throw PartialFile.error(errno, target.path) }
    do {
      try DurableFile.move(URL(fileURLWithPath: path), to: target)
    } catch let error as FileError {
      throw PartialFile.error(error.number, target.path)
    }
    isFinished = true
  }

  private static func openLocked(_ path: String, target: String) throws -> CInt {
    while true {
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else { throw error(errno, path) }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        close(descriptor)
        throw HTTPError.busy(file: target)
      }
      // Between opening and locking, the holder may have finished: what is locked now would be the finished file.
      var opened = stat()
      var named = stat()
      if fstat(descriptor, &opened) == 0, stat(path, &named) == 0, opened.st_ino == named.st_ino,
        opened.st_dev == named.st_dev
      {
        return descriptor
      }
      close(descriptor)
    }
  }

  private static func error(_ number: CInt, _ path: String) -> HTTPError {
    [ENOSPC, EDQUOT, EFBIG].contains(number)
      ? .diskFull(file: path) : .cannotWrite(file: path, detail: String(cString: strerror(number)))
  }
}
