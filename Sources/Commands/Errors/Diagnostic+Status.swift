import Shell
import Transcripts

extension Diagnostic {
  static let usageStatus: Int32 = 2
  static let interruptedStatus: Int32 = 130

  /// Whether it says something about this machine and not about the session: another machine's replay would not fail so,
  /// and the document does not keep it.
  var isOfTheMachine: Bool {
    ["disk-full", "cannot-write", "file-exists", "memory-short", "unexpected"].contains(code)
      || code.hasPrefix("model-") || code.hasPrefix("workspace-")
  }

  /// As a document keeps it.
  var answer: Answer { CanonicalDrawing.draw(self) }
}
