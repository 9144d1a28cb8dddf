/// A line inside a `fettle` fence: how it is read, and how it is written so that it is read as meant.
enum FenceLine: Equatable {
  /// `fettle> ` and a command's first line.
  case command(Substring)
  /// `     > ` and a command's further line.
  case continuation(Substring)
  /// `# interrupted: ` and the command that was.
  case interrupted(Substring)
  /// Anything else.
  case answer(Substring)

  init(_ line: Substring) {
    for (prompt, meaning) in FenceLine.prompts {
      if line.utf8.starts(with: prompt.utf8) {
        self = meaning(Substring(line.utf8.dropFirst(prompt.utf8.count)))
        return
      }
      // Editors take the blank off a line's end.
      if line.utf8.elementsEqual(prompt.utf8.dropLast()) {
        self = meaning("")
        return
      }
    }
    self = .answer(line)
  }

  /// The line as a document shows it, unescaped: for the first three.
  var text: String {
    switch self {
    case .command(let text): FenceLine.line(FenceLine.commandPrompt, text)
    case .continuation(let text): FenceLine.line(FenceLine.continuationPrompt, text)
    case .interrupted(let text): FenceLine.line(FenceLine.interruptedPrompt, text)
    case .answer(let text): FenceLine.escaped(text)
    }
  }

  /// An answer's line as the fence holds it. One that would read as a command, or as the escape of one, gets a
  /// backslash; every other line stands as it is.
  static func escaped(_ line: Substring) -> String { needsEscape(line) ? "\\" + line : String(line) }

  /// An answer's line as it was before `escaped`.
  static func unescaped(_ line: Substring) -> Substring {
    guard line.utf8.first == UInt8(ascii: "\\"), needsEscape(line) else { return line }
    return Substring(line.utf8.dropFirst())
  }

  private static let commandPrompt = "fettle> "
  private static let continuationPrompt = "     > "
  private static let interruptedPrompt = "# interrupted: "

  private static var prompts: [(String, (Substring) -> FenceLine)] {
    [
      (commandPrompt, FenceLine.command), (continuationPrompt, FenceLine.continuation),
      (interruptedPrompt, FenceLine.interrupted),
    ]
  }

  private static func needsEscape(_ line: Substring) -> Bool {
    if case .answer = FenceLine(Substring(line.utf8.drop { $0 == UInt8(ascii: "\\") })) { return false }
    return true
  }

  private static func line(_ prompt: String, _ text: Substring) -> String {
    text.isEmpty ? String(prompt.dropLast()) : prompt + text
  }
}
