import Foundation
import Shell
import Testing

@Suite("The prompt's history")
struct PromptHistoryTests {
  private func file() -> URL {
    FileManager.default.temporaryDirectory.appendingPathComponent("history-\(UUID().uuidString)")
  }

  @Test("reads back every entry as it was, each once, the newest last")
  func roundTrip() {
    let file = file()
    defer { unlink(file.path) }
    var history = PromptHistory(file: file)
    for entry in ["a", "b\nc", "back\\slash \\n", "東京", "a", " secret", "", "d  "] { history.append(entry) }
    let expected = ["b\nc", "back\\slash \\n", "東京", "a", "d"]
    #expect(history.entries == expected)
    #expect(PromptHistory(file: file).entries == expected)
  }

  @Test("keeps the newest thousand, and its file does not grow for ever")
  func capacity() throws {
    let file = file()
    defer { unlink(file.path) }
    try (0..<5_000).map { "say \($0)\n" }.joined().write(to: file, atomically: true, encoding: .utf8)
    let history = PromptHistory(file: file)
    #expect(history.entries.count == 1_000)
    #expect(history.entries.last == "say 4999")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 1_000)
    #expect(lines.first == "say 4000")
  }

  @Test("loses nothing when many write at once")
  func together() async {
    let file = file()
    defer { unlink(file.path) }
    await withTaskGroup(of: Void.self) { group in
      for writer in 0..<8 {
        group.addTask {
          var history = PromptHistory(file: file)
          for entry in 0..<50 { history.append("\(writer)-\(entry)") }
        }
      }
    }
    #expect(Set(PromptHistory(file: file).entries).count == 400)
  }

  @Test("disturbs nobody where it cannot be kept, and survives garbage")
  func unwritable() throws {
    var history = PromptHistory(file: URL(fileURLWithPath: "/proc/no/such/history"))
    history.append("kept for now")
    #expect(history.entries == ["kept for now"])
    let file = file()
    defer { unlink(file.path) }
    try Data([0xFF, 0xFE, 0x0A, 0x0A, 0x5C, 0x0A, 0x61]).write(to: file)
    #expect(PromptHistory(file: file).entries.last == "a")
  }
}
