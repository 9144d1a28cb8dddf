import Foundation
import GRDB
import Synchronization
import Testing
import Workbench

struct WorkspaceTests {
  let folder: Folder
  init() throws { folder = try Folder() }

  private var work: URL { folder.url.appendingPathComponent(".fettle") }

  @Test func aWorkspaceIsCreatedAndFoundAgain() throws {
    let workspace = try Workspace.open(folder.url.appendingPathComponent("a/b/.fettle"))
    #expect(workspace.isNew)
    try workspace.write { try $0.set("seed", to: "7") }
    let again = try Workspace.open(folder.url.appendingPathComponent("a/b/.fettle"))
    #expect(!again.isNew)
    #expect(try again.read { try $0.setting("seed") } == "7")
  }

  @Test func itWritesAhead() throws {
    let workspace = try Workspace.open(work)
    try workspace.write { try $0.set("seed", to: "7") }
    #expect(FileManager.default.fileExists(atPath: work.path + "/workspace.sqlite-wal"))
  }

  @Test func aClosedWorkspaceIsOneFile() throws {
    func names() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: work.path).sorted()
    }
    do { try Workspace.open(work).write { try $0.set("seed", to: "7") } }
    #expect(try names() == ["lock", "workspace.sqlite"])
    // One that has only looked may leave a short journal; the next to close writes it back.
    do {
      let workspace = try Workspace.open(work)
      try workspace.write { try $0.set("seed", to: "8") }
      workspace.leaveShortJournal()
    }
    #expect(try names() == ["lock", "workspace.sqlite", "workspace.sqlite-shm", "workspace.sqlite-wal"])
    do { #expect(try Workspace.open(work).read { try $0.setting("seed") } == "8") }
    #expect(try names() == ["lock", "workspace.sqlite"])
    // A long one is written back at once.
    do {
      let workspace = try Workspace.open(work)
      try workspace.write { try $0.set("long", to: String(repeating: "x", count: 2_000_000)) }
      workspace.leaveShortJournal()
    }
    #expect(try names() == ["lock", "workspace.sqlite"])
    let copy = folder.url.appendingPathComponent("copy")
    try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: work.appendingPathComponent("workspace.sqlite"), to: copy.appendingPathComponent("workspace.sqlite")
    )
    #expect(try Workspace.open(copy).read { try $0.setting("seed") } == "8")
  }

  @Test func aTransactionThatBeginsTheJournalIsOneLikeOthers() throws {
    // Rolled back, nothing of it is left; large, it is kept whole; and what follows is as durable as ever.
    let workspace = try Workspace.open(work)
    #expect(throws: CancellationError.self) {
      try workspace.write { bench in
        try bench.set("seed", to: "7")
        throw CancellationError()
      }
    }
    #expect(try workspace.read { try $0.setting("seed") } == nil)
    let long = String(repeating: "x", count: 6_000_000)
    try workspace.write { try $0.set("long", to: long) }
    let other = try Workspace.open(work)
    #expect(try other.read { try $0.setting("long") } == long)
    try other.write { try $0.set("seed", to: "8") }
    try workspace.write { try $0.set("hints", to: "off") }
    #expect(try other.read { try [$0.setting("seed"), $0.setting("hints")] } == ["8", "off"])
  }

  @Test func aFileInTheWay() throws {
    try folder.write("mine", as: ".fettle")
    #expect(throws: WorkspaceError.fileInTheWay(path: ".fettle")) { try Workspace.open(work) }
    try folder.write("mine", as: "file")
    #expect(throws: WorkspaceError.fileInTheWay(path: "file")) {
      try Workspace.open(folder.url.appendingPathComponent("file/.fettle"))
    }
  }

  @Test(.enabled(if: getuid() != 0, "root may write everywhere; DiskTests has a disk that is read-only"))
  func aFolderThatMayNotBeWritten() throws {
    let closed = folder.url.appendingPathComponent("closed")
    try FileManager.default.createDirectory(at: closed, withIntermediateDirectories: true)
    #expect(chmod(closed.path, 0o555) == 0)
    #expect(throws: WorkspaceError.readOnly(folder: ".fettle")) {
      try Workspace.open(closed.appendingPathComponent(".fettle"))
    }
    #expect(throws: WorkspaceError.readOnly(folder: "closed")) { try Workspace.open(closed) }
  }

  @Test func aNewerWorkspaceIsLeftAlone() throws {
    do { try Workspace.open(work).write { try $0.set("seed", to: "7") } }
    try sqlite("PRAGMA user_version = 99")
    #expect(throws: WorkspaceError.newer(folder: ".fettle", found: 99, known: 5)) { try Workspace.open(work) }
    try sqlite("PRAGMA user_version = 5")
    #expect(try Workspace.open(work).read { try $0.setting("seed") } == "7")
  }

  @Test func aForeignDatabaseIsLeftAlone() throws {
    try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
    try sqlite("CREATE TABLE theirs (x)")
    #expect(throws: WorkspaceError.foreign(folder: ".fettle")) { try Workspace.open(work) }
  }

  @Test func aDamagedDatabaseIsSaidAndCanBeSetAside() throws {
    do { try Workspace.open(work).write { try $0.set("seed", to: "7") } }
    let database = work.appendingPathComponent("workspace.sqlite")
    try Data(repeating: 0x5A, count: 8192).write(to: database)
    #expect(throws: WorkspaceError.corrupt(folder: ".fettle")) { try Workspace.open(work) }
    let aside = try #require(try Workspace.setAside(work))
    #expect(aside.name == "1")
    #expect(try Workspace.open(work).isNew)
  }

  @Test func damageInsideIsSaidToo() throws {
    let workspace = try Workspace.open(work)
    try workspace.load(try folder.write(table((0..<2000).map { _ in "A" }), as: "news.csv"))
    _ = try workspace.setAside(named: "kept")
    let database = work.appendingPathComponent("sessions/kept/workspace.sqlite")
    var bytes = [UInt8](try Data(contentsOf: database))
    for index in 4096..<bytes.count { bytes[index] = 0xA5 }
    let damaged = folder.url.appendingPathComponent("damaged")
    try FileManager.default.createDirectory(at: damaged, withIntermediateDirectories: true)
    try Data(bytes).write(to: damaged.appendingPathComponent("workspace.sqlite"))
    #expect(throws: WorkspaceError.corrupt(folder: "damaged")) {
      try Workspace.open(damaged).read { try $0.datasets().count }
    }
  }

  @Test func twentyOpenOneNewWorkspaceTogether() throws {
    let created = Atomic(0)
    let failures = Mutex<[String]>([])
    let work = work
    DispatchQueue.concurrentPerform(iterations: 20) { number in
      do {
        let workspace = try Workspace.open(work)
        if workspace.isNew { created.add(1, ordering: .relaxed) }
        for _ in 0..<5 {
          try workspace.write { bench throws in
            let count = Int(try bench.setting("count") ?? "0") ?? 0
            try bench.set("count", to: "\(count + 1)")
            try bench.log(LoggedStep(verb: "x", command: "\(number)", answer: ""))
          }
        }
      } catch {
        failures.withLock { $0.append("\(error)") }
      }
    }
    #expect(failures.withLock { $0 }.isEmpty)
    #expect(created.load(ordering: .relaxed) == 1)
    let workspace = try Workspace.open(work)
    #expect(try workspace.read { try $0.setting("count") } == "100", "no write was lost")
    #expect(try workspace.read { try $0.steps().map(\.id) } == Array(1...100))
  }

  @Test func aReaderSeesOneMomentWhileAnotherWrites() throws {
    let (reader, writer) = (try Workspace.open(work), try Workspace.open(work))
    try writer.write { try $0.set("seed", to: "1") }
    try reader.read { bench throws in
      #expect(try bench.setting("seed") == "1")
      try writer.write { try $0.set("seed", to: "2") }
      #expect(try bench.setting("seed") == "1")
    }
    #expect(try reader.read { try $0.setting("seed") } == "2")
  }

  @Test func settingAsideStartsAnew() throws {
    let workspace = try Workspace.open(work)
    try workspace.write { try $0.log(LoggedStep(verb: "x", command: "first", answer: "")) }
    try Data("# Old".utf8).write(to: workspace.document)
    let new = try workspace.newModelFolder()
    try Data("w".utf8).write(to: new.folder.appendingPathComponent("w"))
    let first = try workspace.setAside()
    #expect(first.name == "1")
    #expect(workspace.isNew)
    #expect(!FileManager.default.fileExists(atPath: workspace.document.path))
    #expect(!FileManager.default.fileExists(atPath: workspace.modelsFolder.path))
    #expect(try workspace.read { try $0.steps().isEmpty })
    try workspace.write { try $0.log(LoggedStep(verb: "x", command: "second", answer: "")) }
    try workspace.setAside(named: "monday")
    #expect(try workspace.setAside().name == "2")
    #expect(throws: WorkspaceError.nameTaken(kind: "session", name: "monday")) {
      try workspace.setAside(named: "monday")
    }
    #expect(throws: WorkspaceError.badName(kind: "session", name: "../x")) {
      try workspace.setAside(named: "../x")
    }
    #expect(workspace.setAsides().map(\.name) == ["1", "2", "monday"])
    #expect(try String(contentsOf: first.document, encoding: .utf8) == "# Old")
    // What was set aside is a workspace still.
    #expect(try Workspace.open(first.folder).read { try $0.steps().map(\.command) } == ["first"])
    #expect(try workspace.read { try $0.steps().isEmpty })
  }

  @Test func nobodyElsesWorkspaceIsSetAside() throws {
    let workspace = try Workspace.open(work)
    try workspace.write { try $0.set("seed", to: "7") }
    do {
      let other = try Workspace.open(work)
      #expect(throws: WorkspaceError.inUse(folder: ".fettle")) { try workspace.setAside() }
      #expect(throws: WorkspaceError.inUse(folder: ".fettle")) { try Workspace.setAside(work) }
      #expect(try other.read { try $0.setting("seed") } == "7")
      // The refusal must leave us a lock of our own, else the other could take it all from under us.
      #expect(throws: WorkspaceError.inUse(folder: ".fettle")) { try other.setAside() }
    }
    #expect(try workspace.read { try $0.setting("seed") } == "7")
    #expect(try workspace.setAside().name == "1")
  }

  @Test func oneThatHoldsItForUnitsOfWorkStandsInNobodysWay() throws {
    let server = try Workspace.open(work, holding: .unitOfWork)
    try server.write { try $0.set("seed", to: "7") }
    let shell = try Workspace.open(work)
    // Not while it reads or writes, and at any other time.
    try server.read { _ in
      _ = #expect(throws: WorkspaceError.inUse(folder: ".fettle")) { try shell.setAside() }
    }
    let aside = try shell.setAside()
    try shell.write { try $0.set("seed", to: "8") }
    #expect(try server.read { try $0.setting("seed") } == "8")
    try server.write { try $0.set("hints", to: "off") }
    #expect(try shell.read { try $0.setting("hints") } == "off")
    #expect(try shell.read { try $0.setting("seed") } == "8")
    #expect(try Workspace.open(aside.folder).read { try $0.setting("seed") } == "7")
    #expect(try Workspace.open(aside.folder).read { try $0.setting("hints") } == nil)
  }

  @Test func workOfManyUnitsEndsWithItsSession() throws {
    let server = try Workspace.open(work, holding: .unitOfWork)
    try server.write { try $0.set("seed", to: "7") }
    let task = try server.keepingSession()
    try task.write { try $0.set("seed", to: "8") }
    let (kept, late) = (try task.newModelFolder(), try task.newModelFolder())
    // What is on its way is nobody's to sweep, though nothing else says that somebody is at work here.
    _ = try Workspace.open(work)
    #expect(FileManager.default.fileExists(atPath: kept.folder.path))
    let model = TunedModel(
      name: "m", base: "base", method: "linear", dataset: "d", examples: 1, folder: "m", bytes: 0,
      categories: ["A"])
    try task.write { _ = try $0.publish(model, trainedOn: [], from: kept) }
    let shell = try Workspace.open(work)
    try shell.setAside(named: "before")
    for _ in 0..<2 {
      let gone = WorkspaceError.sessionGone(folder: ".fettle")
      #expect(throws: gone) { try task.write { try $0.set("seed", to: "9") } }
      #expect(throws: gone) { _ = try task.read { try $0.setting("seed") } }
      #expect(throws: gone) { _ = try task.newModelFolder() }
      #expect(throws: gone) { try server.write { _ = try $0.publish(model, trainedOn: [], from: late) } }
      #expect(try server.read { try $0.setting("seed") } == nil)
      // Nor does it go on when its session is open again.
    }
    let before = try #require(shell.setAsides().first)
    try shell.open(before, keepingThis: false)
    #expect(try server.read { try $0.model(named: "m")?.name } == "m")
    #expect(throws: WorkspaceError.sessionGone(folder: ".fettle")) {
      _ = try task.read { try $0.setting("seed") }
    }
    // The same where this process itself has put another in its place.
    let own = try shell.keepingSession()
    try shell.setAside()
    #expect(throws: WorkspaceError.sessionGone(folder: ".fettle")) {
      _ = try own.read { try $0.setting("seed") }
    }
  }

  @Test func aMoveThatWasBrokenOffIsFinished() throws {
    do {
      let workspace = try Workspace.open(work)
      try workspace.write { try $0.set("seed", to: "7") }
      try Data("# Old".utf8).write(to: workspace.document)
    }
    // As a kill would have left it: the database moved, the document not yet.
    let moving = work.appendingPathComponent("sessions/1.moving")
    try FileManager.default.createDirectory(at: moving, withIntermediateDirectories: true)
    try FileManager.default.moveItem(
      at: work.appendingPathComponent("workspace.sqlite"),
      to: moving.appendingPathComponent("workspace.sqlite"))
    let again = try Workspace.open(work)
    #expect(again.isNew)
    let aside = try #require(again.setAsides().first)
    #expect(aside.name == "1")
    #expect(try String(contentsOf: aside.document, encoding: .utf8) == "# Old")
    #expect(try Workspace.open(aside.folder).read { try $0.setting("seed") } == "7")
  }

  @Test func whatTheNewOneBeginsWithIsThereWhereverTheMoveBrokeOff() throws {
    do {
      let workspace = try Workspace.open(work)
      try workspace.write { try $0.set("seed", to: "7") }
      try Data("# Old".utf8).write(to: workspace.document)
      try workspace.setAside(named: "kept") { try $0.set("seed", to: "8") }
      #expect(workspace.isNew)
      #expect(try workspace.read { try $0.setting("seed") } == "8")
    }
    let sessions = work.appendingPathComponent("sessions")
    let moving = sessions.appendingPathComponent("kept.moving")
    // As kills would have left it: all moved but for the last name; then also the new database still to come.
    try FileManager.default.moveItem(at: sessions.appendingPathComponent("kept"), to: moving)
    for isPlaced in [true, false] {
      if !isPlaced {
        try FileManager.default.moveItem(at: sessions.appendingPathComponent("kept"), to: moving)
        try FileManager.default.moveItem(
          at: work.appendingPathComponent("workspace.sqlite"),
          to: moving.appendingPathComponent("next.sqlite"))
      }
      let again = try Workspace.open(work)
      #expect(try again.read { try $0.setting("seed") } == "8")
      let aside = try #require(again.setAsides().first)
      #expect(again.setAsides().count == 1)
      #expect(try String(contentsOf: aside.document, encoding: .utf8) == "# Old")
      #expect(try Workspace.open(aside.folder).read { try $0.setting("seed") } == "7")
    }
    // Before anything was moved.
    try FileManager.default.createDirectory(
      at: sessions.appendingPathComponent("x.preparing"), withIntermediateDirectories: true)
    #expect(try Workspace.open(work).setAsides().map(\.name) == ["kept"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: sessions.path) == ["kept"])
  }

  @Test func aWayBackThatNeverBeganChangesNothing() throws {
    do {
      let workspace = try Workspace.open(work)
      try Data("# Old".utf8).write(to: workspace.document)
      try workspace.setAside(named: "monday")
      try workspace.write { try $0.set("seed", to: "8") }
    }
    let sessions = work.appendingPathComponent("sessions")
    try FileManager.default.moveItem(
      at: sessions.appendingPathComponent("monday"), to: sessions.appendingPathComponent("monday.returning"))
    let again = try Workspace.open(work)
    #expect(try again.read { try $0.setting("seed") } == "8")
    #expect(!FileManager.default.fileExists(atPath: again.document.path))
    #expect(again.setAsides().map(\.name) == ["monday"])
  }

  @Test func whatWasSetAsideComesBack() throws {
    let workspace = try Workspace.open(work)
    try workspace.write { try $0.set("seed", to: "7") }
    try Data("# Old".utf8).write(to: workspace.document)
    let old = try workspace.setAside(named: "monday")
    try workspace.write { try $0.set("seed", to: "8") }
    let now = try #require(try workspace.open(old, keepingThis: true))
    #expect(now.name == "1")
    #expect(try workspace.read { try $0.setting("seed") } == "7")
    #expect(try String(contentsOf: workspace.document, encoding: .utf8) == "# Old")
    #expect(workspace.setAsides().map(\.name) == ["1"])
    #expect(try workspace.open(now, keepingThis: false) == nil)
    #expect(try workspace.read { try $0.setting("seed") } == "8")
    #expect(workspace.setAsides().isEmpty)
  }

  @Test func aWayBackThatWasBrokenOffIsFinished() throws {
    do {
      let workspace = try Workspace.open(work)
      try workspace.write { try $0.set("seed", to: "7") }
      try Data("# Old".utf8).write(to: workspace.document)
      try workspace.setAside(named: "monday")
      try workspace.setAside(named: "empty")
    }
    // As a kill would have left it: the document back, the database not yet.
    let sessions = work.appendingPathComponent("sessions")
    let moving = sessions.appendingPathComponent("monday.returning")
    try FileManager.default.moveItem(at: sessions.appendingPathComponent("monday"), to: moving)
    try? FileManager.default.removeItem(at: work.appendingPathComponent("workspace.sqlite"))
    try FileManager.default.moveItem(
      at: moving.appendingPathComponent("session.md"), to: work.appendingPathComponent("session.md"))
    let again = try Workspace.open(work)
    #expect(try again.read { try $0.setting("seed") } == "7")
    #expect(try String(contentsOf: again.document, encoding: .utf8) == "# Old")
    #expect(again.setAsides().map(\.name) == ["empty"])
  }

  /// Runs SQL as another program would.
  private func sqlite(_ sql: String) throws {
    let queue = try DatabaseQueue(path: work.path + "/workspace.sqlite")
    try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
    try queue.close()
  }
}
