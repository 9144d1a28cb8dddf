import Basics
import Encoder
import Foundation

/// A pre-trained encoder on this machine: its folder, and what is known about it.
public struct InstalledModel: Equatable, Sendable {
  public let folder: URL

  init(folder: URL) { self.folder = folder }

  /// As a user names it: `all-MiniLM-L6-v2`.
  public var name: String { folder.lastPathComponent }

  var isThere: Bool { FileManager.default.fileExists(atPath: weights.path) }

  var weights: URL { folder.appending(path: "model.safetensors") }

  /// What its files say about it.
  public struct Facts: Equatable, Sendable {
    /// The family of models by its name: `bert`.
    public var family: String?
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
    let configuration = try? JSONSerialization.jsonObject(
      with: Data(contentsOf: folder.appending(path: "config.json")))
    return Facts(
      family: (configuration as? [String: Any])?["model_type"] as? String, bytes: bytes,
      longest: try? TextReader(folder: folder).maximumLength, card: ModelCard(of: folder))
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

  /// What fettle fetches by itself.
  static let standard = ModelCard(
    source: "sentence-transformers/\(ModelCache.standardName)", licence: "apache-2.0", language: "en")

  init(source: String? = nil, licence: String? = nil, language: String? = nil) {
    (self.source, self.licence, self.language) = (source, licence, language)
  }

  /// That of an installed model.
  init(of folder: URL) {
    let data = try? Data(contentsOf: folder.appending(path: Self.fileName))
    if let card = data.flatMap({ try? JSONDecoder().decode(ModelCard.self, from: $0) }) {
      self = card
    } else {
      // Installed by an older fettle, which kept no card.
      self = ModelInstallation.isStandard(folder) ? .standard : ModelCard(readme: folder)
    }
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
    let languages = Self.values(of: "language", in: lines)
    language = languages.count > 5 ? "\(languages.count) languages" : languages.joined(separator: ", ")
    if languages.isEmpty { language = nil }
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
