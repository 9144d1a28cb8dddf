import Foundation
import GRDB

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
/// What `write` has returned from survives a kill and a power cut. One that may only be read, on a disk mounted so say, can be
/// looked at: see ``isReadOnly``.
public struct Workspace: Sendable {
  public let folder: URL
  private let store: Store
  /// The session that is meant; nil for whichever is open.
  private var session: Int?

  private init(folder: URL, store: Store) {
    self.folder = folder
    self.store = store
  }

  /// Opens a workspace, and creates it where there is none.
  ///
  /// - Parameters:
  ///   - shownAs: the folder's name in messages, best as it was typed.
  ///   - isTemporary: it goes with the process that opens it, so that nothing in it has to survive a power cut.
  ///   - hold: for how long others are kept from setting it aside.
  /// - Throws: ``WorkspaceError``.
  public static func open(
    _ folder: URL, shownAs: String? = nil, isTemporary: Bool = false, holding hold: Hold = .process
  ) throws -> Workspace {
    let layout = Layout(folder: folder, shownAs: shownAs ?? folder.lastPathComponent)
    return Workspace(folder: folder, store: try Store(layout, isTemporary: isTemporary, holding: hold))
  }

  /// For how long a process keeps others from setting the workspace aside.
  public enum Hold: Sendable {
    /// As long as it has it open: what a person does step by step goes on where it began. To read and to write nobody waits for
    /// that; setting the session aside is refused.
    case process
    /// During each read and write alone: a server stands in nobody's way. After another process has set the session aside it goes
    /// on with the one that took its place; work that was begun before fails when it is to be kept.
    case unitOfWork
  }

  /// The same for work of many units: once another session has taken the place of the one that is open now, they fail.
  /// - Throws: ``WorkspaceError``; its units ``WorkspaceError/sessionGone(folder:)``.
  public func keepingSession() throws -> Workspace {
    var same = self
    same.session = try session ?? store.session()
    return same
  }

  /// Whether opening created it, or setting aside left it empty.
  public var isNew: Bool { store.isNew }

  /// Whether it can only be looked at: its folder, or its disk, may not be written.
  public var isReadOnly: Bool { store.isReadOnly }

  /// Whether it goes with the process that opened it.
  public var isTemporary: Bool { store.isTemporary }

  /// - Throws: ``WorkspaceError/readOnly(folder:)``; for work that takes long before it writes.
  public func requireWritable() throws {
    guard !isReadOnly else { throw WorkspaceError.readOnly(folder: store.layout.name) }
  }

  /// What is said of one whose rows contradict each other, found outside of `read`.
  public var damage: WorkspaceError { .corrupt(folder: store.layout.name) }

  /// Where tuned models lie, each in a folder of its name.
  public var modelsFolder: URL { store.layout.models }

  /// The session's document.
  public var document: URL { store.layout.document }

  /// Bytes that can still be written to the workspace's disk.
  public var freeBytes: Int { store.layout.freeBytes }

  /// Reads in one transaction: everything `body` sees is of one moment. Not to be called inside another.
  public func read<T>(_ body: (Workbench) throws -> T) throws -> T {
    try store.access(of: session) { queue, layout in
      try queue.read { try body(Workbench(db: $0, layout: layout)) }
    }
  }

  /// Writes in one transaction: all of what `body` does is kept, or, when it throws, nothing. Not to be
  /// called inside another.
  @discardableResult
  public func write<T>(_ body: (Workbench) throws -> T) throws -> T { try write(waits: true, body) }

  /// The same for what can be found out again: it survives a kill, and a power cut may take it back. The disk is not waited for.
  public func writeWithoutWaiting<T>(_ body: (Workbench) throws -> T) throws -> T {
    try write(waits: false, body)
  }

  private func write<T>(waits: Bool, _ body: (Workbench) throws -> T) throws -> T {
    try requireWritable()
    return try store.access(of: session) { queue, layout in
      try queue.writeWithoutTransaction { db in
        try store.write(db, waits: waits) { try body(Workbench(db: db, layout: layout)) }
      }
    }
  }

  /// Closes the database, for a process whose last reference to it may outlive what it does; whoever uses it opens it again.
  public func close() { store.close() }

  /// To be called last, before closing, by a process that has changed nothing but the log. Closing a workspace writes its journal into the database,
  /// so that one file holds everything, and that waits for the disk twice; a short journal stays, and whoever closes next does it.
  public func leaveShortJournal() { store.leaveShortJournal() }

  /// ``write(_:)``, or, where the workspace can only be looked at, ``read(_:)``: what mostly looks still serves there.
  ///
  /// - Throws: ``WorkspaceError/readOnly(folder:)`` where `body` writes all the same.
  public func writeIfPossible<T>(_ body: (Workbench) throws -> T) throws -> T {
    try isReadOnly ? read(body) : write(body)
  }

  /// Sets everything aside (database, models, document) and goes on with an empty workspace, in one step for whoever looks: a kill
  /// or a full disk leaves the work where it was, or the new workspace as `beginning` made it.
  ///
  /// - Parameters:
  ///   - name: what it will be called in `sessions`; nil for the next number.
  ///   - beginning: writes into the new workspace what it has from its start.
  /// - Throws: ``WorkspaceError/inUse(folder:)`` when another process has the workspace open: what it wrote afterwards
  ///   would go into the set-aside one unseen.
  @discardableResult
  public func setAside(named name: String? = nil, beginning: (Workbench) throws -> Void = { _ in }) throws
    -> SetAside
  {
    try requireWritable()
    return try store.setAside(named: name, beginning: beginning)
  }

  /// Goes on with work that was set aside; what is here is set aside for it, or thrown away.
  ///
  /// - Returns: what was set aside; nil where nothing was kept.
  /// - Throws: ``WorkspaceError``.
  @discardableResult
  public func open(_ aside: SetAside, keepingThis: Bool, named name: String? = nil) throws -> SetAside? {
    try requireWritable()
    return try store.open(aside, keepingThis: keepingThis, named: name)
  }

  /// Throws away what was set aside.
  public func remove(_ aside: SetAside) throws {
    try requireWritable()
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
    return try lock.exclusively {
      try SetAside.move(layout, named: try SetAside.freeName(layout, wanted: name))
    }
  }

  func makeModelFolder() throws -> ModelFolder {
    // A unit of work, so that nobody sweeps it before it is held.
    try store.access(of: session) { _, layout in try ModelFolder(layout) }
  }

  /// What was set aside, the oldest first.
  public func setAsides() -> [SetAside] { SetAside.list(store.layout) }
}
