import Foundation
import GRDB
import Synchronization

/// A folder that holds one learner's work: the database, tuned models, and the session's document.
///
/// ```
/// .fettle/workspace.sqlite   everything but weights
/// .fettle/models/NAME        tuned models
/// .fettle/session.md         the document, written from the log of steps
/// .fettle/sessions/NAME      what was set aside
/// .fettle/lock               who has it open
/// ```
///
/// Several processes may have one open: readers never wait, writers wait for each other up to ten seconds.
/// What `write` has returned from survives a kill and a power cut.
public struct Workspace: Sendable {
  public let folder: URL
  private let store: Store

  private init(folder: URL, store: Store) {
    self.folder = folder
    self.store = store
  }

  /// Opens a workspace, and creates it where there is none.
  ///
  /// Throws ``WorkspaceError``. `shownAs` is the folder's name in its messages, best as it was typed.
  public static func open(_ folder: URL, shownAs: String? = nil) throws -> Workspace {
    let layout = Layout(folder: folder, shownAs: shownAs ?? folder.lastPathComponent)
    return Workspace(folder: folder, store: try Store(layout))
  }

  /// Whether opening created it, or setting aside left it empty.
  public var isNew: Bool { store.isNew }

  /// Where tuned models lie, each in a folder of its name.
  public var modelsFolder: URL { store.layout.models }

  /// The session's document.
  public var document: URL { store.layout.document }

  /// Bytes that can still be written to the workspace's disk.
  public var freeBytes: Int { store.layout.freeBytes }

  /// Reads in one transaction: everything `body` sees is of one moment. Not to be called inside another.
  public func read<T>(_ body: (Workbench) throws -> T) throws -> T {
    try store.access { queue, layout in
      try queue.read { try body(Workbench(db: $0, layout: layout)) }
    }
  }

  /// Writes in one transaction: all of what `body` does is kept, or, when it throws, nothing. Not to be
  /// called inside another.
  @discardableResult
  public func write<T>(_ body: (Workbench) throws -> T) throws -> T {
    try store.access { queue, layout in
      try queue.writeWithoutTransaction { db in
        var result: T?
        try db.inTransaction(.immediate) {
          result = try body(Workbench(db: db, layout: layout))
          return .commit
        }
        guard let result else { throw WorkspaceError.failed(folder: layout.name, number: 0) }
        return result
      }
    }
  }

  /// Sets everything aside (database, models, document) and goes on with an empty workspace.
  ///
  /// `name` is what it will be called in `sessions`; nil for the next number. Throws
  /// ``WorkspaceError/inUse(folder:)`` when another process has the workspace open: what it wrote afterwards
  /// would go into the set-aside one unseen.
  @discardableResult
  public func setAside(named name: String? = nil) throws -> SetAside { try store.setAside(named: name) }

  /// Goes on with work that was set aside; what is here is set aside for it, or thrown away.
  ///
  /// - Returns: what was set aside; nil where nothing was kept.
  /// - Throws: ``WorkspaceError``.
  @discardableResult
  public func open(_ aside: SetAside, keepingThis: Bool, named name: String? = nil) throws -> SetAside? {
    try store.open(aside, keepingThis: keepingThis, named: name)
  }

  /// Throws away what was set aside.
  public func remove(_ aside: SetAside) throws {
    do {
      try FileManager.default.removeItem(at: aside.folder)
    } catch {
      throw WorkspaceError.readOnly(folder: store.layout.name)
    }
  }

  /// Everything that the session is made of.
  public var files: [URL] { Layout.files(below: store.layout.work) }

  /// The same for a workspace that cannot be opened, a damaged one say; nil where there is nothing to set
  /// aside.
  @discardableResult
  public static func setAside(_ folder: URL, named name: String? = nil, shownAs: String? = nil) throws
    -> SetAside?
  {
    let layout = Layout(folder: folder, shownAs: shownAs ?? folder.lastPathComponent)
    guard layout.hasWork else { return nil }
    let lock = try WorkspaceLock(layout)
    return try lock.exclusively { try SetAside.move(layout, named: name) }
  }

  func makeModelFolder() throws -> ModelFolder { try ModelFolder(store.layout) }

  /// What was set aside, the oldest first.
  public func setAsides() -> [SetAside] { SetAside.list(store.layout) }
}

/// The open database of a workspace; another one takes its place when the first is set aside.
private final class Store: Sendable {
  let layout: Layout
  private let lock: WorkspaceLock
  private let state: Mutex<State>

  private struct State {
    var queue: DatabaseQueue?
    var isNew: Bool
  }

  init(_ layout: Layout) throws {
    self.layout = layout
    try layout.create()
    lock = try WorkspaceLock(layout)
    if SetAside.isInterrupted(layout) {
      try lock.exclusively { try SetAside.finishInterrupted(layout) }
    }
    state = Mutex(try Self.open(layout))
    if try !leftovers().isEmpty {
      // Where another process is at work here, one of them may be its own.
      try? lock.exclusively {
        for leftover in try leftovers() { try? FileManager.default.removeItem(at: leftover) }
      }
    }
  }

  /// Folders of models that no row names.
  private func leftovers() throws -> [URL] {
    let named = try access { queue, layout in
      try queue.read { Set(try Workbench(db: $0, layout: layout).models().map(\.folder)) }
    }
    return ModelFolder.leftovers(layout, named: named)
  }

  var isNew: Bool { state.withLock { $0.isNew } }

  func access<T>(_ body: (DatabaseQueue, Layout) throws -> T) throws -> T {
    let queue = try state.withLock { state in
      if state.queue == nil { state = try Self.open(layout) }
      return state.queue
    }
    guard let queue else { throw WorkspaceError.failed(folder: layout.name, number: 0) }
    do {
      return try body(queue, layout)
    } catch let error as DatabaseError {
      throw WorkspaceError(error, layout)
    }
  }

  func setAside(named name: String?) throws -> SetAside {
    try state.withLock { state in
      try lock.exclusively {
        // Closing writes the journal back, so that one file holds everything.
        try? state.queue?.close()
        state.queue = nil
        let moved = try SetAside.move(layout, named: name)
        state = try Self.open(layout)
        return moved
      }
    }
  }

  func open(_ aside: SetAside, keepingThis: Bool, named name: String?) throws -> SetAside? {
    try state.withLock { state in
      try lock.exclusively {
        try? state.queue?.close()
        state.queue = nil
        let moved = try SetAside.move(layout, named: name)
        try aside.moveBack(layout)
        if !keepingThis { try? FileManager.default.removeItem(at: moved.folder) }
        state = try Self.open(layout)
        return keepingThis ? moved : nil
      }
    }
  }

  private static func open(_ layout: Layout) throws -> State {
    var configuration = Configuration()
    configuration.label = "workspace"
    configuration.busyMode = .timeout(10)
    configuration.foreignKeysEnabled = true
    do {
      let queue = try DatabaseQueue(path: layout.database.path, configuration: configuration)
      let finding = try queue.writeWithoutTransaction { db in
        // Not GRDB's own way to WAL, which writes to the disk at every opening.
        if try String.fetchOne(db, sql: "PRAGMA journal_mode") != "wal" {
          try db.execute(sql: "PRAGMA journal_mode = WAL")
        }
        try db.execute(sql: "PRAGMA synchronous = FULL")
        return try Schema.prepare(db)
      }
      switch finding {
      case .newer(let found):
        throw WorkspaceError.newer(folder: layout.name, found: found, known: Schema.version)
      case .foreign: throw WorkspaceError.foreign(folder: layout.name)
      case .created, .current: return State(queue: queue, isNew: finding == .created)
      }
    } catch let error as DatabaseError {
      throw WorkspaceError(error, layout)
    }
  }
}
