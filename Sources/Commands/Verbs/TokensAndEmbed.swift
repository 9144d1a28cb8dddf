import ArgumentParser
import Classifiers
import Encoder
import Foundation
import Shell
import Tasks
import Workbench

/// Where `tokens`, `embed` and `classify` take their texts from.
struct TextsOption: ParsableArguments {
  @Argument(help: "The text; the rest of the line.") var text: [Text] = []
  @Option(
    help: ArgumentHelp(
      "A file of texts: JSON lines with a text field, CSV with a text column, else one text a line.",
      valueName: "file"),
    completion: .file())
  var file: Text?
  @Option(
    name: .customLong("text"),
    help: ArgumentHelp("The column (JSON lines: the key) of the text in --file.", valueName: "column"))
  var column: Text?

  func validate() throws {
    if text.isEmpty == (file == nil) { throw ValidationError("Give either a text or --file FILE") }
    if column != nil, file == nil { throw ValidationError("--text names a column of --file FILE") }
  }

  /// Calls `body` with each text, as the file is read.
  func forEach(_ context: Context, _ body: (String) throws -> Void) throws {
    guard let file else { return try body(context.rest(text)) }
    let url = try context.files.reading(file.description)
    var source = try TextFile.open(
      url, shownAs: context.files.shown(file.description), textColumn: column?.description,
      opener: context.files.opener)
    while let text = try source.next() {
      try context.checkCancellation()
      try body(text)
    }
  }

  /// The same for texts that are to be classified: a file that `load` can read gives the texts that `load` would make
  /// of it, without its categories; any other one text a line.
  func forEachAsset(_ context: Context, _ body: (String) throws -> Void) throws {
    guard let file else { return try body(context.rest(text)) }
    let url = try context.files.reading(file.description)
    guard var rows = try assetRows(url, context) else {
      return try forEach(context, body)
    }
    while let row = try rows.next() {
      try context.checkCancellation()
      try body(row.text)
    }
  }

  private func assetRows(_ url: URL, _ context: Context) throws -> AssetRows? {
    func open(_ options: LoadOptions) -> AssetFile? {
      try? AssetFile.open(
        url, shownAs: file.map { context.files.shown($0.description) }, options: options,
        opener: context.files.opener)
    }
    let options = LoadOptions(
      name: "texts", textColumns: [column?.description].compactMap { $0 }, categoryColumn: "none")
    if let table = open(options) { return try table.rows() }
    // text|CATEGORY has no header, and one text among others may have a bar in it: each line must.
    guard column == nil, let file = open(LoadOptions(name: "texts")), file.format == .pipe else { return nil }
    var rows = try file.rows()
    do { while try rows.next() != nil {} } catch { return nil }
    return try file.rows()
  }
}

/// The tutorial sends people to a tokenizer page; this is ours.
struct Tokens: Verb, TextVerb, Repeatable {
  static let onlyLooks = true
  static let configuration = CommandConfiguration(
    commandName: "tokens", abstract: "Show the tokens that the model reads in a text.",
    discussion: """
      A model reads neither letters nor words but WordPiece tokens: frequent words whole, rare ones in pieces that begin with ##. \
      [CLS] and [SEP] stand at the ends. A language model (--model smollm2) reads byte-level BPE tokens: bytes merged by frequency, the \
      blank before a word with the word, spelled with a dotted G.

      Examples:
        tokens Chipmaker's shares fall 9.4% on news of the recall
        tokens --file letters.txt
        tokens --model smollm2 CULTURE AND ARTS

      Next: classify TEXT.
      """)
  @OptionGroup var texts: TextsOption
  @Option(help: ArgumentHelp("Whose tokens; base if left out.", valueName: "model")) var model: Text?

  func perform(in context: Context) throws -> Effect {
    let models = context.models
    let selection = try context.workspace.read { workbench in
      try model.map { try models.model(named: $0.description, workbench) } ?? .base
    }
    let encoder = try models.reader(of: selection)
    var report = Report(verb: "tokens")
    var objects: [[String: JSONValue]] = []
    var foreign = 0
    try texts.forEach(context) { text in
      let encoding = encoder.encode(text)
      objects.append([
        "ids": .array(encoding.ids.map { .int(Int($0)) }),
        "tokens": .array(encoding.tokens.map(JSONValue.string)),
      ])
      let count = counted(encoding.ids.count, "token")
      report.blocks.append(.line("\(count)\(encoding.isTruncated ? ", cut at the model's limit" : "")"))
      report.blocks.append(.line("\(encoding.tokens.map(\.visible).joined(separator: " "))"))
      report.blocks.append(.line("\(encoding.ids.map(String.init).joined(separator: " "))"))
      if encoding.isMostlyOutsideVocabulary { foreign += 1 }
    }
    if let remark = vocabularyRemark(foreign, of: objects.count) { report.blocks.append(.line("\(remark)")) }
    if texts.file == nil { report.json = objects.first ?? [:] } else { report.objects = objects }
    return Effect { _ in report }
  }
}

/// A text as the model sees it: a direction in space.
struct Embed: Verb, TextVerb, Repeatable {
  static let onlyLooks = true
  static let configuration = CommandConfiguration(
    commandName: "embed", abstract: "Show a text's embedding.",
    discussion: """
      The embedding is the mean of the model's last states over the text's tokens, scaled to length one. Texts about the same thing \
      point the same way: that is what zero-shot classification and the linear method work with.

      Examples:
        embed Linen is back.
        embed --file letters.txt

      Next: classify TEXT.
      """)
  @OptionGroup var texts: TextsOption

  func perform(in context: Context) throws -> Effect {
    let encoder = try context.models.encoder(of: .base)
    var encodings: [Encoding] = []
    try texts.forEach(context) { encodings.append(encoder.encode($0)) }
    let embeddings = try encoder.embeddings(encodings, isCancelled: context.isCancelled)
    let objects: [[String: JSONValue]] = embeddings.map { ["embedding": .array($0.map { .float($0) })] }
    var report = Report(verb: "embed")
    for embedding in embeddings {
      let first = embedding.prefix(6).map { fixed(Double($0), 3) }.joined(separator: " ")
      report.blocks.append(.line("\(embedding.count) numbers, length 1"))
      report.blocks.append(.derived(["\(first) …"]))
    }
    if texts.file == nil { report.json = objects.first ?? [:] } else { report.objects = objects }
    return Effect { _ in report }
  }
}
