import Foundation
import Testing
import Workbench

struct SampleTests {
  let folder: Folder
  let url: URL

  init() throws {
    folder = try Folder()
    // 300 of A, 200 of B, 3 of C, mixed.
    url = try folder.write(
      table((0..<503).map { $0 % 167 == 0 && $0 > 0 ? "C" : $0 % 5 < 3 ? "A" : "B" }), as: "all.csv")
  }

  private func sample(_ options: LoadOptions, of url: URL? = nil) throws -> [Asset] {
    let workspace = try folder.workspace()
    var options = options
    options.name = "sample-\(UUID().uuidString)"
    let dataset = try workspace.load(url ?? self.url, options).dataset
    return try workspace.read { try $0.assets(of: dataset) }
  }

  @Test func aSampleDependsOnSeedAlone() throws {
    let first = try sample(LoadOptions(sample: 100))
    #expect(first.count == 100)
    #expect(try sample(LoadOptions(sample: 100)).map(\.externalID) == first.map(\.externalID))
    #expect(try sample(LoadOptions(sample: 100, seed: 43)).map(\.externalID) != first.map(\.externalID))
    #expect(first.map(\.line) == first.map(\.line).sorted(), "file order")
  }

  @Test func aSmallerSampleIsPartOfALargerOne() throws {
    let small = Set(try sample(LoadOptions(sample: 50)).map(\.externalID))
    let large = Set(try sample(LoadOptions(sample: 200)).map(\.externalID))
    #expect(small.isSubset(of: large))
  }

  @Test func aSampleIsSpreadOverTheFile() throws {
    // Of 100 out of 503, each fifth of the file has 20 expected; beyond 7 and 36 chance is under 1 in 10,000.
    let lines = try sample(LoadOptions(sample: 100)).map(\.line)
    for fifth in 0..<5 {
      let inside = lines.count { ($0 - 2) * 5 / 503 == fifth }
      #expect((7...36).contains(inside))
    }
  }

  @Test func perCategoryTakesAsManyOfEach() throws {
    let assets = try sample(LoadOptions(perCategory: 10))
    #expect(Dictionary(grouping: assets, by: \.category).mapValues(\.count) == ["A": 10, "B": 10, "C": 3])
  }

  @Test func moreThanThereAreTakesAll() throws {
    #expect(try sample(LoadOptions(sample: 1000)).count == 503)
  }

  @Test func duplicatesAreFoundInRowsThatASampleLeavesOut() throws {
    let text = try String(contentsOf: url, encoding: .utf8) + "a7,Again.,A\n"
    let doubled = try folder.write(text, as: "doubled.csv")
    for seed in UInt64(0)..<5 {
      #expect(
        throws: LoadError.duplicateIdentifier(file: "doubled.csv", identifier: "a7", line: 505, firstLine: 9)
      ) {
        try sample(LoadOptions(sample: 5, seed: seed), of: doubled)
      }
    }
    #expect(try sample(LoadOptions(skipBad: true, sample: 1000), of: doubled).count == 503)
  }

  @Test func optionsThatMakeNoSense() {
    #expect(throws: LoadError.badOption("Choose one of --sample and --per-category.")) {
      try AssetFile.open(url, options: LoadOptions(sample: 1, perCategory: 1))
    }
    #expect(throws: LoadError.badOption("--sample takes a number from 1 on, not 0.")) {
      try AssetFile.open(url, options: LoadOptions(sample: 0))
    }
  }
}
