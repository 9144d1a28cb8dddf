import CPosix
import Foundation

/// How files are opened for reading: wherever they lie, or only below some folders.
///
/// A path that was found to be allowed may lead elsewhere a moment later, when a link has been put in its way. So the kernel is
/// asked to open it below the folder or not at all (openat2 with RESOLVE_BENEATH; Linux 5.6).
public struct FileOpener: Sendable {
  private let folders: [URL]?
  /// Asked by whoever reads what was opened: whether to leave off.
  public var isCancelled: @Sendable () -> Bool = { false }

  public static let anywhere = FileOpener(folders: nil)

  public static func below(_ folders: [URL]) -> FileOpener { FileOpener(folders: folders) }

  /// Opens a file, and waits for nobody who may write to a pipe.
  ///
  /// - Returns: a descriptor, the caller's to close; -1 and `errno`, which is EXDEV for what lies outside the folders.
  public func open(_ file: URL) -> Int32 {
    guard let folders else { return Glibc.open(file.path, Self.flags) }
    let real = file.resolvingSymlinksInPath().standardizedFileURL
    for folder in folders.map({ $0.resolvingSymlinksInPath().standardizedFileURL }) {
      let (parts, root) = (real.pathComponents, folder.pathComponents)
      guard parts.starts(with: root) else { continue }
      let rest = parts.dropFirst(root.count).joined(separator: "/")
      return Self.open(rest.isEmpty ? "." : rest, below: folder)
    }
    errno = EXDEV
    return -1
  }

  private static let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK

  private static func open(_ path: String, below folder: URL) -> Int32 {
    let root = Glibc.open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard root >= 0 else { return -1 }
    let descriptor = fettle_open_beneath(root, path, flags)
    let number = errno
    close(root)
    // Older kernels do not know it, and some containers forbid what they do not know.
    guard descriptor < 0, [ENOSYS, EPERM].contains(number) else {
      errno = number
      return descriptor
    }
    return openAndCheck(folder.appendingPathComponent(path), below: folder)
  }

  /// Opens it and asks then where it lies.
  private static func openAndCheck(_ file: URL, below folder: URL) -> Int32 {
    let descriptor = Glibc.open(file.path, flags)
    guard descriptor >= 0 else { return -1 }
    let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")
    let parts = place.map { URL(fileURLWithPath: $0).pathComponents } ?? []
    if parts.starts(with: folder.pathComponents) { return descriptor }
    close(descriptor)
    errno = EXDEV
    return -1
  }
}
