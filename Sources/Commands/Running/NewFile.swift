import Foundation

/// A file on its way to its place: written beside it, made durable, and only then given its name, so that under that
/// name there is always a whole file, the old one or the new one.
struct NewFile {
  private let target: URL
  private let shown: String

  /// - Parameter shown: its path for messages.
  init(_ target: URL, shownAs shown: String) {
    self.target = target.resolvingSymlinksInPath()
    self.shown = shown
  }

  /// - Throws: `Fault.cannotWrite`, and what `body` throws; then nothing is left behind.
  func write(_ body: (Output) throws -> Void) throws {
    let folder = target.deletingLastPathComponent()
    let partial = folder.appending(path: ".\(target.lastPathComponent).\(getpid()).fettle-part").path
    unlink(partial)
    let descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw Fault.cannotWrite(path: shown) }
    defer {
      close(descriptor)
      unlink(partial)
    }
    let output = Output(descriptor, shownAs: shown)
    try body(output)
    try output.flush()
    guard fsync(descriptor) == 0, rename(partial, target.path) == 0 else {
      throw Fault.cannotWrite(path: shown)
    }
    let directory = open(folder.path, O_RDONLY | O_CLOEXEC)
    guard directory >= 0 else { return }
    fsync(directory)
    close(directory)
  }

  /// Where its text goes, in large pieces.
  final class Output {
    private let descriptor: Int32
    private let shown: String
    private var pending: [UInt8] = []
    private static let piece = 1 << 18

    fileprivate init(_ descriptor: Int32, shownAs shown: String) {
      (self.descriptor, self.shown) = (descriptor, shown)
    }

    func append(_ text: String) throws {
      pending.append(contentsOf: text.utf8)
      if pending.count >= Self.piece { try flush() }
    }

    fileprivate func flush() throws {
      try pending.withUnsafeBytes { bytes in
        var written = 0
        while written < bytes.count {
          let count = Foundation.write(
            descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written)
          if count < 0, errno == EINTR { continue }
          guard count > 0 else { throw Fault.cannotWrite(path: shown) }
          written += count
        }
      }
      pending.removeAll(keepingCapacity: true)
    }
  }
}

extension FileAccess {
  /// The file behind a typed path, to be written.
  ///
  /// - Throws: `Fault.fileExists` where one is there already that may not be replaced.
  func writing(_ path: String, replacing: Bool) throws -> URL {
    let url = try writing(path)
    guard replacing || !FileManager.default.fileExists(atPath: url.path) else {
      throw Fault.fileExists(path: shown(path))
    }
    return url
  }
}
