import Basics
import Foundation
import Testing

@Suite struct DurableFileTests {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "fettle-basics-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: folder.appending(path: "staging"), withIntermediateDirectories: true)
  }

  private func names(_ place: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: place).path).sorted()
  }

  private func text(_ name: String) throws -> String {
    try String(contentsOf: folder.appending(path: name), encoding: .utf8)
  }

  @Test("A file is replaced whole, keeps its permissions, and nothing else stays")
  func replaced() throws {
    let file = folder.appending(path: "a.md")
    try DurableFile.replace(file, with: Data("old".utf8))
    chmod(file.path, 0o640)
    for staging in [nil, folder.appending(path: "staging")] {
      try DurableFile.replace(file, with: Data("new".utf8), staging: staging)
    }
    #expect(try text("a.md") == "new")
    let attributes = try FileManager.default.attributesOfItem(atPath: file.path)
    #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o640)
    #expect(try names() == ["a.md", "staging"])
    #expect(try names("staging").isEmpty)
  }

  @Test("A new file has the permissions of new files")
  func new() throws {
    let file = folder.appending(path: "b.md")
    try DurableFile.replace(file, with: Data())
    try Data().write(to: folder.appending(path: "c.md"))
    let permissions = try ["b.md", "c.md"].map {
      try FileManager.default.attributesOfItem(atPath: folder.appending(path: $0).path)[.posixPermissions]
        as? NSNumber
    }
    #expect(permissions[0] == permissions[1])
  }

  @Test("What a link leads to is replaced, and the link stays one")
  func linked() throws {
    let link = folder.appending(path: "link.md")
    try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: "staging/target.md")
    try Data("old".utf8).write(to: folder.appending(path: "staging/target.md"))
    try DurableFile.replace(link, with: Data("new".utf8))
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == "staging/target.md")
    #expect(try text("staging/target.md") == "new")
  }

  @Test("A staging folder on another disk, or none at all, is done without")
  func otherDisk() throws {
    let file = folder.appending(path: "a.md")
    for staging in ["/dev/shm", "/proc", folder.path + "/missing"] {
      try DurableFile.replace(file, with: Data(staging.utf8), staging: URL(filePath: staging))
      #expect(try text("a.md") == staging)
    }
    #expect(try names() == ["a.md", "staging"])
  }

  @Test("What cannot be written says why, and leaves what was there")
  func refused() throws {
    let missing = folder.appending(path: "missing/a.md")
    #expect(throws: FileError(missing, number: ENOENT)) { try DurableFile.replace(missing, with: Data()) }
    let full = URL(filePath: "/dev/full")
    let error = #expect(throws: FileError.self) {
      try Data([1]).withUnsafeBytes { try DurableFile.write(CollectionOfOne($0), to: full) }
    }
    #expect(error?.isOutOfRoom == true)
  }

  @Test("Two folders take each other's place")
  func exchanged() throws {
    for name in ["one", "two"] {
      let place = folder.appending(path: name)
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: false)
      try Data(name.utf8).write(to: place.appending(path: "name"))
    }
    try DurableFile.synchronise(folder)
    try DurableFile.exchange(folder.appending(path: "one"), with: folder.appending(path: "two"))
    #expect(try text("one/name") == "two")
    #expect(try text("two/name") == "one")
    #expect(throws: FileError.self) {
      try DurableFile.exchange(folder.appending(path: "one"), with: folder.appending(path: "three"))
    }
  }
}

@Suite struct FileOpenerTests {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "fettle-opener-\(UUID().uuidString)")
    for name in ["inside/deep", "outside"] {
      try FileManager.default.createDirectory(
        at: folder.appending(path: name), withIntermediateDirectories: true)
    }
    for (name, text) in [("inside/own", "own"), ("inside/deep/own", "own"), ("outside/secret", "secret")] {
      try Data(text.utf8).write(to: folder.appending(path: name))
    }
  }

  private func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(
      atPath: folder.appending(path: name).path, withDestinationPath: target)
  }

  /// What stands in the file; nil where it is not opened.
  private func read(_ name: String, _ opener: FileOpener) -> String? {
    let descriptor = opener.open(folder.appending(path: name))
    guard descriptor >= 0 else { return nil }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    return (try? handle.readToEnd()).flatMap { $0 }.map { String(decoding: $0, as: UTF8.self) }
  }

  @Test("What lies below the folder is opened, by links within it too, and nothing else")
  func below() throws {
    try link("inside/near", to: "deep/own")
    try link("inside/far", to: "../outside/secret")
    try link("inside/up", to: "..")
    try link("door", to: "inside")
    for opener in [
      FileOpener.below([folder.appending(path: "inside")]), .below([folder.appending(path: "door")]),
    ] {
      for name in ["inside/own", "inside/deep/own", "inside/near", "door/near", "inside/deep/../own"] {
        #expect(read(name, opener) == "own", "\(name)")
      }
      for name in ["inside/far", "inside/up/outside/secret", "outside/secret", "inside/../outside/secret"] {
        #expect(read(name, opener) == nil, "\(name)")
      }
    }
    #expect(read("inside/far", .anywhere) == "secret")
  }

  @Test(
    "A link that is put in the way between the look and the opening leads nowhere", .timeLimit(.minutes(1)))
  func swapped() throws {
    try link("inside/link", to: "../outside")
    let place = folder.appending(path: "inside/place").path
    let (real, away) = (
      folder.appending(path: "inside/deep").path, folder.appending(path: "inside/link").path
    )
    try FileManager.default.createDirectory(
      at: folder.appending(path: "outside/x"), withIntermediateDirectories: true)
    try Data("secret".utf8).write(to: folder.appending(path: "outside/own"))
    let isOver = Flag()
    let thread = Thread {
      while !isOver.isSet {
        rename(real, place)
        rename(place, real)
        rename(away, place)
        rename(place, away)
      }
      isOver.end()
    }
    thread.start()
    let opener = FileOpener.below([folder.appending(path: "inside")])
    var found: [String: Int] = [:]
    for _ in 0..<20_000 { found[read("inside/place/own", opener) ?? "nothing", default: 0] += 1 }
    isOver.set()
    #expect(found["secret"] == nil, "\(found)")
    #expect(found["own", default: 0] > 0, "\(found)")
  }
}

/// Tells a thread to end, and waits until it has.
private final class Flag: @unchecked Sendable {
  private let lock = NSLock()
  private let over = DispatchSemaphore(value: 0)
  private var value = false
  var isSet: Bool { lock.withLock { value } }
  func end() { over.signal() }
  func set() {
    lock.withLock { value = true }
    over.wait()
  }
}
