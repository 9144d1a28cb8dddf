import Basics
import Foundation
import Tasks
import Workbench

/// The models that a server answers by: base, the installed language models, and what was tuned in the workspace.
public struct ServedModels: Sendable {
  private let library: ModelLibrary
  private let log: ServerLog

  /// Names that tutorials of 2023 ask for, each a hosted model of that time.
  public static let aliases: Set<String> = ["curie", "text-curie-001", "text_curie_001"]

  init(_ library: ModelLibrary, _ log: ServerLog) { (self.library, self.log) = (library, log) }

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
}
