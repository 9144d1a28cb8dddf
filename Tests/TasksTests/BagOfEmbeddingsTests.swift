import Encoder
import Foundation
import Tasks
import Testing
import Workbench

/// A second family of models, all of it in this file: a text is the mean of its words' vectors (fastText without its n-grams,
/// Joulin et al. 2016).
private struct BagOfEmbeddings: Backbone {
  static let families = ["bag-of-embeddings"]

  static func fileNames(of checkpoint: Checkpoint) -> [String] {
    ["config.json", "model.safetensors", "vocab.txt"]
  }

  private struct Configuration: Codable {
    var modelType: String
    var hiddenSize: Int

    enum CodingKeys: String, CodingKey {
      case modelType = "model_type"
      case hiddenSize = "hidden_size"
    }
  }

  private let configuration: Configuration
  private let words: Words
  let maximumLength = 64

  var tokenizer: any Tokenizer { words }
  var shape: ModelShape {
    ModelShape(
      layers: 0, hiddenSize: configuration.hiddenSize, vocabularySize: words.count, maximumPositions: 64)
  }

  init(_ checkpoint: Checkpoint) throws {
    configuration = try JSONDecoder().decode(
      Configuration.self, from: checkpoint.contents(of: "config.json"))
    words = Words(
      String(decoding: try checkpoint.contents(of: "vocab.txt"), as: UTF8.self).split(separator: "\n")
        .map(String.init))
  }

  static func identity(of checkpoint: Checkpoint) throws -> Data {
    try checkpoint.contents(of: "config.json") + checkpoint.contents(of: "vocab.txt")
  }

  func place(in layout: inout ParameterLayout, words: Int, adapterSize: Int) -> any Network {
    layout.placeWords(
      "embedding.weight", rows: words, vocabulary: self.words.count, columns: configuration.hiddenSize)
    return Lookup(hidden: configuration.hiddenSize)
  }

  func settingsFiles() throws -> [(name: String, contents: Data)] {
    [
      ("config.json", try JSONEncoder().encode(configuration)),
      ("vocab.txt", Data(words.spellings.joined(separator: "\n").utf8)),
    ]
  }

  /// Splits at blanks; word 0 stands for all that are not known.
  private struct Words: Tokenizer, TokenSpelling {
    let spellings: [String]
    private let numbers: [String: Int32]

    init(_ spellings: [String]) {
      self.spellings = spellings
      numbers = Dictionary(uniqueKeysWithValues: spellings.enumerated().map { ($1, Int32($0)) })
    }

    var count: Int { spellings.count }
    func token(_ id: Int32) -> String { spellings[Int(id)] }
    func isForeign(_ id: Int32) -> Bool { id == 0 }

    func encode(_ text: String, maximumLength: Int) -> Encoding {
      let ids = text.lowercased().split(separator: " ").map { numbers[String($0)] ?? 0 }
      return encoding(of: Array(ids.prefix(maximumLength)))
    }

    func encoding(of ids: [Int32]) -> Encoding {
      Encoding(ids: ids, content: 0..<ids.count, isTruncated: false, spelling: self)
    }
  }

  private struct Lookup: Network {
    let hidden: Int

    func numbersInRow(longest: Int) -> (savedInLayer: Int, scratch: Int) { (0, hidden) }

    func pass(_ parameters: ParameterStore, rows: Int, longest: Int, isTraining: Bool) throws -> any Pass {
      LookupPass(hidden: hidden, rows: rows)
    }
  }

  private final class LookupPass: Pass, @unchecked Sendable {
    private let hidden: Int
    private let states: UnsafeMutablePointer<Float>

    init(hidden: Int, rows: Int) {
      self.hidden = hidden
      states = .allocate(capacity: rows * hidden)
    }

    deinit { states.deallocate() }

    func forward(
      _ texts: PackedTexts, words: UnsafePointer<Float>, blocks: [Range<Int>], products: SavedProducts?
    ) throws -> UnsafeMutablePointer<Float> {
      for (row, word) in texts.words.enumerated() {
        (states + row * hidden).update(from: words + Int(word) * hidden, count: hidden)
      }
      return states
    }

    /// The states are the words' rows, and so are their gradients.
    func backward(
      _ texts: PackedTexts, gradient: UnsafeMutablePointer<Float>, products: SavedProducts,
      vectors: UnsafeMutablePointer<Float>, lowest: Int?
    ) throws {}
  }
}

@Suite struct BagOfEmbeddingsTests {
  private let folder: Folder
  private let workspace: Workspace
  private let library: ModelLibrary
  private let dataset: Dataset

  private static let subjects = [
    "WORLD": ["war", "treaty", "border", "minister", "vote"],
    "SPORTS": ["match", "goal", "coach", "league", "score"],
  ]

  init() throws {
    Families.register(BagOfEmbeddings.self)
    folder = try Folder()
    let model = folder.url.appending(path: "bag")
    try Self.writeModel(to: model)
    let cache = ModelCache(
      environment: ["XDG_CACHE_HOME": folder.url.appending(path: "cache").path], threads: 2)
    _ = try ModelInstallation(cache).copy(from: model, shownAs: "bag")
    workspace = try Workspace.open(folder.url.appending(path: ".fettle"))
    library = ModelLibrary(workspace, cache)

    // Each text has two words of its category and one of anybody's.
    var rows = ["text,category"]
    for number in 0..<60 {
      let category = number % 2 == 0 ? "WORLD" : "SPORTS"
      let words = Self.subjects[category] ?? []
      rows.append("\(words[number % 5]) the \(words[(number / 5) % 5]),\(category)")
    }
    let file = folder.url.appending(path: "texts.csv")
    try (rows.joined(separator: "\n") + "\n").write(to: file, atomically: true, encoding: .utf8)
    dataset = try workspace.write { bench in
      let dataset = try bench.load(AssetFile.open(file, options: LoadOptions())).dataset
      try bench.set(interface: .define(names: ["WORLD", "SPORTS"]))
      try bench.insert(
        labels: bench.assets(of: dataset).map {
          Label(asset: $0.id, author: "ana", category: $0.category ?? "")
        })
      return dataset
    }
  }

  /// Eleven words and `[UNK]`, each with sixteen numbers that say nothing.
  private static func writeModel(to folder: URL) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let words = ["[UNK]", "the"] + subjects.values.flatMap { $0 }.sorted()
    let numbers = (0..<words.count * 16).map { Float(sin(Double($0 * $0))) }
    var header = Data(
      #"{"embedding.weight":{"dtype":"F32","shape":[\#(words.count),16],"data_offsets":[0,\#(numbers.count * 4)]}}"#
        .utf8)
    header.append(Data(repeating: 0x20, count: (8 - header.count % 8) % 8))
    var weights = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) }
    weights.append(header)
    for number in numbers { withUnsafeBytes(of: number) { weights.append(contentsOf: $0) } }
    try weights.write(to: folder.appending(path: "model.safetensors"))
    try Data(words.joined(separator: "\n").utf8).write(to: folder.appending(path: "vocab.txt"))
    try Data(#"{"model_type": "bag-of-embeddings", "hidden_size": 16}"#.utf8)
      .write(to: folder.appending(path: "config.json"))
  }

  @Test(
    "another family is installed, trained and asked as BERT is, and is known to nothing but its own file",
    arguments: [Method.linear, .full])
  func trains(method: Method) throws {
    let plan = try workspace.read { try TrainingPlan(dataset, base: .base, $0) }
    let task = try TrainingTask(plan, in: library)
    var options = TrainingOptions.defaults(for: method)
    (options.threads, options.learningRate, options.epochs) = (2, 0.01, 6)
    let trained = try task.run([options])
    if method == .full {
      let losses = trained[0].result.epochs.map(\.loss)
      #expect(losses[5] < losses[0])
      // The words' own vectors have learned too, not the head alone.
      #expect(trained[0].result.trainableParameters == 12 * 16 + 2 * 16 + 2)
    }
    let model = try workspace.write { try task.publish(trained[0], as: "bag-1", $0) }
    let run = try PredictionTask(dataset, by: .tuned(model), in: library).run()
    try workspace.write { _ = try $0.complete(run) }
    let rows = try workspace.read { try $0.predictions(of: run) }
    #expect(rows.count == 60 && rows.allSatisfy { $0.prediction.category == $0.asset.category })
  }

  @Test("it has no adapters, and says so")
  func adapters() throws {
    let plan = try workspace.read { try TrainingPlan(dataset, base: .base, $0) }
    let task = try TrainingTask(plan, in: library)
    #expect(throws: ModelError.noAdapters) { try task.run([.defaults(for: .adapter)]) }
  }

  @Test("a family that nobody has registered is named, with those that are there")
  func unknown() throws {
    let file = folder.url.appending(path: "bag/config.json")
    try Data(#"{"model_type": "gpt2"}"#.utf8).write(to: file)
    let error = #expect(throws: ModelError.self) {
      try PretrainedModel.load(folder: folder.url.appending(path: "bag"))
    }
    #expect("\(try #require(error))".contains("model_type is gpt2, not bag-of-embeddings or bert"))
  }
}
