import Basics
import Foundation
import Workbench

/// A file on its way to its place, piece by piece: under its name there is always a whole file, the old one or the new one.
struct NewFile {
  private let target: URL
  private let shown: String
  private let staging: URL

  /// - Parameters:
  ///   - shown: its path for messages.
  ///   - workspace: sweeps what a kill leaves.
  init(_ target: URL, shownAs shown: String, in workspace: Workspace) {
    self.target = target
    self.shown = shown
    staging = workspace.folder
  }

  /// - Parameter body: may be called twice; what it wrote at first is thrown away then.
  /// - Throws: `CommandError.cannotWrite`, `CommandError.noRoom`, and what `body` throws; then nothing is left behind.
  func write(_ body: (Output) throws -> Void) throws {
    do {
      try DurableFile.replace(target, staging: staging) { descriptor in
        let output = Output(descriptor, target)
        try body(output)
        try output.flush()
      }
    } catch let error as FileError {
      throw CommandError(error, shownAs: shown)
    }
  }

  /// Where its text goes, in large pieces.
  final class Output {
    private let descriptor: Int32
    private let target: URL
    private var pending: [UInt8] = []
    private static let piece = 1 << 18

    fileprivate init(_ descriptor: Int32, _ target: URL) {
      (self.descriptor, self.target) = (descriptor, target)
    }

    func append(_ text: String) throws {
      pending.append(contentsOf: text.utf8)
      if pending.count >= Self.piece { try flush() }
    }

    fileprivate func flush() throws {
      try pending.withUnsafeBytes { try DurableFile.write($0, to: descriptor, of: target) }
      pending.removeAll(keepingCapacity: true)
    }
  }
}

extension FileAccess {
  /// The file behind a typed path, to be written.
  ///
  /// - Throws: `CommandError.fileExists` where one is there already that may not be replaced.
  func writing(_ path: String, replacing: Bool) throws -> URL {
    let url = try writing(path)
    guard replacing || !FileManager.default.fileExists(atPath: url.path) else {
      throw CommandError.fileExists(path: shown(path))
    }
    return url
  }
}
