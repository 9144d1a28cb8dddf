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
    var rest = answer[...]
    while let line = rest.first {
      if let (plot, count) = Plot.at(rest, command: command) {
        parts.append(.plot(plot))
        rest = rest.dropFirst(count)
      } else if case .lines(let before)? = parts.last {
        parts[parts.count - 1] = .lines(before + [line])
        rest = rest.dropFirst()
      } else {
        parts.append(.lines([line]))
        rest = rest.dropFirst()
      }
    }
    return parts
  }
}

extension Plot {
  /// The plot that the lines begin with, and how many of them it takes.
  fileprivate static func at(_ lines: ArraySlice<String>, command: String) -> (Plot, Int)? {
    bars(lines, command: command) ?? curve(lines) ?? matrix(lines)
  }

  private static func bars(_ lines: ArraySlice<String>, command: String) -> (Plot, Int)? {
    guard command.split(separator: " ").first == "predict" else { return nil }
    let bars = lines.prefix { bar($0) != nil }.compactMap(bar)
    return bars.count > 1 ? (.bars(bars), bars.count) : nil
  }

  private static func bar(_ line: String) -> Bar? {
    guard let match = line.wholeMatch(of: #/  (\S.*?)  +(~?([0-9]+(?:\.[0-9]+)?)(?:±[0-9.]+)?) */#),
      let value = Double(match.3)
    else { return nil }
    return Bar(name: String(match.1), value: value, written: String(match.2))
  }

  /// `~ loss by epoch: 0.072 0.021`, which goes on in lines that begin with `~   `.
  private static func curve(_ lines: ArraySlice<String>) -> (Plot, Int)? {
    guard let first = lines.first, let match = first.wholeMatch(of: #/~ (loss by epoch): ([0-9. ]+)/#) else {
      return nil
    }
    let further = lines.dropFirst().prefix { $0.wholeMatch(of: #/~ {2,}[0-9. ]+/#) != nil }
    let numbers = ([String(match.2)] + further.map { String($0.dropFirst()) }).joined(separator: " ")
    let values = numbers.split(separator: " ").compactMap { Double($0) }
    return values.count > 1 ? (.curve(title: String(match.1), values: values), 1 + further.count) : nil
  }

  private static func matrix(_ lines: ArraySlice<String>) -> (Plot, Int)? {
    guard let first = lines.first, first.hasPrefix("~ rows: truth, columns: prediction") else { return nil }
    let header = lines.dropFirst().first?.dropFirst().split(separator: " ").compactMap { Int($0) } ?? []
    guard !header.isEmpty, header == Array(1...header.count), lines.count >= 2 + header.count else {
      return nil
    }
    var names: [String] = []
    var counts: [[Int]] = []
    for (number, line) in zip(header, lines.dropFirst(2)) {
      let words = line.dropFirst().split(separator: " ")
      guard words.count > header.count + 1, words[0] == "\(number)" else { return nil }
      let cells = words.suffix(header.count).compactMap { $0 == "·" ? 0 : Int($0) }
      guard cells.count == header.count else { return nil }
      names.append(words.dropFirst().dropLast(header.count).joined(separator: " "))
      counts.append(cells)
    }
    return (.matrix(names: names, counts: counts), 2 + header.count)
  }
}
