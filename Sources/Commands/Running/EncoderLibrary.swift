import Classifiers
import Encoder
import Foundation
import Synchronization
import Workbench

/// The pre-trained models of this process: each folder is read once.
///
/// The embedded model lies under `$XDG_CACHE_HOME/fettle/models`, shared by all workspaces of a user; `FETTLE_MODEL` names
/// another folder. A file `embedded` beside the folders holds the name of the one in use. The model that came with the program
/// takes the place of one that is not there.
public final class EncoderLibrary: Sendable {
  static let embeddedName = "all-MiniLM-L6-v2"

  /// The folder of models.
  let cache: URL
  private let override: URL?
  private let threads: Int?
  let digests: FileDigests
  private let loaded = Mutex<[Key: EncoderSource]>([:])

  private struct Key: Hashable {
    var folder: URL
    var adapter: URL?
    var precision: Precision
    /// Of the weights: another shell may have put another model in the folder.
    var weights: FileStamp?
  }

  init(environment: [String: String], threads: Int? = nil) {
    let home =
      environment["HOME"].map { URL(filePath: $0) } ?? FileManager.default.homeDirectoryForCurrentUser
    let caches =
      environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? URL(filePath: $0) : nil }
      ?? home.appending(path: ".cache")
    cache = caches.appending(path: "fettle/models")
    digests = FileDigests(folder: caches.appending(path: "fettle/digests"))
    override = environment["FETTLE_MODEL"].flatMap { $0.isEmpty ? nil : URL(filePath: $0) }
    self.threads = threads
    ModelCacheLock.sweep(cache)
  }

  /// The name of the model's folder, where no folder is named from outside.
  var chosenName: String {
    let chosen = try? String(contentsOf: cache.appending(path: "embedded"), encoding: .utf8)
    return chosen?.trimmingCharacters(in: .whitespacesAndNewlines) ?? Self.embeddedName
  }

  /// The folder of the embedded model, installed or not.
  var embeddedFolder: URL {
    if let override { return override }
    let name = chosenName
    let own = cache.appending(path: name)
    guard name == Self.embeddedName, !Self.isModel(own) else { return own }
    return Installation.running.model ?? own
  }

  var isInstalled: Bool { Self.isModel(embeddedFolder) }

  private static func isModel(_ folder: URL) -> Bool {
    FileManager.default.fileExists(atPath: folder.appending(path: "model.safetensors").path)
  }

  /// - Throws: `Fault.modelMissing`, `ModelError`.
  func embedded(adapter: URL? = nil, precision: Precision) throws -> EncoderSource {
    guard isInstalled else { throw Fault.modelMissing }
    return try encoder(in: embeddedFolder, adapter: adapter, precision: precision)
  }

  /// - Parameter adapter: the file of bottlenecks that were trained on top of the folder's model.
  func encoder(in folder: URL, adapter: URL? = nil, precision: Precision) throws -> EncoderSource {
    let key = Key(
      folder: folder, adapter: adapter, precision: precision,
      weights: FileStamp(folder.appending(path: "model.safetensors")))
    return try loaded.withLock { loaded in
      if let known = loaded[key] { return known }
      let model =
        try adapter.map { try PretrainedModel.load(folder: folder, adapter: $0) } ?? .load(folder: folder)
      let source = try EncoderSource(model: model, threads: threads, precision: precision)
      loaded[key] = source
      return source
    }
  }

  /// Forgets a folder whose files have changed.
  func forget(_ folder: URL) {
    loaded.withLock { loaded in loaded = loaded.filter { $0.key.folder != folder } }
  }

  /// - Throws: `ModelError`.
  func identity(of folder: URL) throws -> ModelIdentity { try ModelIdentity(of: folder, digests: digests) }
}
