import ArgumentParser
import Foundation
import Shell
import Workbench

/// Pins what a document claims: `expect $kpi.accuracy >= 0.7`.
struct Expect: Verb {
  static let configuration = CommandConfiguration(
    commandName: "expect", abstract: "Fail unless a comparison holds.",
    discussion: """
      $verb.field is a number or a text of that verb's last answer, by its name in --json: $kpi.accuracy, $validate.difference, \
      $finetune.model. Numbers are compared with >=, <=, >, <, == and !=; texts with == and !=.

      Examples:
        expect $kpi.accuracy >= 0.55
        expect $validate.p_value < 0.05
      """)

  @Argument(parsing: .captureForPassthrough, help: "LEFT COMPARISON RIGHT") var expression: [Text]

  func perform(in context: Context) throws -> Work {
    let words = expression.map(\.description)
    guard words.count == 3, let comparison = Comparator(rawValue: words[1]) else {
      throw Fault.usage(
        "expect needs three words, such as: expect $kpi.accuracy >= 0.7 (one of >= <= > < == != between blanks)."
      )
    }
    let typed = context.statement.words.dropFirst().map { $0.expanded { _ in nil } }
    for word in typed where word.hasPrefix("$") {
      if words.contains(word) {
        throw Fault.other(
          code: "no-such-value",
          "There is no \(word.visible) yet. Run the verb before the dot first; its --json shows which names it has."
        )
      }
    }
    let claim = typed.joined(separator: " ").visible
    guard let holds = comparison.holds(words[0], words[2]) else {
      throw Fault.usage(
        "\(claim): \(words[1]) compares numbers, and \(words[0].visible) or \(words[2].visible) is none.")
    }
    guard holds else {
      throw Fault.expectation(
        "Expected \(claim), but it is \(words[0].visible) \(words[1]) \(words[2].visible).")
    }
    return Work { _ in
      var report = Report(verb: "expect")
      report.blocks.append(.line("As expected: \(claim)"))
      report.json = ["expression": .string(claim), "holds": .bool(true)]
      return report
    }
  }

  enum Comparator: String {
    case atLeast = ">="
    case atMost = "<="
    case above = ">"
    case below = "<"
    case equal = "=="
    case different = "!="

    /// Whether it holds; nil where a comparison of size is asked of what is no number.
    func holds(_ left: String, _ right: String) -> Bool? {
      guard let a = Double(left), let b = Double(right) else {
        switch self {
        case .equal: return left == right
        case .different: return left != right
        default: return nil
        }
      }
      return switch self {
      case .atLeast: a >= b
      case .atMost: a <= b
      case .above: a > b
      case .below: a < b
      case .equal: a == b
      case .different: a != b
      }
    }
  }
}
