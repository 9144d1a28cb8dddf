import Foundation

/// The time since the kernel was started.
package enum Boot {
  /// Another one after each start, so that what was only handed to the kernel under this name is there still; nil where the kernel
  /// gives none.
  package static let id: String? = {
    let text = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
    return text.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }.flatMap { $0.isEmpty ? nil : $0 }
  }()
}
