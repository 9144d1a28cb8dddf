import Foundation
import Testing
import Workbench

/// Disks that are full or may not be written: real ones, small and in memory, which only root can mount.
@Suite(.serialized, .enabled(if: SmallDisk.isPossible, "mounting a small disk takes root"))
struct DiskTests {
  @Test func aFullDiskIsSaidAndLosesNothing() throws {
    let disk = try SmallDisk(kilobytes: 1024)
    let workspace = try Workspace.open(disk.url.appendingPathComponent(".fettle"))
    try workspace.write { try $0.log(LoggedStep(verb: "x", command: "before", answer: "")) }
    #expect(throws: WorkspaceError.diskFull(folder: ".fettle")) {
      for _ in 0..<1000 {
        try workspace.write { bench in
          try bench.set("long", to: String(repeating: "x", count: 1 << 16))
          try bench.log(
            LoggedStep(verb: "x", command: "during", answer: String(repeating: "y", count: 1 << 16)))
        }
      }
    }
    #expect(try workspace.read { try $0.steps().first?.command } == "before")
    let kept = try workspace.read { try $0.steps().count }
    #expect(
      try Workspace.open(disk.url.appendingPathComponent(".fettle")).read { try $0.steps().count } == kept)
  }

  @Test func aFileTooLargeForTheDiskIsNotKeptInPart() throws {
    let folder = try Folder()
    let disk = try SmallDisk(kilobytes: 1024)
    let workspace = try Workspace.open(disk.url.appendingPathComponent(".fettle"))
    let text =
      "text,label\n" + (0..<2000).map { "\($0) \(String(repeating: "word ", count: 200)),A\n" }.joined()
    let file = try AssetFile.open(try folder.write(text, as: "large.csv"))
    #expect(throws: WorkspaceError.diskFull(folder: ".fettle")) { try workspace.write { try $0.load(file) } }
    #expect(try workspace.read { try $0.datasets().isEmpty })
  }

  @Test func aDiskWithNoRoomAtAll() throws {
    let disk = try SmallDisk(kilobytes: 64)
    let filler = disk.url.appendingPathComponent("filler")
    try Data().write(to: filler)
    let handle = try FileHandle(forWritingTo: filler)
    while (try? handle.write(contentsOf: Data(repeating: 1, count: 1024))) != nil {}
    #expect(throws: WorkspaceError.diskFull(folder: ".fettle")) {
      try Workspace.open(disk.url.appendingPathComponent(".fettle"))
    }
  }

  @Test func aReadOnlyDisk() throws {
    let disk = try SmallDisk(kilobytes: 256)
    let work = disk.url.appendingPathComponent(".fettle")
    do { try Workspace.open(work).write { try $0.set("seed", to: "7") } }
    try disk.makeReadOnly()
    let workspace = try Workspace.open(work)
    #expect(workspace.isReadOnly)
    #expect(try workspace.read { try $0.setting("seed") } == "7")
    #expect(try workspace.writeIfPossible { try $0.setting("seed") } == "7")
    let error = #expect(throws: WorkspaceError.readOnly(folder: ".fettle")) {
      try workspace.write { try $0.set("seed", to: "8") }
    }
    #expect(
      error?.description
        == "The workspace .fettle cannot be written. Work in a folder of your own: fettle --workspace DIR.")
    #expect(throws: WorkspaceError.readOnly(folder: ".fettle")) {
      try workspace.writeIfPossible { try $0.set("seed", to: "8") }
    }
    #expect(throws: WorkspaceError.readOnly(folder: ".fettle")) { try workspace.setAside() }
    #expect(throws: WorkspaceError.readOnly(folder: "new")) {
      try Workspace.open(disk.url.appendingPathComponent("new"))
    }
  }

  @Test func aReadOnlyDiskWithWhatAKillLeftInTheJournal() throws {
    let disk = try SmallDisk(kilobytes: 2048)
    let work = disk.url.appendingPathComponent(".fettle")
    // Elsewhere, since a disk with a file open for writing cannot be made read-only.
    let elsewhere = try Folder()
    let live = elsewhere.url.appendingPathComponent("live")
    let writer = try Workspace.open(live)
    try writer.write { try $0.set("seed", to: "7") }
    // A copy of an open workspace is one whose process was killed; without the index that it would make anew.
    try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
    for name in ["workspace.sqlite", "workspace.sqlite-wal"] {
      try FileManager.default.copyItem(
        at: live.appendingPathComponent(name), to: work.appendingPathComponent(name))
    }
    try disk.makeReadOnly()
    #expect(try Workspace.open(work).read { try $0.setting("seed") } == "7")
    #expect(try FileManager.default.contentsOfDirectory(atPath: work.path).count == 2)
  }

  @Test func aFullDiskSetsNothingAside() throws {
    let disk = try SmallDisk(kilobytes: 1024)
    let workspace = try Workspace.open(disk.url.appendingPathComponent(".fettle"))
    try workspace.write { try $0.set("seed", to: "7") }
    let filler = disk.url.appendingPathComponent("filler")
    try Data().write(to: filler)
    let handle = try FileHandle(forWritingTo: filler)
    while (try? handle.write(contentsOf: Data(repeating: 1, count: 1024))) != nil {}
    #expect(throws: WorkspaceError.diskFull(folder: ".fettle")) {
      try workspace.setAside { try $0.set("seed", to: "7") }
    }
    #expect(try workspace.read { try $0.setting("seed") } == "7")
    #expect(workspace.setAsides().isEmpty)
    // An open file keeps its room.
    try handle.close()
    try FileManager.default.removeItem(at: filler)
    try workspace.setAside { try $0.set("seed", to: "7") }
    #expect(workspace.isNew)
    #expect(try workspace.read { try $0.setting("seed") } == "7")
  }

  @Test func whatRoomThereIsIsKnown() throws {
    let disk = try SmallDisk(kilobytes: 512)
    let workspace = try Workspace.open(disk.url.appendingPathComponent(".fettle"))
    #expect((1...(512 << 10)).contains(workspace.freeBytes))
  }
}

/// A disk of a few kilobytes, mounted while the test runs.
final class SmallDisk {
  let url: URL

  /// Root inside a container may not be allowed to mount, so it is tried.
  static let isPossible: Bool = {
    guard getuid() == 0, let disk = try? SmallDisk(kilobytes: 64) else { return false }
    return disk.isMounted
  }()

  private var isMounted = false

  init(kilobytes: Int) throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("fettle-disk-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    try Self.run("mount", "-t", "tmpfs", "-o", "size=\(kilobytes)k", "tmpfs", url.path)
    isMounted = true
  }

  deinit {
    if isMounted { try? Self.run("umount", "-l", url.path) }
    try? FileManager.default.removeItem(at: url)
  }

  func makeReadOnly() throws { try Self.run("mount", "-o", "remount,ro", url.path) }

  private static func run(_ words: String...) throws {
    struct Refused: Error {}
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Refused() }
  }
}
