import ArgumentParser
import Basics
import Shell
import Workbench

/// Begins again with nothing: `session new` for those who will not want the old work back.
struct Reset: Verb {
  static let recording = Recording.nothing
  static let configuration = CommandConfiguration(
    commandName: "reset", abstract: "Throw this session away and start empty.",
    discussion: """
      Data sets, labels, predictions, tuned models, variables and the document go; it says what they are and asks first, unless told --yes. \
      session new sets them aside instead, and session open brings them back.

      Examples:
        reset --yes

      Next: load FILE.
      """)
  @Flag(help: "Do it without asking.") var yes = false

  func perform(in context: Context) throws -> Effect {
    try context.requireNoBlock("reset")
    guard try context.hasWork else {
      return Effect { _ in
        var report = Report(verb: "reset")
        report.blocks.append(.line("This session is empty already."))
        return report
      }
    }
    let lost = try? context.workspace.read(Contents.init)
    let what = lost?.description ?? "this session, which is damaged"
    guard try yes || context.confirm("This throws away \(what). (session new would set it aside.)") else {
      return .unchanged
    }
    let defaults = SessionDefaults(context.workspace)
    try context.workspace.remove(context.workspace.setAside(beginning: defaults.write))
    context.nested.forget()
    return Effect { _ in
      var report = Report(verb: "reset")
      report.blocks.append(.line("Thrown away: \(what). A new session begins."))
      report.json = lost?.json ?? [:]
      report.hint = "load FILE"
      return report
    }
  }

  /// What a session holds.
  private struct Contents: CustomStringConvertible {
    var datasets: Int
    var assets: Int
    var labels: Int
    var models: [TunedModel]
    var steps: Int

    init(_ workbench: Workbench) throws {
      let all = try workbench.datasets()
      datasets = all.count
      assets = all.reduce(0) { $0 + $1.assets }
      labels = try all.reduce(0) { sum, dataset in
        try sum + workbench.labellers(of: dataset).reduce(0) { $0 + $1.labels }
      }
      models = try workbench.models()
      steps = try workbench.steps(after: 0).count { $0.status != .note }
    }

    var description: String {
      var parts: [String] = []
      if datasets > 0 { parts.append("\(counted(datasets, "data set")) (\(counted(assets, "asset")))") }
      if labels > 0 { parts.append(counted(labels, "label")) }
      if !models.isEmpty {
        parts.append("\(counted(models.count, "tuned model")) (\(Bytes(models.reduce(0) { $0 + $1.bytes })))")
      }
      parts.append("a document of \(counted(steps, "step"))")
      return parts.joined(separator: ", ")
    }

    var json: [String: JSONValue] {
      [
        "datasets": .int(datasets), "assets": .int(assets), "labels": .int(labels),
        "models": .int(models.count),
        "steps": .int(steps),
      ]
    }
  }
}
