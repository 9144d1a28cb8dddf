import Basics
import Foundation

/// A plain file open for reading, from any place and as often as needed.
///
/// A data file is read twice or thrice (digest and encoding; which rows a sample takes; the rows), always
/// through this one descriptor, so that all passes see one file even when its name is given to another
/// meanwhile.
final class OpenFile: Sendable {
  /// As the learner named it.
  let name: String
  let size: Int
  private let descriptor: Int32
  private let isCancelled: @Sendable () -> Bool
  private let modified: [Int]

  init(_ url: URL, named name: String, opener: FileOpener = .anywhere) throws {
    self.name = name
    isCancelled = opener.isCancelled
    let descriptor = opener.open(url)
    guard descriptor >= 0 else {
      switch errno {
      case ENOENT, ENOTDIR, ENAMETOOLONG: throw LoadError.notFound(file: name)
      case ENXIO: throw LoadError.notPlain(file: name)
      default: throw LoadError.notReadable(file: name)
      }
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw status.st_mode & S_IFMT == S_IFDIR
        ? LoadError.isFolder(file: name) : LoadError.notPlain(file: name)
    }
    self.descriptor = descriptor
    size = Int(status.st_size)
    modified = Self.stamp(of: status)
  }

  deinit { close(descriptor) }

  /// Fills `buffer` from `offset` on as far as the file goes; how many bytes it had. A file may have terabytes, so that here
  /// Ctrl-C has to be heard.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Int {
    if isCancelled() { throw CancellationError() }
    var filled = 0
    while filled < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + filled))
      if count < 0 {
        if errno == EINTR { continue }
        throw LoadError.readFailed(file: name)
      }
      if count == 0 { break }
      filled += count
    }
    return filled
  }

  /// Throws when somebody wrote to the file since it was opened.
  func checkUnchanged() throws {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw LoadError.readFailed(file: name) }
    guard Int(status.st_size) == size, Self.stamp(of: status) == modified else {
      throw LoadError.changedWhileReading(file: name)
    }
  }

  private static func stamp(of status: stat) -> [Int] {
    [Int(status.st_mtim.tv_sec), Int(status.st_mtim.tv_nsec)]
  }
}
