import Foundation
import GRDB
import Testing
import Workbench

/// Workspaces of older versions, kept as SQL, opened by this one.
struct MigrationTests {
  let folder: Folder
  init() throws { folder = try Folder() }

  private var work: URL { folder.url.appendingPathComponent(".fettle") }

  /// Makes the workspace that a file of `Reference` describes.
  private func restore(_ name: String) throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Reference/\(name)")
    try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
    let queue = try DatabaseQueue(path: work.path + "/workspace.sqlite")
    let sql = try String(contentsOf: file, encoding: .utf8)
    try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
    try queue.close()
  }

  @Test func version1KeepsItsWorkAndLearnsWhoIsSimulated() throws {
    try restore("workspace-1.sql")
    // Opened twice: the second finds it new.
    for _ in 0..<2 {
      try Workspace.open(work).read { bench throws in
        let harbour = try #require(try bench.dataset(named: "harbour"))
        let valley = try #require(try bench.dataset(named: "valley"))
        #expect(
          try bench.labels(of: harbour).map { "\($0.asset) \($0.author) \($0.category) \($0.source)" } == [
            "1 simulated WEATHER simulated", "1 trainee SPORT simulated", "1 ana WEATHER person",
            "2 simulated SPORT simulated", "2 trainee SPORT simulated",
          ])
        #expect(try bench.labels(of: valley).map(\.source) == [.person])
        let model = try #require(try bench.model(named: "tuned-1"))
        #expect(model.baseDigest == nil)
        #expect(model.categories == ["WEATHER", "SPORT"] && model.finalLoss == 0.4)
        #expect(try bench.trainingTexts(of: "tuned-1").count == 1)
        #expect(try bench.lastCompleteRun(dataset: harbour)?.predictions == 2)
        #expect(try bench.setting("seed") == "7")
        #expect(try bench.steps().count == 2, "the folded one stands in its block")
      }
    }
  }

  @Test func version2KeepsItsPredictionsAndTakesAnswersInWords() throws {
    try restore("workspace-2.sql")
    let workspace = try Workspace.open(work)
    let harbour = try #require(try workspace.read { try $0.dataset(named: "harbour") })
    let before = try workspace.read {
      try $0.predictions(of: #require(try $0.lastCompleteRun(dataset: harbour)))
    }
    #expect(before.count == 2 && before.allSatisfy { $0.prediction.answer == nil })
    try workspace.write { bench throws in
      let run = try bench.beginRun(dataset: harbour, model: "smollm2")
      let asset = before[0].asset.id
      try bench.insert(
        predictions: [Prediction(asset: asset, category: "SPORT", confidence: nil, answer: " sport\nand\0")],
        into: run)
      #expect(try bench.predictions(of: run).map(\.prediction.answer) == [" sport\nand\u{2400}"])
    }
  }

  @Test func version3KeepsItsModelsAndTakesFilesAndJobs() throws {
    try restore("workspace-3.sql")
    let workspace = try Workspace.open(work)
    let content = Data([0, 0xFF, 0x0A])
    try workspace.write { bench throws in
      let model = try #require(try bench.model(named: "written"))
      #expect(model.taught?.contains("category:") == true && model.heldOutAccuracy == 0.5)
      #expect(try bench.files().isEmpty && bench.jobs().isEmpty)
      try bench.insert(
        file: StoredFile(id: "file-1", name: "a", purpose: "fine-tune", bytes: 3, created: 1, expires: 5),
        content: content)
      try bench.insert(job: StoredJob(id: "ftjob-1", status: "queued", json: "{}"))
      try bench.insert(event: "{\"n\":1}", ofJob: "ftjob-1")
      try bench.insert(event: "{}", ofJob: "nobody")
    }
    // It is set aside with the session, and comes back with it.
    let aside = try workspace.setAside()
    #expect(try workspace.read { try $0.files().isEmpty && $0.jobs().isEmpty })
    try workspace.open(aside, keepingThis: false)
    try workspace.write { bench throws in
      #expect(try bench.content(ofFile: "file-1") == content)
      #expect(try bench.events(ofJob: "ftjob-1").map(\.json) == ["{\"n\":1}"])
      #expect(
        try bench.jobs(status: "queued").map(\.id) == ["ftjob-1"] && bench.jobs(status: "running").isEmpty)
      try bench.removeFiles(expiredBy: 4)
      #expect(try bench.file("file-1")?.bytes == 3)
      try bench.removeFiles(expiredBy: 5)
      #expect(try bench.file("file-1") == nil && bench.content(ofFile: "file-1") == nil)
    }
  }

  @Test func version4KeepsItsLabelsAndTakesProjects() throws {
    try restore("workspace-4.sql")
    let workspace = try Workspace.open(work)
    try workspace.write { bench throws in
      let harbour = try #require(try bench.dataset(named: "harbour"))
      #expect(try bench.datedLabels(of: harbour).map(\.given) == [nil, nil, nil, nil, nil])
      #expect(try bench.datedLabels(of: harbour).map(\.label) == bench.labels(of: harbour))
      #expect(try bench.files().map(\.id) == ["file-1"] && bench.events(ofJob: "ftjob-1").count == 1)
      #expect(try bench.projects().isEmpty && bench.project(of: harbour) == nil)
      // A label that is given now has its time, and one that is given anew.
      try bench.insert(labels: [
        Label(asset: 1, author: "ana", category: "SPORT"), Label(asset: 2, author: "bo", category: "SPORT"),
      ])
      #expect(
        try bench.datedLabels(of: harbour).filter { $0.given != nil }.map(\.label.author) == ["ana", "bo"])
      let interface = try #require(try bench.interface())
      let project = try bench.insertProject(
        id: "c1", title: "harbour", description: "", interface: interface.json)
      #expect(try bench.dataset(of: project).name == "harbour-2")
      try bench.insert(upload: "Fog", at: "projects/c1/assets/a/content")
      try bench.insert(assets: [NewProjectAsset(id: "a", externalID: "h1", text: "Fog")], into: project)
      #expect(try bench.text(ofProjectAsset: "a") == "Fog" && bench.dataset(of: project).bytes == 3)
      #expect(try bench.currentDataset()?.name == "harbour")
    }
    // It goes with its data set, and what is uploaded goes with the session.
    try workspace.write { bench throws in
      try bench.remove(dataset: #require(try bench.dataset(named: "harbour-2")))
      #expect(try bench.projects().isEmpty && bench.text(ofProjectAsset: "a") == nil)
      #expect(try bench.upload(at: "projects/c1/assets/a/content") == "Fog")
      #expect(try bench.datasets().map(\.assets) == [2, 1])
    }
  }

  @Test func anOldWorkspaceGoesOn() throws {
    try restore("workspace-1.sql")
    let workspace = try Workspace.open(work)
    let digest = String(repeating: "ab", count: 32)
    try workspace.write { bench throws in
      try bench.insert(
        model: TunedModel(
          name: "tuned-2", base: "tuned-1", baseDigest: digest, method: "linear", dataset: "harbour",
          examples: 2, folder: "tuned-2", bytes: 10, categories: ["WEATHER", "SPORT"]), trainedOn: [])
    }
    #expect(try workspace.read { try $0.models().map(\.baseDigest) } == [nil, digest])
  }
}
