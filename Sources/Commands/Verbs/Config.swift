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
      gives the same numbers.

      Examples:
        config
        config seed 7
      """)
  enum Key: String, ExpressibleByArgument, CaseIterable { case seed }

  @Argument(help: "The setting: seed.") var key: Key?
  @Argument(parsing: .allUnrecognized, help: ArgumentHelp("Its new value.", valueName: "value")) var value:
    [Text] = []

  func perform(in context: Context) throws -> Work {
    Work { workbench in
      let settings = try Settings(workbench)
      if key == .seed, let text = value.first?.description {
        guard let seed = UInt64(text), value.count == 1 else {
          throw Fault.usage("A seed is a whole number from 0 to \(UInt64.max).")
        }
        try settings.set(seed: seed)
      }
      var report = Report(verb: "config")
      let seed = try settings.seed
      report.blocks.append(.fields([("seed", "\(String(seed))")]))
      report.json = ["seed": JSONValue(seed: seed)]
      return report
    }
  }
}
