import ArgumentParser
import Basics
import Foundation
import Shell
import Transcripts
import Workbench

/// Work that is set aside, found again, and taken up again. None of it is a step: a document is about one session.
extension SessionVerb {
  struct New: Verb {
    static let recording = Recording.nothing
    static let configuration = CommandConfiguration(
      commandName: "new", abstract: "Set workspace and document aside and start empty.")
    @Option(help: ArgumentHelp("What the old work is called; a number if left out.", valueName: "new-name"))
    var name: Text?

    func perform(in context: Context) throws -> Effect {
      try context.requireNoBlock("session new")
      guard try context.hasWork else {
        return Effect { _ in
          var report = Report(verb: "session new")
          report.blocks.append(.line("This session is empty already: there is nothing to set aside."))
          report.json = ["aside": .null]
          return report
        }
      }
      let defaults = SessionDefaults(context.workspace)
      let aside = try context.workspace.setAside(
        named: name?.description ?? context.formerName, beginning: defaults.write
      ).name
      context.nested.forget()
      return Effect { _ in SessionVerb.report(setAside: aside) }
    }
  }

  /// What `session new` says, also of a damaged workspace.
  static func report(setAside name: String, next: String? = nil) -> Report {
    var report = Report(verb: "session new")
    let next = next ?? "The way back: session open \(name.visible)"
    report.blocks.append(
      .line(
        "The old work is set aside as \(name.visible). A new session begins. \(next)"
      ))
    report.json = ["aside": .string(name)]
    report.hint = "load FILE"
    return report
  }

  struct List: Verb {
    static let recording = Recording.nothing
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "List this session and those set aside.")

    func perform(in context: Context) throws -> Effect {
      let name = try? context.workspace.read { try Settings($0).name }
      let entries =
        [Entry(workspace: context.workspace, name: name)]
        + context.workspace.setAsides().map(Entry.init(aside:))
      return Effect { _ in
        var report = Report(verb: "session list")
        report.blocks.append(
          .table(
            Table(
              header: ["session", "last changed", "steps", "on disk"],
              rows: entries.map {
                [
                  "\($0.title)", "\($0.date ?? "")",
                  "\($0.steps.map(String.init) ?? "?")",
                  "\(Bytes($0.bytes).description)",
                ]
              }, alignments: [.left, .left, .right, .right])))
        report.json = ["sessions": .array(entries.map(\.json))]
        report.hint = entries.count > 1 ? "session open NAME" : nil
        return report
      }
    }
  }

  /// A session as the list has it: from its files alone, since one that was set aside may be damaged.
  private struct Entry {
    /// nil for one that has never been set aside.
    var name: String?
    var isOpen: Bool
    var date: String?
    var steps: Int?
    var bytes: Int

    init(workspace: Workspace, name: String?) {
      self.init(name: name, isOpen: true, files: workspace.files, document: workspace.document)
    }

    init(aside: SetAside) {
      self.init(name: aside.name, isOpen: false, files: aside.files, document: aside.document)
    }

    var title: String {
      guard isOpen else { return name?.visible ?? "" }
      return name.map { "\($0.visible) (this one)" } ?? "this one"
    }

    private init(name: String?, isOpen: Bool, files: [URL], document: URL) {
      self.name = name
      self.isOpen = isOpen
      let attributes = files.compactMap { try? FileManager.default.attributesOfItem(atPath: $0.path) }
      bytes = attributes.reduce(0) { $0 + (($1[.size] as? NSNumber)?.intValue ?? 0) }
      date = attributes.compactMap { $0[.modificationDate] as? Date }.max().map(Self.text)
      steps =
        (try? String(contentsOf: document, encoding: .utf8)).flatMap { try? Document(parsing: $0) }?.steps
        .count
      if !FileManager.default.fileExists(atPath: document.path) { steps = 0 }
    }

    private static func text(_ date: Date) -> String {
      let formatter = DateFormatter()
      formatter.locale = Locale(identifier: "en_US_POSIX")
      formatter.dateFormat = "yyyy-MM-dd HH:mm"
      return formatter.string(from: date)
    }

    var json: JSONValue {
      .object([
        "name": name.map(JSONValue.string) ?? .null, "open": .bool(isOpen),
        "changed": date.map(JSONValue.string) ?? .null,
        "steps": steps.map(JSONValue.int) ?? .null, "bytes": .int(bytes),
      ])
    }
  }

  struct Open: Verb {
    static let recording = Recording.nothing
    static let configuration = CommandConfiguration(
      commandName: "open", abstract: "Take up a session that was set aside; this one is set aside for it.")
    @Argument(help: ArgumentHelp("The session, as session list has it.", valueName: "session")) var name: Text

    func perform(in context: Context) throws -> Effect {
      try context.requireNoBlock("session open")
      let chosen = try context.workspace.setAside(called: name.description)
      let (hasWork, defaults) = (try context.hasWork, SessionDefaults(context.workspace))
      let aside: SetAside?
      do {
        aside = try context.workspace.open(chosen, keepingThis: hasWork, named: context.formerName)
      } catch {
        // What stands there now may be new and empty, and has to know its root.
        if try !context.hasWork { _ = try context.workspace.write(defaults.write) }
        throw error
      }
      context.nested.forget()
      return Effect { workbench in
        try Settings(workbench).set(name: chosen.name)
        let steps = try workbench.steps(after: 0).count { $0.status != .note }
        var report = Report(verb: "session open")
        report.blocks.append(
          .line(
            "\(chosen.name.visible) is open again: \(counted(steps, "step"))."
              + (aside.map { " What was here is set aside as \($0.name.visible)." } ?? "")))
        report.json = [
          "session": .string(chosen.name), "steps": .int(steps),
          "aside": aside.map { .string($0.name) } ?? .null,
        ]
        report.hint = "status"
        return report
      }
    }
  }

  struct Remove: Verb {
    static let recording = Recording.nothing
    static let configuration = CommandConfiguration(
      commandName: "remove", abstract: "Throw away a session that was set aside.")
    @Argument(help: ArgumentHelp("The session, as session list has it.", valueName: "session")) var name: Text
    @Flag(help: "Do it without asking.") var yes = false

    func perform(in context: Context) throws -> Effect {
      try context.requireNoBlock("session remove")
      let aside = try context.workspace.setAside(called: name.description)
      let entry = Entry(aside: aside)
      let what =
        "\(aside.name.visible) (\(entry.steps.map { counted($0, "step") } ?? "damaged"), \(Bytes(entry.bytes)))"
      guard try yes || context.confirm("This throws away the session \(what) for good.") else {
        return .unchanged
      }
      try context.workspace.remove(aside)
      return Effect { _ in
        var report = Report(verb: "session remove")
        report.blocks.append(.line("Removed the session \(what)."))
        report.json = ["session": .string(aside.name), "bytes": .int(entry.bytes)]
        return report
      }
    }
  }
}

extension Context {
  /// Whether anything would be lost; of a damaged workspace one cannot tell, so yes.
  var hasWork: Bool {
    get throws {
      (try? workspace.read { try !($0.steps(after: 0).isEmpty && $0.datasets().isEmpty) }) ?? true
    }
  }

  /// What this session was called before it was opened again, and will be called once more; nil where that is taken.
  fileprivate var formerName: String? {
    let name = (try? workspace.read { try Settings($0).name }) ?? nil
    return workspace.setAsides().contains { $0.name == name } ? nil : name
  }

  /// A block's steps belong to the session in which it began.
  func requireNoBlock(_ verb: String) throws {
    guard !files.isReplay else { throw CommandError.notInReplay(verb: verb) }
    guard !nested.isInBlock else {
      throw CommandError.other(
        code: "not-in-block",
        "\(verb) cannot stand in a block: it ends the session that the block is part of.")
    }
  }
}

extension Workspace {
  /// The session that was set aside under a name.
  fileprivate func setAside(called name: String) throws -> SetAside {
    let all = setAsides()
    if let found = all.first(where: { $0.name == name }) { return found }
    let near = nearest(name, among: all.map(\.name))
    throw CommandError.other(
      code: "no-such-session",
      "No session named \(name.visible) is set aside. "
        + (near.map { "Did you mean \($0.visible)?" } ?? "See: session list"))
  }
}
