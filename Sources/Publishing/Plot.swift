import Transcripts

/// What an answer's lines picture: found in the canonical drawing, so that a document's plots need nothing but the document.
enum Plot: Equatable {
  /// Named numbers, one bar each, with the number as it is written.
  case bars([Bar])
  /// A value an epoch.
  case curve(title: String, values: [Double])
  /// Counts of what was taken for what: a row a true category, a column a predicted one.
  case matrix(names: [String], counts: [[Int]])

  struct Bar: Equatable {
    var name: String
    var value: Double
    var written: String
  }
}

/// An answer as a page shows it: lines, and plots in the place of the lines that they picture.
enum AnswerPart: Equatable {
  case lines([String])
  case plot(Plot)

  /// - Parameter command: the step's command, which tells counts from other named numbers.
  static func parts(of answer: [String], command: String) -> [AnswerPart] {
    var parts: [AnswerPart] = []
    var lines: [String] = []
    func endLines() {
      if !lines.isEmpty { parts.append(.lines(lines)) }
      lines = []
    }
    var rest = answer[...]
    while let line = rest.first {
      if let (plot, count) = Plot.at(rest, command: command) {
        if let plot {
          endLines()
          parts.append(.plot(plot))
        } else {
          lines += rest.prefix(count)
        }
        rest = rest.dropFirst(count)
      } else {
        lines.append(line)
        rest = rest.dropFirst()
      }
    }
    endLines()
    return parts
  }
}

extension Plot {
  /// The plot that the lines begin with, and how many of them it takes; no plot where these are more than anybody could tell apart.
  fileprivate static func at(_ lines: ArraySlice<String>, command: String) -> (Plot?, Int)? {
    bars(lines, command: command) ?? curve(lines) ?? matrix(lines)
  }

  private static func bars(_ lines: ArraySlice<String>, command: String) -> (Plot?, Int)? {
    guard command.split(separator: " ").first == "predict" else { return nil }
    var bars: [Bar] = []
    for line in lines {
      guard let bar = bar(line) else { break }
      bars.append(bar)
    }
    guard bars.count > 1 else { return nil }
    return (bars.count > mostMarks ? nil : .bars(bars), bars.count)
  }

  /// More than anybody can tell apart; the lines say it better.
  private static let mostMarks = 1_000

  /// `  NAME  ~118±2`: behind two blanks a name, and behind two more a number.
  private static func bar(_ line: String) -> Bar? {
    let line = line.utf8
    let text = line.drop { $0 == UInt8(ascii: " ") }
    guard line.count - text.count == 2 else { return nil }
    var end = text.endIndex
    while end > text.startIndex, text[text.index(before: end)] == UInt8(ascii: " ") {
      end = text.index(before: end)
    }
    guard let gap = text[..<end].lastIndex(of: UInt8(ascii: " ")) else { return nil }
    let name = Substring(text[..<gap])
    let written = Substring(text[text.index(after: gap)..<end])
    guard name.utf8.last == UInt8(ascii: " "), let value = number(written) else { return nil }
    return Bar(
      name: String(
        name.prefix(upTo: name.lastIndex { $0 != " " }.map(name.index(after:)) ?? name.startIndex)),
      value: value, written: String(written))
  }

  /// `118`, `~118±2`. By hand: a regular expression takes a tenth of a millisecond, and an answer may have many thousand lines.
  private static func number(_ written: Substring) -> Double? {
    let parts = (written.first == "~" ? written.dropFirst() : written).split(
      separator: "±", omittingEmptySubsequences: false)
    let whole = parts[0].utf8
    guard parts.count == 1 || parts.count == 2 && !parts[1].isEmpty && hasOnly(parts[1], digits + "."),
      hasOnly(parts[0], digits + "."), let first = whole.first, let last = whole.last,
      first != UInt8(ascii: "."), last != UInt8(ascii: ".")
    else { return nil }
    return Double(parts[0])
  }

  private static let digits = "0123456789"

  private static func hasOnly(_ text: Substring, _ characters: String) -> Bool {
    text.utf8.allSatisfy { characters.utf8.contains($0) }
  }

  /// `~ loss by epoch: 0.072 0.021`, which goes on in lines that begin with `~   `.
  private static func curve(_ lines: ArraySlice<String>) -> (Plot?, Int)? {
    let (title, numerals) = ("loss by epoch", digits + ". ")
    let start = "~ \(title): "
    guard let first = lines.first, first.hasPrefix(start), hasOnly(first.dropFirst(start.count), numerals)
    else { return nil }
    let further = lines.dropFirst().prefix { $0.hasPrefix("~  ") && hasOnly($0.dropFirst(), numerals) }
    let numbers = ([first.dropFirst(start.count)] + further.map { $0.dropFirst() }).joined(separator: " ")
    let values = numbers.split(separator: " ").compactMap { Double($0) }
    return (2...mostMarks).contains(values.count)
      ? (.curve(title: title, values: values), 1 + further.count) : nil
  }

  /// As many rows as fit a page's width.
  private static let mostCategories = 100

  private static func matrix(_ lines: ArraySlice<String>) -> (Plot?, Int)? {
    guard let first = lines.first, first.hasPrefix("~ rows: truth, columns: prediction") else { return nil }
    let header = lines.dropFirst().first?.dropFirst().split(separator: " ").compactMap { Int($0) } ?? []
    guard !header.isEmpty, header.count <= mostCategories, header == Array(1...header.count),
      lines.count >= 2 + header.count
    else {
      return nil
    }
    var names: [String] = []
    var counts: [[Int]] = []
    for (number, line) in zip(header, lines.dropFirst(2)) {
      let words = line.dropFirst().split(separator: " ")
      guard words.count > header.count + 1, words[0] == "\(number)" else { return nil }
      let cells = words.suffix(header.count).compactMap { $0 == "·" ? 0 : Int($0) }
      // A document may say anything; what is drawn are counts of texts.
      guard cells.count == header.count, cells.allSatisfy({ (0...1_000_000_000).contains($0) }) else {
        return nil
      }
      names.append(words.dropFirst().dropLast(header.count).joined(separator: " "))
      counts.append(cells)
    }
    return (.matrix(names: names, counts: counts), 2 + header.count)
  }
}
