import Basics
import Encoder
import Foundation
import Synchronization
import Workbench

extension ModelCache {
  /// SHA-256 of the weights' own digest and the settings beside them, 64 hexadecimal digits: what a model is, whatever it is
  /// called and wherever it lies. A GGUF file has its settings in it, and its own digest is all.
  /// - Throws: `ModelError`.
  func identity(of folder: URL) throws -> String {
    let settings = try PretrainedModel.settings(of: folder)
    let weights = PretrainedModel.weights(at: folder) ?? folder.appending(path: "model.safetensors")
    let digest = try digests.sha256(of: weights)
    guard !settings.isEmpty else { return digest }
    var hash = SHA256()
    hash.update(settings)
    hash.update(Data(digest.utf8))
    return hash.finalize().hexadecimal
  }
}

/// Which bytes a file's name stood for at a moment: another file, or another version of it, has another stamp.
struct FileStamp: Hashable {
  private let numbers: [Int]
  /// Seconds since 1970.
  private let changed: Int

  /// Nil where there is no file.
  init?(_ file: URL) {
    var status = stat()
    guard stat(file.path, &status) == 0 else { return nil }
    changed = Int(status.st_mtim.tv_sec)
    numbers = [
      Int(truncatingIfNeeded: status.st_dev), Int(truncatingIfNeeded: status.st_ino), Int(status.st_size),
      changed, Int(status.st_mtim.tv_nsec),
    ]
  }

  var line: String { numbers.map(String.init).joined(separator: " ") }

  /// Whether a further change would show. A clock ticks coarsely: what was changed just now may change again under one stamp.
  var isSettled: Bool { Int(Date().timeIntervalSince1970) - changed > 2 }
}

/// SHA-256 of large files, each read once and then known by its stamp, in this process and, where the cache folder can be
/// written, in later ones: 91 MB take longer to read than a shell takes to start.
final class FileDigests: Sendable {
  private let folder: URL
  private let known = Mutex<[FileStamp: String]>([:])

  /// - Parameter folder: made when something is to be kept; where it cannot be, each process reads anew.
  init(folder: URL) { self.folder = folder }

  /// 64 hexadecimal digits.
  /// - Throws: `ModelError.unreadableFile`.
  func sha256(of file: URL) throws -> String {
    guard let stamp = FileStamp(file) else {
      throw ModelError.missingFile(
        file.lastPathComponent, folder: file.deletingLastPathComponent().lastPathComponent)
    }
    if let digest = known.withLock({ $0[stamp] }) ?? kept(stamp, file) {
      known.withLock { $0[stamp] = digest }
      return digest
    }
    let digest: String
    do {
      digest = try Tasks.sha256(file)
    } catch {
      throw ModelError.unreadableFile(
        file.lastPathComponent, reason: "permission denied or a fault of the disk")
    }
    known.withLock { $0[stamp] = digest }
    if stamp.isSettled, FileStamp(file) == stamp { keep(digest, stamp, file) }
    return digest
  }

  /// One small file for each that was read: the stamp, then the digest.
  private func place(_ file: URL) -> URL {
    var path = SHA256()
    path.update(Data(file.standardizedFileURL.path.utf8))
    return folder.appending(path: path.finalize().prefix(16).hexadecimal)
  }

  private func kept(_ stamp: FileStamp, _ file: URL) -> String? {
    guard let lines = try? String(contentsOf: place(file), encoding: .utf8).split(separator: "\n"),
      lines.count == 2, lines[0] == stamp.line, lines[1].count == 64
    else { return nil }
    return String(lines[1])
  }

  private func keep(_ digest: String, _ stamp: FileStamp, _ file: URL) {
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    // Neither atomic nor durable: half of it is no digest, and is read as none. (Foundation's own writing waits for the disk.)
    let place = place(file)
    let descriptor = open(place.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    try? Array("\(stamp.line)\n\(digest)\n".utf8).withUnsafeBytes {
      try DurableFile.write($0, to: descriptor, of: place)
    }
  }
}
