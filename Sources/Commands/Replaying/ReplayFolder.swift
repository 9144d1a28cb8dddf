import Foundation

/// The temporary folder of one replay, which nobody else may look into.
///
/// A replay that is killed cannot remove its own: the next one does. A lock tells which are in use; the system lets go of it when a
/// process ends, however it ends.
final class ReplayFolder: Sendable {
  let url: URL
  private let lock: Int32

  private static let prefix = "fettle-replay-"
  private static let lockName = "in-use"

  /// Removes what killed replays of this user's have left, and makes a new one.
  ///
  /// - Throws: `CommandError.cannotWrite`.
  init() throws {
    let place = FileManager.default.temporaryDirectory
    Self.sweep(place)
    url = place.appending(path: Self.prefix + UUID().uuidString, directoryHint: .isDirectory)
    do {
      try FileManager.default.createDirectory(
        at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw CommandError.cannotWrite(path: "the folder for temporary files (TMPDIR)")
    }
    lock = open(url.appending(path: Self.lockName).path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      throw CommandError.cannotWrite(path: "the folder for temporary files (TMPDIR)")
    }
  }

  deinit { close(lock) }

  func remove() {
    try? FileManager.default.removeItem(at: url)
  }

  private static func sweep(_ place: URL) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
    for name in names where name.hasPrefix(prefix) {
      let folder = place.appending(path: name, directoryHint: .isDirectory)
      var status = stat()
      // In a folder that all share, others may put links and folders under such names.
      guard lstat(folder.path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == getuid()
      else { continue }
      let lock = open(folder.appending(path: lockName).path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
      defer { if lock >= 0 { close(lock) } }
      // Without a lock its owner may be about to make one, or be a fettle of before there were locks.
      let isOld = status.st_mtim.tv_sec < time(nil) - 86_400
      let isLeft = lock >= 0 ? flock(lock, LOCK_EX | LOCK_NB) == 0 : isOld
      if isLeft { try? FileManager.default.removeItem(at: folder) }
    }
  }
}
