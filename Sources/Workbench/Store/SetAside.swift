import Foundation

/// A session that was set aside: its database, models and document, in a folder of its own.
public struct SetAside: Equatable, Sendable {
  public let name: String
  public let folder: URL
  /// Its document; it may not exist where the session was empty.
  public var document: URL { folder.appendingPathComponent("session.md") }

  /// While its parts are on their way the folder has this at its end: whoever opens the workspace next moves
  /// the rest.
  private static let unfinished = ".moving"

  static func list(_ layout: Layout) -> [SetAside] {
    contents(layout)
      .filter { !$0.lastPathComponent.hasSuffix(unfinished) }
      .map { SetAside(name: $0.lastPathComponent, folder: $0) }
      .sorted { ($0.number, $0.name) < ($1.number, $1.name) }
  }

  static func isInterrupted(_ layout: Layout) -> Bool {
    contents(layout).contains { $0.lastPathComponent.hasSuffix(unfinished) }
  }

  /// To be called by the only one who has the workspace open.
  static func move(_ layout: Layout, named name: String?) throws -> SetAside {
    let taken = list(layout)
    let name = name ?? String((taken.compactMap { Int($0.name) }.max() ?? 0) + 1)
    guard Name.isValid(name), !name.hasSuffix(unfinished) else {
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
    for moving in contents(layout) where moving.lastPathComponent.hasSuffix(unfinished) {
      do {
        _ = try finish(moving, layout)
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

  private static func contents(_ layout: Layout) -> [URL] {
    (try? FileManager.default.contentsOfDirectory(at: layout.sessions, includingPropertiesForKeys: nil)) ?? []
  }

  private var number: Int { Int(name) ?? .max }
}
