import Foundation
import Testing
import Workbench

struct LabelTests {
  let folder: Folder
  let workspace: Workspace
  let dataset: Dataset
  let assets: [Asset]

  init() throws {
    folder = try Folder()
    workspace = try folder.workspace()
    let loaded = try workspace.load(
      try folder.write(table(["Arts & Culture", "SPORTS", "SPORTS"]), as: "news.csv"))
    dataset = loaded.dataset
    assets = try workspace.read { try $0.assets(of: loaded.dataset) }
  }

  private func label(_ author: String, _ choices: [String?], _ source: Label.Source = .person) throws {
    try workspace.write { bench throws in
      try bench.insert(
        labels: zip(assets, choices).compactMap { asset, choice in
          choice.map { Label(asset: asset.id, author: author, category: $0, source: source) }
        })
    }
  }

  private func truth() throws -> Truth { try workspace.read { try $0.truth(of: dataset) } }

  private func values(_ truth: Truth) -> [String?] { assets.map { truth.categories[$0.id] } }

  @Test func withoutLabelsTheFileIsTrue() throws {
    let truth = try truth()
    #expect(truth.origins == [Truth.Origin(.file, assets: 3)])
    #expect(values(truth) == ["ARTS_AND_CULTURE", "SPORTS", "SPORTS"])
  }

  @Test func theFilesNamesGoThroughTheInterface() throws {
    let json = """
      {"jobs": {"J": {"mlTask": "CLASSIFICATION", "content": {"categories": {
        "ART": {"name": "Arts & culture"}, "SPO": {"name": "Sports"}}}}}}
      """
    try workspace.write { _ = try $0.set(interface: try Interface(parsing: Data(json.utf8), file: "i")) }
    #expect(values(try truth()) == ["ART", "SPO", "SPO"])
    #expect(try workspace.read { try $0.unknownCategories(of: dataset) }.isEmpty)
  }

  @Test func labelsAreTruerThanTheFile() throws {
    try label("simulated", ["A", "B", "C"], .simulated)
    let truth = try truth()
    #expect(truth.origins == [Truth.Origin(.simulated, by: ["simulated"], assets: 3)])
    #expect(values(truth) == ["A", "B", "C"])
  }

  @Test func whereLabelsAreMissingTheFileStands() throws {
    try label("anna", ["A", nil, nil])
    let truth = try truth()
    #expect(
      truth.origins == [Truth.Origin(.person, by: ["anna"], assets: 1), Truth.Origin(.file, assets: 2)])
    #expect(values(truth) == ["A", "SPORTS", "SPORTS"])
  }

  @Test func theMajorityDecidesAndOnATieTheEarliestAuthor() throws {
    try label("zoe", ["Z", "Z", nil])
    try label("anna", ["A", "A", "A"])
    try label("ben", ["A", "B", "B"])
    #expect(values(try truth()) == ["A", "Z", "A"])
    #expect(try truth().origins == [Truth.Origin(.person, by: ["zoe", "anna", "ben"], assets: 3)])
    #expect(
      try workspace.read { try $0.labellers(of: dataset) }.map { "\($0.author) \($0.labels)" }
        == ["zoe 2", "anna 3", "ben 3"])
  }

  @Test(
    "People outrank the file, and the file the simulation, in whatever order they labelled",
    arguments: [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
  func ranks(order: [Int]) throws {
    for step in order {
      switch step {
      case 0: try label("simulated", ["S", "S", "S"], .simulated)
      case 1: try label("file", ["F", "F", nil], .file)
      default: try label("ana", ["P", nil, nil])
      }
    }
    let truth = try truth()
    #expect(values(truth) == ["P", "F", "S"])
    #expect(
      truth.origins == [
        Truth.Origin(.person, by: ["ana"], assets: 1), Truth.Origin(.file, by: ["file"], assets: 1),
        Truth.Origin(.simulated, by: ["simulated"], assets: 1),
      ])
    #expect(try workspace.read { try $0.trainingExamples(of: dataset) }.map(\.category) == ["P", "F", "S"])
  }

  @Test func whatCountsSaysWhoDecided() throws {
    try label("simulated", ["S", "S", "S"], .simulated)
    try label("zoe", ["Z", "Z", nil])
    try label("anna", ["A", "A", nil])
    try label("ben", ["A", nil, nil])
    let verdicts = try workspace.read { try $0.verdicts(of: dataset) }
    let all = assets.compactMap { verdicts[$0.id] }
    #expect(all.map(\.category) == ["A", "Z", "S"])
    #expect(all.map(\.decider) == ["anna", "zoe", "simulated"])
    #expect(all.map(\.votes) == [2, 1, 1])
    #expect(all.map(\.isTie) == [false, true, false])
    #expect(all.map(\.authors) == [["zoe", "anna", "ben"], ["zoe", "anna"], ["simulated"]])
  }

  @Test func textsThatAreLabelledInTwoWays() throws {
    let texts = ["Fog  over the bay", "Rowers win", "FOG over the\tbay", "rowers win ", "Élan", "élan"]
    let rows = texts.enumerated().map { "x\($0),\"\($1)\",N" }.joined(separator: "\n")
    let twice = try workspace.load(try folder.write("id,text,category\n\(rows)\n", as: "twice.csv")).dataset
    let found = try workspace.write { bench throws in
      #expect(try bench.repeatedTexts(of: twice).contradictions.isEmpty)
      let assets = try bench.assets(of: twice)
      let choices = ["WEATHER", "SPORT", "TRAVEL", "SPORT", "ARTS", "SPORT"]
      try bench.insert(labels: zip(assets, choices).map { Label(asset: $0.id, author: "a", category: $1) })
      return try bench.repeatedTexts(of: twice).contradictions
    }
    #expect(found.map(\.text) == ["Fog  over the bay", "Élan"])
    #expect(found.map(\.assets) == [["x0", "x2"], ["x4", "x5"]])
    #expect(found.map(\.categories) == [["WEATHER", "TRAVEL"], ["ARTS", "SPORT"]])
  }

  @Test func anAuthorsNewLabelReplacesTheOldAndKeepsTheirRank() throws {
    try label("zoe", ["Z", nil, nil])
    try label("anna", ["A", nil, nil])
    try label("zoe", ["Y", nil, nil])
    #expect(values(try truth())[0] == "Y")
    #expect(try workspace.read { try $0.labels(of: dataset) }.map(\.category) == ["Y", "A"])
  }

  @Test func aSimulationTakesNoPersonsPlace() throws {
    try label("anna", ["A", nil, nil])
    try label("anna", ["S", "S", "S"], .simulated)
    #expect(try workspace.read { try $0.labels(of: dataset) }.map(\.category) == ["A", "S", "S"])
    try label("anna", ["A", "B", nil])
    #expect(
      try workspace.read { try $0.labels(of: dataset) }.map(\.source) == [.person, .person, .simulated])
  }

  @Test func labelsCanBeTakenBack() throws {
    try label("zoe", ["Z", "Z", "Z"])
    try label("anna", ["A", nil, nil])
    try workspace.write { bench throws in
      try bench.removeLabel(of: assets[0], by: "zoe")
      #expect(try bench.labels(of: dataset).count == 3)
      for asset in assets[1...] { try bench.removeLabel(of: asset, by: "zoe") }
    }
    #expect(values(try truth()) == ["A", "SPORTS", "SPORTS"])
  }

  @Test func trainingExamplesComeFromLabelsAlone() throws {
    #expect(try workspace.read { try $0.trainingExamples(of: dataset) }.isEmpty)
    try label("anna", ["A", nil, "UNABLE_TO_CLASSIFY"])
    let examples = try workspace.read { try $0.trainingExamples(of: dataset) }
    #expect(examples.map(\.text) == ["Text 0.", "Text 2."])
    #expect(examples.map(\.category) == ["A", "UNABLE_TO_CLASSIFY"])
  }

  @Test func labelsOfOtherDatasetsDoNotCount() throws {
    let other = try workspace.load(try folder.write(table(["X"]), as: "other.csv")).dataset
    try workspace.write { bench throws in
      let asset = try #require(try bench.assets(of: other).first)
      try bench.insert(labels: [Label(asset: asset.id, author: "ben", category: "B")])
    }
    #expect(try truth().origins.map(\.source) == [.file])
    #expect(
      try workspace.read { try $0.truth(of: other).origins } == [
        Truth.Origin(.person, by: ["ben"], assets: 1)
      ])
  }

  @Test func aNewInterfaceKeepsLabelsAndNamesTheOrphans() throws {
    try label("anna", ["ARTS", "SPORTS", "SPORTS"])
    let change = try workspace.write {
      try $0.set(interface: try Interface.define(names: ["Arts", "Music"]))
    }
    #expect(change.orphanedLabels == [CategoryCount(name: "SPORTS", count: 2)])
    #expect(try workspace.read { try $0.labels(of: dataset).count } == 3)
  }
}
