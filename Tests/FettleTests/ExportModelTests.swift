import Foundation
import Testing

/// `export model`: a folder for Python's sentence-transformers. That Python gives the same categories is checked by
/// Tests/Peers/exported.py, where its packages are at hand.
struct ExportModelTests {
  /// A workspace with models that were trained on letters.
  private func front(_ methods: String...) throws -> Front {
    let front = try Front()
    try front.writeLetters()
    let trained = try front.run(
      ["load letters.csv", "interface define --from letters", "label simulate"].flatMap { ["-c", $0] }
        + methods.flatMap { ["-c", "finetune --method \($0) --name \($0)"] })
    try #require(trained.status == 0, "\(trained.error)")
    return front
  }

  private func names(_ folder: String, _ front: Front) throws -> Set<String> {
    Set(try FileManager.default.contentsOfDirectory(atPath: front.folder.appending(path: folder).path))
  }

  @Test(
    "the folder has what sentence-transformers loads, its modules make vectors of length one, as the head was trained on"
  )
  func modules() throws {
    let front = try front("linear", "full")
    let outcome = try front.lines("export model one --model linear", "export model two --model full")
    #expect(outcome.output == "Wrote linear, 2 categories, to one.\nWrote full, 2 categories, to two.\n")
    #expect(try front.read("one/modules.json").contains("sentence_transformers.models.Normalize"))
    #expect(
      try JSONSerialization.jsonObject(with: Data(front.read("two/categories.json").utf8)) as? [String]
        == ["SPORTS", "WORLD_AND_NEWS"])
    #expect(try front.read("two/README.md").split(separator: "\n").count <= 14)
    #expect(
      try names("two", front) == [
        "1_Pooling", "README.md", "categories.json", "config.json", "head.safetensors", "model.safetensors",
        "modules.json", "sentence_bert_config.json", "tokenizer_config.json", "vocab.txt",
      ])
  }

  @Test("an exported folder is a BERT that another fettle installs")
  func installs() throws {
    let front = try front("full")
    try front.lines("export model out")
    let other = try Front(tiny: false)
    let out = front.folder.appending(path: "out").path
    #expect(
      try other.run("model", "install", "--from", out).output.hasPrefix("Installed out:"))
    try front.write("news of the", to: "text.txt")
    let trained = try other.run("--json", "embed", "news of the").output
    let base = try front.run("--json", "embed", "news of the").output
    #expect(try object(trained)["embedding"] != nil)
    #expect(trained != base)
  }

  @Test("bottlenecks are no part of a BERT, so a module of their own goes with them")
  func adapters() throws {
    let front = try front("adapter")
    let outcome = try front.lines("export model out")
    #expect(outcome.output == "Wrote adapter, 2 categories, to out.\n")
    let names = try names("out", front)
    #expect(names.contains("adapter.safetensors") && names.contains("bert_with_adapters.py"))
    #expect(try front.read("out/modules.json").contains("bert_with_adapters.BERTWithAdapters"))
    #expect(try front.read("out/README.md").contains("trust_remote_code=True"))
    // What transformers would not know is not among the weights that it loads.
    let weights = try Data(contentsOf: front.folder.appending(path: "out/model.safetensors"))
    #expect(weights.range(of: Data("adapter".utf8)) == nil)
  }

  @Test("what stands in a folder stays, unless it is an exported model that may be replaced")
  func replacing() throws {
    let front = try front("linear", "full")
    try front.lines("export model out --model linear")
    let again = try front.lines("export model out --model full")
    #expect(again.status == 1)
    #expect(again.error.contains("out is not empty: it holds 1_Pooling. Name another folder, or replace"))
    #expect(try front.read("out/README.md").hasPrefix("# linear"))
    #expect(try front.lines("export model out --model full --replace").status == 0)
    #expect(try front.read("out/README.md").hasPrefix("# full"))

    try front.write("mine", to: "out/notes.txt")
    let refused = try front.lines("export model out --model linear --replace")
    #expect(refused.error.contains("it holds notes.txt. Name another folder."))
    #expect(try front.read("out/README.md").hasPrefix("# full"))
    #expect(try front.read("out/notes.txt") == "mine")
    #expect(try hidden(front).isEmpty)
  }

  @Test("an empty folder is taken; a file is not")
  func places() throws {
    let front = try front("linear")
    try FileManager.default.createDirectory(
      at: front.folder.appending(path: "empty"), withIntermediateDirectories: false)
    #expect(try front.lines("export model empty/").status == 0)
    #expect(try names("empty", front).contains("README.md"))
    try front.write("mine", to: "file")
    #expect(try front.lines("export model file").error.contains("file is not a folder. Name another."))
    #expect(try front.lines("export model nowhere/out").error.contains("does not exist. Make it first"))
  }

  @Test("without a tuned model there is nothing to export")
  func nothing() throws {
    let front = try Front()
    #expect(try front.lines("export model out").error.contains("There is no tuned model yet."))
    #expect(try front.lines("export model out --model base").error.contains("The base model has no head"))
    #expect(!FileManager.default.fileExists(atPath: front.folder.appending(path: "out").path))
  }

  @Test("a replay exports into its own folder")
  func replay() throws {
    let front = try front("linear")
    try front.lines("export model out", "export model out --replace", "session save recorded.md")
    try FileManager.default.removeItem(at: front.folder.appending(path: "out"))
    let replay = try front.run("replay", "recorded.md")
    #expect(replay.output.contains("6 passed, 0 failed"), "\(replay.output) \(replay.error)")
    #expect(!FileManager.default.fileExists(atPath: front.folder.appending(path: "out").path))
  }

  /// Root inside a container may not be allowed to mount, so it is tried.
  private static let canMount: Bool = {
    let folder = FileManager.default.temporaryDirectory.appending(path: "fettle-mount-\(UUID().uuidString)")
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    return mount("tmpfs", folder.path, "tmpfs", 0, "size=4k") == 0 && umount(folder.path) == 0
  }()

  @Test("a full disk is said, and leaves nothing behind", .enabled(if: canMount, "mounting takes root"))
  func fullDisk() throws {
    let front = try front("linear")
    let disk = front.folder.appending(path: "disk")
    try FileManager.default.createDirectory(at: disk, withIntermediateDirectories: false)
    try #require(mount("tmpfs", disk.path, "tmpfs", 0, "size=20k") == 0)
    defer { umount(disk.path) }
    let outcome = try front.lines("export model disk/out")
    #expect(outcome.status == 1)
    #expect(outcome.error.contains("disk/out/model.safetensors cannot be written: the disk is full"))
    #expect(try names("disk", front).isEmpty)
    // A disk's fault is no part of the story.
    #expect(try !front.read(".fettle/session.md").contains("disk/out"))
  }

  private func hidden(_ front: Front) throws -> [String] {
    try names(".", front).filter { $0.contains(".fettle-") }
  }
}
