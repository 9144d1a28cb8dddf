import Foundation
import Publishing
import Shell
import Transcripts

/// A replay before an audience: shows the prose, types each command, and waits for the teacher's key.
final class Lesson {
  /// What the teacher wants of a step.
  enum Wish { case run, skip, leave }

  private let context: Context
  private let keys: KeyPresses
  private let terminal: Terminal
  /// Seconds between two characters at the most, and for a whole command.
  private let pace = (character: 0.04, command: 2.5)
  /// What was answered last, to be shown again.
  var lastAnswer: Execution?

  init(_ context: Context) {
    self.context = context
    terminal = context.nested.terminal
    keys = KeyPresses(isCancelled: context.isCancelled)
    say("Enter runs the command, s skips it, b shows the last answer again, q leaves you at the prompt.")
  }

  /// Shows the text between two commands.
  func show(prose: String) {
    let width = terminal.isTerminal ? terminal.width : 80
    let lines = Markdown(prose).plainLines(width: width)
    if !lines.isEmpty { context.nested.show("") }
    for line in lines {
      switch line {
      case .heading(let text): context.nested.show(styled(text.visible, "1"))
      case .text(let text): context.nested.show(text.visible)
      }
    }
  }

  /// Runs the whole replay with the keys seen by nobody else.
  func during<T>(_ replay: () throws -> T) rethrows -> T { try keys.listening(replay) }

  /// Types a command and waits for a key.
  ///
  /// - Throws: `CancellationError` for Ctrl-C.
  func ask(_ step: Transcripts.Step) throws -> Wish {
    keys.forget()
    do {
      var press = try type(step.command, slowly: terminal.isTerminal && !terminal.isDumb)
      while true {
        switch try press ?? keys.next() {
        case .enter?, .key(" ")?:
          endLine()
          return .run
        case .key("s")?, .key("S")?:
          endLine()
          say("Skipped.")
          return .skip
        case .key("q")?, .key("Q")?, .end?:
          endLine()
          return .leave
        case .key("b")?, .key("B")?:
          endLine()
          if let lastAnswer {
            context.nested.send(.executed(lastAnswer))
          } else {
            say("There is no answer yet.")
          }
          try type(step.command, slowly: false)
        case .key?:
          endLine()
          say("Enter: run · s: skip · b: the last answer again · q: leave")
          try type(step.command, slowly: false)
        case nil: break
        }
        press = nil
      }
    } catch {
      endLine()
      throw error
    }
  }

  /// Writes the command behind the prompt, at the speed of a hand until a key is pressed.
  ///
  /// - Returns: that key, if it means more than to be quick.
  @discardableResult
  private func type(_ command: String, slowly: Bool) throws -> KeyPresses.Press? {
    let lines = command.split(separator: "\n", omittingEmptySubsequences: false)
    let pause = min(pace.character, pace.command / Double(max(1, command.count)))
    var press: KeyPresses.Press?
    for (index, line) in lines.enumerated() {
      write((index == 0 ? "" : "\n") + styled(index == 0 ? "fettle> " : "     > ", "2"))
      for character in String(line).visible {
        if slowly, press == nil { press = try keys.next(within: pause) }
        write(String(character))
      }
    }
    // Without a cursor that waits behind it, a command needs a line of its own.
    if !terminal.isTerminal { write("\n") }
    return press == .enter || press == .key(" ") ? nil : press
  }

  private func endLine() {
    if terminal.isTerminal { write("\n") }
  }

  private func say(_ text: String) { context.nested.show(styled(text, "2")) }

  private func write(_ text: String) { context.nested.send(.typed(text)) }

  private func styled(_ text: String, _ code: String) -> String {
    terminal.colour && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}
