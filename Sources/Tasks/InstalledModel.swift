import Basics
import Encoder
import Foundation

/// A pre-trained model on this machine, encoder or language model: its folder, and what is known about it.
public struct InstalledModel: Equatable, Sendable {
  public let folder: URL

  init(folder: URL) { self.folder = folder }

  /// As a user names it: `all-MiniLM-L6-v2`.
  public var name: String { folder.lastPathComponent }

  var isThere: Bool { weights != nil }

  /// The file that holds its weights; nil where none does.
  var weights: URL? { PretrainedModel.weights(at: folder) }

  /// Whether it writes: a language model, which is asked by its name and never base. No weights are read for it.
  public var isGenerative: Bool { (try? ModelSummary(of: folder))?.isGenerative ?? false }

  /// What its files say about it.
  public struct Facts: Equatable, Sendable {
    /// The family of models by its name: `bert`, `llama`.
    public var family: String?
    /// As ``InstalledModel/isGenerative``.
    public var isGenerative: Bool
    /// Bytes on disk.
    public var bytes: Int
    /// Tokens of the longest text that it reads whole.
    public var longest: Int?
    /// What was noted when it was installed.
    public var card: ModelCard
  }

  /// What no file says is nil.
  public var facts: Facts {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let bytes = files.reduce(0) { $0 + Self.size(folder.appending(path: $1)) }
    let summary = try? ModelSummary(of: folder)
    return Facts(
      family: summary?.family, isGenerative: summary?.isGenerative ?? false, bytes: bytes,
      longest: summary?.longest, card: ModelCard(of: folder, summary))
  }

  /// Bytes of a file, or of the one that a link leads to; 0 where there is none.
  static func size(_ file: URL) -> Int {
    let path = file.resolvingSymlinksInPath().path
    return ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? NSNumber)?.intValue ?? 0
  }
}

/// Where a model comes from and what it may be used for, as far as anybody said.
public struct ModelCard: Codable, Equatable, Sendable {
  /// `sentence-transformers/all-MiniLM-L6-v2` for one of the hub, else the folder that it was taken from.
  public var source: String?
  /// As the model's README names it: `apache-2.0`.
  public var licence: String?
  /// Codes of languages, or `multilingual`.
  public var language: String?

  static let fileName = "fettle.json"

  package init(source: String? = nil, licence: String? = nil, language: String? = nil) {
    (self.source, self.licence, self.language) = (source, licence, language)
  }

  /// That of an installed model.
  /// - Parameter summary: what its files say; nil where they say nothing.
  init(of folder: URL, _ summary: ModelSummary?) {
    let data = try? Data(contentsOf: folder.appending(path: Self.fileName))
    if let card = data.flatMap({ try? JSONDecoder().decode(ModelCard.self, from: $0) }) {
      self = card
    } else {
      // Installed by an older fettle, which kept no card, or come with the program.
      let known = HubModel.all.first { $0.seems(toBeIn: folder) }
      self = known?.card ?? ModelCard(readme: folder).completed(by: summary)
    }
  }

  /// The same where the README says more than the model's own file.
  func completed(by summary: ModelSummary?) -> ModelCard {
    var card = self
    let languages = (summary?.languages ?? []).filter(Self.isPlain)
    card.licence = licence ?? summary?.licence.flatMap { Self.isPlain($0) ? $0 : nil }
    card.language = language ?? Self.joined(languages)
    return card
  }

  private static func joined(_ languages: [String]) -> String? {
    if languages.isEmpty { return nil }
    return languages.count > 5 ? "\(languages.count) languages" : languages.joined(separator: ", ")
  }

  /// What a README says between its first two lines of `---`, as model hubs have it.
  init(readme folder: URL, source: String? = nil) {
    self.source = source
    guard let text = try? String(contentsOf: folder.appending(path: "README.md"), encoding: .utf8),
      text.hasPrefix("---\n")
    else { return }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst()
      .prefix { $0 != "---" }.prefix(200)
    licence = Self.values(of: "license", in: lines).first
    language = Self.joined(Self.values(of: "language", in: lines))
  }

  /// `key: value`, `key: [one, other]`, or the lines `- value` below `key:`.
  private static func values(of key: String, in lines: ArraySlice<Substring>) -> [String] {
    guard let start = lines.firstIndex(where: { $0.hasPrefix("\(key):") }) else { return [] }
    let own = lines[start].dropFirst(key.count + 1).split { " []\"',".contains($0) }.map(String.init)
    if !own.isEmpty { return own.filter(isPlain) }
    return lines[(start + 1)...].prefix { $0.drop { $0 == " " }.hasPrefix("- ") }
      .compactMap { $0.split { " -\"'".contains($0) }.first.map(String.init) }.filter(isPlain)
  }

  private static func isPlain(_ word: String) -> Bool {
    (1...40).contains(word.count)
      && word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-.".contains($0)) }
  }

  /// - Throws: `FileError`, or an error of the encoder's.
  func write(to folder: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try encoder.encode(self).write(to: folder.appending(path: Self.fileName))
  }
}
