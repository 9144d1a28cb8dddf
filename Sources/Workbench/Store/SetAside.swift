import Basics
import Foundation

/// A session that was set aside: its database, models and document, in a folder of its own.
public struct SetAside: Equatable, Sendable {
  public let name: String
  public let folder: URL
  /// Its document; it may not exist where the session was empty.
  public var document: URL { folder.appendingPathComponent("session.md") }
  /// Everything it is made of.
  public var files: [URL] { Layout.files(below: [folder]) }

  /// While its parts are on their way the folder has this at its end: whoever opens the workspace next moves
  /// the rest.
  private static let unfinished = ".moving"
  /// The same on the way back.
  private static let returning = ".returning"
  /// Nothing has been moved yet.
  private static let preparing = ".preparing"

  /// In the folder of a session that is being set aside: the database that takes its place.
  private static let next = "next.sqlite"

  static func list(_ layout: Layout) -> [SetAside] {
    contents(layout)
      .filter { !isUnderWay($0) }
      .map { SetAside(name: $0.lastPathComponent, folder: $0) }
      .sorted { ($0.number, $0.name) < ($1.number, $1.name) }
  }

  static func isInterrupted(_ layout: Layout) -> Bool {
    contents(layout).contains(where: isUnderWay)
  }

  private static func isUnderWay(_ folder: URL) -> Bool { isUnderWay(folder.lastPathComponent) }

  private static func isUnderWay(_ name: String) -> Bool {
    [unfinished, returning, preparing].contains(where: name.hasSuffix)
  }

  /// - Parameter wanted: nil for the next number.
  /// - Throws: ``WorkspaceError`` where nothing can be called so, or something is.
  static func freeName(_ layout: Layout, wanted: String?) throws -> String {
    let taken = list(layout)
    let name = wanted ?? String((taken.compactMap { Int($0.name) }.max() ?? 0) + 1)
    guard Name.isValid(name), !isUnderWay(name) else {
      throw WorkspaceError.badName(kind: "session", name: name)
    }
    guard !taken.contains(where: { $0.name == name }) else {
      throw WorkspaceError.nameTaken(kind: "session", name: name)
    }
    return name
  }

  // Each of these is to be called by the only one who has the workspace open.

  /// Moves the work into a folder of that name and leaves nothing in its place.
  static func move(_ layout: Layout, named name: String) throws -> SetAside {
    try finish(prepare(layout, named: name) { _ in }, layout)
  }

  /// Makes ready what ``finish(_:_:)`` does then. Until this returns nothing is changed; after that, whoever opens the workspace
  /// after a kill ends it.
  ///
  /// - Parameter createNext: makes the database that takes the work's place, or nothing.
  static func prepare(_ layout: Layout, named name: String, createNext: (URL) throws -> Void) throws -> URL {
    let folder = layout.sessions.appendingPathComponent(name + preparing)
    let ready = layout.sessions.appendingPathComponent(name + unfinished)
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try createNext(folder.appendingPathComponent(next))
      try DurableFile.move(folder, to: ready)
      return ready
    } catch {
      try? FileManager.default.removeItem(at: folder)
      throw explained(error, layout)
    }
  }

  /// Moves the parts of the work, and puts what was prepared in their place.
  static func finish(_ moving: URL, _ layout: Layout) throws -> SetAside {
    let name = String(moving.lastPathComponent.dropLast(unfinished.count))
    let folder = layout.sessions.appendingPathComponent(name)
    let database = moving.appendingPathComponent(layout.database.lastPathComponent)
    let prepared = moving.appendingPathComponent(next)
    do {
      // Where both are there and nothing is prepared any more, the one in the workspace is the new one.
      if exists(prepared) || !exists(database) || !exists(layout.database) {
        for part in layout.work where exists(part) {
          let target = moving.appendingPathComponent(part.lastPathComponent)
          if !exists(target) { try DurableFile.move(part, to: target) }
        }
        if exists(prepared) { try DurableFile.move(prepared, to: layout.database) }
      }
      DurableFile.synchronise(folder: layout.folder)
      try DurableFile.move(moving, to: folder)
    } catch {
      throw explained(error, layout)
    }
    return SetAside(name: name, folder: folder)
  }

  /// Ends what a kill or a power cut broke off.
  static func finishInterrupted(_ layout: Layout) throws {
    let underWay = contents(layout).filter(isUnderWay)
    for folder in underWay where folder.lastPathComponent.hasSuffix(preparing) {
      try? FileManager.default.removeItem(at: folder)
    }
    for folder in underWay where folder.lastPathComponent.hasSuffix(unfinished) {
      _ = try finish(folder, layout)
    }
    for folder in underWay where folder.lastPathComponent.hasSuffix(returning) {
      try finishReturn(folder, layout)
    }
  }

  /// Says that it is to be put back in the workspace's place, which has to be made free then.
  func beginReturn(_ layout: Layout) throws -> URL {
    let moving = layout.sessions.appendingPathComponent(name + Self.returning)
    do {
      try DurableFile.move(folder, to: moving)
    } catch {
      throw Self.explained(error, layout)
    }
    return moving
  }

  /// Puts it back; where the place was never made free, everything stays as it was.
  static func finishReturn(_ moving: URL, _ layout: Layout) throws {
    let name = String(moving.lastPathComponent.dropLast(returning.count))
    do {
      let database = moving.appendingPathComponent(layout.database.lastPathComponent)
      guard !exists(database) || !exists(layout.database) else {
        return try DurableFile.move(moving, to: layout.sessions.appendingPathComponent(name))
      }
      // The database last: while it is on its way nothing else is looked at.
      for part in layout.work.reversed() {
        let source = moving.appendingPathComponent(part.lastPathComponent)
        if exists(source), !exists(part) { try DurableFile.move(source, to: part) }
      }
      if layout.work.contains(where: { exists(moving.appendingPathComponent($0.lastPathComponent)) }) {
        // Something stood in its place, which nothing here should have put there: lose neither.
        try DurableFile.move(moving, to: layout.sessions.appendingPathComponent(name))
      } else {
        try FileManager.default.removeItem(at: moving)
      }
    } catch {
      throw explained(error, layout)
    }
  }

  private static func exists(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }

  private static func explained(_ error: any Error, _ layout: Layout) -> any Error {
    switch error {
    case is WorkspaceError: error
    case let error as FileError where error.isOutOfRoom: WorkspaceError(error, layout)
    default: layout.isFull ? WorkspaceError.diskFull(folder: layout.name) : .readOnly(folder: layout.name)
    }
  }

  private static func contents(_ layout: Layout) -> [URL] {
    (try? FileManager.default.contentsOfDirectory(at: layout.sessions, includingPropertiesForKeys: nil)) ?? []
  }

  private var number: Int { Int(name) ?? .max }
}
