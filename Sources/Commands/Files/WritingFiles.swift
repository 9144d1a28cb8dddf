import Basics
import Foundation

extension Context {
  /// Puts a file where the learner wants it: whole, or, whatever happens, not at all.
  ///
  /// - Parameter name: how the error calls it.
  /// - Throws: `Fault.noRoom`, `Fault.cannotWrite`.
  func write(_ data: Data, to url: URL, shownAs name: String) throws {
    do {
      // What a kill leaves lies in the workspace, which sweeps it, and not among the learner's files.
      try DurableFile.replace(url, with: data, staging: workspace.folder)
    } catch let error as FileError {
      throw Fault(error, shownAs: name)
    }
  }
}

extension Fault {
  init(_ error: FileError, shownAs name: String) {
    self = error.isOutOfRoom ? .noRoom(path: name) : .cannotWrite(path: name)
  }
}
