import Basics
import Foundation
import Shell
import Transcripts
import Workbench

/// The workspace's `session.md`, written from the log a step at a time.
///
/// The file is only ever appended to, so that prose which someone wrote into it with an editor stays. How far it has got stands in
/// the database; a process that is killed between the two leaves a file that is at most some bytes ahead, which the next one notices.
///
/// The disk is not waited for: the log has all of it. With the file's length stands in which start of the kernel it was written.
/// In a later one its end may be gone with the power, and is written again from the log.
struct SessionDocument {
  let workspace: Workspace

  init(_ workspace: Workspace) { self.workspace = workspace }

  var url: URL { workspace.folder.appending(path: "session.md") }

  static let title = "A fettle session"

  /// Appends the steps that are logged and not written yet.
  ///
  /// The database's write lock keeps two processes from appending at once.
  func catchUp() throws {
    if workspace.isReadOnly { return }
    if !FileManager.default.fileExists(atPath: url.path) {
      // It is written again from its beginning. The mark is taken back first and by itself: a process that is killed right after
      // it has made the file would leave one without front matter, which looks as if it had been begun.
      try workspace.write { workbench in
        let settings = try Settings(workbench)
        guard try settings.writtenLength > 0, !FileManager.default.fileExists(atPath: url.path) else {
          return
        }
        try settings.set(written: 0)
        try settings.set(writtenLength: 0)
      }
    }
    // Neither the file nor the mark waits for the disk. Where the mark is older the file is ahead, which `append` notices.
    try workspace.writeWithoutWaiting { workbench in
      let settings = try Settings(workbench)
      if try settings.writtenLength > 0, try settings.writtenBoot.map({ $0 != Boot.id }) ?? false {
        try mend(settings)
      }
      let known = try settings.writtenLength
      let steps = try workbench.steps(after: Int(settings.written))
      if known > 0 && steps.isEmpty { return }
      var pending = steps.entries.map(DocumentWriter.text(of:)).joined()
      if known == 0 {
        pending = DocumentWriter.head(frontMatter: try frontMatter(workbench), title: Self.title) + pending
      }
      try settings.set(writtenLength: try append(Data(pending.utf8), after: known))
      if let last = steps.last { try settings.set(written: Int64(last.id)) }
      if try settings.writtenBoot != Boot.id { try settings.set(writtenBoot: Boot.id) }
    }
  }

  /// Writes again what a power cut took from the file's end: it is shorter than it was, or has zeros where its text was not written
  /// yet. What somebody wrote into the rest stays.
  private func mend(_ settings: Settings) throws {
    let workbench = settings.workbench
    guard let data = try? Data(contentsOf: url) else { return }
    let whole = data.prefix { $0 != 0 }
    guard try whole.count < data.count || UInt64(whole.count) < settings.writtenLength else { return }
    let steps = try workbench.steps(after: 0).filter { try $0.id <= settings.written }
    let head = DocumentWriter.head(frontMatter: try frontMatter(workbench), title: Self.title)
    // Labels share a fence where they were appended together.
    let asLogged = [steps.entries, steps.flatMap { [$0].entries }].map {
      head + $0.map(DocumentWriter.text(of:)).joined()
    }
    let mended =
      asLogged.first { Data($0.utf8).starts(with: whole) }
      ?? Self.mended(String(decoding: whole, as: UTF8.self), steps)
    do {
      try DurableFile.replace(url, with: Data(mended.utf8), staging: workspace.folder)
    } catch let error as FileError {
      throw CommandError(error, shownAs: "session.md")
    }
    try settings.set(writtenLength: UInt64(mended.utf8.count))
    try settings.set(writtenBoot: Boot.id)
  }

  /// A document that somebody has edited, without the fence that it breaks off in, and with the steps that it lacks at its end.
  private static func mended(_ text: String, _ steps: [LoggedStep]) -> String {
    guard let document = try? Document(parsing: text) else { return text }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if let broken = document.breaksOff { lines = Array(lines.prefix(broken - 1)) }
    var rest = lines.joined(separator: "\n")
    if !rest.hasSuffix("\n") { rest += "\n" }
    var lacking = steps[...]
    for command in document.steps.map(\.command) {
      guard let place = lacking.firstIndex(where: { $0.status != .note && $0.command == command }) else {
        continue
      }
      lacking = lacking[(place + 1)...]
    }
    lacking = lacking.drop { $0.status == .note && rest.contains(DocumentWriter.text(of: .note($0.command))) }
    return rest + Array(lacking).entries.map(DocumentWriter.text(of:)).joined()
  }

  /// The whole document, as the log has it.
  ///
  /// - Parameter root: where its paths start from, relative to where it will stand.
  func text(root: String? = nil) throws -> String {
    try workspace.read { workbench in
      var front = try frontMatter(workbench)
      if let root { front.root = root }
      return DocumentWriter.text(
        frontMatter: front, title: Self.title, entries: try workbench.steps(after: 0).entries)
    }
  }

  /// The document as it stands in the file, with the editor's prose; its paths start from `root`.
  func edited(root: String) throws -> String {
    guard let data = try? Data(contentsOf: url), let text = String(validating: data, as: UTF8.self),
      var document = try? Document(parsing: text)
    else { return try self.text(root: root) }
    document.frontMatter.root = root
    return document.text
  }

  /// Makes a document that was moved for good name its root from where it is now.
  ///
  /// - Parameter folder: where it stood.
  static func moveRoot(of url: URL, from folder: URL) throws {
    guard let text = try? String(contentsOf: url, encoding: .utf8),
      var document = try? Document(parsing: text)
    else { return }
    let root = URL(folder: document.frontMatter.root, relativeTo: folder)
    document.frontMatter.root = root.path(relativeTo: url.deletingLastPathComponent())
    do {
      try DurableFile.replace(url, with: Data(document.text.utf8), staging: folder)
    } catch let error as FileError {
      throw CommandError(error, shownAs: url.lastPathComponent)
    }
  }

  /// Drops the document of a session in which nothing has happened, so that another begins in its place; false where somebody
  /// has written into it.
  func discardEmpty() throws -> Bool {
    try workspace.write { workbench in
      let text = (try? Data(contentsOf: url)) ?? Data()
      let head = DocumentWriter.head(frontMatter: try frontMatter(workbench), title: Self.title)
      guard text.isEmpty || text == Data(head.utf8) else { return false }
      try? FileManager.default.removeItem(at: url)
      let settings = try Settings(workbench)
      try settings.set(written: 0)
      try settings.set(writtenLength: 0)
      return true
    }
  }

  /// Takes the last step of the log out of the file, before it goes from the log in the same transaction. What somebody wrote into
  /// the file stays.
  func takeOut(_ step: LoggedStep, _ workbench: Workbench) throws {
    let settings = try Settings(workbench)
    guard try settings.written >= step.id, let data = try? Data(contentsOf: url),
      let text = String(validating: data, as: UTF8.self)
    else { return }
    var rest = text
    if step.status == .note {
      guard let note = text.range(of: DocumentWriter.text(of: .note(step.command)), options: .backwards)
      else { return }
      rest.removeSubrange(note)
    } else {
      guard let document = try? Document(parsing: text), document.steps.last?.command == step.command else {
        return
      }
      rest = document.withoutLastStep.text
    }
    do {
      try DurableFile.replace(url, with: Data(rest.utf8))
    } catch let error as FileError {
      throw CommandError(error, shownAs: "session.md")
    }
    let removed = UInt64(max(0, data.count - rest.utf8.count))
    try settings.set(writtenLength: settings.writtenLength - min(removed, settings.writtenLength))
  }

  private func frontMatter(_ workbench: Workbench) throws -> FrontMatter {
    let settings = try Settings(workbench)
    return FrontMatter(
      seed: try settings.firstSeed, precision: .init(rawValue: try settings.precision.rawValue) ?? .f32,
      root: try settings.root)
  }

  /// Appends what the file does not end with already; returns its length then.
  ///
  /// - Parameter known: how long the file was when it was last appended to.
  private func append(_ data: Data, after known: UInt64) throws -> UInt64 {
    let descriptor = open(url.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw CommandError.cannotWrite(path: "session.md") }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    do {
      let end = try handle.seekToEnd()
      var rest = data
      if end > known {
        // Either an editor was here, or a process that was killed before it could note how far it had come.
        try handle.seek(toOffset: known)
        let more = try handle.readToEnd() ?? Data()
        if data.starts(with: more) { rest = data.dropFirst(more.count) }
      }
      try handle.seek(toOffset: end)
      try handle.write(contentsOf: rest)
      // Where nobody could tell later that the machine was started again.
      if Boot.id == nil { try handle.synchronize() }
      return end + UInt64(rest.count)
    } catch {
      throw CommandError.cannotWrite(path: "session.md")
    }
  }
}

extension [LoggedStep] {
  /// As the document's writer takes them: labels that were given one after the other share a fence, since a fence for each of
  /// hundreds could not be read.
  var entries: [DocumentWriter.Entry] {
    var entries: [DocumentWriter.Entry] = []
    for step in self {
      if step.status == .note {
        entries.append(.note(step.command))
      } else if !step.isLabel {
        entries.append(.step(step.step))
      } else if case .steps(let labels)? = entries.last {
        entries[entries.count - 1] = .steps(labels + [step.step])
      } else {
        entries.append(.steps([step.step]))
      }
    }
    return entries
  }
}

extension LoggedStep {
  fileprivate var isLabel: Bool { ["label set", "label remove"].contains(verb) }

  fileprivate var step: Step {
    Step(
      command: command, answer: answer.isEmpty ? [] : answer.components(separatedBy: "\n"),
      isInterrupted: status == .interrupted)
  }
}
