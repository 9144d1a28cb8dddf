import Foundation
import Publishing
import Shell
import Transcripts

/// A replay before an audience: shows the prose, types each command, and waits for the teacher's key.
final class Lesson {
  /// What the teacher decides about a step.
  enum Decision { case run, skip, leave }

  private let context: Context
  private let keys: KeyPresses
  private let terminal: Terminal
  /// Seconds between two characters at the most, and for a whole command.
  private let pace = (character: 0.04, command: 2.5)
  /// The text before the step that is asked for.
  private var prose = ""
  /// What has been shown, to be looked at again.
  private var past: [Past] = []

  private struct Past {
    var prose: String
    var step: Transcripts.Step
    var number: Int
    /// nil for a step that was skipped.
    var execution: Execution?
  }

  init(_ context: Context) {
    self.context = context
    terminal = context.nested.terminal
    keys = KeyPresses(isCancelled: context.isCancelled)
    say("Enter runs the command, s skips it, b looks back, q leaves you at the prompt.")
  }

  /// Shows the text between two commands.
  func show(prose: String) {
    self.prose += prose
    draw(prose: prose)
  }

  private func draw(prose: String) {
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
  /// - Parameters:
  ///   - number: which step it is, from 1.
  ///   - count: how many there are.
  /// - Throws: `CancellationError` for Ctrl-C.
  func ask(_ step: Transcripts.Step, _ number: Int, of count: Int) throws -> Decision {
    keys.forget()
    defer { prose = "" }
    say("step \(number) of \(count)")
    do {
      var press = try type(step.command, slowly: terminal.isTerminal && !terminal.isDumb)
      while true {
        switch try press ?? keys.next() {
        case .enter?, .key(" ")?:
          endLine()
          past.append(Past(prose: prose, step: step, number: number))
          return .run
        case .key("s")?, .key("S")?:
          endLine()
          say("Skipped.")
          past.append(Past(prose: prose, step: step, number: number))
          return .skip
        case .key("q")?, .key("Q")?, .end?:
          endLine()
          return .leave
        case .key("b")?, .key("B")?:
          endLine()
          if past.isEmpty {
            say("This is the first step.")
          } else {
            guard try lookBack(count) else { return .leave }
            draw(prose: prose)
            say("step \(number) of \(count), where you were")
          }
          try type(step.command, slowly: false)
        case .key?:
          endLine()
          say("Enter: run · s: skip · b: go back to look · q: leave")
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

  /// Keeps what the step that was asked for last has answered.
  func answered(_ execution: Execution) {
    if !past.isEmpty { past[past.count - 1].execution = execution }
  }

  /// Shows earlier steps as they were, one by one, until one has come back to where one was; false to leave the lesson.
  ///
  /// - Throws: `CancellationError` for Ctrl-C.
  private func lookBack(_ count: Int) throws -> Bool {
    var index = past.count - 1
    while index < past.count {
      let step = past[index]
      draw(prose: step.prose)
      say("step \(step.number) of \(count), as it was")
      try type(step.step.command, slowly: false)
      endLine()
      if let execution = step.execution { context.nested.send(.executed(execution)) } else { say("Skipped.") }
      // What was pressed before there was anything to answer; from here on every key counts.
      keys.forget()
      say(index > 0 ? "b: further back · Enter: forward · q: leave" : "Enter: forward · q: leave")
      var isWaiting = true
      while isWaiting {
        isWaiting = false
        switch try keys.next() {
        case .key("b")?, .key("B")?:
          if index > 0 { index -= 1 } else { isWaiting = true }
        case .key("q")?, .key("Q")?, .end?: return false
        case .enter?, .key(" ")?: index += 1
        case .key?, nil: isWaiting = true
        }
      }
    }
    return true
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

  private func say(_ text: String) {
    for line in text.folded(to: terminal.isTerminal ? terminal.width : 80) {
      context.nested.show(styled(line, "2"))
    }
  }

  private func write(_ text: String) { context.nested.send(.typed(text)) }

  private func styled(_ text: String, _ code: String) -> String {
    terminal.colour && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}
