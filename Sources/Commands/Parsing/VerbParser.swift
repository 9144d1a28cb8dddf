import ArgumentParser
import Basics
import Foundation
import Shell
import Synchronization

/// From words to a verb with its values, by the verb's own declaration.
enum VerbParser {
  struct Input {
    var text: String
    var isQuoted: Bool
    var column: Int

    init(text: String, isQuoted: Bool, column: Int) {
      (self.text, self.isQuoted, self.column) = (text, isQuoted, column)
    }

    init(_ word: Word, value: (String) -> String? = { _ in nil }) {
      // A variable's value is a value, whatever it begins with.
      let isVariable = if case .variable = word.pieces.first { true } else { false }
      self.init(
        text: word.expanded(using: value), isQuoted: word.isQuoted || isVariable, column: word.column)
    }
  }

  struct Parsed {
    var verb: any Verb
    /// The verb's name in JSON and in the log: `load`, `label simulate`.
    var name: String
  }

  /// A quoted word that begins with a hyphen is a value; this mark hides the hyphen from the parser, and `Text` takes it
  /// off again. It is the last of the private characters.
  static let mark: Character = "\u{10FFFD}"

  /// The statement without the format that it asks for.
  static func takingFormat(_ statement: Statement) -> (statement: Statement, format: ReportFormat?) {
    let type = verbs[statement.words.first?.text ?? ""] as? any TextVerb.Type
    return type?.textEndsLine == true ? (statement, nil) : statement.takingFormat
  }

  /// More than any verb needs, a text counted as few.
  private static let mostWords = 500

  private static let verbs = children(of: Fettle.self)

  static func verb(from words: [Input]) throws -> Parsed {
    let spellings = words.map { Spelling(text: $0.text, isQuoted: $0.isQuoted) }
    if let known = known.withLock({ $0[spellings] }) { return known }
    let parsed = try parse(words)
    if words.count <= 20, words.allSatisfy({ $0.text.utf8.count <= 200 }) {
      known.withLock { known in
        if known.count >= 4000 { known = [:] }
        known[spellings] = parsed
      }
    }
    return parsed
  }

  /// What a parse depends on.
  private struct Spelling: Hashable {
    var text: String
    var isQuoted: Bool
  }

  /// Lines that come again: a loop's, and a document's, which are checked before the first of them runs.
  private static let known = Mutex<[[Spelling]: Parsed]>([:])

  private static func parse(_ words: [Input]) throws -> Parsed {
    guard let first = words.first else {
      throw CommandError.usage("There is no verb. Type help to see what there is.")
    }
    guard var type = verbs[first.text] else {
      throw Unknown(kind: "verb", word: first, nearest: nearest(first.text, among: Array(verbs.keys)))
    }
    var path = [first.text]
    let below = children(of: type)
    if !below.isEmpty, words.count > 1, !words[1].text.hasPrefix("-") {
      guard let child = below[words[1].text] else {
        throw Unknown(
          kind: "subcommand of \(first.text)", word: words[1],
          nearest: nearest(words[1].text, among: Array(below.keys)), choices: below.keys.sorted())
      }
      type = child
      path.append(words[1].text)
    } else if !below.isEmpty, words.count == 1, type.configuration.defaultSubcommand == nil {
      throw CommandError.usage("\(first.text) needs one of: \(below.keys.sorted().joined(separator: ", ")).")
    }
    let texts =
      type is any TextVerb.Type ? words.indices.dropFirst().first { !words[$0].text.hasPrefix("-") } : nil
    let declared = texts == nil ? [] : self.options(of: type)
    let terminator = type is any TextVerb.Type ? terminator(of: words, depth: path.count) : nil
    let isOption = { (word: Input) in
      !word.isQuoted && word.text.hasPrefix("-") && declared.contains(String(word.text.prefix { $0 != "=" }))
    }
    let given = type is any WordVerb.Type ? words.prefix(path.count + 3) : words[...]
    var arguments: [String] = []
    var options: [Input] = []
    var wasMergeable = false
    for (index, word) in given.enumerated() {
      if index == terminator { continue }
      let isBehindTerminator = terminator.map { index > $0 } ?? false
      // Behind a text's first word only what the verb declares is an option: headlines have dashes.
      let isText = isBehindTerminator || (texts.map { index > $0 } ?? false) && !isOption(word)
      let isValue =
        word.isQuoted || isText || type is any TextVerb.Type && isNumberOrDash(word.text)
        || hasBlank(word.text) || isNumber(word.text) && expectsValue(words[..<index].map(\.text))
      // argument-parser's time grows with the square of the words, so most of a text goes as one. Its first two stand alone, since
      // verbs look at them, and so does what may be an option's value.
      let isMergeable =
        isText && index > (texts ?? 0) + 2 && (isBehindTerminator || !isOption(given[index - 1]))
      if isMergeable, wasMergeable {
        arguments[arguments.count - 1] += " " + word.text
      } else if word.text.hasPrefix("-"), isValue || isBehindTerminator {
        arguments.append(String(mark) + word.text)
      } else {
        if word.text.hasPrefix("--") { options.append(word) }
        arguments.append(word.text)
      }
      wasMergeable = isMergeable
    }
    guard arguments.count <= mostWords else {
      throw CommandError.usage(
        "\(path.joined(separator: " ")) takes \(mostWords) words at most, and here stand \(arguments.count).")
    }
    try refuseDoubled(options, of: path)
    do {
      // From the verb itself, which takes half the time that the way down from the root takes.
      let parsed = try type.parseAsRoot(Array(arguments.dropFirst(path.count)))
      guard let verb = parsed as? any Verb else {
        throw CleanExit.helpRequest(type)
      }
      return Parsed(verb: verb, name: path.joined(separator: " "))
    } catch {
      throw try explained(error, type: type, path: path, words: words)
    }
  }

  /// Reads a statement without running it, and those in its block: what a document or script says may be known to be wrong
  /// before it begins. A variable stands for what nobody knows yet, so what is wrong about one is not asked here.
  ///
  /// - Throws: `Unknown`, `Misuse`, `CommandError.usage`.
  static func check(_ statement: Statement) throws {
    if let body = statement.body {
      for inner in body { try check(inner) }
      return
    }
    let variables = statement.words.filter { word in
      word.pieces.contains { if case .variable = $0 { true } else { false } }
    }
    do {
      _ = try verb(from: takingFormat(statement).statement.words.map { Input($0) })
    } catch is HelpRequest {
    } catch let misuse as Misuse {
      let isOfVariable = misuse.column.map { column in variables.contains { $0.column == column } } ?? true
      if variables.isEmpty || !isOfVariable { throw misuse }
    }
  }

  /// The verb of a line, with its subcommand: `label simulate`. nil for what is no command.
  static func name(ofVerbIn line: String) -> String? {
    guard let words = try? Language.statements(line).first?.words else { return nil }
    return name(ofVerbIn: words)
  }

  static func name(ofVerbIn words: [Word]) -> String? {
    try? verb(from: words.map { Input($0) }).name
  }

  /// A verb or subcommand that does not exist, and the nearest that does.
  struct Unknown: Error {
    var kind: String
    var word: Input
    var nearest: String?
    var choices: [String] = []

    var message: String {
      let hint =
        nearest.map { "Did you mean \($0)?" }
        ?? (choices.isEmpty ? "Type help to see the verbs." : "There is: \(choices.joined(separator: ", ")).")
      return "There is no \(kind) named \(word.text.visible). \(hint)"
    }
  }

  /// A request for help, which is an answer and no error.
  struct HelpRequest: Error {
    var text: String
    var path: [String]

    var report: Report { Report(help: text) }
  }

  /// What argument-parser found wrong, in one sentence, with the word it is about where that can be told.
  struct Misuse: Error {
    var message: String
    var column: Int?
  }

  private static func explained(
    _ error: any Error, type: ParsableCommand.Type, path: [String], words: [Input]
  ) throws -> any Error {
    if Fettle.exitCode(for: error) == .success {
      return HelpRequest(text: helpText(for: type), path: path)
    }
    var message = Fettle.message(for: error).replacingOccurrences(of: String(mark), with: "")
    // Of many values argument-parser makes a list, a line each; here it is a sentence, as of few.
    if let list = message.firstRange(of: " the following:\n") {
      let values = message[list.upperBound...].split(separator: "\n").map { $0.drop { " -".contains($0) } }
      message.replaceSubrange(
        list.lowerBound..., with: " \(values.map { "'\($0)'" }.joined(separator: ", "))")
    }
    if let last = message.last, !".?!)".contains(last) { message += "." }
    // argument-parser suggests options and no values.
    if let choices = message.firstRange(of: "Please provide one of") {
      let quoted = message.matches(of: #/'([^']*)'/#).map { (word: String($0.1), start: $0.range.lowerBound) }
      let values = quoted.filter { $0.start > choices.lowerBound }.map(\.word)
      if let meant = quoted.first.flatMap({ nearest($0.word, among: values) }) {
        message += " Did you mean \(meant)?"
      }
    }
    let column = words.first {
      message.contains("'\($0.text)'") || message.contains("'\($0.text.prefix { $0 != "=" })'")
    }?
    .column
    return Misuse(message: "\(message) See: help \(path.joined(separator: " "))", column: column)
  }

  /// argument-parser takes the last value of an option that is given twice, and says nothing of the first.
  ///
  /// - Parameter words: those that are options.
  private static func refuseDoubled(_ words: [Input], of path: [String]) throws {
    var seen = Set<String>()
    for word in words {
      let option = String(word.text.prefix { $0 != "=" })
      guard !seen.insert(option).inserted, var command = Declaration.command(path)?.command else { continue }
      if let standard = command.defaultSubcommand.flatMap(command.child) { command = standard }
      let isSingle = command.arguments?.contains {
        $0.takesValue && !$0.isRepeating && $0.options.contains(option)
      }
      guard isSingle ?? false else { continue }
      throw Misuse(
        message: "\(option) is given twice, and takes one value. See: help \(path.joined(separator: " "))",
        column: word.column)
    }
  }

  /// What a verb declares, as it is typed.
  private static func options(of type: ParsableCommand.Type) -> Set<String> {
    if let known = knownOptions.withLock({ $0[ObjectIdentifier(type)] }) { return known }
    let arguments = Declaration(of: type)?.command.arguments ?? []
    let options = Set(arguments.flatMap(\.options) + ["-h", "--help"])
    knownOptions.withLock { $0[ObjectIdentifier(type)] = options }
    return options
  }

  /// Asking argument-parser takes longer than parsing a line, and a loop runs the same line many times.
  private static let knownOptions = Mutex<[ObjectIdentifier: Set<String>]>([:])

  /// No option's name has a blank in it; what has is a text from the Unix command line, whose quotes are gone.
  private static func hasBlank(_ word: String) -> Bool {
    word.prefix { $0 != "=" }.contains(where: \.isWhitespace)
  }

  /// `-3`, `-`, `--`: in a text these are no options.
  private static func isNumberOrDash(_ word: String) -> Bool {
    word.hasPrefix("-") && (word.allSatisfy { $0 == "-" } || word.dropFirst().first?.isNumber == true)
  }

  private static func isNumber(_ word: String) -> Bool { word.dropFirst().first?.isNumber == true }

  /// Whether what follows these words has a place of its own: `label set a -1`.
  private static func expectsValue(_ words: [String]) -> Bool {
    guard let (command, depth) = Declaration.command(words) else { return false }
    return command.argument(after: Array(words.dropFirst(depth)))?.kind == "positional"
  }

  /// Where a `--` stands before a text's first word: all behind it is text.
  private static func terminator(of words: [Input], depth: Int) -> Int? {
    guard let index = words.firstIndex(where: { $0.text == "--" && !$0.isQuoted }), index >= depth,
      let (command, _) = Declaration.command(words[..<depth].map(\.text)),
      !command.hasPlaced(words[depth..<index].map(\.text))
    else { return nil }
    return index
  }

  static func helpText(for type: ParsableCommand.Type, columns: Int = 80) -> String {
    laidOut(Fettle.helpMessage(for: type, columns: columns), columns: columns)
  }

  /// argument-parser's text without its headline, and with its one line of usage wrapped.
  private static func laidOut(_ text: String, columns: Int) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      if line.hasPrefix("OVERVIEW: ") { return String(line.dropFirst("OVERVIEW: ".count)) }
      guard line.hasPrefix("USAGE: "), line.count > columns else { return String(line) }
      var lines = [""]
      for part in line.matches(of: #/\[[^\]]*\]|[^ ]+/#).map(\.output) {
        if lines[lines.count - 1].count + 1 + part.count > columns { lines.append("      ") }
        lines[lines.count - 1] += (lines == [""] ? "" : " ") + part
      }
      return lines.joined(separator: "\n")
    }.joined(separator: "\n")
  }

  static func children(of type: ParsableCommand.Type) -> [String: ParsableCommand.Type] {
    let named = type.configuration.subcommands.flatMap { child in
      ([child._commandName] + child.configuration.aliases).map { ($0, child) }
    }
    return Dictionary(named, uniquingKeysWith: { first, _ in first })
  }
}

/// A verb that takes the rest of the line as a text.
protocol TextVerb {
  /// Whether the text goes to the line's very end, so that no format can be asked for behind it: `note Say it --json`.
  static var textEndsLine: Bool { get }
}

extension TextVerb {
  static var textEndsLine: Bool { false }
}

/// A verb that reads its words from the statement, as many as there are; argument-parser sees the first few.
protocol WordVerb {}

/// A string on a verb's command line. Every argument of type text is one of these, so that a quoted value may begin with
/// a hyphen.
struct Text: ExpressibleByArgument, Decodable, CustomStringConvertible {
  var description: String

  init(argument: String) {
    description = argument.first == VerbParser.mark ? String(argument.dropFirst()) : argument
  }
}

extension Report {
  /// A page of help.
  init(help text: String) {
    self.init(verb: "help")
    blocks.append(
      .preformatted(text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)))
    json = ["text": .string(text)]
  }
}
