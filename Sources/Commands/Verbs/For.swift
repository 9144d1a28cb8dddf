import ArgumentParser
import Shell

/// The same lines for several values: step 9 of the tutorial, each doubling of the data.
struct For: Verb, WordVerb {
  static let recording = Recording.block
  static let configuration = CommandConfiguration(
    commandName: "for", abstract: "Run a block of lines once for each of several values.",
    discussion: """
      for NAME in VALUES { … } sets $NAME to each value in turn and runs the lines between the braces; a brace stands alone, with blanks or \
      line ends around it. The first failure ends it, and so does Ctrl-C; what was done before stays. The variable keeps its last value; \
      until then what another shell sets does not change it.

      Examples:
        for n in 25 50 100 { load Samples/news-1.csv --sample $n --name part-$n }
        for who in Ana Bo { label simulate --author $who --noise 0.1 }

      Next: expect, which pins what came of it. The whole language is on one page: help language.
      """)

  @Argument(parsing: .captureForPassthrough, help: "NAME in VALUES { LINES }") var words: [Text]

  func perform(in context: Context) throws -> Effect {
    let words = context.statement.words.dropFirst().map { $0.expanded(using: context.value) }
    guard words.count > 2, words[1] == "in" else {
      throw CommandError.usage(
        "for goes: for NAME in VALUES { LINES }, such as: for n in 1 2 { finetune --epochs $n }")
    }
    guard let body = context.statement.body else {
      throw CommandError.usage(
        "for needs its lines between braces that stand alone, with blanks around them: for n in 25 50 { LINES }"
      )
    }
    guard SetVariable.isName(words[0]) else {
      throw CommandError.usage(
        "\(words[0].visible) cannot name a variable. A name has letters, digits and _, and stands here without its dollar sign."
      )
    }
    guard context.statement.lines <= Interpreter.mostLines else {
      throw CommandError.tooManyLines
    }
    context.nested.loops.begin(words[0])
    defer { context.nested.loops.end() }
    for value in words.dropFirst(2) {
      guard
        try context.run(
          [assignment(of: value, to: words[0], at: context.statement)] + body, file: context.file)
      else { break }
    }
    return Effect { _ in Report(verb: "for") }
  }

  /// A step like those of the block, so that each of them is recorded with the value it was run with.
  private func assignment(of value: String, to name: String, at statement: Statement) throws -> Statement {
    let source = "set \(name) \(Language.quoted(value))"
    let numbering = Language.Numbering(firstLine: statement.line)
    guard
      case .complete(let lines) = try Language.parse(source, numbering: numbering, extractingPrompts: false),
      let line = lines.first
    else { throw CommandError.usage("\(value.visible) cannot be a value.") }
    return line
  }
}

extension Statement {
  /// How many lines it comes to: of a `for`, those of its block and the one that sets its variable, once for each value.
  fileprivate var lines: Int {
    guard let body else { return 1 }
    var each = 1
    for statement in body {
      let (sum, isTooMuch) = each.addingReportingOverflow(statement.lines)
      each = isTooMuch ? .max : sum
    }
    // `for NAME in` stands before the values.
    let (product, isTooMuch) = each.multipliedReportingOverflow(by: max(1, words.count - 3))
    return isTooMuch ? .max : product
  }
}
