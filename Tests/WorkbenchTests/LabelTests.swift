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

  private func label(_ author: String, _ choices: [String?]) throws {
    try workspace.write { bench throws in
      try bench.insert(
        labels: zip(assets, choices).compactMap { asset, choice in
          choice.map { Label(asset: asset.id, author: author, category: $0) }
        })
    }
  }

  private func truth() throws -> Truth { try workspace.read { try $0.truth(of: dataset) } }

  private func values(_ truth: Truth) -> [String?] { assets.map { truth.categories[$0.id] } }

  @Test func withoutLabelsTheFileIsTrue() throws {
    let truth = try truth()
    #expect(truth.source == .file)
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
    try label("simulated", ["A", "B", "C"])
    let truth = try truth()
    #expect(truth.source == .labels(by: ["simulated"]))
    #expect(values(truth) == ["A", "B", "C"])
  }

  @Test func whereLabelsAreMissingTheFileStands() throws {
    try label("anna", ["A", nil, nil])
    let truth = try truth()
    #expect(truth.source == .both(by: ["anna"], labelled: 1, fromFile: 2))
    #expect(values(truth) == ["A", "SPORTS", "SPORTS"])
  }

  @Test func theMajorityDecidesAndOnATieTheEarliestAuthor() throws {
    try label("zoe", ["Z", "Z", nil])
    try label("anna", ["A", "A", "A"])
    try label("ben", ["A", "B", "B"])
    #expect(values(try truth()) == ["A", "Z", "A"])
    #expect(try truth().authors == ["zoe", "anna", "ben"])
    #expect(
      try workspace.read { try $0.labellers(of: dataset) }.map { "\($0.author) \($0.labels)" }
        == ["zoe 2", "anna 3", "ben 3"])
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
    let kept = try workspace.write {
      try $0.insert(
        labels: assets.map { Label(asset: $0.id, author: "anna", category: "S", source: .simulated) })
    }
    #expect(kept == 2)
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
      #expect(try bench.removeLabels(of: dataset, by: "zoe") == 2)
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
    #expect(try truth().source == .file)
    #expect(try workspace.read { try $0.truth(of: other).source } == .labels(by: ["ben"]))
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
