import Basics
import CSQLite
import Foundation
import GRDB
import Synchronization

/// The open database of a workspace; another one takes its place when the first is set aside.
final class Store: Sendable {
  let layout: Layout
  let isReadOnly: Bool
  let isTemporary: Bool
  private let lock: WorkspaceLock
  private let state: Mutex<State>

  private struct State {
    var queue: DatabaseQueue?
    var isNew: Bool
    /// Which file is open, where another process may put another in its place.
    var file: FileNumber?
    /// Counts up when another session takes the place of this one.
    var session = 0
  }

  init(_ layout: Layout, isTemporary: Bool, holding hold: Workspace.Hold = .process) throws {
    self.layout = layout
    self.isTemporary = isTemporary
    isReadOnly = layout.isReadOnly
    if isReadOnly {
      lock = try WorkspaceLock(lookingAt: layout)
      state = Mutex(
        State(queue: try Self.mappingErrors(layout) { try ReadOnlyDatabase.open(layout) }, isNew: false))
      return
    }
    try layout.create()
    let lock = try WorkspaceLock(layout, isLasting: hold == .process)
    self.lock = lock
    defer { lock.release() }
    try Self.finishInterrupted(layout, lock)
    state = Mutex(try Self.open(layout, isTemporary: isTemporary, keepsJournal: !lock.isLasting))
    if try !leftovers().isEmpty {
      // Where another process is at work here, one of them may be its own. One that holds the workspace for units of work alone
      // holds what it writes.
      try? lock.exclusively {
        for leftover in try leftovers() where !DurableFile.isHeld(leftover) {
          try? FileManager.default.removeItem(at: leftover)
        }
      }
    }
  }

  /// Folders of models that no row names, and files that were not written to their end.
  private func leftovers() throws -> [URL] {
    let named = try access { queue, layout in
      try queue.read { Set(try Workbench(db: $0, layout: layout).models().map(\.folder)) }
    }
    return ModelFolder.leftovers(layout, named: named) + layout.unfinishedFiles
  }

  var isNew: Bool { state.withLock { $0.isNew } }

  /// - Parameter session: the one that is meant; nil for whichever is open.
  func access<T>(of session: Int? = nil, _ body: (DatabaseQueue, Layout) throws -> T) throws -> T {
    try lock.shared { try accessOpen(session, body) }
  }

  /// The session that is open.
  func session() throws -> Int { try access { _, _ in state.withLock { $0.session } } }

  private func accessOpen<T>(_ session: Int?, _ body: (DatabaseQueue, Layout) throws -> T) throws -> T {
    let queue = try state.withLock { state in
      if !lock.isLasting, state.queue != nil, state.file != FileNumber(layout.database) {
        // Another process has set the session aside since, or put one back. Writing the journal back would remove that of the
        // database which took its place, since SQLite knows it by its name.
        Self.close(&state, keepingJournal: true)
      }
      if state.queue == nil {
        // A change of sessions failed half-way.
        try Self.finishInterrupted(layout, lock)
        replace(&state, try Self.open(layout, isTemporary: isTemporary, keepsJournal: !lock.isLasting))
      }
      guard session == nil || session == state.session else {
        throw WorkspaceError.sessionGone(folder: layout.name)
      }
      return state.queue
    }
    guard let queue else { throw WorkspaceError.failed(folder: layout.name, number: 0) }
    return try Self.mappingErrors(layout) { try body(queue, layout) }
  }

  /// Runs `body` in a transaction of its own; when this returns, the disk has it, unless it is not to be waited for.
  func write<T>(_ db: Database, waits: Bool, _ body: () throws -> T) throws -> T {
    if isTemporary { return try transaction(db, body) }
    guard waits else {
      try db.execute(sql: "PRAGMA synchronous = NORMAL")
      defer { try? db.execute(sql: "PRAGMA synchronous = FULL") }
      return try transaction(db, body)
    }
    return try journalLength == 0 ? firstTransaction(db, body) : transaction(db, body)
  }

  private func transaction<T>(_ db: Database, _ body: () throws -> T) throws -> T {
    var result: T?
    try db.inTransaction(.immediate) {
      result = try body()
      return .commit
    }
    guard let result else { throw WorkspaceError.failed(folder: layout.name, number: 0) }
    return result
  }

  /// A transaction that begins the journal.
  ///
  /// SQLite waits for a journal's header by itself, and then for the pages, since pages of an older journal may lie behind it. In an
  /// empty file there are none, so that one wait does for both. The journal is not written back before that.
  private func firstTransaction<T>(_ db: Database, _ body: () throws -> T) throws -> T {
    var result: T?
    do {
      try db.execute(sql: "PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0")
      defer { try? db.execute(sql: "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000") }
      try db.inTransaction(.immediate) {
        // Another process may have begun it while this one waited for its turn.
        guard journalLength == 0 else { return .rollback }
        result = try body()
        return .commit
      }
      if result != nil, journalLength > 0, let connection = db.sqliteConnection {
        let code = fettle_sync_journal(UnsafeMutableRawPointer(connection))
        if code != 0 { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
      }
    }
    return try result ?? transaction(db, body)
  }

  private var journalLength: Int {
    var status = stat()
    return stat(layout.database.path + "-wal", &status) == 0 ? Int(status.st_size) : 0
  }

  /// Lets a short journal stay when the workspace is closed; a long one would take longer to read than to write back.
  func leaveShortJournal() {
    state.withLock { state in
      guard journalLength <= Self.longestJournal else { return }
      state.queue?.inDatabase { Self.keepJournal(true, $0) }
    }
  }

  func close() {
    state.withLock { state in
      guard !isReadOnly else { return }
      try? state.queue?.close()
      state.queue = nil
    }
  }

  private static func keepJournal(_ keeps: Bool, _ db: Database) {
    guard let connection = db.sqliteConnection else { return }
    fettle_keep_journal(UnsafeMutableRawPointer(connection), keeps ? 1 : 0)
  }

  private static let longestJournal = 1 << 20

  func setAside(named name: String?, beginning: (Workbench) throws -> Void) throws -> SetAside {
    try state.withLock { state in
      try lock.exclusively {
        let name = try SetAside.freeName(layout, wanted: name)
        // Before anything is moved, so that a full disk changes nothing.
        let prepared = try SetAside.prepare(layout, named: name) { try Self.create($0, layout, beginning) }
        Self.close(&state)
        let moved = try SetAside.finish(prepared, layout)
        do {
          replace(&state, try Self.open(layout, isTemporary: isTemporary, keepsJournal: !lock.isLasting))
          state.isNew = true
        } catch let error as WorkspaceError {
          throw WorkspaceError.notBegun(aside: moved.name, error)
        }
        return moved
      }
    }
  }

  func open(_ aside: SetAside, keepingThis: Bool, named name: String?) throws -> SetAside? {
    try state.withLock { state in
      try lock.exclusively {
        let name = try SetAside.freeName(layout, wanted: name)
        Self.close(&state)
        // First of all, so that whoever finishes what a kill broke off brings it back and does not begin anew.
        let returning = try aside.beginReturn(layout)
        let moved: SetAside
        do {
          moved = try SetAside.move(layout, named: name)
        } catch {
          try? SetAside.finishInterrupted(layout)
          throw error
        }
        try SetAside.finishReturn(returning, layout)
        if !keepingThis { try? FileManager.default.removeItem(at: moved.folder) }
        replace(&state, try Self.open(layout, isTemporary: isTemporary, keepsJournal: !lock.isLasting))
        return keepingThis ? moved : nil
      }
    }
  }

  private func replace(_ state: inout State, _ next: State) {
    let session = state.session + 1
    state = next
    state.session = session
  }

  /// Writes the journal back, so that one file holds everything, unless it is to be kept.
  private static func close(_ state: inout State, keepingJournal: Bool = false) {
    state.queue?.inDatabase { keepJournal(keepingJournal, $0) }
    try? state.queue?.close()
    state.queue = nil
  }

  private static func finishInterrupted(_ layout: Layout, _ lock: WorkspaceLock) throws {
    guard SetAside.isInterrupted(layout) else { return }
    try lock.exclusively { try SetAside.finishInterrupted(layout) }
  }

  /// - Parameter keepsJournal: whether this database may be moved away from under the process, and another take its place: its
  ///   journal must not be removed by name then.
  private static func open(_ layout: Layout, isTemporary: Bool, keepsJournal: Bool = false) throws -> State {
    try mappingErrors(layout) {
      let (queue, finding) = try connect(to: layout.database, isTemporary: isTemporary)
      if keepsJournal { queue.inDatabase { keepJournal(true, $0) } }
      switch finding {
      case .newer(let found):
        throw WorkspaceError.newer(folder: layout.name, found: found, known: Schema.version)
      case .foreign: throw WorkspaceError.foreign(folder: layout.name)
      case .damaged: throw WorkspaceError.corrupt(folder: layout.name)
      case .created, .current:
        return State(queue: queue, isNew: finding == .created, file: FileNumber(layout.database))
      }
    }
  }

  /// Makes a database that lies in one file when this returns.
  private static func create(_ file: URL, _ layout: Layout, _ fill: (Workbench) throws -> Void) throws {
    try mappingErrors(layout) {
      let (queue, _) = try connect(to: file)
      try queue.write { try fill(Workbench(db: $0, layout: layout)) }
      try queue.close()
    }
  }

  private static func connect(to file: URL, isTemporary: Bool = false) throws -> (
    queue: DatabaseQueue, finding: Schema.Finding
  ) {
    var configuration = Configuration()
    configuration.label = "workspace"
    configuration.busyMode = .timeout(10)
    configuration.foreignKeysEnabled = true
    let queue = try DatabaseQueue(path: file.path, configuration: configuration)
    let finding = try queue.writeWithoutTransaction { db in
      // Not GRDB's own way to WAL, which writes to the disk at every opening.
      if try String.fetchOne(db, sql: "PRAGMA journal_mode") != "wal" {
        try enterWAL(db)
      }
      try db.execute(sql: "PRAGMA synchronous = \(isTemporary ? "OFF" : "FULL")")
      return try Schema.prepare(db)
    }
    return (queue, finding)
  }

  /// SQLite answers at once where another process changes the mode too, whatever patience it was given.
  private static func enterWAL(_ db: Database) throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while true {
      do {
        return try db.execute(sql: "PRAGMA journal_mode = WAL")
      } catch let error as DatabaseError
        where error.resultCode == .SQLITE_BUSY && ContinuousClock.now < deadline
      {
        usleep(5000)
      }
    }
  }

  private static func mappingErrors<T>(_ layout: Layout, _ body: () throws -> T) throws -> T {
    do {
      return try body()
    } catch let error as DatabaseError {
      throw WorkspaceError(error, layout)
    } catch is DamagedValue, is RowDecodingError {
      throw WorkspaceError.corrupt(folder: layout.name)
    }
  }
}

/// Which file a name stands for.
struct FileNumber: Equatable {
  private let device: UInt64
  private let number: UInt64

  /// Nil where there is none.
  init?(_ file: URL) {
    var status = stat()
    guard stat(file.path, &status) == 0 else { return nil }
    (device, number) = (UInt64(status.st_dev), UInt64(status.st_ino))
  }
}

/// The database of a workspace that may not be written.
private enum ReadOnlyDatabase {
  static func open(_ layout: Layout) throws -> DatabaseQueue {
    // As it is, where another process has it open, or nobody had to make a file beside it.
    if let queue = try? open(layout.database.path) { return queue }
    // Where nothing waits in its journal the file alone will do.
    let journal = layout.database.path + "-wal"
    let waiting = (try? FileManager.default.attributesOfItem(atPath: journal))?[.size] as? NSNumber
    if waiting?.intValue ?? 0 == 0, let address = address(of: layout.database),
      let queue = try? open(address)
    {
      return queue
    }
    return try copy(layout)
  }

  /// - Throws: also for one that an older fettle wrote, which has to be brought up to date first.
  private static func open(_ path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.readonly = true
    configuration.busyMode = .timeout(10)
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    guard try queue.read(Schema.isFit) else { throw DamagedValue() }
    return queue
  }

  private static func address(of file: URL) -> String? {
    file.path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed).map { "file:\($0)?immutable=1" }
  }

  /// Into memory, by way of a copy in the folder for temporary files, where the journal can be written back.
  private static func copy(_ layout: Layout) throws -> DatabaseQueue {
    let manager = FileManager.default
    let folder = manager.temporaryDirectory.appendingPathComponent("fettle-look-\(UUID().uuidString)")
    defer { try? manager.removeItem(at: folder) }
    do {
      try manager.createDirectory(
        at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      for file in layout.work.prefix(2) where manager.fileExists(atPath: file.path) {
        let copy = folder.appendingPathComponent(file.lastPathComponent)
        try Data(contentsOf: file, options: .alwaysMapped).write(to: copy)
      }
    } catch {
      throw WorkspaceError.readOnly(folder: layout.name)
    }
    let copied = try Store(Layout(folder: folder, shownAs: layout.name), isTemporary: true)
    return try copied.access { source, _ in
      let queue = try DatabaseQueue()
      try source.backup(to: queue)
      return queue
    }
  }
}
