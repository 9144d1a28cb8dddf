import Basics
import Classifiers
import Encoder
import Foundation
import Synchronization
import Tasks
import Workbench

/// The models that a server answers by: base, the installed language models, and what was tuned in the workspace.
public final class ServedModels: Sendable {
  private let library: ModelLibrary
  private let log: ServerLog
  /// What was looked up last, for half a second: a thousand requests a second do not read the workspace each.
  private let known = Mutex(Known())
  private static let knownFor = Duration.milliseconds(500)

  private struct Known {
    var models: [String: (model: LoadedModel, since: ContinuousClock.Instant)] = [:]
    /// Those that are looked up now, for all who ask.
    var loading: [String: Task<LoadedModel, any Error>] = [:]
    /// How often all was forgotten: what was looked up before is not kept.
    var forgotten = 0
  }

  let writers = Writers(most: 4096)
  let embedding = Batcher<String, Encoding, [Float]>(batch: 256, most: 8192)
  let classification = Batcher<String, String, Outcome>(batch: 256, most: 8192)

  /// Names that tutorials of 2023 ask for, each a hosted model of that time.
  public static let aliases: Set<String> = ["curie", "text-curie-001", "text_curie_001"]

  /// Language models that stay loaded.
  private static let languageModels = 3

  init(_ library: ModelLibrary, _ log: ServerLog) {
    (self.library, self.log) = (library, log)
    library.cache.keepLanguageModels(Self.languageModels)
  }

  // MARK: - Names

  /// A model as it is listed.
  public struct Entry: Sendable, Equatable {
    public var name: String
    /// Seconds since 1970.
    public var created: Int
    public var isTuned: Bool
  }

  /// Those that are installed, and then the tuned ones, the newest last.
  public func list() throws -> [Entry] {
    let (base, tuned) = try library.workspace.read { (try? library.base($0), try $0.models()) }
    let installed =
      [base.map { (Workbench.baseModel, $0) }].compactMap(\.self)
      + library.cache.languageModels.map { ($0.name, $0) }
    return installed.map { Entry(name: $0.0, created: Self.date(of: $0.1.folder), isTuned: false) }
      + tuned.map {
        Entry(name: $0.name, created: Self.date(of: library.workspace.folder(of: $0)), isTuned: true)
      }
  }

  /// What a request means by a model's name; a name of 2023 is that of the local language model, which the log says once.
  ///
  /// - Throws: `APIError` 404.
  public func find(_ name: String) throws -> ModelSelection {
    do {
      return try library.workspace.read { try library.model(named: name, $0) }
    } catch TaskError.unknownModel(let unknown, let nearest) {
      guard Self.aliases.contains(name), let local = localLanguageModel else {
        throw APIError.noModel(unknown, nearest: nearest)
      }
      log.once("\(name) is \(local) here.")
      return .language(local, .free)
    }
  }

  /// The language model that stands for the hosted ones of 2023; nil where none is installed.
  public var localLanguageModel: String? {
    let names = library.cache.languageModels.map(\.name)
    let standard = ModelCache.standardLanguageModelName
    return names.contains(standard) ? standard : names.first
  }

  private static func date(of folder: URL) -> Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: folder.path)
    return Int((attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0)
  }

  // MARK: - Models that are asked

  /// The model of that name, ready to answer.
  ///
  /// - Throws: `APIError`, `TaskError`, `ModelError`.
  func load(_ name: String, _ context: ServerContext) async throws -> LoadedModel {
    switch known.withLock({ look(up: name, in: &$0, context) }) {
    case .found(let model): model
    case .loading(let task): try await task.value
    }
  }

  private enum Lookup {
    case found(LoadedModel)
    case loading(Task<LoadedModel, any Error>)
  }

  private func look(up name: String, in known: inout Known, _ context: ServerContext) -> Lookup {
    let last = known.models[name]
    if let last, ContinuousClock.now - last.since < Self.knownFor { return .found(last.model) }
    if let task = known.loading[name] { return .loading(task) }
    let forgotten = known.forgotten
    let task = Task {
      let result: Result<LoadedModel, any Error>
      do {
        result = .success(
          try await context.offThread { [self] in try LoadedModel(find(name), library, last: last?.model) })
      } catch {
        result = .failure(error)
      }
      self.known.withLock { known in
        guard known.forgotten == forgotten else { return }
        known.loading[name] = nil
        // Names that nobody asks for any more keep no model.
        let now = ContinuousClock.now
        known.models = known.models.filter { now - $0.value.since < Self.knownFor * 10 }
        known.models[name] = (try? result.get()).map { ($0, now) }
      }
      return try result.get()
    }
    known.loading[name] = task
    return .loading(task)
  }

  /// To be called when a name means another model than before, and before a training, which needs the memory.
  public func forget() {
    known.withLock { known in
      known.models = [:]
      known.loading = [:]
      known.forgotten += 1
    }
  }
}

/// A model that is ready to answer.
struct LoadedModel: Sendable {
  /// Tells it from others of its name: what may stand in one batch.
  let id: String
  let reader: TextReader
  let kind: Kind

  enum Kind: Sendable {
    /// It writes.
    case language(Language)
    /// It gives a text one of its categories.
    case classifier(any Classifier)
    /// It gives a text a place, but has no categories: why.
    case encoderAlone(TaskError)
  }

  /// Nil for a language model.
  let encoder: SentenceEncoder?

  struct Language: Sendable {
    let model: LanguageModel
    let tokenizer: BytePair
    let chat: ChatTemplate
    let ends: Set<Int32>

    /// - Throws: `ModelError.noGeneration`.
    init(_ model: LanguageModel) throws {
      guard let tokenizer = model.model.tokenizer as? BytePair else { throw ModelError.noGeneration }
      (self.model, self.tokenizer) = (model, tokenizer)
      chat = ChatTemplate(tokenizer)
      ends = chat.ends(tokenizer)
    }

    /// Tokens that it reads and writes at most.
    var longest: Int { model.model.maximumLength }
  }

  /// - Parameter last: what the name meant before; what is the same of it is not read again.
  init(_ selection: ModelSelection, _ library: ModelLibrary, last: LoadedModel?) throws {
    id = try library.signature(of: selection)
    if let last, last.id == id { reader = last.reader } else { reader = try library.reader(of: selection) }
    if selection.isLanguageModel, selection.way == .free {
      encoder = nil
      kind = .language(try Language(library.languageModel(selection)))
      return
    }
    if case .tuned(let tuned, _) = selection, tuned.taught != nil {
      encoder = nil
    } else if selection.isLanguageModel {
      encoder = nil
    } else {
      encoder = try library.encoder(of: selection)
    }
    do {
      kind = .classifier(try library.classifier(for: selection))
    } catch TaskError.noInterface where encoder != nil {
      kind = .encoderAlone(.noInterface)
    }
  }
}
