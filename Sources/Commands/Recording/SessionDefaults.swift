import Workbench

/// What a workspace that begins anew keeps of the one before: where it starts from.
struct SessionDefaults {
  private let seed: UInt64
  private let root: String?

  /// Of a workspace that may be damaged.
  init(_ workspace: Workspace) {
    seed = (try? workspace.read { try Settings($0).seed }) ?? 42
    root = try? workspace.read { try Settings($0).root }
  }

  func write(_ workbench: Workbench) throws {
    let settings = try Settings(workbench)
    try settings.set(firstSeed: seed)
    if let root { try settings.set(root: root) }
  }
}
