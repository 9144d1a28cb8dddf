import Basics
import Foundation
import Synchronization

/// The places in a workspace's folder.
struct Layout: Sendable {
  let folder: URL
  /// The folder's name for messages.
  let name: String

  init(folder: URL, shownAs: String) {
    self.folder = folder
    name = shownAs
  }

  var database: URL { folder.appendingPathComponent("workspace.sqlite") }
  var models: URL { folder.appendingPathComponent("models") }
  var document: URL { folder.appendingPathComponent("session.md") }
  var sessions: URL { folder.appendingPathComponent("sessions") }
  var lock: URL { folder.appendingPathComponent("lock") }

  /// What belongs to a session, the database first: whatever else stays behind in an interrupted move holds
  /// nothing that the database does not know.
  var work: [URL] {
    let journals = ["-wal", "-shm", "-journal"].map { URL(fileURLWithPath: database.path + $0) }
    return [database] + journals + [models, document]
  }

  var hasWork: Bool { work.contains { FileManager.default.fileExists(atPath: $0.path) } }

  /// What a kill left of files that were written here first, to be moved where the learner wanted them.
  var unfinishedFiles: [URL] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasPrefix(DurableFile.partPrefix) }.map { folder.appendingPathComponent($0) }
  }

  /// The files below some places, at any depth.
  static func files(below places: [URL]) -> [URL] {
    places.flatMap { place -> [URL] in
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder) else { return [] }
      guard isFolder.boolValue else { return [place] }
      let inside = try? FileManager.default.contentsOfDirectory(at: place, includingPropertiesForKeys: nil)
      return files(below: inside ?? [])
    }
  }

  var freeBytes: Int {
    var status = statvfs()
    guard statvfs(folder.path, &status) == 0 else { return .max }
    return Int(status.f_bavail) * Int(status.f_frsize)
  }

  /// Whether there is work in it that may be read and not written: on a disk mounted so, in another's folder.
  var isReadOnly: Bool {
    [folder, database].contains { access($0.path, W_OK) != 0 && [EACCES, EPERM, EROFS].contains(errno) }
      && access(database.path, R_OK) == 0
  }

  /// Whether something else stands in the database's place.
  var isDatabaseUnfit: Bool {
    var status = stat()
    return stat(database.path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
  }

  /// Whether not even a small file fits.
  var isFull: Bool { freeBytes < 1 << 16 }

  /// Makes the folder, and those above it. Throws ``WorkspaceError``.
  func create() throws {
    var made = URL(fileURLWithPath: "/")
    for component in folder.standardizedFileURL.pathComponents.dropFirst() {
      made.appendPathComponent(component)
      if mkdir(made.path, 0o777) == 0 { continue }
      switch errno {
      case EEXIST, EISDIR: break
      case ENOSPC, EDQUOT: throw WorkspaceError.diskFull(folder: name)
      case ENOTDIR:
        throw WorkspaceError.fileInTheWay(path: made.deletingLastPathComponent().lastPathComponent)
      case EACCES, EPERM, EROFS:
        // Folders above may well be closed to us and yet lead to ours.
        if access(made.path, F_OK) == 0 { break }
        throw WorkspaceError.readOnly(folder: name)
      default: throw WorkspaceError.unreachable(folder: name)
      }
    }
    var status = stat()
    guard stat(folder.path, &status) == 0 else { throw WorkspaceError.unreachable(folder: name) }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw WorkspaceError.fileInTheWay(path: name) }
    guard access(folder.path, R_OK | W_OK | X_OK) == 0 else { throw WorkspaceError.readOnly(folder: name) }
  }
}

/// Says that a process has the workspace open; the system lets go of it when the process ends, however it
/// ends.
final class WorkspaceLock: Sendable {
  private let descriptor: Int32
  private let name: String
  /// Whether it is held between units of work too.
  let isLasting: Bool
  /// Units of work under way.
  private let users = Mutex(0)

  /// Waits while another process is setting the workspace aside.
  init(_ layout: Layout, isLasting: Bool = true) throws {
    name = layout.name
    self.isLasting = isLasting
    descriptor = open(layout.lock.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      switch errno {
      case EACCES, EPERM, EROFS: throw WorkspaceError.readOnly(folder: name)
      case ENOSPC, EDQUOT: throw WorkspaceError.diskFull(folder: name)
      case EMFILE, ENFILE: throw WorkspaceError.tooManyFiles(folder: name)
      default: throw WorkspaceError.unreachable(folder: name)
      }
    }
    _ = wait(LOCK_SH)
  }

  /// For one that may only be read; where there is nothing to lock there is nobody who could write either.
  init(lookingAt layout: Layout) throws {
    name = layout.name
    isLasting = true
    descriptor = open(layout.lock.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 || ![EMFILE, ENFILE].contains(errno) else {
      throw WorkspaceError.tooManyFiles(folder: name)
    }
    _ = wait(LOCK_SH)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// To be called when a workspace is open whose lock is held for units of work alone.
  func release() { if !isLasting { _ = wait(LOCK_UN) } }

  /// Runs a unit of work, during which nobody sets the workspace aside.
  func shared<T>(_ body: () throws -> T) rethrows -> T {
    if isLasting { return try body() }
    users.withLock { users in
      if users == 0 { _ = wait(LOCK_SH) }
      users += 1
    }
    defer {
      users.withLock { users in
        users -= 1
        if users == 0 { _ = wait(LOCK_UN) }
      }
    }
    return try body()
  }

  /// Runs `body` while nobody else has the workspace open; throws ``WorkspaceError/inUse(folder:)`` when
  /// somebody has.
  func exclusively<T>(_ body: () throws -> T) throws -> T {
    guard wait(LOCK_EX | LOCK_NB) else {
      // A refused change of lock loses the old one.
      _ = wait(isLasting ? LOCK_SH : LOCK_UN)
      throw WorkspaceError.inUse(folder: name)
    }
    defer { _ = wait(isLasting ? LOCK_SH : LOCK_UN) }
    return try body()
  }

  private func wait(_ operation: Int32) -> Bool {
    while flock(descriptor, operation) != 0 {
      if errno != EINTR { return false }
    }
    return true
  }
}
