import Encoder
import Foundation
import Tasks
import Workbench

/// The workspace's settings, under their names.
struct Settings {
  let workbench: Workbench

  init(_ workbench: Workbench) throws { self.workbench = workbench }

  var seed: UInt64 { get throws { try workbench.setting("seed").flatMap(UInt64.init) ?? 42 } }
  func set(seed: UInt64) throws { try workbench.set("seed", to: String(seed)) }

  /// The seed that the document's front matter gives; later changes are steps of their own.
  var firstSeed: UInt64 { get throws { try workbench.setting("first_seed").flatMap(UInt64.init) ?? 42 } }
  func set(firstSeed: UInt64) throws {
    try workbench.set("first_seed", to: String(firstSeed))
    try set(seed: firstSeed)
  }

  /// In which numbers the model computes; the document's front matter gives it.
  var precision: Precision {
    get throws { try workbench.precision }
  }
  func set(precision: Precision) throws { try workbench.set("precision", to: precision.rawValue) }

  /// What the session was called when it was set aside; nil for one that never was.
  var name: String? { get throws { try workbench.setting("name") } }
  func set(name: String) throws { try workbench.set("name", to: name) }

  /// The value that `set` gave a name; nil where it gave none.
  func variable(_ name: String) throws -> String? { try workbench.setting(Self.variablePrefix + name) }
  func set(variable name: String, to value: String) throws {
    try workbench.set(Self.variablePrefix + name, to: value)
  }

  /// All variables, by name.
  var variables: [(name: String, value: String)] {
    get throws {
      try workbench.settings().filter { $0.key.hasPrefix(Self.variablePrefix) }
        .map { (String($0.key.dropFirst(Self.variablePrefix.count)), $0.value) }
    }
  }
  private static let variablePrefix = "$"

  /// Whether a person at the prompt is told what usually comes next, and what a new word means.
  var hints: Bool { get throws { try workbench.setting("hints") != "off" } }
  func set(hints: Bool) throws { try workbench.set("hints", to: hints ? nil : "off") }

  /// Whether the prompt says how long each answer took.
  var timer: Bool { get throws { try workbench.setting("timer") == "on" } }
  func set(timer: Bool) throws { try workbench.set("timer", to: timer ? "on" : nil) }

  /// The folder that paths in the document start from, relative to the workspace's folder.
  var root: String { get throws { try workbench.setting("root") ?? ".." } }
  func set(root: String) throws { try workbench.set("root", to: root) }

  /// The last step that stands in `session.md`.
  var written: Int64 { get throws { try workbench.setting("written").flatMap(Int64.init) ?? 0 } }
  func set(written: Int64) throws { try workbench.set("written", to: String(written)) }

  /// The document's length in bytes when that step had been written.
  var writtenLength: UInt64 {
    get throws { try workbench.setting("written_length").flatMap(UInt64.init) ?? 0 }
  }
  func set(writtenLength: UInt64) throws { try workbench.set("written_length", to: String(writtenLength)) }

  /// The kernel's start in which `session.md` was last written to; nil where the disk was waited for each time.
  var writtenBoot: String? { get throws { try workbench.setting("written_boot") } }
  func set(writtenBoot: String?) throws { try workbench.set("written_boot", to: writtenBoot) }

  /// Terms that have had their line of explanation.
  var explained: Set<String> {
    get throws { Set((try workbench.setting("explained") ?? "").split(separator: " ").map(String.init)) }
  }
  func set(explained: Set<String>) throws {
    try workbench.set("explained", to: explained.sorted().joined(separator: " "))
  }
}
