import Basics
import Foundation
import Shell
import Synchronization
import Tasks

/// Which files verbs may read and write, and how their paths are recorded.
///
/// A document's paths are relative to its root. In a replay only files below the root (or below folders that the learner
/// allowed) are read, by their real paths so that a symbolic link does not lead out, and what verbs write lands in the
/// replay's own folder, where later verbs find it.
public final class FileAccess: Sendable {
  /// The folder that recorded paths start from.
  public let root: URL
  /// The folder that typed paths start from.
  public let base: URL
  let mode: Mode
  /// Typed paths whose recorded form differs, since they were typed in another folder than the root.
  private let renamed = Mutex<[String: String]>([:])
  /// Of the verb that reads.
  let cancellation = Mutex<Cancellation?>(nil)

  private var isCancelled: @Sendable () -> Bool {
    let cancellation = cancellation.withLock { $0 }
    return { cancellation?.isCancelled ?? false }
  }

  enum Mode: Sendable {
    /// A learner's own session: everything that the operating system allows.
    case free
    /// A replay: reads below the root and `allowed`, writes below `written`.
    case replay(allowed: [URL], written: URL)
  }

  init(root: URL, base: URL, mode: Mode) {
    self.root = root
    self.base = base
    self.mode = mode
  }

  /// Whether a document is being replayed, which starts nothing, fetches nothing and leaves nothing behind.
  var isReplay: Bool {
    if case .replay = mode { return true }
    return false
  }

  /// The file behind a typed path, to be read.
  func reading(_ path: String) throws -> URL {
    let url = try readable(path)
    // What the replay itself wrote is called as the document calls it.
    if case .replay(_, let written) = mode, url == place(of: path, in: written) { return url }
    note(path, url)
    return url
  }

  /// The file behind a path that is looked at only for advice, so that the recorded command does not know of it.
  func readable(_ path: String) throws -> URL {
    let url = resolve(path, orInstalled: true)
    if case .replay(let allowed, let written) = mode {
      let own = place(of: path, in: written)
      if FileManager.default.fileExists(atPath: own.path) { return own }
      let real = url.resolvingSymlinksInPath()
      let around = allowed.map { $0.resolvingSymlinksInPath() }.filter { real.isBelow($0) }
      guard !around.isEmpty || Installation.running.holds(url) else {
        throw CommandError.outsideRoot(path: path)
      }
      // A root that is somebody's home holds keys and passwords, and who replays a document there does not think of them.
      guard around.isEmpty || around.contains(where: { !real.isHidden(below: $0) }) else {
        throw CommandError.hidden(path: path)
      }
      // Opening a pipe may wait for ever, and a device may have no end.
      let kind = Self.kind(of: real)
      guard kind == nil || kind == .typeRegular || kind == .typeDirectory else {
        throw CommandError.notPlain(path: path)
      }
    }
    return url
  }

  /// Opens what ``reading(_:)`` has allowed: by what it is then, should a link have been put in its place meanwhile.
  var opener: FileOpener {
    var opener = FileOpener.anywhere
    if case .replay(let allowed, let written) = mode {
      opener = .below([written] + allowed + Installation.running.shared)
    }
    opener.isCancelled = isCancelled
    return opener
  }

  /// A document's or script's text: UTF-8, of a plain file, or of a pipe that the learner named.
  func text(of path: String) throws -> (file: URL, text: String) {
    let url = try reading(path)
    let kind = Self.kind(of: url.resolvingSymlinksInPath())
    guard let kind else { throw CommandError.noFile(path: path) }
    guard kind == .typeRegular || kind == .typeUnknown else { throw CommandError.notPlain(path: path) }
    let attributes = try? FileManager.default.attributesOfItem(atPath: url.path)
    let size = (attributes?[.size] as? NSNumber)?.intValue ?? 0
    guard size <= Self.longestText, let data = try data(of: url, shownAs: path, isPipe: kind != .typeRegular)
    else {
      throw CommandError.other(
        code: "too-long",
        "\(path.visible) is longer than \(Bytes(Self.longestText)), which no script or document is. Is it a data file? load FILE"
      )
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw CommandError.other(code: "encoding", "\(path.visible) is not UTF-8. Save it as UTF-8.")
    }
    return (url, text)
  }

  /// nil where there is more than a text may have.
  private func data(of url: URL, shownAs path: String, isPipe: Bool) throws -> Data? {
    // A pipe waits for its writer, which only the learner's own can be.
    let descriptor = isPipe && isReplay ? -1 : opener.open(url)
    guard descriptor >= 0 else { throw CommandError.noFile(path: path) }
    defer { close(descriptor) }
    let isCancelled = isCancelled
    var data = Data()
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      if isCancelled() { throw CancellationError() }
      let count = read(descriptor, &block, block.count)
      if count > 0 {
        data += block[..<count]
        if data.count > Self.longestText { return nil }
      } else if count == 0, !isPipe || !data.isEmpty {
        return data
      } else if count < 0, ![EAGAIN, EINTR].contains(errno) {
        return data
      } else {
        // Nobody writes to it yet, or nothing more for the moment.
        var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        if poll(&state, 1, 200) > 0, state.revents & Int16(POLLIN) == 0, count == 0 { return data }
      }
    }
  }

  /// The SHA-256 of a file that ``reading(_:)`` has allowed; nil where it cannot be read.
  func digest(of url: URL, check: () throws -> Void) -> String? {
    let descriptor = opener.open(url)
    guard descriptor >= 0 else { return nil }
    return try? sha256(FileHandle(fileDescriptor: descriptor, closeOnDealloc: true), check: check)
  }

  private static let longestText = 32_000_000

  private static func kind(of url: URL) -> FileAttributeType? {
    (try? FileManager.default.attributesOfItem(atPath: url.path))?[.type] as? FileAttributeType
  }

  /// The file behind a typed path, or the folder where that is wanted, to be written; the folder around it must exist.
  func writing(_ path: String, isFolder: Bool = false) throws -> URL {
    let url = resolve(path)
    if case .replay(_, let written) = mode {
      let own = place(of: path, in: written)
      let exists = FileManager.default.fileExists(atPath: url.deletingLastPathComponent().path)
      guard exists || FileManager.default.fileExists(atPath: own.deletingLastPathComponent().path) else {
        throw CommandError.noFolder(path: path)
      }
      try FileManager.default.createDirectory(
        at: own.deletingLastPathComponent(), withIntermediateDirectories: true)
      return own
    }
    var isDirectory: ObjCBool = false
    let folder = url.deletingLastPathComponent().path
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory), isDirectory.boolValue
    else {
      throw CommandError.noFolder(path: shown(path))
    }
    note(path, url)
    // Writing a file anew under its name would put it in the place of a device or a pipe.
    let kind = Self.kind(of: url)
    guard kind == nil || kind == .typeSymbolicLink || kind == (isFolder ? .typeDirectory : .typeRegular)
    else {
      throw isFolder ? CommandError.notFolder(path: shown(path)) : .notPlain(path: shown(path))
    }
    return url
  }

  /// How the recorded command and its answer call a file: by its path from the root.
  ///
  /// A replay's answers are held against the document's, and so call it as the document does.
  func shown(_ path: String) -> String {
    if isReplay { return path }
    note(path, resolve(path, orInstalled: true))
    return renamed.withLock { $0[path] } ?? path
  }

  /// The typed paths whose recorded form differs, with that form.
  var recordedPaths: [String: String] { renamed.withLock { $0 } }

  /// Where a replay keeps what a document writes, wherever the document would have put it.
  private func place(of path: String, in written: URL) -> URL {
    let parts = path.split(separator: "/").filter { $0 != "." }.map { $0 == ".." ? "up" : String($0) }
    return parts.reduce(written) { $0.appending(path: $1) }
  }

  /// Whether a replay of this session will need `--allow-read` for the file.
  func isOutside(_ url: URL) -> Bool {
    guard case .free = mode else { return false }
    return !url.resolvingSymlinksInPath().isBelow(root.resolvingSymlinksInPath())
      && Installation.running.name(of: url, from: root) == nil
  }

  /// How the command is recorded: as it was typed, but for its paths, which become relative to the root.
  ///
  /// - Parameter texts: its words with their variables expanded.
  func recorded(_ statement: Statement, texts: [String]) -> String {
    let renamed = renamed.withLock { $0 }
    guard !renamed.isEmpty else { return statement.source }
    let source = Array(statement.source)
    var before: Word?
    return zip(statement.words, texts).map { word, text in
      defer { before = word }
      let written = String(source[word.range])
      if word.isOption {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, let path = renamed[parts[1]] else { return written }
        return "\(parts[0])=\(Language.quoted(path))"
      }
      let isName = before.map { $0.isOption && Self.optionsOfNames.contains($0.text) } ?? false
      return isName ? written : renamed[text].map(Language.quoted) ?? written
    }.joined(separator: " ")
  }

  /// Options whose value is no path, even where it looks like one.
  private static let optionsOfNames: Set = [
    "--name", "--text", "--category", "--only", "--author", "--dataset", "--model", "--base",
  ]

  /// - Parameter orInstalled: whether a file that is not there may be one that came with the program.
  private func resolve(_ path: String, orInstalled: Bool = false) -> URL {
    let expanded = FilePaths.expandingHome(in: path)
    if orInstalled { return Installation.running.file(expanded, from: base) }
    return URL(filePath: expanded, relativeTo: base).standardizedFileURL
  }

  private func note(_ path: String, _ url: URL) {
    let installed = Installation.running.name(of: url, from: root)
    guard
      root.standardizedFileURL != base.standardizedFileURL || path.hasPrefix("/") || path.hasPrefix("~")
        || installed != nil
    else {
      return
    }
    let recorded = installed ?? url.path(relativeTo: root)
    if recorded != path { renamed.withLock { $0[path] = recorded } }
  }
}

extension URL {
  /// The folder at a path, marked as one: against a URL without that mark, Foundation would resolve relative paths from its parent.
  ///
  /// - Parameter base: where a relative path starts from; nil for the current folder.
  init(folder path: String, relativeTo base: URL? = nil) {
    self = URL(filePath: path, directoryHint: .isDirectory, relativeTo: base).standardizedFileURL
  }

  /// Whether the way down from a folder leads through a name that begins with a dot.
  func isHidden(below folder: URL) -> Bool {
    standardizedFileURL.pathComponents.dropFirst(folder.standardizedFileURL.pathComponents.count)
      .contains { $0.hasPrefix(".") }
  }

  func isBelow(_ folder: URL) -> Bool {
    let own = standardizedFileURL.pathComponents
    let other = folder.standardizedFileURL.pathComponents
    return own.count >= other.count && Array(own.prefix(other.count)) == other
  }

  /// The path that leads here from a folder: `Samples/news-1.csv`, `../data/x.csv`, `.`.
  func path(relativeTo folder: URL) -> String {
    let own = standardizedFileURL.pathComponents.filter { $0 != "/" }
    let other = folder.standardizedFileURL.pathComponents.filter { $0 != "/" }
    let common = zip(own, other).prefix { $0 == $1 }.count
    let steps = Array(repeating: "..", count: other.count - common) + own.dropFirst(common)
    return steps.isEmpty ? "." : steps.joined(separator: "/")
  }
}
