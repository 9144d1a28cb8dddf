import Encoder
import Foundation
import Workbench

extension Context {
  /// Says before the training that there will be no room for its result.
  func requireRoom(for bytes: Int) throws {
    try workspace.requireWritable()
    // A tenth more, since the database and its log grow as well.
    let needed = bytes + bytes / 10
    let free = workspace.freeBytes
    if free < needed { throw Fault.diskFull(needed: needed, free: free) }
  }

  /// Writes a tuned model's files, durable, where nothing names them yet; the step's transaction gives them their place.
  func save(_ result: TrainingResult, method: Method) throws -> ModelFolder {
    let files = try workspace.newModelFolder()
    do {
      try result.head.save(to: files.folder.appending(path: Self.headName))
      switch method {
      case .linear: break
      case .adapter: try result.model.save(adapterTo: files.folder)
      case .full, .gradual: try result.model.save(to: files.folder)
      }
      try files.synchronise()
      return files
    } catch {
      files.discard()
      throw error
    }
  }
}
