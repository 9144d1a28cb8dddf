import Foundation
import Testing
import Workbench

struct PredictionTests {
  let folder: Folder
  let workspace: Workspace
  let dataset: Dataset

  init() throws {
    folder = try Folder()
    workspace = try folder.workspace()
    dataset = try workspace.load(
      try folder.write(table((0..<20).map { $0 % 2 == 0 ? "A" : "B" }), as: "news.csv")
    ).dataset
  }

  /// Predicts the next batch as `predict` does; how many there were.
  @discardableResult
  private func predictBatch(_ run: PredictionRun, of size: Int, as category: String = "A") throws -> Int {
    try workspace.write { bench throws in
      let batch = try bench.nextUnpredicted(run, limit: size)
      try bench.insert(
        predictions: batch.map { Prediction(asset: $0.id, category: category, confidence: 0.5) }, into: run)
      return batch.count
    }
  }

  private func begin(_ model: String = "base", _ signature: String = "") throws -> PredictionRun {
    try workspace.write { try $0.beginRun(dataset: dataset, model: model, signature: signature) }
  }

  @Test func aRunGoesOnWhereItStopped() throws {
    try predictBatch(try begin(), of: 8)
    let resumed = try begin()
    #expect(resumed.predictions == 8)
    #expect(!resumed.isComplete)
    #expect(try predictBatch(resumed, of: 8) == 8)
    #expect(try predictBatch(resumed, of: 8) == 4)
    #expect(try predictBatch(resumed, of: 8) == 0)
    let complete = try workspace.write { try $0.complete(resumed) }
    #expect(complete.isComplete && complete.predictions == 20)
    let predictions = try workspace.read { try $0.predictions(of: complete) }
    #expect(predictions.map(\.asset.externalID) == (0..<20).map { "a\($0)" })
    #expect(predictions[1].asset.category == "B")
  }

  @Test func batchesMayComeInAnyOrder() throws {
    let run = try begin()
    try workspace.write { bench throws in
      let assets = try bench.assets(of: dataset)
      try bench.insert(
        predictions: [19, 3, 7].map { Prediction(asset: assets[$0].id, category: "A", confidence: nil) },
        into: run)
      let first = try bench.nextUnpredicted(run, limit: 5)
      #expect(first.map(\.externalID) == ["a0", "a1", "a2", "a4", "a5"])
      let more = try bench.nextUnpredicted(run, after: first[4].id, limit: 2)
      #expect(more.map(\.externalID) == ["a6", "a8"])
    }
  }

  @Test func incompleteRunsAreNotSeen() throws {
    try predictBatch(try begin(), of: 8)
    #expect(try workspace.read { try $0.lastCompleteRun(dataset: dataset) } == nil)
    #expect(try workspace.read { try $0.completeRuns(dataset: dataset) }.isEmpty)
  }

  @Test func theModelThatPredictedLastIsTheOneThatFinishedLast() throws {
    let (base, tuned) = (try begin(), try begin("tuned-1"))
    for run in [base, tuned] { try predictBatch(run, of: 20) }
    try workspace.write { bench throws in
      try bench.complete(tuned)
      try bench.complete(base)
      #expect(try bench.lastCompleteRun(dataset: dataset)?.model == "base")
      // Predicting again with a model that has done it all makes it the last.
      try bench.complete(tuned)
      #expect(try bench.lastCompleteRun(dataset: dataset)?.model == "tuned-1")
      #expect(try bench.completeRuns(dataset: dataset).map(\.model) == ["base", "tuned-1"])
    }
  }

  @Test func aFailedAssetKeepsItsReason() throws {
    let run = try begin()
    try workspace.write { bench throws in
      let asset = try #require(try bench.assets(of: dataset).first)
      try bench.insert(
        predictions: [
          Prediction(
            asset: asset.id, category: CategoryKey.unableToClassify, confidence: nil, reason: "no answer")
        ],
        into: run)
    }
    let prediction = try #require(try workspace.read { try $0.predictions(of: run) }.first).prediction
    #expect(prediction.category == "UNABLE_TO_CLASSIFY")
    #expect(prediction.confidence == nil)
    #expect(prediction.reason == "no answer")
  }

  @Test func anotherSignatureBeginsAnew() throws {
    try predictBatch(try begin("base", "f32"), of: 8)
    #expect(try begin("base", "bf16").predictions == 0)
  }

  @Test func aNewInterfaceInvalidatesPredictions() throws {
    let run = try begin()
    try predictBatch(run, of: 20)
    try workspace.write { _ = try $0.complete(run) }
    let interface = try Interface.define(names: ["A", "B"])
    #expect(
      try workspace.write { try $0.set(interface: interface) }.removedRuns == [
        InterfaceChange.RemovedRun(dataset: "news", model: "base")
      ])
    #expect(try workspace.read { try $0.lastCompleteRun(dataset: dataset) } == nil)
    // Whoever was predicting meanwhile is told.
    #expect(throws: WorkspaceError.runGone(model: "base")) { try predictBatch(run, of: 8) }
    let again = try begin()
    try predictBatch(again, of: 8)
    #expect(try workspace.write { try $0.set(interface: interface) }.isUnchanged)
    #expect(try begin().predictions == 8, "the same interface again invalidates nothing")
    let others = try Interface.define(names: ["A", "C"])
    let change = try workspace.write { try $0.set(interface: others) }
    #expect(change.removedRuns.isEmpty, "a run that was never complete stands in no document")
    #expect(try begin().predictions == 0)
  }

  @Test func aTunedModelsPredictionsOutliveTheInterface() throws {
    let model = TunedModel(
      name: "tuned-1", base: "base", method: "linear", dataset: "news", examples: 20, folder: "tuned-1",
      bytes: 1, categories: ["A", "B"])
    let change = try workspace.write { bench throws in
      _ = try bench.set(interface: try Interface.define(names: ["A", "B"]))
      try bench.insert(model: model, trainedOn: [])
      for name in ["base", "tuned-1"] {
        try bench.complete(try bench.beginRun(dataset: dataset, model: name))
      }
      return try bench.set(interface: try Interface.define(names: ["A", "B", "C"]))
    }
    #expect(change.removedRuns.map(\.model) == ["base"])
    #expect(try workspace.read { try $0.completeRuns(dataset: dataset).map(\.model) } == ["tuned-1"])
  }

  @Test func anotherInstructionChangesNoPrediction() throws {
    let change = try workspace.write { bench throws in
      _ = try bench.set(interface: try Interface.define(names: ["A", "B"]))
      try bench.complete(try bench.beginRun(dataset: dataset, model: "base"))
      return try bench.set(interface: try Interface.define(names: ["A", "B"], instruction: "Choose:"))
    }
    #expect(change.removedRuns.isEmpty && !change.isUnchanged)
  }

  @Test func aModelsPredictionsGoWithIt() throws {
    let model = TunedModel(
      name: "tuned-1", base: "base", method: "linear", dataset: "news", examples: 20, folder: "tuned-1",
      bytes: 1,
      categories: ["A", "B"])
    try workspace.write { bench throws in
      try bench.insert(model: model, trainedOn: [])
      let run = try bench.beginRun(dataset: dataset, model: "tuned-1")
      try bench.complete(run)
      try bench.remove(model: model)
      #expect(try bench.completeRuns(dataset: dataset).isEmpty)
    }
  }

  @Test func aRunThatWasThrownAwayAndBegunAgainIsAnother() throws {
    let old = try begin("base", "f32")
    _ = try begin("base", "bf16")
    #expect(throws: WorkspaceError.runGone(model: "base")) { try workspace.write { try $0.complete(old) } }
  }
}
