import Foundation
import PseudoTerminal
import Testing

@Suite("Interrupts without a prompt")
struct InterruptsTests {
  @Test("let the work end in good order", arguments: [SIGINT, SIGTERM])
  func cancelled(signal: Int32) throws {
    let terminal = try PseudoTerminal(PromptFixture.executable, ["--once", "600"])
    try terminal.wait(for: "working")
    if signal == SIGINT { terminal.type("\u{3}") } else { terminal.signal(signal) }
    try terminal.wait(for: "cancelled")
    #expect(try terminal.waitForExit() == 130)
    #expect(!terminal.screen.text.contains("tenths"), "the progress line is erased")
  }

  @Test("end work that does not listen at the second")
  func deaf() throws {
    let terminal = try PseudoTerminal(PromptFixture.executable, ["--deaf"])
    try terminal.wait(for: "deaf")
    terminal.signal(SIGINT)
    try terminal.wait(for: "heard")
    terminal.signal(SIGINT)
    #expect(try terminal.waitForExit() == 128 + SIGINT)
  }

  @Test("leave a program that was never interrupted alone")
  func undisturbed() throws {
    let terminal = try PseudoTerminal(PromptFixture.executable, ["--once", "1"])
    try terminal.wait(for: "worked")
    #expect(try terminal.waitForExit() == 0)
  }
}
