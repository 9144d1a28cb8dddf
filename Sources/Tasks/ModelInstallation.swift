import Basics
import Encoder
import Foundation
import HTTP
import Workbench

/// Puts models into the cache, beside those that are there: checked, made durable under another name, and then, in one step, in
/// their place. Whenever it is killed, a model is there whole or not at all, and one that is replaced is the old or the new one.
public struct ModelInstallation: Sendable {
  private let cache: ModelCache
  private let progress: @Sendable (_ done: Int, _ total: Int, _ file: String) -> Void
  private let isCancelled: @Sendable () -> Bool

  /// What came of it.
  public struct Result: Sendable {
    public let model: InstalledModel
    /// Bytes that were fetched or copied.
    public var bytes = 0
    /// Whether the same model was there under this name already.
    public var wasThere = false
    /// Whether it is what a workspace has as `base` that has chosen none.
    public var isInitial = false
  }

  /// - Parameters:
  ///   - progress: bytes that are there, bytes in all, and of which file.
  ///   - isCancelled: asked several times a second.
  public init(
    _ cache: ModelCache,
    progress: @escaping @Sendable (_ done: Int, _ total: Int, _ file: String) -> Void = { _, _, _ in },
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) {
    self.cache = cache
    self.progress = progress
    self.isCancelled = isCancelled
  }

  private func checkCancellation() throws { if isCancelled() { throw CancellationError() } }

  /// What ``fetch(_:as:replaces:)`` knows, the standard encoder first.
  public static var fetchable: [String] { HubModel.all.map(\.name) }

  /// Fetches a model of those that fettle knows.
  ///
  /// - Parameters:
  ///   - model: its name; nil for the standard encoder.
  ///   - name: what to call it; nil for its own name.
  ///   - replaces: whether it may take the place of another model of that name.
  /// - Throws: `HTTPError.cancelled`; `TaskError` for an unknown model, where the hub gives none, or when what came is not what was
  ///   expected; `CancellationError`.
  public func fetch(_ model: String? = nil, as name: String? = nil, replaces: Bool = false) throws -> Result {
    let model = model ?? ModelCache.standardName
    guard let known = HubModel.all.first(where: { $0.name == model }) else {
      throw TaskError.other(
        code: "model-unknown",
        "fettle knows where to fetch \(Self.fetchable.joined(separator: " and ")), and not \(model.visible). Fetch that yourself and "
          + "take its folder or its GGUF file: model install --from PLACE")
    }
    return try fetch(known, as: name, replaces: replaces)
  }

  package func fetch(_ model: HubModel, as name: String? = nil, replaces: Bool = false) throws -> Result {
    let folder = try place(name ?? model.name)
    let bundled = name == nil ? cache.bundled.filter { $0.lastPathComponent == model.name } : []
    for folder in [folder] + bundled
    where model.files.allSatisfy({ $0.isIn(folder, check: checkCancellation) }) {
      return try finished(Result(model: InstalledModel(folder: folder), wasThere: true))
    }
    let lock = try ModelCacheLock(cache.folder)
    defer { lock.release() }
    try checkFree(folder, for: nil, replacing: replaces)
    var bytes = 0
    let partial = cache.folder.appending(path: ".\(folder.lastPathComponent).part")
    try makeFolder(partial)
    for file in model.files {
      try checkCancellation()
      let target = partial.appending(path: file.name)
      if file.isIn(partial, check: checkCancellation) { continue }
      do {
        try Download(model.address + file.name, to: target, size: file.size).run(
          progress: { received, _ in progress(Int(received), Int(file.size), file.name) },
          isCancelled: isCancelled)
      } catch let error as HTTPError where error.isOfTheHub {
        throw TaskError.other(code: error.code, "\(error) Or take it from elsewhere: \(model.otherwise).")
      }
      guard file.isIn(partial, check: checkCancellation) else {
        try checkCancellation()
        try? FileManager.default.removeItem(at: target)
        throw TaskError.other(
          code: "model-digest",
          "\(file.name) is not the file that was expected (its SHA-256 differs), so it was thrown away. Try again, "
            + "or take it from elsewhere: \(model.otherwise).")
      }
      bytes += Int(file.size)
    }
    try explaining { try model.card.write(to: partial) }
    // From here on it is no download to go on with, and swept like any other.
    let ready = ModelCacheLock.ready(for: folder)
    try? FileManager.default.removeItem(at: ready)
    try explaining { try DurableFile.move(partial, to: ready) }
    return try put(ready, in: folder, bytes: bytes)
  }

  /// Copies a model, encoder or language model, from a folder or from one GGUF file.
  ///
  /// - Parameters:
  ///   - name: what to call it; nil for the folder's or the file's name, and for the own name of a model that fettle fetches.
  ///   - replaces: whether it may take the place of another model of that name.
  ///   - shown: the place as the user named it, kept as the model's source.
  /// - Throws: `ModelError` when there is no model; `TaskError`; `CancellationError`.
  public func copy(from source: URL, as name: String? = nil, replaces: Bool = false, shownAs shown: String)
    throws
    -> Result
  {
    // Reading it whole is the only check that counts.
    _ = try PretrainedModel.load(folder: source)
    let summary = try ModelSummary(of: source)
    let known = HubModel.all.first { $0.isWhole(at: source, check: checkCancellation) }
    try checkCancellation()
    let folder = try place(name ?? known?.name ?? Self.name(for: source))
    let lock = try ModelCacheLock(cache.folder)
    defer { lock.release() }
    if try checkFree(folder, for: source, replacing: replaces) {
      return try finished(Result(model: InstalledModel(folder: folder), wasThere: true))
    }
    let ready = ModelCacheLock.ready(for: folder)
    let manager = FileManager.default
    try? manager.removeItem(at: ready)
    var bytes = 0
    do {
      try manager.createDirectory(at: ready, withIntermediateDirectories: false)
      let from = Self.isFolder(source) ? source : source.deletingLastPathComponent()
      for name in try PretrainedModel.fileNames(in: source) {
        try checkCancellation()
        // The bytes themselves: a link into the source would break when that goes.
        let file = from.appending(path: name).resolvingSymlinksInPath()
        let own = known?.files.count == 1 ? known?.files[0].name : nil
        let target = ready.appending(path: own ?? name)
        try manager.copyItem(at: file, to: target)
        bytes += InstalledModel.size(target)
      }
      // What a README beside a single file is about, nobody knows.
      let readme =
        Self.isFolder(source) ? ModelCard(readme: source, source: shown) : ModelCard(source: shown)
      let card = known?.card ?? readme.completed(by: summary)
      try card.write(to: ready)
    } catch {
      try? manager.removeItem(at: ready)
      throw error is CancellationError ? error : TaskError.cacheNotWritable(isFull: false)
    }
    return try put(ready, in: folder, bytes: bytes)
  }

  private static func isFolder(_ place: URL) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder) && isFolder.boolValue
  }

  /// What the model is called in the cache: as its folder or file is, where that can be a name.
  private static func name(for source: URL) -> String {
    let place = isFolder(source) ? source : source.deletingPathExtension()
    let name = Name.make(from: place.lastPathComponent)
    return isName(name) ? name : "model-\(name)"
  }

  private static func isName(_ name: String) -> Bool {
    Name.isValid(name) && !["embedded", Workbench.baseModel].contains(name)
  }

  /// - Throws: `TaskError` where nothing can be called so.
  private func place(_ name: String) throws -> URL {
    guard Self.isName(name) else {
      throw TaskError.other(
        code: "bad-name",
        "No model can be called \(name.visible). Use letters, digits, dots, hyphens and underscores, and neither base nor embedded."
      )
    }
    return cache.folder.appending(path: name)
  }

  /// Whether the same model has the place already.
  ///
  /// - Throws: `TaskError` where another one has it, which tuned models may stand on.
  @discardableResult
  private func checkFree(_ folder: URL, for source: URL?, replacing: Bool) throws -> Bool {
    let old = InstalledModel(folder: folder)
    guard old.isThere, let digest = try? cache.identity(of: folder) else { return false }
    if let source, try cache.identity(of: source) == digest { return true }
    guard !replacing else { return false }
    throw TaskError.other(
      code: "model-name-taken",
      "\(EncoderReference(name: old.name, digest: digest).description) is installed already, and this is another model. "
        + "Give it a name of its own: --name NAME. Or put it in the other's place: --replace")
  }

  private func makeFolder(_ folder: URL) throws {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw TaskError.cacheNotWritable(isFull: false)
    }
  }

  private func put(_ ready: URL, in folder: URL, bytes: Int) throws -> Result {
    do {
      try explaining {
        try DurableFile.synchronise(ready)
        try ModelCacheLock.put(ready, inPlaceOf: folder)
      }
    } catch {
      try? FileManager.default.removeItem(at: ready)
      throw error
    }
    cache.forget(folder)
    return try finished(Result(model: InstalledModel(folder: folder), bytes: bytes))
  }

  /// The first encoder that is installed is what workspaces begin with. Where there is one already nothing is written, since a home
  /// may be missing that nobody needs.
  private func finished(_ result: Result) throws -> Result {
    var result = result
    if !result.model.isGenerative, cache.initial == nil {
      try makeFolder(cache.folder)
      try explaining {
        try DurableFile.replace(
          cache.folder.appending(path: "embedded"), with: Data(result.model.name.utf8))
      }
    }
    result.isInitial = cache.initial?.folder.path == result.model.folder.path
    return result
  }

  private func explaining(_ body: () throws -> Void) throws {
    do { try body() } catch let error as FileError {
      throw TaskError.cacheNotWritable(isFull: error.isOutOfRoom)
    }
  }
}

/// Held while a model is installed, so that two processes do not work on the same folders; the system lets go of it when the
/// process ends. Knows what an installation may leave behind.
struct ModelCacheLock {
  private let descriptor: Int32

  /// - Throws: `TaskError` where the cache cannot be written, or another process installs.
  init(_ cache: URL) throws {
    try? FileManager.default.createDirectory(at: cache, withIntermediateDirectories: true)
    descriptor = open(cache.appending(path: ".lock").path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw TaskError.cacheNotWritable(isFull: FileError(cache).isOutOfRoom)
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw TaskError.other(
        code: "busy", "Another fettle is installing a model. Wait until it is done, then try again.")
    }
  }

  func release() {
    // Said, and not left to closing: a child that is being started has a copy of the descriptor for a moment.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  /// Where a model lies that is whole and only has to get its name; after that, what had the name before.
  static func ready(for folder: URL) -> URL { hidden(folder, "new") }
  /// Where the one before waits, on file systems that cannot let two folders change places.
  private static func old(for folder: URL) -> URL { hidden(folder, "old") }

  private static func hidden(_ folder: URL, _ ending: String) -> URL {
    folder.deletingLastPathComponent().appending(path: ".\(folder.lastPathComponent).\(ending)")
  }

  /// - Throws: `FileError`.
  static func put(_ ready: URL, inPlaceOf folder: URL) throws {
    guard FileManager.default.fileExists(atPath: folder.path) else {
      return try DurableFile.move(ready, to: folder)
    }
    do {
      try DurableFile.exchange(ready, with: folder)
    } catch let error as FileError where [EINVAL, ENOSYS].contains(error.number) {
      let old = old(for: folder)
      try? FileManager.default.removeItem(at: old)
      try DurableFile.move(folder, to: old)
      try DurableFile.move(ready, to: folder)
      try? FileManager.default.removeItem(at: old)
    }
    try? FileManager.default.removeItem(at: ready)
  }

  /// Removes what a killed installation left, and puts a model back that was on its way. Downloads stay: the next one goes on
  /// with them.
  static func sweep(_ cache: URL) {
    let manager = FileManager.default
    let names = (try? manager.contentsOfDirectory(atPath: cache.path)) ?? []
    let leftovers = names.filter { name in
      name.hasPrefix(".") && [".new", ".old"].contains(where: name.hasSuffix)
        || name.hasPrefix(DurableFile.partPrefix)
    }
    guard !leftovers.isEmpty, let lock = try? ModelCacheLock(cache) else { return }
    defer { lock.release() }
    for name in leftovers {
      let leftover = cache.appending(path: name)
      let model = cache.appending(path: String(name.dropFirst().dropLast(".old".count)))
      if name.hasSuffix(".old"), !manager.fileExists(atPath: model.path) {
        try? DurableFile.move(leftover, to: model)
      } else {
        try? manager.removeItem(at: leftover)
      }
    }
  }
}

/// The SHA-256 of a file's bytes, in hexadecimal; the file is not held in memory.
///
/// - Parameter check: throws what is to end the reading of a long file.
package func sha256(_ url: URL, check: () throws -> Void = {}) throws -> String {
  let handle = try FileHandle(forReadingFrom: url)
  defer { try? handle.close() }
  return try sha256(handle, check: check)
}

package func sha256(_ handle: FileHandle, check: () throws -> Void) throws -> String {
  var hash = SHA256()
  while let chunk = try handle.read(upToCount: 1 << 20), !chunk.isEmpty {
    try check()
    hash.update(chunk)
  }
  return hash.finalize().hexadecimal
}

extension HTTPError {
  /// Whether it lies with the hub or the way there, and not with this machine.
  fileprivate var isOfTheHub: Bool {
    switch self {
    case .cancelled, .cannotWrite, .diskFull, .busy: false
    default: true
    }
  }
}
