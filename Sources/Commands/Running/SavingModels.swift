import Encoder
import Foundation
import Workbench

extension Context {
  /// Says before the training that there will be no room for its result.
  func requireRoom(for bytes: Int) throws {
    let values = try? FileManager.default.attributesOfFileSystem(forPath: workspace.folder.path)
    guard let free = (values?[.systemFreeSize] as? NSNumber)?.intValue else { return }
    // A tenth more, since the database and its log grow as well.
    let needed = bytes + bytes / 10
    if free < needed { throw Fault.diskFull(needed: needed, free: free) }
  }

  /// Writes a tuned model under a temporary name and renames it when every byte is on the disk, so that Ctrl-C, a kill or a
  /// power cut leaves no half-written model.
  ///
  /// - Returns: its bytes on disk.
  func save(_ result: TrainingResult, method: Method, to folder: String) throws -> Int {
    let manager = FileManager.default
    let target = workspace.modelsFolder.appending(path: folder)
    let temporary = workspace.modelsFolder.appending(path: ".\(folder).part")
    do {
      try manager.createDirectory(at: temporary, withIntermediateDirectories: true)
      try result.head.save(to: temporary)
      if method != .linear { try result.model.save(to: temporary) }
      let files = try manager.contentsOfDirectory(at: temporary, includingPropertiesForKeys: nil)
      var bytes = 0
      for file in files { bytes += try synchronize(file) }
      _ = try synchronize(temporary)
      try manager.moveItem(at: temporary, to: target)
      _ = try synchronize(workspace.modelsFolder)
      return bytes
    } catch let error as CancellationError {
      throw error
    } catch {
      try? manager.removeItem(at: temporary)
      throw Fault.cannotWrite(path: "the workspace's models folder")
    }
  }
}

/// Waits until a file's or folder's bytes are on the disk; returns its size.
private func synchronize(_ url: URL) throws -> Int {
  let descriptor = open(url.path, O_RDONLY)
  guard descriptor >= 0 else { throw Fault.cannotWrite(path: url.lastPathComponent) }
  defer { close(descriptor) }
  guard fsync(descriptor) == 0 else { throw Fault.cannotWrite(path: url.lastPathComponent) }
  var status = stat()
  guard fstat(descriptor, &status) == 0 else { return 0 }
  return Int(status.st_size)
}
