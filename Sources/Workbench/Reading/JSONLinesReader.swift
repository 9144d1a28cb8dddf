/// Reads JSON lines: one object a line.
struct JSONLinesReader: RowReader {
  private var window: TextWindow
  private let columns: Columns
  private let needsCategories: Bool
  /// The keys that are read, and which of them are what.
  private let keys: [String]
  private let identifier: Int?
  private let texts: [Int]
  private let category: Int?
  private let author: Int?
  private var maker = RowMaker()

  private typealias Value = (text: String, offset: Int)

  init(_ window: TextWindow, columns: Columns, needsCategories: Bool) {
    self.window = window
    self.columns = columns
    self.needsCategories = needsCategories
    var keys: [String] = []
    // One key may serve twice: a file of labels has its id in the place of a text, too.
    func slot(_ column: Int) -> Int {
      let key = columns.names[column]
      if let slot = keys.firstIndex(of: key) { return slot }
      keys.append(key)
      return keys.count - 1
    }
    identifier = columns.identifier.map(slot)
    texts = columns.texts.map(slot)
    category = columns.category.map(slot)
    author = columns.author.map(slot)
    self.keys = keys
  }

  var offset: Int { window.offset }

  mutating func next() throws -> AssetRow? {
    while let (line, next) = try window.nextLine() {
      defer { window.advance(to: next, lines: 1) }
      if window.bytes[line].allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
      maker.begin()
      if let damage = window.damage(before: next) { throw damage }
      return try row(line)
    }
    return nil
  }

  private func row(_ line: Range<Int>) throws -> AssetRow {
    var values: [Value?] = Array(repeating: nil, count: keys.count)
    var chat = Chat()
    do {
      try window.bytes.withUnsafeBufferPointer { bytes throws(JSONSyntaxError) in
        var scanner = JSONScanner(bytes, from: line.lowerBound, to: line.upperBound)
        scanner.skipBlanks()
        try scanner.object { (scanner, key, _) throws(JSONSyntaxError) in
          guard let slot = keys.firstIndex(of: key) else { return try scanner.skipValue() }
          if columns.isChat, slot == texts[0] { return try chat.read(&scanner) }
          let offset = scanner.offset
          let text = slot == category ? try scanner.categoryText() : try scanner.scalarText()
          values[slot] = text.map { ($0, offset) }
        }
        try scanner.expectEnd()
      }
    } catch {
      throw window.badRow(at: error.offset, expected: error.expected)
    }
    // SQLite's texts end at a NUL, so one that has it would lose its rest unsaid.
    for case let value? in values + [chat.user, chat.assistant] where value.text.utf8.contains(0) {
      throw window.badRow(at: value.offset, expected: "a text without NUL characters")
    }
    let parts = columns.isChat ? [chat.user] : texts.map { values[$0] }
    let text = unmarked(RowMaker.join(parts.map { $0?.text ?? "" }), columns.texts, Columns.prompt)
    if text.isBlank {
      let place =
        columns.isChat ? "a message of the user" : "\"\(columns.names[columns.texts[0]].excerpt())\""
      throw window.badRow(
        at: parts.lazy.compactMap { $0?.offset }.first ?? line.upperBound,
        expected: "a text in \(place), found none")
    }
    let chosen = columns.isChat ? chat.assistant : category.flatMap { values[$0] }
    let name = unmarked(
      chosen?.text ?? "", [columns.category].compactMap { $0 }, Columns.completion
    ).trimmingBlanks
    if name.isEmpty, needsCategories, let column = columns.category {
      throw window.badRow(
        at: chosen?.offset ?? line.upperBound,
        expected: "a category in \"\(columns.names[column].excerpt())\", found none")
    }
    return maker.row(
      line: window.line, identifier: identifier.flatMap { values[$0]?.text }, text: text,
      category: name.isEmpty ? nil : String(name), author: author.flatMap { values[$0]?.text })
  }

  /// Prompts and completions for older services end with marks that belong to no text: the tutorial's own, and those of
  /// OpenAI's guide of the time.
  private func unmarked(_ text: String, _ columns: [Int], _ key: String) -> String {
    guard columns.count == 1, self.columns.names[columns[0]] == key else { return text }
    let mark = ["[PROMPT_STOP]", "[END]", "\n\n###\n\n", "###"].first { text.hasSuffix($0) }
    return mark.map { String(text.dropLast($0.count)) } ?? text
  }

  /// The last messages of a conversation.
  private struct Chat {
    var user: Value?
    var assistant: Value?

    mutating func read(_ scanner: inout JSONScanner) throws(JSONSyntaxError) {
      try scanner.array { (scanner) throws(JSONSyntaxError) in
        var role: String?
        var content: Value?
        try scanner.object { (scanner, key, _) throws(JSONSyntaxError) in
          let offset = scanner.offset
          switch key {
          case "role": role = try scanner.scalarText()
          case "content": content = try scanner.messageText().map { ($0, offset) }
          default: try scanner.skipValue()
          }
        }
        switch role {
        case "user": user = content
        case "assistant": assistant = content
        default: break
        }
      }
    }
  }
}

extension JSONScanner {
  /// A text, or a number or truth value as it is written; nil for null.
  mutating func scalarText() throws(JSONSyntaxError) -> String? {
    switch next {
    case UInt8(ascii: "\""): return try string()
    case UInt8(ascii: "{"), UInt8(ascii: "["): throw failure("a text here, not a list or an object")
    default:
      let word = try literal()
      return word == "null" ? nil : String(word)
    }
  }

  /// A category; or the list of those that were chosen, as tools write it that allow several, where it is one or none.
  fileprivate mutating func categoryText() throws(JSONSyntaxError) -> String? {
    guard next == UInt8(ascii: "[") else { return try scalarText() }
    let start = offset
    var names: [String] = []
    try array { (scanner) throws(JSONSyntaxError) in
      if let name = try scanner.scalarText() { names.append(name) }
    }
    guard names.count < 2 else { throw failure("one category, found \(names.count)", at: start) }
    return names.first
  }

  /// A message's content: a text, or parts of which those of type text count.
  fileprivate mutating func messageText() throws(JSONSyntaxError) -> String? {
    guard next == UInt8(ascii: "[") else { return try scalarText() }
    var parts: [String] = []
    try array { (scanner) throws(JSONSyntaxError) in
      try scanner.object { (scanner, key, _) throws(JSONSyntaxError) in
        guard key == "text" else { return try scanner.skipValue() }
        if let part = try scanner.scalarText() { parts.append(part) }
      }
    }
    return parts.joined(separator: "\n")
  }
}
