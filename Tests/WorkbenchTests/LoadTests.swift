import Foundation
import Testing
import Workbench

/// Files on their way into the workspace.
struct LoadTests {
  let folder: Folder
  let workspace: Workspace

  init() throws {
    folder = try Folder()
    workspace = try folder.workspace()
  }

  @Test func aFileBecomesADataset() throws {
    let url = try folder.write(table(["Sports", "POLITICS", "SPORTS", "sports"]), as: "news.csv")
    let loading = try workspace.load(url)
    #expect(loading.dataset.name == "news")
    #expect(loading.dataset.assets == 4)
    #expect(loading.dataset.categories == 2)
    #expect(loading.dataset.bytes == "Text 0.".utf8.count * 4)
    #expect(loading.dataset.format == "CSV")
    #expect(
      loading.categories == [
        CategoryCount(name: "POLITICS", count: 1), CategoryCount(name: "Sports", count: 3),
      ])
    #expect(!loading.isUnchanged && !loading.isReplacement)
    try workspace.read { bench throws in
      #expect(try bench.datasets() == [loading.dataset])
      #expect(try bench.currentDataset() == loading.dataset)
      let assets = try bench.assets(of: loading.dataset)
      #expect(assets.map(\.externalID) == ["a0", "a1", "a2", "a3"])
      #expect(assets.map(\.text) == ["Text 0.", "Text 1.", "Text 2.", "Text 3."])
      #expect(assets.map(\.line) == [2, 3, 4, 5])
      #expect(assets.map(\.category) == ["Sports", "POLITICS", "Sports", "Sports"])
      #expect(try bench.asset(id: "a2", in: loading.dataset) == assets[2])
      #expect(try bench.asset(id: "a9", in: loading.dataset) == nil)
    }
  }

  @Test func assetsComeInPages() throws {
    let dataset = try workspace.load(
      try folder.write(table((0..<25).map { _ in "A" }), as: "pages.csv")
    ).dataset
    try workspace.load(try folder.write(table(["B"], idPrefix: "b"), as: "other.csv"))
    var seen: [String] = []
    var last: Int?
    while true {
      let page = try workspace.read { try $0.assets(of: dataset, after: last, limit: 10) }
      if page.isEmpty { break }
      seen += page.map(\.externalID)
      last = page.last?.id
    }
    #expect(seen == (0..<25).map { "a\($0)" })
  }

  @Test func loadingTheSameFileAgainChangesNothing() throws {
    let url = try folder.write(table(["A", "B"]), as: "news.csv")
    let first = try workspace.load(url)
    try workspace.load(try folder.write(table(["C"]), as: "other.csv"))
    #expect(try workspace.read { try $0.currentDataset()?.name } == "other")
    let again = try workspace.load(url)
    #expect(again.isUnchanged)
    #expect(again.dataset == first.dataset)
    #expect(again.categories == first.categories)
    #expect(try workspace.read { try $0.datasets().count } == 2)
    #expect(try workspace.read { try $0.currentDataset()?.name } == "news", "it is current again")
  }

  @Test func aChangedFileAsksForReplace() throws {
    let url = try folder.write(table(["A", "B"]), as: "news.csv")
    let old = try workspace.load(url).dataset
    try workspace.write { bench throws in
      let asset = try #require(try bench.assets(of: old).first)
      try bench.insert(labels: [Label(asset: asset.id, author: "me", category: "A")])
      let run = try bench.beginRun(dataset: old, model: "base")
      try bench.insert(predictions: [Prediction(asset: asset.id, category: "A", confidence: 1)], into: run)
    }
    try folder.write(table(["A", "B", "C"]), as: "news.csv")
    #expect(throws: LoadError.changed(name: "news", file: "news.csv")) { try workspace.load(url) }
    #expect(try workspace.read { try $0.datasets() } == [old])
    let loading = try workspace.load(url, replacing: true)
    #expect(loading.isReplacement)
    try workspace.read { bench throws in
      #expect(try bench.datasets().map(\.assets) == [3])
      #expect(try bench.labels(of: loading.dataset).isEmpty)
      #expect(try bench.predictionRun(dataset: loading.dataset, model: "base") == nil)
    }
  }

  @Test func twoFilesOfOneNameNeedAnother() throws {
    try workspace.load(try folder.write(table(["A"]), as: "news.csv"))
    let other = try folder.write("{\"text\": \"x\", \"label\": \"B\"}\n", as: "news.jsonl")
    #expect(throws: LoadError.nameTaken(name: "news", file: "news.jsonl")) { try workspace.load(other) }
    #expect(try workspace.load(other, LoadOptions(name: "second")).dataset.name == "second")
  }

  @Test func theSameFileWithOtherOptionsIsAnother() throws {
    let url = try folder.write(table(["A", "B", "C"]), as: "news.csv")
    try workspace.load(url, LoadOptions(sample: 2))
    #expect(throws: LoadError.otherOptions(name: "news", file: "news.csv", loaded: "sample=2 seed=42")) {
      try workspace.load(url)
    }
    #expect(try workspace.load(url, LoadOptions(sample: 2)).isUnchanged)
  }

  @Test func nothingOfABadFileIsKept() throws {
    try workspace.load(try folder.write(table(["A"]), as: "good.csv"))
    #expect(throws: LoadError.self) { try workspace.load(messy("short-row.csv")) }
    #expect(try workspace.read { try $0.datasets().map(\.name) } == ["good"])
    #expect(try workspace.read { try $0.currentDataset()?.name } == "good")
  }

  @Test func badRowsThatAreLeftOutAreCountedWithTheFirstReasons() throws {
    let bad = (0..<9).map { "b\($0),only two\n" }.joined()
    let url = try folder.write(table(["A", "B"]) + bad + "a0,Again.,A\nc,Fine.,A\n", as: "bad.csv")
    let loading = try workspace.load(url, LoadOptions(skipBad: true))
    #expect(loading.dataset.assets == 3)
    #expect(loading.dataset.skipped == 10)
    #expect(loading.reasons.count == 5)
    #expect(loading.reasons.first?.reason == "line 4, column 12: expected 3 fields as in the header, found 2")
    #expect(loading.reasons.first?.place == Place(file: "bad.csv", line: 4, column: 12))
    #expect(loading.dataset.options == "skip-bad")
  }

  @Test func whereAllRowsAreBadItSaysSo() throws {
    let url = try folder.write("id,text,category\n1,a\n2,b\n", as: "bad.csv")
    #expect(
      #expect(throws: LoadError.self) { try workspace.load(url, LoadOptions(skipBad: true)) }?.description
        == """
        bad.csv: all of its 2 rows are bad. \
        The first, line 2, column 4: expected 3 fields as in the header, found 2.
        """)
  }

  @Test func idsThatComeTwice() throws {
    let url = try folder.write(table(["A", "B"]) + "a1,Again.,A\n", as: "twice.csv")
    let error = #expect(throws: LoadError.self) { try workspace.load(url) }
    #expect(
      error?.description == """
        twice.csv, line 4: the id a1 is on line 3 already. Give each row its own id, \
        or leave the later rows out with --skip-bad.
        """)
  }

  @Test func aColumnOfTextsIsNoCategory() throws {
    let url = try folder.write(table((0...1000).map { "c\($0)" }), as: "many.csv")
    #expect(throws: LoadError.tooManyCategories(file: "many.csv", column: "category", limit: 1000)) {
      try workspace.load(url)
    }
  }

  @Test func cancellingKeepsNothing() throws {
    let url = try folder.write(table((0..<5000).map { _ in "A" }), as: "long.csv")
    let file = try AssetFile.open(url)
    var asked = 0
    #expect(throws: CancellationError.self) {
      try workspace.write { bench throws in
        try bench.load(
          file,
          isCancelled: {
            asked += 1
            return asked > 2
          })
      }
    }
    #expect(try workspace.read { try $0.datasets().isEmpty })
  }

  @Test func progressGoesUpToTheFile() throws {
    let url = try folder.write(table((0..<5000).map { _ in "A" }), as: "long.csv")
    let file = try AssetFile.open(url)
    var seen: [Int] = []
    var total = 0
    _ = try workspace.write { bench throws in
      try bench.load(
        file,
        progress: { done, all in
          seen.append(done)
          total = all
        })
    }
    #expect(total == file.size)
    #expect(seen == seen.sorted() && seen.count >= 4)
    #expect(seen.allSatisfy { $0 <= total })
  }

  @Test func removingADatasetRemovesWhatHangsOnIt() throws {
    let dataset = try workspace.load(try folder.write(table(["A", "B"]), as: "gone.csv")).dataset
    try workspace.write { bench throws in
      let assets = try bench.assets(of: dataset)
      try bench.insert(labels: assets.map { Label(asset: $0.id, author: "me", category: "A") })
      let run = try bench.beginRun(dataset: dataset, model: "base")
      try bench.insert(
        predictions: assets.map { Prediction(asset: $0.id, category: "A", confidence: nil) }, into: run)
      try bench.remove(dataset: dataset)
      #expect(try bench.datasets().isEmpty)
      #expect(try bench.currentDataset() == nil)
      #expect(try bench.assets(of: dataset).isEmpty)
      #expect(try bench.labels(of: dataset).isEmpty)
      #expect(try bench.categories(of: dataset).isEmpty)
      #expect(throws: WorkspaceError.runGone(model: "base")) { try bench.complete(run) }
    }
  }

  @Test func textsWithoutCategoriesHaveNone() throws {
    let loading = try workspace.load(try folder.write("text\nOne\nTwo\n", as: "texts.csv"))
    #expect(loading.dataset.categories == 0)
    #expect(loading.categories.isEmpty)
    #expect(try workspace.read { try $0.truth(of: loading.dataset).isEmpty })
  }
}
