import Foundation
import Testing
import Workbench

struct ModelAndLogTests {
  let folder: Folder
  let workspace: Workspace

  init() throws {
    folder = try Folder()
    workspace = try folder.workspace()
  }

  private func model(_ name: String, base: String = "base") -> TunedModel {
    TunedModel(
      name: name, base: base, method: "full", dataset: "news", examples: 160, options: "{\"epochs\":5}",
      folder: name,
      bytes: 90_000_000, categories: ["SPORTS", "\"Odd\" \\ key"], finalLoss: 0.25, heldOutAccuracy: nil)
  }

  @Test func modelsAreKept() throws {
    try workspace.write { bench throws in
      #expect(try bench.nextModelName() == "tuned-1")
      try bench.insert(model: model("tuned-1"), trainedOn: [])
      try bench.insert(model: model("mine", base: "tuned-1"), trainedOn: [])
      #expect(try bench.nextModelName() == "tuned-2")
    }
    try workspace.read { bench throws in
      #expect(try bench.models() == [model("tuned-1"), model("mine", base: "tuned-1")])
      #expect(try bench.model(named: "tuned-1") == model("tuned-1"))
    }
  }

  @Test(arguments: ["base", "", "a b", "../up", ".hidden", "-x"]) func namesThatNoModelCanHave(_ name: String)
    throws
  {
    try workspace.write { bench throws in
      #expect(throws: WorkspaceError.badName(kind: "model", name: name)) {
        try bench.insert(model: model(name), trainedOn: [])
      }
    }
  }

  @Test func aNameIsGivenOnce() throws {
    try workspace.write { bench throws in
      try bench.insert(model: model("mine"), trainedOn: [])
      #expect(throws: WorkspaceError.nameTaken(kind: "model", name: "mine")) {
        try bench.insert(model: model("mine"), trainedOn: [])
      }
    }
  }

  @Test func textsThatWereTrainedOnAreKnownEvenWhenTheBaseIsGone() throws {
    let (first, second) = (TextDigest("One."), TextDigest(" Two.\n"))
    try workspace.write { bench throws in
      try bench.insert(model: model("tuned-1"), trainedOn: [first])
      try bench.insert(model: model("tuned-2", base: "tuned-1"), trainedOn: [second, first])
      try bench.remove(model: model("tuned-1"))
      #expect(try bench.trainingTexts(of: "tuned-2") == [first, second])
      #expect(try bench.trainingTexts(of: "base").isEmpty)
    }
    #expect(second == TextDigest("Two."), "blanks around a text make no other text of it")
    #expect(first != TextDigest("one."))
  }

  @Test func aModelsFolderIsPutInPlaceWithItsRow() throws {
    let new = try workspace.newModelFolder()
    try Data("weights".utf8).write(to: new.folder.appendingPathComponent("model.safetensors"))
    // What a kill between the renaming and the row left behind makes way.
    let orphan = workspace.modelsFolder.appendingPathComponent("tuned-1")
    try FileManager.default.createDirectory(at: orphan, withIntermediateDirectories: true)
    try Data("old".utf8).write(to: orphan.appendingPathComponent("other"))
    try new.synchronise()
    let published = try workspace.write { try $0.publish(model("tuned-1"), trainedOn: [], from: new) }
    #expect(published.bytes == 7)
    let files = try FileManager.default.contentsOfDirectory(atPath: workspace.folder(of: published).path)
    #expect(files == ["model.safetensors"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: workspace.modelsFolder.path) == ["tuned-1"])
    // A second model of the name is refused before its folder touches the first.
    let second = try workspace.newModelFolder()
    #expect(throws: WorkspaceError.nameTaken(kind: "model", name: "tuned-1")) {
      try workspace.write { try $0.publish(model("tuned-1"), trainedOn: [], from: second) }
    }
    second.discard()
    #expect(try Data(contentsOf: orphan.appendingPathComponent("model.safetensors")) == Data("weights".utf8))
    workspace.removeFiles(of: published)
    #expect(try !workspace.read { $0.isAskable(published) })
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: workspace.modelsFolder.path) == ["tuned-1"],
      "a row names it: another shell may have trained one of that name meanwhile")
    try workspace.write { try $0.remove(model: published) }
    workspace.removeFiles(of: published)
    #expect(try FileManager.default.contentsOfDirectory(atPath: workspace.modelsFolder.path).isEmpty)
  }

  @Test func whatAKilledTrainingLeftGoesWhenNobodyElseIsHere() throws {
    let left = try workspace.newModelFolder()
    let path = folder.url.appendingPathComponent(".fettle")
    _ = try Workspace.open(path)
    #expect(FileManager.default.fileExists(atPath: left.folder.path), "the other one may be training")
    let elsewhere = folder.url.appendingPathComponent("moved")
    try FileManager.default.copyItem(at: path, to: elsewhere)
    _ = try Workspace.open(elsewhere)
    #expect(try FileManager.default.contentsOfDirectory(atPath: elsewhere.path + "/models").isEmpty)
  }

  @Test func aFolderThatNoRowNamesGoesWhenNobodyElseIsHere() throws {
    let new = try workspace.newModelFolder()
    try workspace.write { _ = try $0.publish(model("tuned-1"), trainedOn: [], from: new) }
    // A kill between the renaming and the row, or between the row's removal and that of the files.
    try FileManager.default.createDirectory(
      at: workspace.modelsFolder.appendingPathComponent("tuned-2"), withIntermediateDirectories: true)
    let elsewhere = folder.url.appendingPathComponent("moved")
    try FileManager.default.copyItem(at: folder.url.appendingPathComponent(".fettle"), to: elsewhere)
    _ = try Workspace.open(elsewhere)
    #expect(try FileManager.default.contentsOfDirectory(atPath: elsewhere.path + "/models") == ["tuned-1"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: workspace.modelsFolder.path).count == 2)
  }

  @Test func aTextIsRememberedAsItWasReadToo() {
    #expect(TextDigest(folding: "Ferry  Strike") == TextDigest(folding: "ferry strike "))
    #expect(TextDigest(tokens: [101, 7, 102]) == TextDigest(tokens: [101, 7, 102]))
    #expect(TextDigest(tokens: [101, 7, 102]) != TextDigest(tokens: [101, 8, 102]))
  }

  @Test func stepsAreLoggedInOrder() throws {
    let steps = [
      LoggedStep(verb: "load", command: "load a.csv", answer: "Loaded.", json: "{\"verb\":\"load\"}"),
      LoggedStep(verb: "kpi", command: "kpi", answer: "error: none", json: "{}", status: .failed),
      LoggedStep(verb: "note", command: "note", answer: "# Prose\n\nwith lines", status: .note),
      LoggedStep(verb: "predict", command: "predict", answer: "", status: .interrupted),
    ]
    let logged = try workspace.write { bench in try steps.map { try bench.log($0) } }
    #expect(logged.map(\.id) == [1, 2, 3, 4])
    try workspace.read { bench throws in
      #expect(try bench.steps() == logged)
      #expect(try bench.steps(after: 2) == Array(logged[2...]))
      #expect(try bench.lastStepID() == 4)
      #expect(try bench.lastJSON(ofVerb: "load") == "{\"verb\":\"load\"}")
      #expect(try bench.lastJSON(ofVerb: "kpi") == nil, "a failure answers nothing")
    }
  }

  @Test func aTextWithNULLosesNothingElse() throws {
    let step = try workspace.write { try $0.log(LoggedStep(verb: "x", command: "x a\0b", answer: "c")) }
    #expect(try workspace.read { try $0.steps() } == [step])
    #expect(step.command == "x a␀b")
  }

  @Test func anEffectAndItsStepAreKeptTogetherOrNotAtAll() throws {
    struct Fault: Error {}
    #expect(throws: Fault.self) {
      try workspace.write { bench throws in
        try bench.set("seed", to: "7")
        try bench.log(LoggedStep(verb: "config", command: "config seed 7", answer: ""))
        throw Fault()
      }
    }
    try workspace.read { bench throws in
      #expect(try bench.setting("seed") == nil)
      #expect(try bench.steps().isEmpty)
    }
  }

  @Test func settings() throws {
    try workspace.write { bench throws in
      try bench.set("seed", to: "7")
      try bench.set("root", to: "..")
      try bench.set("seed", to: "8")
    }
    try workspace.write { bench throws in
      #expect(try bench.setting("seed") == "8")
      #expect(try bench.settings().map { "\($0.key)=\($0.value)" } == ["root=..", "seed=8"])
      try bench.set("root", to: nil)
      #expect(try bench.setting("root") == nil)
    }
  }
}
