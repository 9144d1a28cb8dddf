import Foundation
import Testing
import Workbench

/// The form of `Samples/`: what their README promises, counted.
@Suite struct SamplesTests {
  static let folder = Front.repository.appending(path: "Samples")
  static let names = ["news-1", "news-2", "news-3", "news-4"]
  static let categories = [
    "CULTURE & ARTS", "MEDIA & ENTERTAINMENT", "MONEY & BUSINESS", "POLITICS", "SCIENCE & TECHNOLOGY",
    "SPORTS",
    "STYLE & BEAUTY", "WORLD NEWS",
  ]

  static func rows(_ name: String) throws -> [AssetRow] {
    var rows = try AssetFile.open(folder.appending(path: "\(name).csv")).rows()
    var all: [AssetRow] = []
    while let row = try rows.next() { all.append(row) }
    return all
  }

  static func all() throws -> [AssetRow] { try names.flatMap(rows) }

  @Test("Two hundred rows, twenty-five of each category, ids that follow the order", arguments: names)
  func balance(name: String) throws {
    let rows = try Self.rows(name)
    #expect(rows.count == 200)
    #expect(rows.map(\.externalID) == (1...200).map { "\(name)-" + String(format: "%03d", $0) })
    let counts = Dictionary(grouping: rows.compactMap(\.category), by: { $0 }).mapValues(\.count)
    #expect(counts == Dictionary(uniqueKeysWithValues: Self.categories.map { ($0, 25) }))
  }

  @Test("In shuffled order: no category stands four times in a row, none fills a quarter", arguments: names)
  func shuffled(name: String) throws {
    let categories = try Self.rows(name).compactMap(\.category)
    for start in 0..<(categories.count - 3) {
      #expect(Set(categories[start..<(start + 4)]).count > 1, "row \(start + 1)")
    }
    for quarter in stride(from: 0, to: 200, by: 50) {
      #expect(Set(categories[quarter..<(quarter + 50)]).count == Self.categories.count)
    }
  }

  @Test(
    "UTF-8 without mark, LF, the header of the README, doubled quotes where a field is quoted",
    arguments: names)
  func bytes(name: String) throws {
    let data = try Data(contentsOf: Self.folder.appending(path: "\(name).csv"))
    let text = try #require(String(validating: data, as: UTF8.self))
    #expect(text.hasPrefix("id,text,category\n"))
    #expect(text.hasSuffix("\n"))
    #expect(!data.contains(UInt8(ascii: "\r")))
    #expect(!data.starts(with: [0xEF, 0xBB, 0xBF]))
  }

  @Test("Twelve to sixty words, a headline and then a sentence", arguments: names)
  func lengths(name: String) throws {
    for row in try Self.rows(name) {
      let words = row.text.split(separator: " ").count
      #expect((12...60).contains(words), "\(row.externalID): \(words) words")
      #expect(row.text.contains(#/[.?!…][”"’')\]]* /#), "\(row.externalID) has no headline that ends")
    }
  }

  @Test("Eight hundred different texts; no two share a sentence or a run of six words")
  func originality() throws {
    let rows = try Self.all()
    #expect(Set(rows.map(\.text)).count == 800)
    var owner: [String: String] = [:]
    for row in rows {
      let words = row.text.lowercased().split { !$0.isLetter && !$0.isNumber }
      for start in 0..<max(0, words.count - 5) {
        let run = words[start..<(start + 6)].joined(separator: " ")
        let first = owner[run] ?? row.externalID
        #expect(first == row.externalID, "\(first) and \(row.externalID) share: \(run)")
        owner[run] = first
      }
    }
  }

  @Test("Quotation marks, commas and accents inside fields, as real files have them", arguments: names)
  func variety(name: String) throws {
    let texts = try Self.rows(name).map(\.text)
    #expect(texts.count { $0.contains("\"") } >= 3)
    #expect(texts.count { $0.contains(",") } >= 40)
    #expect(texts.count { $0.contains(#/[“”’]/#) } >= 15)
    #expect(texts.count { $0.unicodeScalars.contains { (0xC0...0x24F).contains($0.value) } } >= 10)
    let lengths = texts.map { $0.split(separator: " ").count }.sorted()
    #expect(lengths[20] <= 22 && lengths[180] >= 45, "lengths lie too close together")
  }

  @Test("No category is named in its own text as a habit, and no word gives one away", arguments: names)
  func tellTales(name: String) throws {
    let rows = try Self.rows(name)
    for category in Self.categories {
      let own = rows.filter { $0.category == category }
      let others = rows.filter { $0.category != category }
      func words(_ row: AssetRow) -> Set<String> {
        Set(row.text.lowercased().split { !$0.isLetter }.map(String.init))
      }
      let counts = own.flatMap { Array(words($0)) }.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
      for (word, count) in counts where count > 10 {
        let elsewhere = others.count { words($0).contains(word) }
        #expect(
          elsewhere * 3 >= count,
          "\(word) stands in \(count) of 25 texts of \(category), and \(elsewhere) others")
      }
      for part in category.lowercased().split(whereSeparator: { !$0.isLetter }) where part != "news" {
        let named = own.count { words($0).contains(String(part)) }
        #expect(named <= 4, "\(category) is named in \(named) of its texts")
      }
    }
  }

  @Test("The second reader labelled every item of news-1, and differs on some")
  func secondReader() throws {
    let text = try String(contentsOf: Self.folder.appending(path: "second-reader.csv"), encoding: .utf8)
    let rows = text.split(separator: "\n").map { $0.split(separator: ",").map(String.init) }
    #expect(rows.first == ["id", "category", "author"])
    let labels = Dictionary(rows.dropFirst().map { ($0[0], $0[1]) }, uniquingKeysWith: { first, _ in first })
    let news = try Self.rows("news-1")
    #expect(labels.count == 200)
    #expect(Set(labels.values).isSubset(of: Self.categories))
    let agreed = news.count { labels[$0.externalID] == $0.category }
    #expect((160...190).contains(agreed), "\(agreed) of 200 agree")
  }

  @Test("The interface has the tutorial's nine categories")
  func interface() throws {
    let interface = try Interface.load(Self.folder.appending(path: "interface.json"))
    #expect(interface.categories.count == 9)
    #expect(interface.categories.last?.key == "UNABLE_TO_CLASSIFY")
    #expect(Set(interface.classes.map(\.key)) == Set(Self.categories.map(CategoryKey.key(forName:))))
  }
}
