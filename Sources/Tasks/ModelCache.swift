import Basics
import Classifiers
import Encoder
import Foundation
import Synchronization
import Workbench

/// The models that are installed for a user, and those of them that this process has loaded.
///
/// Encoders and language models lie side by side under `$XDG_CACHE_HOME/fettle/models`, a folder each, and serve all workspaces of
/// a user. A file `embedded` beside the folders names the encoder that a new workspace begins with. The models that came with the
/// program take the place of those that are not there. `FETTLE_MODEL` names a folder anywhere, whose encoder is base in every
/// workspace while it is set.
public final class ModelCache: Sendable {
  /// What `model install` fetches, and a workspace begins with where nothing else was installed first.
  public static let standardName = "all-MiniLM-L6-v2"
  /// SmolLM2-135M-Instruct, as learners call it.
  public static let standardLanguageModelName = "smollm2"

  /// The folder of models.
  public let folder: URL
  /// The folder that `FETTLE_MODEL` names; nil where it is not set.
  public let override: URL?
  let bundled: [URL]
  private let threads: Int?
  let digests: FileDigests
  private let loaded = Mutex<[Key: SentenceEncoder]>([:])
  /// Those that were asked last, the last one last.
  private let written = Mutex<Languages>(Languages())

  private struct Languages {
    /// How many stay loaded: each holds half a gigabyte.
    var most = 1
    var loaded: [(key: Key, model: LanguageModel)] = []
  }

  private struct Key: Hashable {
    var place: ModelPlace
    var precision: Precision
    /// Of the weights: another shell may have put another model in the folder.
    var weights: FileStamp?
    /// Of what was tuned on top: a removed model's name may be another's by now.
    var tuned: [FileStamp?]
  }

  /// - Parameters:
  ///   - bundled: the folders of the models that came with the program.
  ///   - threads: to compute with; nil for one a core.
  public init(environment: [String: String], bundled: [URL] = [], threads: Int? = nil) {
    let home =
      environment["HOME"].map { URL(filePath: $0) } ?? FileManager.default.homeDirectoryForCurrentUser
    let caches =
      environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? URL(filePath: $0) : nil }
      ?? home.appending(path: ".cache")
    folder = caches.appending(path: "fettle/models")
    digests = FileDigests(folder: caches.appending(path: "fettle/digests"))
    override = environment["FETTLE_MODEL"].flatMap {
      $0.isEmpty ? nil : URL(filePath: $0).standardizedFileURL
    }
    self.bundled = bundled
    self.threads = threads
    ModelCacheLock.sweep(folder)
  }

  // MARK: - What is installed

  /// All of them, by name; none is read.
  public var installed: [InstalledModel] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    var models = names.filter { !$0.hasPrefix(".") }.map {
      InstalledModel(folder: folder.appending(path: $0))
    }
    .filter(\.isThere)
    for folder in bundled where !models.contains(where: { $0.name == folder.lastPathComponent }) {
      models.append(InstalledModel(folder: folder))
    }
    return models.sorted { $0.name < $1.name }
  }

  /// Those that can be base.
  public var encoders: [InstalledModel] { installed.filter { !$0.isGenerative } }

  /// Those that write.
  public var languageModels: [InstalledModel] { installed.filter(\.isGenerative) }

  /// The encoder in the folder that `FETTLE_MODEL` names; nil where none is there.
  var overriding: InstalledModel? {
    override.map(InstalledModel.init).flatMap { $0.isThere && !$0.isGenerative ? $0 : nil }
  }

  /// Why there is nothing to take from the folder that `FETTLE_MODEL` names.
  func overrideError(_ folder: URL) -> TaskError {
    InstalledModel(folder: folder).isGenerative
      ? .overrideGenerative(folder: folder.path) : .overrideMissing(folder: folder.path)
  }

  /// The encoder that a workspace has which has chosen none; nil where it is not installed.
  public var initial: InstalledModel? {
    let name = initialName
    return ([folder.appending(path: name)] + bundled.filter { $0.lastPathComponent == name })
      .map(InstalledModel.init).first { $0.isThere && !$0.isGenerative }
  }

  private var initialName: String {
    let name = try? String(contentsOf: folder.appending(path: "embedded"), encoding: .utf8)
    return name?.trimmingCharacters(in: .whitespacesAndNewlines) ?? Self.standardName
  }

  /// - Throws: `TaskError.notInstalled`.
  public func model(named name: String) throws -> InstalledModel {
    let all = installed
    guard let found = all.first(where: { $0.name == name }) else {
      throw TaskError.notInstalled(name, nearest: nearest(name, among: all.map(\.name)))
    }
    return found
  }

  /// The model that is this one, whatever it is called and whether it is installed or named by `FETTLE_MODEL`; nil where none is.
  public func model(_ wanted: EncoderReference) -> InstalledModel? {
    let all = installed + [overriding].compactMap(\.self)
    return (all.filter { $0.name == wanted.name } + all.filter { $0.name != wanted.name })
      .first { (try? reference(to: $0).digest) == wanted.digest }
  }

  /// What the model is, by its name and its bytes.
  /// - Throws: `ModelError`.
  public func reference(to model: InstalledModel) throws -> EncoderReference {
    EncoderReference(name: model.name, digest: try identity(of: model.folder))
  }

  // MARK: - What is loaded

  /// - Throws: `ModelError`.
  func encoder(in place: ModelPlace, precision: Precision) throws -> SentenceEncoder {
    let key = key(place, precision)
    return try loaded.withLock { loaded in
      if let known = loaded[key] { return known }
      let source = try SentenceEncoder(
        model: place.load(), threads: threads, precision: precision)
      loaded[key] = source
      return source
    }
  }

  /// The same for one caller alone: whoever embeds with a shared one waits until the others' texts are done, which are all of a
  /// training's.
  func ownEncoder(in place: ModelPlace, precision: Precision) throws -> SentenceEncoder {
    let known = loaded.withLock { $0[key(place, precision)]?.model }
    return try SentenceEncoder(
      model: known ?? place.load(), threads: threads, precision: precision)
  }

  /// A language model. Only the one that was asked last stays loaded, or as many as `keepLanguageModels` says.
  /// - Throws: `ModelError`, `.noGeneration` for an encoder.
  package func languageModel(in place: ModelPlace, precision: Precision) throws -> LanguageModel {
    let key = key(place, precision)
    return try written.withLock { models in
      if let found = models.loaded.firstIndex(where: { $0.key == key }) {
        models.loaded.append(models.loaded.remove(at: found))
      } else {
        models.loaded.removeFirst(max(0, models.loaded.count - models.most + 1))
        models.loaded.append(
          (key, try LanguageModel(model: place.load(), threads: threads, precision: precision)))
      }
      return models.loaded[models.loaded.count - 1].model
    }
  }

  /// For a server, whose clients ask now one and now another.
  package func keepLanguageModels(_ most: Int) { written.withLock { $0.most = most } }

  /// Makes room for a training.
  func releaseLanguageModel() { written.withLock { $0.loaded = [] } }

  private func key(_ place: ModelPlace, _ precision: Precision) -> Key {
    Key(
      place: place, precision: precision,
      weights: PretrainedModel.weights(at: place.folder).flatMap(FileStamp.init),
      tuned: place.files.map(FileStamp.init))
  }

  /// Forgets a folder whose files have changed.
  func forget(_ folder: URL) {
    loaded.withLock { loaded in loaded = loaded.filter { $0.key.place.folder != folder } }
    written.withLock { $0.loaded.removeAll { $0.key.place.folder == folder } }
  }
}
