import Basics

/// Which columns of a table (or keys of JSON objects) hold what, as indices into their names.
struct Columns: Equatable, Sendable {
  let names: [String]
  let identifier: Int?
  /// The parts of the text, in the order in which they are joined; one in most files.
  let texts: [Int]
  let category: Int?
  /// Who chose the category, in a file of labels.
  let author: Int?
  /// Whether each row is a conversation in the chat format (https://platform.openai.com/docs/guides/supervised-fine-tuning): the
  /// last message of the user is the text, the last of the assistant the category.
  let isChat: Bool
  /// Columns with a name that serve for nothing.
  var leftOut: [Int] {
    let used = Set(texts + [identifier, category].compactMap { $0 })
    return names.indices.filter { !used.contains($0) && !names[$0].isEmpty }
  }

  /// What was left out although it might be meant, in sentences with the option that takes it.
  let advice: [String]

  /// Names that people give these columns, the likeliest first; compared without case and with `_` for
  /// blanks. A heading and a body are read together.
  private static let identifiers = ["id", "external_id"]
  private static let headings = ["headline", "title"]
  private static let bodies = [
    "short_description", "content", "body", "message", "description", "summary", "abstract", "sentence",
    "review", "comment", "document", "utterance", "question", "query", "tweet", "post", "feedback",
  ]
  private static let categories = ["category", "label", "class", "topic", "intent", "sentiment", "target"]
  private static let authors = ["author", "labeller", "labeler", "annotator", "reader"]
  /// Columns that nobody would take for the category.
  private static let harmless: Set = [
    "", "index", "unnamed:_0", "link", "url", "author", "authors", "date", "time", "timestamp", "source",
    "lang", "language", "created_at", "length",
  ]
  static let messages = "messages"
  static let prompt = "prompt"
  static let completion = "completion"

  /// Whether a table's header can be told by its names.
  static func recognise(_ names: [String], _ options: LoadOptions) -> Bool {
    let known = names.map(normalise)
    let asked = (options.textColumns + [options.categoryColumn].compactMap { $0 }).map(normalise)
    return !texts(in: known).isEmpty
      || asked.contains { asked in
        known.contains { $0.hasPrefix(asked) } || Int(asked).map { names.indices.contains($0 - 1) } ?? false
      }
  }

  /// Throws ``LoadError`` when a column that was asked for is not there, and when there is no telling which
  /// is which.
  init(_ names: [String], file: String, line: Int, options: LoadOptions, isChat: Bool = false) throws {
    let known = names.map(Self.normalise)
    func find(_ candidates: [String]) -> Int? {
      candidates.lazy.compactMap { known.firstIndex(of: $0) }.first
    }
    let lookup = ColumnLookup(names: names, known: known, file: file)

    self.names = names
    self.isChat = isChat && options.textColumns.isEmpty && options.categoryColumn == nil
    identifier = find(Self.identifiers)
    author = find(Self.authors)
    if self.isChat, let messages = known.firstIndex(of: Self.messages) {
      (texts, category, advice) = ([messages], messages, [])
      return
    }
    let recognised = Self.texts(in: known)
    let asked = try options.textColumns.map { try lookup.column($0, .text) }
    // One that is named twice is meant once.
    texts =
      asked.isEmpty
      ? recognised : asked.indices.filter { asked.firstIndex(of: asked[$0]) == $0 }.map { asked[$0] }
    guard !texts.isEmpty else {
      throw LoadError.missingColumn(file: file, line: line, role: .text, found: names)
    }
    let isPair = texts == [known.firstIndex(of: Self.prompt)]
    let found = find(isPair ? [Self.completion] + Self.categories : Self.categories)
    if let wanted = options.categoryColumn {
      let isNone = Self.normalise(wanted) == "none" && !known.contains("none")
      category = isNone ? nil : try lookup.column(wanted, .category)
    } else if let found, !texts.contains(found) {
      category = found
    } else {
      // A column that might be the category is asked about; a file of texts alone just loads.
      let used = Set([identifier].compactMap { $0 } + texts + Self.likeTexts(in: known))
      let others = names.indices.filter { !used.contains($0) && !Self.harmless.contains(known[$0]) }
      guard others.isEmpty else {
        throw LoadError.missingColumn(file: file, line: line, role: .category, found: names)
      }
      category = nil
    }
    // A model that is given the answer learns nothing else, and its measures say that it is perfect.
    if let category, texts.contains(category) {
      throw LoadError.badOption(
        "\(names[category].columnShown) cannot be text and category at once: a model would read the answer in the text."
      )
    }
    advice = Self.advice(names, known, options, texts: texts, category: category)
  }

  /// The columns that make the text: one called so; else a heading and a body, or one of them.
  private static func texts(in known: [String]) -> [Int] {
    func first(of candidates: [String]) -> Int? {
      candidates.lazy.compactMap { known.firstIndex(of: $0) }.first
    }
    if let text = known.firstIndex(of: "text") { return [text] }
    let body = first(of: bodies)
    // A subject without a body is as often a category as a heading.
    let heading = first(of: headings) ?? body.flatMap { _ in known.firstIndex(of: "subject") }
    let found = [heading, body].compactMap { $0 }
    if found.isEmpty, known.contains(completion) { return known.firstIndex(of: prompt).map { [$0] } ?? [] }
    return found
  }

  /// All columns that might be texts, by their names.
  private static func likeTexts(in known: [String]) -> [Int] {
    let likely = Set(["text"] + headings + bodies)
    return known.indices.filter { likely.contains(known[$0]) }
  }

  /// What was not taken although it might be meant.
  private static func advice(
    _ names: [String], _ known: [String], _ options: LoadOptions, texts: [Int], category: Int?
  ) -> [String] {
    var advice: [String] = []
    let used = Set(texts + [category].compactMap { $0 })
    func typed(_ index: Int) -> String {
      let isUnique = known.count { $0 == known[index] } == 1
      return isUnique && !names[index].isEmpty ? names[index].columnTyped : "\(index + 1)"
    }
    let others = likeTexts(in: known).filter { !used.contains($0) }
    if options.textColumns.isEmpty, !others.isEmpty {
      let all = (texts + others).sorted().map { "--text \(typed($0))" }.joined(separator: " ")
      let list = others.map { names[$0].columnShown }.joined(separator: ", ")
      advice.append("\(list) may be text too; to read \(others.count == 1 ? "both" : "all") as one: \(all)")
    }
    let rivals = known.indices.filter { categories.contains(known[$0]) && !used.contains($0) }
    if options.categoryColumn == nil, category != nil, let rival = rivals.first {
      let list = rivals.map { names[$0].columnShown }.joined(separator: ", ")
      advice.append("\(list) may be a category too; to take it: --category \(typed(rival))")
    }
    return advice
  }

  /// What an option that takes a column is recorded as: its whole name, or its number where several are called so.
  func canonical(_ column: Int) -> String {
    let isUnique = names.count { Self.normalise($0) == Self.normalise(names[column]) } == 1
    return isUnique && !names[column].isEmpty ? names[column] : "\(column + 1)"
  }

  fileprivate static func normalise(_ name: String) -> String {
    name.trimmingBlanks.lowercased().replacing(" ", with: "_")
  }
}

/// Finds the column that somebody means.
private struct ColumnLookup {
  let names: [String]
  /// The names as they are compared.
  let known: [String]
  let file: String

  /// By its name, its number from 1, or a beginning that only one name has.
  func column(_ wanted: String, _ role: LoadError.Column) throws -> Int {
    let asked = Columns.normalise(wanted)
    if let index = names.firstIndex(of: wanted) ?? known.firstIndex(of: asked) { return index }
    if let number = Int(asked), names.indices.contains(number - 1) { return number - 1 }
    let begun = asked.isEmpty ? [] : known.indices.filter { known[$0].hasPrefix(asked) }
    if begun.count == 1 { return begun[0] }
    throw LoadError.noSuchColumn(
      file: file, role: role, wanted: wanted, found: names,
      nearest: begun.count > 1 ? .several(begun.map { names[$0] }) : nearest(asked).map { .one(names[$0]) })
  }

  private func nearest(_ asked: String) -> Int? {
    let holding = known.indices.filter { asked.count > 2 && known[$0].contains(asked) }
    if holding.count == 1 { return holding[0] }
    // Of a long question only the beginning is typed.
    let distances = known.map {
      min(editDistance($0, asked), editDistance(String($0.prefix(asked.count)), asked))
    }
    guard let least = distances.indices.min(by: { distances[$0] < distances[$1] }) else { return nil }
    return distances[least] * 2 <= asked.count ? least : nil
  }
}

extension String {
  /// A column's name in a sentence: whole, since of long questions in a form the ends differ; in quotes where
  /// it could be taken for several.
  var columnShown: String {
    if isEmpty { return "(nameless)" }
    let name = excerpt(300)
    return name.contains { ",;\"".contains($0) } || name.count > 30 ? "\"\(name)\"" : name
  }

  /// A column's name as it is typed at the prompt.
  var columnTyped: String {
    let isPlain = allSatisfy { $0.isLetter || $0.isNumber || "_-.".contains($0) } && first != "-"
    return isPlain ? self : "\"\(excerpt(300).replacing("\"", with: "\\\""))\""
  }
}
