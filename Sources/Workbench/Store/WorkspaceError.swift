import Basics
import Foundation
import GRDB

/// Why a workspace could not be opened, read or written. What was finished before stays.
public indirect enum WorkspaceError: Error, Equatable, Sendable {
  /// The folder cannot be written.
  case readOnly(folder: String)
  /// A file stands where the folder should be.
  case fileInTheWay(path: String)
  /// The folder above it does not exist, or cannot be entered.
  case unreachable(folder: String)
  case newer(folder: String, found: Int, known: Int)
  case foreign(folder: String)
  case corrupt(folder: String)
  case diskFull(folder: String)
  /// A file would be larger than `ulimit -f` allows.
  case fileLimit(folder: String)
  /// More files would be open than `ulimit -n` allows.
  case tooManyFiles(folder: String)
  /// The work was set aside under a name, and the empty workspace in its place cannot be opened.
  case notBegun(aside: String, WorkspaceError)
  /// Another process wrote for longer than we wait.
  case busy(folder: String)
  /// Another process has the workspace open, so it cannot be set aside.
  case inUse(folder: String)
  case nameTaken(kind: String, name: String)
  case badName(kind: String, name: String)
  /// The run went while its predictions were made: the interface changed, or its data set or model went.
  case runGone(model: String)
  /// Another session has taken the place of the one that a long work was begun in.
  case sessionGone(folder: String)
  /// SQLite's or the system's number for what nothing above names.
  case failed(folder: String, number: Int)
}

extension WorkspaceError {
  /// A stable name for programs.
  public var code: String {
    switch self {
    case .readOnly: "workspace-read-only"
    case .fileInTheWay: "workspace-file-in-the-way"
    case .unreachable: "workspace-unreachable"
    case .newer: "workspace-newer"
    case .foreign: "workspace-foreign"
    case .corrupt: "workspace-corrupt"
    case .diskFull, .fileLimit: "disk-full"
    case .tooManyFiles: "workspace-files"
    case .notBegun(_, let cause): cause.code
    case .busy: "workspace-busy"
    case .inUse: "workspace-in-use"
    case .nameTaken: "name-taken"
    case .badName: "bad-name"
    case .runGone: "predictions-outdated"
    case .sessionGone: "workspace-session-gone"
    case .failed: "workspace-failed"
    }
  }

  /// Always nil: these are about a folder, not a place in a file.
  public var place: Place? { nil }
}

extension WorkspaceError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .readOnly(let folder):
      "The workspace \(folder.visible) cannot be written. Work in a folder of your own: fettle --workspace DIR."
    case .fileInTheWay(let path):
      "\(path.visible) is a file where the workspace's folder should be. Move it, or use another: fettle --workspace DIR."
    case .unreachable(let folder):
      "The folder for the workspace \(folder.visible) is not there or may not be entered. Make it first, or use another: fettle --workspace DIR."
    case .newer(let folder, let found, let known):
      """
      The workspace \(folder.visible) was written by a newer fettle (its form is \(found), this one knows up to \(known)). \
      Update fettle, or use another: fettle --workspace DIR.
      """
    case .foreign(let folder):
      "\(folder.visible) holds a database that is not fettle's. Use another folder: fettle --workspace DIR."
    case .corrupt(let folder):
      """
      The workspace \(folder.visible) is damaged. Set it aside and start anew with: fettle session new. Its session.md still replays.
      """
    case .diskFull(let folder):
      "The disk that holds \(folder.visible) is full. Make room; what was finished before is kept."
    case .fileLimit(let folder):
      "A file of \(folder.visible) would grow larger than this shell allows (ulimit -f). Allow more: ulimit -f unlimited. What was finished before is kept."
    case .tooManyFiles(let folder):
      "This shell lets fettle open too few files for \(folder.visible) (ulimit -n). Allow more: ulimit -n 256."
    case .notBegun(let aside, let cause):
      "The old work is set aside as \(aside.visible), but no new session could begin: \(cause) The way back: session open \(aside.visible)"
    case .busy(let folder):
      "Another fettle is writing to \(folder.visible) and did not finish in time. Try again when it is done."
    case .inUse(let folder):
      "Another fettle has \(folder.visible) open. Leave it there first (quit), then try again."
    case .nameTaken(let kind, let name):
      "There is a \(kind) named \(name.excerpt()) already. Choose another: --name NAME."
    case .badName(let kind, let name):
      "\(name.isEmpty ? "An empty name" : name.excerpt()) cannot name a \(kind). Use letters, digits, - _ and . (up to 100)."
    case .runGone(let model):
      "While \(model.visible) was predicting, the interface, the data set or the model changed. Run predict again."
    case .sessionGone(let folder):
      "Another session has taken the place of the one in \(folder.visible) meanwhile, so this was not kept. Begin it anew, or open the one before: session list"
    case .failed(let folder, let number):
      "The workspace \(folder.visible) could not be used (number \(number)). Is its disk in order?"
    }
  }
}

extension WorkspaceError {
  /// What SQLite's error means for the learner; its own text goes nowhere, since it differs between versions.
  init(_ error: DatabaseError, _ layout: Layout) {
    switch error.resultCode {
    case .SQLITE_FULL: self = .diskFull(folder: layout.name)
    case .SQLITE_READONLY, .SQLITE_PERM: self = .readOnly(folder: layout.name)
    case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL: self = .busy(folder: layout.name)
    case .SQLITE_CANTOPEN, .SQLITE_IOERR:
      switch error.extendedResultCode {
      case _ where Self.isOutOfDescriptors: self = .tooManyFiles(folder: layout.name)
      case _ where layout.isFull: self = .diskFull(folder: layout.name)
      // What should be a file is a folder, or shorter than it says of itself.
      case _ where layout.isDatabaseUnfit, .SQLITE_IOERR_SHORT_READ, .SQLITE_IOERR_CORRUPTFS:
        self = .corrupt(folder: layout.name)
      case _ where Self.hasFileLimit: self = .fileLimit(folder: layout.name)
      default: self = .failed(folder: layout.name, number: Int(error.extendedResultCode.rawValue))
      }
    case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT, .SQLITE_MISMATCH, .SQLITE_TOOBIG, .SQLITE_EMPTY:
      self = .corrupt(folder: layout.name)
    // All that fettle asks fits its own tables: these are others, with columns that are missing or triggers that refuse.
    case .SQLITE_ERROR: self = .corrupt(folder: layout.name)
    case .SQLITE_CONSTRAINT where error.extendedResultCode != .SQLITE_CONSTRAINT_FOREIGNKEY:
      self = .corrupt(folder: layout.name)
    default: self = .failed(folder: layout.name, number: Int(error.extendedResultCode.rawValue))
    }
  }

  /// The same for the system's.
  init(_ error: FileError, _ layout: Layout) {
    switch error.number {
    case EFBIG: self = .fileLimit(folder: layout.name)
    case EMFILE, ENFILE: self = .tooManyFiles(folder: layout.name)
    case _ where error.isOutOfRoom: self = .diskFull(folder: layout.name)
    case EACCES, EPERM, EROFS: self = .readOnly(folder: layout.name)
    default: self = .failed(folder: layout.name, number: Int(error.number))
    }
  }

  /// SQLite does not say why it cannot open a file.
  private static var isOutOfDescriptors: Bool {
    let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
    if descriptor >= 0 { close(descriptor) }
    return descriptor < 0 && [EMFILE, ENFILE].contains(errno)
  }

  private static var hasFileLimit: Bool {
    var limit = rlimit()
    return getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0
      && limit.rlim_cur != .max
  }
}
