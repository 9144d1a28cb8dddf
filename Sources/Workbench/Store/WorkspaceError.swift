import GRDB

/// Why a workspace could not be opened, read or written. What was finished before stays.
public enum WorkspaceError: Error, Equatable, Sendable {
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
  /// Another process wrote for longer than we wait.
  case busy(folder: String)
  /// Another process has the workspace open, so it cannot be set aside.
  case inUse(folder: String)
  case nameTaken(kind: String, name: String)
  case badName(kind: String, name: String)
  /// The run went while its predictions were made: the interface changed, or its data set or model went.
  case runGone(model: String)
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
    case .diskFull: "disk-full"
    case .busy: "workspace-busy"
    case .inUse: "workspace-in-use"
    case .nameTaken: "name-taken"
    case .badName: "bad-name"
    case .runGone: "predictions-outdated"
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
    case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT: self = .corrupt(folder: layout.name)
    case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL: self = .busy(folder: layout.name)
    case .SQLITE_CANTOPEN where layout.isFull, .SQLITE_IOERR where layout.isFull:
      self = .diskFull(folder: layout.name)
    default: self = .failed(folder: layout.name, number: Int(error.extendedResultCode.rawValue))
    }
  }
}
