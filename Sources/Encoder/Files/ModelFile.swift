import Basics
import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Reading and writing a model's small files, with errors that name the file and not its folder's path.
enum ModelFile {
  /// The largest tokenizers have some thirty million bytes.
  private static let most = 64 << 20

  static func read(_ file: URL) throws -> Data {
    var status = stat()
    if stat(file.path, &status) == 0 {
      // A pipe or a device would be read without end.
      guard status.st_mode & S_IFMT == S_IFREG else { throw failure(file) }
      guard status.st_size <= most else {
        throw ModelError.unreadableFile(
          file.lastPathComponent, reason: "it has \(status.st_size) bytes, and fettle reads \(most) at most")
      }
    }
    do {
      return try Data(contentsOf: file)
    } catch {
      throw failure(file)
    }
  }

  static func readIfPresent(_ file: URL) throws -> Data? {
    FileManager.default.fileExists(atPath: file.path) ? try read(file) : nil
  }

  /// Writes the chunks one after another and waits until they are on the disk.
  static func write(_ chunks: some Sequence<UnsafeRawBufferPointer>, to file: URL) throws {
    do {
      try DurableFile.write(chunks, to: file)
    } catch let error as FileError {
      throw writeFailure(file, error)
    }
  }

  static func write(_ data: Data, to file: URL) throws {
    try data.withUnsafeBytes { try write(CollectionOfOne($0), to: file) }
  }

  static func failure(_ file: URL) -> ModelError {
    let name = file.lastPathComponent
    if !FileManager.default.fileExists(atPath: file.path) {
      return .missingFile(name, folder: file.deletingLastPathComponent().lastPathComponent)
    }
    var status = stat()
    let kind = stat(file.path, &status) == 0 ? status.st_mode & S_IFMT : S_IFREG
    let reason =
      switch kind {
      case S_IFREG: "permission denied or a fault of the disk"
      case S_IFDIR: "it is a folder"
      default: "it is no file of bytes"
      }
    return .unreadableFile(name, reason: reason)
  }

  private static func writeFailure(_ file: URL, _ error: FileError) -> ModelError {
    let reason =
      switch error.number {
      case _ where error.isOutOfRoom: "the disk is full, or the file larger than ulimit -f allows"
      case EACCES, EPERM, EROFS: "permission denied"
      case ENOENT, ENOTDIR: "its folder is missing"
      default: "a fault of the disk"
      }
    return .cannotWrite(file.lastPathComponent, reason: reason)
  }
}

/// A file mapped into memory, read-only, for as long as this lives. Pages are read when they are touched.
/// Sendable unchecked: the bytes never change.
final class MappedFile: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer

  init(_ file: URL) throws {
    // A pipe would wait for whoever writes to it.
    let descriptor = open(file.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw ModelFile.failure(file) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw ModelFile.failure(file)
    }
    let size = Int(status.st_size)
    guard size > 0 else {
      throw ModelError.malformedWeights(file: file.lastPathComponent, reason: "it is empty")
    }
    guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
      if errno == ENOMEM { throw AddressSpace.Shortage(needed: size, left: AddressSpace.left ?? 0) }
      throw ModelFile.failure(file)
    }
    bytes = UnsafeRawBufferPointer(start: start, count: size)
  }

  /// Lets go of the pages that have been read; the next touch reads them again.
  func releasePages() {
    madvise(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count, MADV_DONTNEED)
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
}
