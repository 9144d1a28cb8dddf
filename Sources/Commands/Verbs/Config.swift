import ArgumentParser
import Foundation
import Shell
import Workbench

/// The workspace's settings. A change is a step of the document, since what follows depends on it.
struct Config: Verb {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Show or change a setting.",
    discussion: """
      seed decides every random choice: which assets a sample takes, how a head begins, in which order examples come. The same seed \
      gives the same numbers, and another seed shows how far they depend on chance. hints are the quiet lines after an answer: what \
      usually comes next, and what a new word means. timer has the prompt say after each answer how long it took; documents never do.

      Examples:
        config
        config seed 7
        config hints off
        config timer on

      Next: finetune, to see what another seed changes.
      """)
  enum Key: String, ExpressibleByArgument, CaseIterable {
    case seed, hints, timer

    /// What it can be, where that is one of a few.
    var values: [String] { self == .seed ? [] : ["on", "off"] }
  }

  @Argument(help: "The setting.") var key: Key?
  @Argument(parsing: .allUnrecognized, help: ArgumentHelp("Its new value.", valueName: "value")) var value:
    [Text] = []

  func perform(in context: Context) throws -> Effect {
    Effect { workbench in
      let settings = try Settings(workbench)
      if let key, !value.isEmpty { try change(key, to: value.map(\.description), settings) }
      var report = Report(verb: "config")
      let (seed, hints, timer) = (try settings.seed, try settings.hints, try settings.timer)
      let all: [(key: Key, name: String, value: Cell)] = [
        (.seed, "seed", "\(String(seed))"), (.hints, "hints", hints ? "on" : "off"),
        (.timer, "timer", timer ? "on" : "off"),
      ]
      report.blocks.append(
        .fields(all.filter { key == nil || $0.key == key }.map { ($0.name, $0.value) }))
      report.json = ["seed": JSONValue(seed: seed), "hints": .bool(hints), "timer": .bool(timer)]
      return report
    }
  }

  private func change(_ key: Key, to value: [String], _ settings: Settings) throws {
    switch key {
    case .seed:
      guard let seed = UInt64(value[0]), value.count == 1 else {
        throw CommandError.usage("A seed is a whole number from 0 to \(UInt64.max).")
      }
      try settings.set(seed: seed)
    case .hints, .timer:
      let value = value.joined(separator: " ").lowercased()
      guard key.values.contains(value) else {
        let name = key == .hints ? "Hints are" : "The timer is"
        throw CommandError.usage("\(name) on or off: config \(key.rawValue) off")
      }
      if key == .hints {
        try settings.set(hints: value == "on")
      } else {
        try settings.set(timer: value == "on")
      }
    }
  }
}
