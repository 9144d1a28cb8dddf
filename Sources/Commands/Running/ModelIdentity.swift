import Crypto
import Encoder
import Foundation
import Shell
import Synchronization
import Workbench

/// What an encoder is, whatever it is called and wherever it lies.
struct ModelIdentity: Equatable {
  /// The folder's name.
  let name: String
  /// SHA-256 of the weights' own digest and the settings beside them, 64 hexadecimal digits.
  let digest: String

  /// - Throws: `ModelError`.
  init(of folder: URL, digests: FileDigests) throws {
    name = folder.lastPathComponent
    var hash = SHA256()
    hash.update(data: try PretrainedModel.settings(of: folder))
    hash.update(data: Data(try digests.sha256(of: folder.appending(path: "model.safetensors")).utf8))
    digest = hash.finalize().map { String(format: "%02x", $0) }.joined()
  }

  /// `all-MiniLM-L6-v2 (1f2a3b4c)`
  var description: String { Self.description(name: name, digest: digest) }

  static func description(name: String?, digest: String) -> String {
    let short = String(digest.prefix(8))
    return name.map { "\($0.visible) (\(short))" } ?? "a model with the digest \(short)"
  }
}

/// Which bytes a file's name stood for at a moment: another file, or another version of it, has another stamp.
struct FileStamp: Hashable {
  private let numbers: [Int]
  /// Seconds since 1970.
  private let changed: Int

  /// Nil where there is no file.
  init?(_ file: URL) {
    var status = stat()
    guard stat(file.path, &status) == 0 else { return nil }
    changed = Int(status.st_mtim.tv_sec)
    numbers = [
      Int(truncatingIfNeeded: status.st_dev), Int(truncatingIfNeeded: status.st_ino), Int(status.st_size),
      changed, Int(status.st_mtim.tv_nsec),
    ]
  }

  var line: String { numbers.map(String.init).joined(separator: " ") }

  /// Whether a further change would show. A clock ticks coarsely: what was changed just now may change again under one stamp.
  var isSettled: Bool { Int(Date().timeIntervalSince1970) - changed > 2 }
}

/// SHA-256 of large files, each read once and then known by its stamp, in this process and, where the cache folder can be
/// written, in later ones: 91 MB take longer to read than a shell takes to start.
final class FileDigests: Sendable {
  private let folder: URL
  private let known = Mutex<[FileStamp: String]>([:])

  /// - Parameter folder: made when something is to be kept; where it cannot be, each process reads anew.
  init(folder: URL) { self.folder = folder }

  /// 64 hexadecimal digits.
  /// - Throws: `ModelError.unreadableFile`.
  func sha256(of file: URL) throws -> String {
    guard let stamp = FileStamp(file) else {
      throw ModelError.missingFile(
        file.lastPathComponent, folder: file.deletingLastPathComponent().lastPathComponent)
    }
    if let digest = known.withLock({ $0[stamp] }) ?? kept(stamp, file) {
      known.withLock { $0[stamp] = digest }
      return digest
    }
    let digest: String
    do {
      digest = try Commands.sha256(file)
    } catch {
      throw ModelError.unreadableFile(
        file.lastPathComponent, reason: "permission denied or a fault of the disk")
    }
    known.withLock { $0[stamp] = digest }
    if stamp.isSettled, FileStamp(file) == stamp { keep(digest, stamp, file) }
    return digest
  }

  /// One small file for each that was read: the stamp, then the digest.
  private func place(_ file: URL) -> URL {
    let path = SHA256.hash(data: Data(file.standardizedFileURL.path.utf8))
    return folder.appending(path: path.prefix(16).map { String(format: "%02x", $0) }.joined())
  }

  private func kept(_ stamp: FileStamp, _ file: URL) -> String? {
    guard let lines = try? String(contentsOf: place(file), encoding: .utf8).split(separator: "\n"),
      lines.count == 2, lines[0] == stamp.line, lines[1].count == 64
    else { return nil }
    return String(lines[1])
  }

  private func keep(_ digest: String, _ stamp: FileStamp, _ file: URL) {
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try? Data("\(stamp.line)\n\(digest)\n".utf8).write(to: place(file), options: .atomic)
  }
}

extension Context {
  /// What decides a model's predictions, besides the interface that the base is asked by: a run that was made under another
  /// signature is no part of this one.
  /// - Throws: `ModelError`, `Fault`.
  func signature(of model: ChosenModel) throws -> String {
    let precision = try workspace.read { try Settings($0).precision }
    let place = try place(of: model)
    var hash = SHA256()
    hash.update(data: Data(try encoders.identity(of: place.folder).digest.utf8))
    var files = [place.adapter].compactMap(\.self)
    if case .tuned(let tuned) = model { files.append(headFile(of: tuned)) }
    for file in files { hash.update(data: Data(try encoders.digests.sha256(of: file).utf8)) }
    return "\(precision.rawValue) \(hash.finalize().map { String(format: "%02x", $0) }.joined())"
  }

  /// What a report on predictions says of those that the model would not make today, since another embedded model has taken the
  /// place of the one that made them; nothing where a model is not at hand to be asked, or the verb itself finds a fault.
  ///
  /// - Parameter models: nil for the one that predicted last.
  func staleness(of models: [Text?], over data: DatasetOption) -> [String] {
    let found = try? workspace.read { workbench in
      let dataset = try data.resolve(workbench)
      return try models.map { name in
        let run = try workbench.completeRun(of: name?.description, over: dataset)
        return (run, try ChosenModel.named(run.model, workbench), dataset)
      }
    }
    return (found ?? []).compactMap { run, model, dataset in
      // Another precision makes no other model.
      let (now, then) = (
        (try? signature(of: model))?.split(separator: " "), run.signature.split(separator: " ")
      )
      guard let now, now.count == 2, then.count == 2, now[1] != then[1] else { return nil }
      return
        "\(model.name.visible) is another model now than the one that predicted \(dataset.name.visible). Make its "
        + "predictions anew: predict --model \(Language.quoted(model.name)) --dataset \(Language.quoted(dataset.name))"
    }
  }

  /// What the model reads of a text.
  /// - Throws: `ModelError`, `Fault`.
  func reader(of model: ChosenModel) throws -> TextReader { try TextReader(folder: place(of: model).folder) }

  /// Refuses a tuned model that learned on another embedded model than the one that is there.
  /// - Throws: `Fault.otherBase`, `ModelError`.
  func checkBase(of tuned: TunedModel) throws {
    guard let digest = tuned.baseDigest else { return }
    let now = try encoders.identity(of: encoders.embeddedFolder)
    guard now.digest != digest else { return }
    let name = (try? JSONValue(parsing: tuned.options))?[Self.embeddedKey]?.word
    throw Fault.otherBase(
      model: tuned.name, trainedOn: ModelIdentity.description(name: name, digest: digest),
      now: now.description)
  }

  /// The embedded model that one trained from `base` stands on; nil where nobody kept it.
  func embedded(under base: ChosenModel) throws -> (name: String?, digest: String)? {
    switch base {
    case .base:
      guard encoders.isInstalled else { throw Fault.modelMissing }
      let identity = try encoders.identity(of: encoders.embeddedFolder)
      return (identity.name, identity.digest)
    case .tuned(let tuned):
      let name = (try? JSONValue(parsing: tuned.options))?[Self.embeddedKey]?.word
      return tuned.baseDigest.map { (name, $0) }
    }
  }

  /// Among a tuned model's options: what the embedded model was called.
  static let embeddedKey = "embedded"
}

/// `3 of 40 texts are mostly …`; nil where there are none. What the model has not read about it cannot tell apart.
func vocabularyRemark(_ count: Int, of texts: Int) -> String? {
  guard count > 0 else { return nil }
  let subject =
    texts == 1 ? "The text is" : "\(count) of \(texts) texts \(count == 1 ? "is" : "are")"
  return "\(subject) mostly outside the model's vocabulary; the model reads English."
}
