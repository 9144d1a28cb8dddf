import Basics
import Commands
import Foundation
import Shell

/// The program's own arguments: what stands before the verb, and then one verb, lines, or nothing for the prompt.
struct Arguments {
  var options = Application.Options()
  var json = false
  var lines: [String] = []
  var verb: [String] = []
  var request: Request = .run

  enum Request { case run, version, help }

  static let usage = """
    USAGE: fettle [OPTIONS] [VERB ARGUMENTS...]

    Without a verb fettle opens its prompt; lines that come through a pipe are run in order.

    OPTIONS, before the verb:
      -c LINE           Run a line; may be given several times.
      --workspace DIR   Where the work is kept (default: .fettle).
      --json            One JSON object a verb, on one line.
      --seed N          Where every random choice starts (default: 42).
      --no-record       Leave the session's document as it is.
      --version         Print the version.
      --help            Print this. For a verb: fettle help VERB.

    Exit status: 0; 1 a verb failed; 2 usage; 130 interrupted.
    """

  /// - Throws: `Diagnostic` with the status for usage.
  init(_ arguments: [String]) throws {
    var rest = arguments[...]
    var given: Set<String> = []
    func value(of option: String, _ inline: String?) throws -> String {
      guard given.insert(option).inserted || option == "-c" else {
        throw Self.misuse("\(option) is given twice, and takes one value.")
      }
      if let inline { return inline }
      guard let next = rest.popFirst() else { throw Self.misuse("\(option) needs a value after it.") }
      return next
    }
    while let word = rest.first, word.hasPrefix("-"), word != "-" {
      rest.removeFirst()
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let inline = parts.count > 1 ? parts[1] : nil
      switch parts[0] {
      case "-c": lines.append(try value(of: "-c", inline))
      case "--workspace":
        options.workspace = try value(of: "--workspace", inline)
        if options.workspace.isEmpty { throw Self.misuse("--workspace needs the name of a folder.") }
      case "--seed":
        let text = try value(of: "--seed", inline)
        guard let seed = UInt64(text) else {
          throw Self.misuse(
            "--seed takes a whole number from 0 to \(UInt64.max), and \(text.visible) is none.")
        }
        options.seed = seed
      case "--json": json = true
      case "--no-record": options.records = false
      case "--version": request = .version
      case "--help", "-h": request = .help
      case "--":
        verb = Array(rest)
        rest = []
      default:
        let known = ["-c", "--workspace", "--seed", "--json", "--no-record", "--version", "--help"]
        let hint = nearest(parts[0], among: known).map { " Did you mean \($0)?" } ?? " See: fettle --help"
        throw Self.misuse("There is no option \(parts[0].visible).\(hint)")
      }
    }
    verb += rest
    if !lines.isEmpty, !verb.isEmpty {
      throw Self.misuse("-c and a verb do not go together: \(verb[0].visible) would be left out.")
    }
  }

  /// The one statement that they ask for; nil where there are none or several.
  var onlyStatement: Statement? {
    get throws {
      if !verb.isEmpty { return Application.statement(verb) }
      let statements = try lines.flatMap { try Language.statements($0) }
      return statements.count == 1 ? statements[0] : nil
    }
  }

  /// Whether they ask for a server alone, which stands in nobody's way.
  var isServer: Bool { verb.first == "serve" }

  private static func misuse(_ message: String) -> Diagnostic {
    Diagnostic(code: "usage", message: message, exitStatus: 2)
  }
}
