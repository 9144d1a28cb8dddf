import Basics
import Crypto
import Encoder
import Foundation
import HTTP
import Shell

/// Puts a model's files into the cache: checked, made durable under another name, and then, in one step, in the place of what was
/// there. Whenever it is killed, the model is the one before or the new one, whole.
struct ModelInstallation {
  private let context: Context
  private let library: EncoderLibrary
  private(set) var folder: URL
  private(set) var bytes = 0
  private(set) var wasThere = false

  /// A file of all-MiniLM-L6-v2, as the hub has it.
  private struct HubFile {
    let name: String
    let size: Int64
    /// SHA-256.
    let digest: String

    func isIn(_ folder: URL, check: () throws -> Void) -> Bool {
      (try? sha256(folder.appending(path: name), check: check)) == digest
    }
  }

  private static let hub = "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/main/"
  private static let files = [
    HubFile(
      name: "config.json", size: 612,
      digest: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
    HubFile(
      name: "vocab.txt", size: 231_508,
      digest: "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
    HubFile(
      name: "model.safetensors", size: 90_868_376,
      digest: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
  ]

  init(_ context: Context) {
    self.context = context
    library = context.encoders
    folder = library.cache.appending(path: EncoderLibrary.embeddedName)
  }

  /// - Throws: `HTTPError`; `Fault.other` when what came is not what was expected; `CancellationError`.
  func fetch() throws -> ModelInstallation {
    var result = self
    for folder in [folder, Installation.running.model].compactMap(\.self) where isComplete(folder) {
      (result.folder, result.wasThere) = (folder, true)
      try result.choose()
      return result
    }
    let lock = try ModelCacheLock(library.cache)
    defer { lock.release() }
    let partial = library.cache.appending(path: ".\(folder.lastPathComponent).part")
    try makeFolder(partial)
    for file in Self.files {
      try context.checkCancellation()
      let target = partial.appending(path: file.name)
      if file.isIn(partial, check: context.checkCancellation) { continue }
      try Download(Self.hub + file.name, to: target, size: file.size).run(
        progress: { received, _ in
          context.progress.update(
            done: Int(received), total: Int(file.size), unit: "bytes", note: file.name)
        }, isCancelled: context.isCancelled)
      guard file.isIn(partial, check: context.checkCancellation) else {
        try context.checkCancellation()
        try? FileManager.default.removeItem(at: target)
        throw Fault.other(
          code: "model-digest",
          "\(file.name) is not the file that was expected (its SHA-256 differs), so it was thrown away. Try again, "
            + "or use model install --from DIR.")
      }
      result.bytes += Int(file.size)
    }
    // From here on it is no download to go on with, and swept like any other.
    let ready = ModelCacheLock.ready(for: folder)
    try? FileManager.default.removeItem(at: ready)
    try Self.explaining { try DurableFile.move(partial, to: ready) }
    try replace(with: ready)
    return result
  }

  /// - Throws: `ModelError` when there is no BERT in the folder; `CancellationError`.
  func copy(from source: URL) throws -> ModelInstallation {
    // Reading it whole is the only check that counts.
    _ = try PretrainedModel.load(folder: source)
    var result = self
    let isEmbedded = Self.files.allSatisfy { $0.isIn(source, check: context.checkCancellation) }
    try context.checkCancellation()
    result.folder = library.cache.appending(
      path: isEmbedded ? EncoderLibrary.embeddedName : Self.name(for: source))
    let lock = try ModelCacheLock(library.cache)
    defer { lock.release() }
    let ready = ModelCacheLock.ready(for: result.folder)
    let manager = FileManager.default
    try? manager.removeItem(at: ready)
    do {
      try manager.createDirectory(at: ready, withIntermediateDirectories: false)
      let hasVocabulary = manager.fileExists(atPath: source.appending(path: "vocab.txt").path)
      let wanted =
        Self.files.map(\.name) + ["tokenizer_config.json", "sentence_bert_config.json"]
        + (hasVocabulary ? [] : ["tokenizer.json"])
      for name in wanted where manager.fileExists(atPath: source.appending(path: name).path) {
        try context.checkCancellation()
        // The bytes themselves: a link into the source would break when that goes.
        let file = source.appending(path: name).resolvingSymlinksInPath()
        try manager.copyItem(at: file, to: ready.appending(path: name))
        result.bytes += size(ready.appending(path: name))
      }
    } catch {
      try? manager.removeItem(at: ready)
      throw error is CancellationError ? error : Fault.cannotWrite(path: Self.cacheName)
    }
    try result.replace(with: ready)
    return result
  }

  /// What the model is called in the cache: as its folder is, where that cannot be taken for something else there.
  private static func name(for source: URL) -> String {
    let name = source.lastPathComponent
    return name.hasPrefix(".") || ["/", "embedded"].contains(name)
      ? "model-\(name.drop { "./".contains($0) })" : name
  }

  private func isComplete(_ folder: URL) -> Bool {
    Self.files.allSatisfy { $0.isIn(folder, check: context.checkCancellation) }
  }

  private func makeFolder(_ folder: URL) throws {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw Fault.cannotWrite(path: Self.cacheName)
    }
  }

  private func replace(with ready: URL) throws {
    do {
      try Self.explaining {
        try DurableFile.synchronise(ready)
        try ModelCacheLock.put(ready, inPlaceOf: folder)
      }
    } catch {
      try? FileManager.default.removeItem(at: ready)
      throw error
    }
    library.forget(folder)
    try choose()
  }

  /// Makes this the embedded model; writes nothing where it is that, since a home may be missing that nobody needs.
  private func choose() throws {
    guard library.chosenName != folder.lastPathComponent else { return }
    try makeFolder(library.cache)
    try Self.explaining {
      try DurableFile.replace(
        library.cache.appending(path: "embedded"), with: Data(folder.lastPathComponent.utf8))
    }
  }

  fileprivate static let cacheName = "The cache folder for models (XDG_CACHE_HOME, else ~/.cache)"

  private static func explaining(_ body: () throws -> Void) throws {
    do { try body() } catch let error as FileError { throw Fault(error, shownAs: cacheName) }
  }

  private func size(_ url: URL) -> Int {
    ((try? FileManager.default.attributesOfItem(atPath: url.path))?[.size] as? NSNumber)?.intValue ?? 0
  }
}

/// Held while a model is installed, so that two processes do not work on the same folders; the system lets go of it when the
/// process ends. Knows what an installation may leave behind.
struct ModelCacheLock {
  private let descriptor: Int32

  /// - Throws: `Fault` where the cache cannot be written, or another process installs.
  init(_ cache: URL) throws {
    try? FileManager.default.createDirectory(at: cache, withIntermediateDirectories: true)
    descriptor = open(cache.appending(path: ".lock").path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw Fault(FileError(cache), shownAs: ModelInstallation.cacheName)
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw Fault.other(
        code: "busy", "Another fettle is installing a model. Wait until it is done, then try again.")
    }
  }

  func release() { close(descriptor) }

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
func sha256(_ url: URL, check: () throws -> Void = {}) throws -> String {
  let handle = try FileHandle(forReadingFrom: url)
  defer { try? handle.close() }
  return try sha256(handle, check: check)
}

func sha256(_ handle: FileHandle, check: () throws -> Void) throws -> String {
  var hash = SHA256()
  while let chunk = try handle.read(upToCount: 1 << 20), !chunk.isEmpty {
    try check()
    hash.update(data: chunk)
  }
  return hash.finalize().map { String(format: "%02x", $0) }.joined()
}
