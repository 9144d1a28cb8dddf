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

  static func list(_ layout: Layout) -> [SetAside] {
    contents(layout)
      .filter { !isUnderWay($0) }
      .map { SetAside(name: $0.lastPathComponent, folder: $0) }
      .sorted { ($0.number, $0.name) < ($1.number, $1.name) }
  }

  static func isInterrupted(_ layout: Layout) -> Bool {
    contents(layout).contains(where: isUnderWay)
  }

  private static func isUnderWay(_ folder: URL) -> Bool {
    [unfinished, returning].contains { folder.lastPathComponent.hasSuffix($0) }
  }

  /// To be called by the only one who has the workspace open.
  static func move(_ layout: Layout, named name: String?) throws -> SetAside {
    let taken = list(layout)
    let name = name ?? String((taken.compactMap { Int($0.name) }.max() ?? 0) + 1)
    guard Name.isValid(name), ![unfinished, returning].contains(where: name.hasSuffix) else {
      throw WorkspaceError.badName(kind: "session", name: name)
    }
    guard !taken.contains(where: { $0.name == name }) else {
      throw WorkspaceError.nameTaken(kind: "session", name: name)
    }
    let moving = layout.sessions.appendingPathComponent(name + unfinished)
    do {
      try FileManager.default.createDirectory(at: moving, withIntermediateDirectories: true)
      return try finish(moving, layout)
    } catch let error as WorkspaceError {
      throw error
    } catch {
      throw WorkspaceError.readOnly(folder: layout.name)
    }
  }

  /// Ends what a kill or a power cut broke off.
  static func finishInterrupted(_ layout: Layout) throws {
    // What makes room first.
    for moving in contents(layout).filter(isUnderWay).sorted(by: { $0.pathExtension < $1.pathExtension }) {
      do {
        if moving.lastPathComponent.hasSuffix(returning) {
          try finishReturn(moving, layout)
        } else {
          _ = try finish(moving, layout)
        }
      } catch {
        throw WorkspaceError.readOnly(folder: layout.name)
      }
    }
  }

  private static func finish(_ moving: URL, _ layout: Layout) throws -> SetAside {
    let files = FileManager.default
    for part in layout.work where files.fileExists(atPath: part.path) {
      let target = moving.appendingPathComponent(part.lastPathComponent)
      if !files.fileExists(atPath: target.path) { try files.moveItem(at: part, to: target) }
    }
    let name = String(moving.lastPathComponent.dropLast(unfinished.count))
    let folder = layout.sessions.appendingPathComponent(name)
    try files.moveItem(at: moving, to: folder)
    return SetAside(name: name, folder: folder)
  }

  /// Puts it back in the workspace's place, which has to be free. To be called by the only one who has the workspace open.
  func moveBack(_ layout: Layout) throws {
    let moving = layout.sessions.appendingPathComponent(name + Self.returning)
    do {
      try FileManager.default.moveItem(at: folder, to: moving)
      try Self.finishReturn(moving, layout)
    } catch {
      throw WorkspaceError.readOnly(folder: layout.name)
    }
  }

  private static func finishReturn(_ moving: URL, _ layout: Layout) throws {
    let files = FileManager.default
    // The database last: while it is on its way nothing else is looked at.
    for part in layout.work.reversed() {
      let source = moving.appendingPathComponent(part.lastPathComponent)
      if files.fileExists(atPath: source.path), !files.fileExists(atPath: part.path) {
        try files.moveItem(at: source, to: part)
      }
    }
    let isMoved = layout.work.allSatisfy {
      !files.fileExists(atPath: moving.appendingPathComponent($0.lastPathComponent).path)
    }
    if isMoved {
      try files.removeItem(at: moving)
    } else {
      // Something stood in its place, which nothing here should have put there: lose neither.
      let name = String(moving.lastPathComponent.dropLast(returning.count))
      try files.moveItem(at: moving, to: layout.sessions.appendingPathComponent(name))
    }
  }

  private static func contents(_ layout: Layout) -> [URL] {
    (try? FileManager.default.contentsOfDirectory(at: layout.sessions, includingPropertiesForKeys: nil)) ?? []
  }

  private var number: Int { Int(name) ?? .max }
}
