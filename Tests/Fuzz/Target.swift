import Encoder
import Foundation
import Publishing
import Shell
import Transcripts
import Workbench

/// A reader of files that strangers write, whole files to begin from, and what is fed to it.
struct Target: Sendable {
  let name: String
  let corpus: @Sendable () throws -> [[UInt8]]
  let words: [String]
  /// Throws a `Finding` for what must not be; any other error is an answer.
  let read: @Sendable ([UInt8], URL) throws -> Void

  static let all = [data, language, document, interface, model, gguf, llama, tokenizer, workspace]

  /// - Parameter number: which of the endless row of inputs that a seed gives.
  func input(seed: UInt64, number: Int) throws -> [UInt8] {
    let files = try Corpus.files(of: self)
    let nameSeed = name.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) }
    var random = Randomness(seed, nameSeed, UInt64(number))
    guard let file = files.randomElement(using: &random), let other = files.randomElement(using: &random)
    else { return [] }
    return Mutator(words: words).mutate(file, with: other, &random)
  }

  static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  fileprivate static func files(_ folder: String, _ endings: String...) throws -> [[UInt8]] {
    let folder = repository.appending(path: folder, directoryHint: .isDirectory)
    return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .filter { endings.contains($0.pathExtension) }.sorted { $0.path < $1.path }
      .map { [UInt8](try Data(contentsOf: $0).prefix(60_000)) }
  }

  fileprivate static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

/// Reads each target's files once.
private enum Corpus {
  nonisolated(unsafe) private static var known: [String: [[UInt8]]] = [:]

  static func files(of target: Target) throws -> [[UInt8]] {
    if let files = known[target.name] { return files }
    let files = try target.corpus()
    known[target.name] = files
    return files
  }
}

extension Target {
  static let data = Target(
    name: "data", corpus: { try files("Samples/messy", "csv", "jsonl", "txt") + files("Samples", "csv") },
    words: [
      ",", ";", "\t", "|", "\"", "\"\"", "\n", "\r\n", "\r", "{", "}", "[", "]", "\\u0000", "\\ud800",
      "\u{FEFF}", "sep=;\n", "text",
      "category", "null", "NA", "\0", "\"text\":", "\"messages\":", "\u{202E}",
    ],
    read: { bytes, folder in
      for name in ["fuzz.csv", "fuzz.jsonl", "fuzz.txt"] {
        let file = folder.appending(path: name)
        try Data(bytes).write(to: file)
        for skipBad in [false, true] {
          do {
            var rows = try AssetFile.open(file, options: LoadOptions(skipBad: skipBad)).rows()
            while try rows.next() != nil {}
          } catch let error as LoadError {
            try Finding.require(!error.description.isEmpty, "an error without a sentence")
          }
        }
        if var texts = try? TextFile.open(file) { while (try? texts.next()) != nil {} }
      }
    })

  static let language = Target(
    name: "language",
    corpus: {
      try files("Sessions", "md").map { bytes in
        try Document(parsing: text(bytes)).steps.map(\.command).joined(separator: "\n")
      }.map { Array($0.utf8) } + [Array(Language.page.utf8)]
    },
    words: [
      "for x in 1 2 {", "}", "{", "\"", "'", "“", "”", "\\", "\n", "\r\n", " ", "\t", "#", "—", "–5", "=",
      ">=", "!=", "$x", "${x}",
      "$kpi.a.b", "expect 1 + 1 == 2", "fettle> ", "     > ", "é", "\u{0}", "\u{1B}[2J", "--name=", "＄",
      "\u{A0}", "\u{FEFF}",
    ],
    read: { bytes, _ in
      let text = text(bytes)
      if case .complete(let statements)? = try? Language.parse(text) {
        for statement in statements.prefix(200) {
          try Finding.require(statement.words.count <= statement.source.count + 1, "more words than letters")
          _ = statement.text(from: 1) { _ in "value" }
          if let claim = Claim(Array(statement.words.dropFirst())) { _ = try? claim.evaluate { _ in "1" } }
        }
      }
      _ = WordBeingTyped(String(text.prefix(2_000)))
      // What is quoted reads back, but for what the language takes out of any text.
      let word = String(
        String.UnicodeScalarView(
          text.unicodeScalars.filter { !"\r\u{FEFF}\u{200B}\u{2060}\u{AD}".unicodeScalars.contains($0) }
        ).prefix(4_000))
      let read = try? Language.statements("set " + Language.quoted(word), extractingPrompts: false)
      try Finding.require(
        read?.count == 1 && read?[0].words.count == 2 && read?[0].words[1].text == word,
        "a quoted word is read as another")
    })

  static let document = Target(
    name: "document", corpus: { try files("Sessions", "md") + files(".", "md") + files("Samples", "md") },
    words: [
      "```fettle\n", "```\n", "~~~\n", "fettle> ", "     > ", "# interrupted: ", "---\n", "<!--", "-->", "> ",
      "- ", "1. ", "    ", "|", "|-",
      "[a]: b\n", "[a]", "*", "_", "`", "<a", "<?", "<!A", "![", "](", "~0.5±0.1", "~ ",
      "~ rows: truth, columns: prediction\n~ 1 2\n",
      "~ loss by epoch: ", "  a  1\n", "seed: ", "root: ", "\u{1B}[31m", "\u{202E}", "\r\n", "http://",
      "www.", "a@b.", "&amp;", "\\",
    ],
    read: { bytes, _ in
      let text = text(bytes)
      let document = try Document(parsing: text)
      try Finding.require(document.text.utf8.elementsEqual(text.utf8), "the document is written as another")
      let new = Answer([Line([.text("new")]), Line([.text("```")])])
      let updated = document.updated(with: document.steps.map { _ in new })
      try Finding.require(
        updated.steps.map(\.command) == document.steps.map(\.command), "an update changes the commands")
      let page = Page(document, name: "fuzz").html
      try Finding.require(
        !page.contains("\u{1B}") && !page.contains("\u{202E}"),
        "a page commands the terminal or turns its text"
      )
      try Finding.require(!page.contains("<script"), "a page runs something")
      _ = try JSONSerialization.jsonObject(with: Notebook(document).json())
      for case .prose(let prose) in document.parts { _ = Markdown(prose).plainLines(width: 40) }
      let note = DocumentWriter.text(frontMatter: FrontMatter(), title: "Fuzz", entries: [.note(text)])
      let noted = try Document(parsing: note)
      try Finding.require(
        noted.steps.isEmpty && noted.breaksOff == nil && noted.passedOver.isEmpty, "a note is read as a step")
    })

  static let interface = Target(
    name: "interface", corpus: { try files("Samples", "json") },
    words: [
      "{", "}", "[", "]", "\"", ":", ",", "\\u0000", "\\ud83d", "null", "true", "{\"jobs\":", "\"name\":",
      "\"categories\":", "1e999",
    ],
    read: { bytes, _ in
      _ = try? JSONValue(parsing: text(bytes))
      let interface = try Interface(parsing: Data(bytes), file: "fuzz.json")
      let again = try Interface(parsing: Data(interface.json.utf8), file: "fuzz.json")
      try Finding.require(
        again.categories.map(\.key) == interface.categories.map(\.key), "an interface is written as another")
    })

  /// The configuration, a zero, and the weights: the two depend on each other.
  static let model = Target(
    name: "safetensors",
    corpus: {
      try ["tiny-bert", "odd-bert"].map { name in
        let folder = repository.appending(path: "Tests/EncoderTests/Reference/\(name)")
        let parts = try ["config.json", "model.safetensors"].map {
          [UInt8](try Data(contentsOf: folder.appending(path: $0)))
        }
        return parts[0] + [0] + parts[1]
      }
    },
    words: [
      "\"F32\"", "\"F16\"", "\"BF16\"", "\"I64\"", "\"shape\":[", "\"data_offsets\":[0,", "hidden_size",
      "\"__metadata__\":", "{", "}", "\0\0\0\0\0\0\0\0",
    ],
    read: { bytes, folder in
      let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
      try Data(parts[0]).write(to: folder.appending(path: "config.json"))
      try Data(parts.dropFirst().first ?? []).write(to: folder.appending(path: "model.safetensors"))
      let vocabulary = repository.appending(path: "Tests/EncoderTests/Reference/tiny-bert/vocab.txt")
      try Data(contentsOf: vocabulary).write(to: folder.appending(path: "vocab.txt"))
      let model = try PretrainedModel.load(folder: folder)
      _ = model.tokenizer.encode("news of the day", maximumLength: model.maximumLength)
    })

  static let tokenizer = Target(
    name: "tokenizer",
    corpus: {
      try files("Tests/EncoderTests/Reference/tiny-bert", "txt")
        + [
          [UInt8](
            Data(
              contentsOf: repository.appending(path: "Tests/EncoderTests/Reference/odd-bert/tokenizer.json")))
        ]
    },
    words: [
      "[UNK]", "[CLS]", "[SEP]", "##", "\n", "\"vocab\":{", "\"a\":0", "\"type\":\"WordPiece\"", "{", "}",
      "\\u0000", "\u{FEFF}", "\0", "\r\n",
    ],
    read: { bytes, folder in
      for name in ["vocab.txt", "tokenizer.json"] {
        let own = folder.appending(path: name, directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
        try Data(bytes).write(to: own.appending(path: name))
        guard let tokenizer = try? WordPiece(folder: own) else { continue }
        for sample in ["news of the day", "Ünïcödé 東京 [SEP] \u{0}", String(text(bytes).prefix(500))] {
          _ = tokenizer.encode(sample, maximumLength: 32).tokens
        }
      }
    })

  static let workspace = Target(
    name: "workspace", corpus: WorkspaceFile.corpus,
    words: [
      "SQLite format 3\0", "CREATE TABLE ", "steps", "settings", "\0\0\0\0", "done", "DEFAULT",
      "\u{7F}\u{7F}",
    ]
  ) { bytes, folder in try WorkspaceFile.read(bytes, folder) }
}

/// A workspace's database, with a little of everything in it.
enum WorkspaceFile {
  @Sendable static func corpus() throws -> [[UInt8]] {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "fettle-fuzz-workspace-\(getpid())", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "letters.csv")
    try Data("id,text,category\na,news of it,A\nb,z y x,B\n".utf8).write(to: file)
    let home = folder.appending(path: ".fettle", directoryHint: .isDirectory)
    do {
      let workspace = try Workspace.open(home)
      let assets = try AssetFile.open(file)
      try workspace.write { workbench in
        _ = try workbench.load(assets)
        try workbench.set(interface: Interface.define(names: ["A", "B"]))
        try workbench.set("$n", to: "5")
        try workbench.log(
          LoggedStep(verb: "set", command: "set n 5", answer: "n = 5", json: "{\"name\":\"n\"}"))
      }
    }
    // Setting aside writes the journal back, so that one file holds everything.
    let aside = try Workspace.open(home).setAside()
    let whole = aside.folder.appending(path: "workspace.sqlite")
    return [[UInt8](try Data(contentsOf: whole))]
  }

  @Sendable static func read(_ bytes: [UInt8], _ folder: URL) throws {
    let home = folder.appending(path: ".fettle", directoryHint: .isDirectory)
    try? FileManager.default.removeItem(at: home)
    try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
    try Data(bytes).write(to: home.appending(path: "workspace.sqlite"))
    let workspace = try Workspace.open(home)
    try workspace.read { workbench in
      for read: () throws -> Void in [
        { _ = try workbench.settings() }, { _ = try workbench.steps() },
        { _ = try workbench.lastJSON(ofVerb: "set") },
        { _ = try workbench.interface() }, { _ = try workbench.models() },
        {
          for dataset in try workbench.datasets() {
            _ = try? workbench.labels(of: dataset)
            _ = try? workbench.categories(of: dataset)
            _ = try? workbench.truth(of: dataset)
            _ = try? workbench.trainingExamples(of: dataset)
          }
        },
      ] { try? read() }
    }
    try workspace.write { try $0.set("n", to: "5") }
  }
}
