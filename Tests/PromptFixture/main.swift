// A few commands behind a prompt, to drive it from a pseudo-terminal: prompt-fixture [HISTORY]
// and work without a prompt, to interrupt: prompt-fixture --once TENTHS, prompt-fixture --deaf
import Basics
import Foundation
import Shell

func say(_ text: String) { Terminal.standardOutput.write(text + "\n") }

func modes() -> String {
  var modes = termios()
  tcgetattr(STDIN_FILENO, &modes)
  return [("echo", ECHO), ("line", ICANON), ("signals", ISIG)].map { name, flag in
    modes.c_lflag & UInt32(flag) != 0 ? name : "no-" + name
  }.joined(separator: " ")
}

func work(tenths: Int, _ cancellation: Cancellation) -> String {
  let progress = Progress()
  defer { progress.finish() }
  for tenth in 0..<tenths {
    if cancellation.isCancelled { return "cancelled" }
    progress.update(done: tenth, total: tenths, unit: "tenths", note: "working")
    usleep(100_000)
  }
  return "worked"
}

func deaf(tenths: Int, _ cancellation: Cancellation) -> String {
  for _ in 0..<tenths { usleep(100_000) }
  return cancellation.isCancelled ? "deaf but cancelled" : "deaf"
}

func execute(_ statement: Statement, _ announcer: Announcer, _ cancellation: Cancellation) -> Next {
  let words = statement.words.map(\.text)
  let rest = statement.text(from: 1) { _ in nil }
  switch words[0] {
  case "say": say("said <\(rest)>")
  case "work": say(work(tenths: Int(rest) ?? 1, cancellation))
  case "deaf": say(deaf(tenths: Int(rest) ?? 1, cancellation))
  case "modes": say(modes())
  case "length": say("length \(rest.unicodeScalars.count)")
  case "announce":
    Thread.detachNewThread {
      while !announcer.isEditing { usleep(10_000) }
      usleep(UInt32(300_000))
      announcer.say("news")
    }
  case "exit": exit(3)
  case "trap": fatalError("as asked")
  case "quit": return .leave
  default:
    let meant = nearest(words[0], among: ["say", "work", "deaf", "modes", "length", "announce", "quit"])
    let drawing = Terminal.standardOutput.drawing
    let message = "There is no \(words[0])." + (meant.map { " Did you mean \($0)?" } ?? "")
    let failure = Diagnostic(
      code: "no-verb", message: message, line: statement.line, column: statement.words[0].column,
      source: statement.physicalLine(statement.line))
    Terminal.standardOutput.write(drawing.draw(failure))
  }
  return .goOn
}

func open(_ text: String) -> String? {
  guard case .incomplete(let open)? = try? Language.parse(text) else { return nil }
  return open.what
}

func candidates(_ text: String, _ cursor: String.Index) -> [Candidate] {
  let before = text[..<cursor]
  let word = String(before.reversed().prefix { !$0.isWhitespace }.reversed())
  let verbs = ["say", "work", "deaf", "modes", "length", "announce", "quit", "wörter", "quest"]
  return verbs.filter { $0.hasPrefix(word) }.map { Candidate($0, replacing: word.count) }
}

func runOnce(_ arguments: [String]) -> Never {
  let cancellation = Cancellation()
  Interrupts.install(cancelling: cancellation)
  if arguments[0] == "--once" {
    say(work(tenths: Int(arguments[1]) ?? 1, cancellation))
    exit(cancellation.isCancelled ? 130 : 0)
  }
  say("deaf")
  while !cancellation.isCancelled { usleep(10_000) }
  say("heard")
  while true { usleep(100_000) }
}

if CommandLine.arguments.dropFirst().first?.hasPrefix("--") == true {
  runOnce(Array(CommandLine.arguments.dropFirst()))
}

do {
  let file = CommandLine.arguments.dropFirst().first.map { URL(fileURLWithPath: $0) }
  let prompt = try Prompt(history: file, banner: "fixture")
  let announcer = prompt.announcer
  try prompt.run(continuation: open, complete: candidates) { @Sendable text, cancellation in
    guard let statements = try? Language.statements(text) else {
      say("not in the language")
      return .goOn
    }
    for statement in statements {
      if execute(statement, announcer, cancellation) == .leave { return .leave }
    }
    return .goOn
  }
  say("left")
} catch let failure as Diagnostic {
  Terminal.standardError.write(Terminal.standardError.drawing.draw(failure))
  exit(failure.exitStatus)
}
