import Foundation
import Testing

/// Samples, Sessions and a model that came with the program, wherever it stands.
@Suite struct InstallationTests {
  /// The program with all that comes with it, and a folder `elsewhere`.
  private func install(_ front: Front, program: String, share: String) throws -> URL {
    try front.write("", to: "elsewhere/empty")
    return try front.install(at: program, share: share)
  }

  @Test(
    "outside a clone, the samples that came with the program load and replay",
    arguments: [("unpacked/fettle", "unpacked"), ("prefix/bin/fettle", "prefix/share/fettle")])
  func samples(program: String, share: String) throws {
    var front = try Front()
    front.program = try install(front, program: program, share: share)
    let elsewhere = front.folder.appending(path: "elsewhere")
    let loaded = try front.run("load", "Samples/news-1.csv", in: elsewhere)
    #expect(loaded.output.hasPrefix("Loaded news-1: 200 assets"), "\(loaded.error)")
    #expect(loaded.error == "")
    let path = front.folder.appending(path: share).path
    try front.run("interface", "load", path + "/Samples/interface.json", in: elsewhere)
    let document = try front.read("elsewhere/.fettle/session.md")
    #expect(document.contains("fettle> load Samples/news-1.csv\n"))
    #expect(document.contains("fettle> interface load Samples/interface.json\n"))
    let replayed = try front.run("replay", ".fettle/session.md", in: elsewhere)
    #expect(replayed.output.hasSuffix("2 passed, 0 failed\n"), "\(replayed.output)")
  }

  @Test("a file of one's own comes before the sample of its name")
  func ownFile() throws {
    var front = try Front()
    front.program = try install(front, program: "unpacked/fettle", share: "unpacked")
    try front.writeLetters(count: 4, to: "elsewhere/Samples/news-1.csv")
    let loaded = try front.run(
      "load", "Samples/news-1.csv", in: front.folder.appending(path: "elsewhere"))
    #expect(loaded.output.hasPrefix("Loaded news-1: 4 assets"))
  }

  @Test("a document does not get out of the samples by their name")
  func noWayOut() throws {
    var front = try Front()
    front.program = try install(front, program: "unpacked/fettle", share: "unpacked")
    try front.write("text,category\nsecret,A\n", to: "unpacked/secret.csv")
    try front.write(
      "---\nfettle: 0.1.0\nseed: 42\nprecision: f32\nroot: .\n---\n\n```fettle\nfettle> load Samples/../secret.csv\n```\n",
      to: "elsewhere/document.md")
    let replayed = try front.run(
      "replay", "document.md", in: front.folder.appending(path: "elsewhere"))
    #expect(replayed.output.contains("Samples/../secret.csv is not there"), "\(replayed.output)")
  }

  @Test("the model that came with the program serves where none is installed")
  func model() throws {
    var front = try Front(tiny: false)
    front.program = try install(front, program: "unpacked/fettle", share: "unpacked")
    let missing = try front.run("--json", "tokens", "abc")
    #expect(missing.output.contains("model-missing"))
    let models = front.folder.appending(path: "unpacked/Models")
    try FileManager.default.createDirectory(at: models, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: Front.repository.appending(path: "Tests/EncoderTests/Reference/tiny-bert"),
      to: models.appending(path: "all-MiniLM-L6-v2"))
    #expect(try front.run("tokens", "abc").status == 0)
  }

  @Test("the model that came with the program is installed already, in a home that is not there too")
  func modelWithoutHome() throws {
    let variables = ProcessInfo.processInfo.environment
    let cache =
      variables["XDG_CACHE_HOME"].map { URL(filePath: $0) }
      ?? FileManager.default.homeDirectoryForCurrentUser.appending(path: ".cache")
    var front = try Front(tiny: false)
    front.program = try front.install(at: "unpacked/fettle", share: "unpacked")
    let models = front.folder.appending(path: "unpacked/Models")
    try FileManager.default.createDirectory(at: models, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      at: models.appending(path: "all-MiniLM-L6-v2"),
      withDestinationURL: cache.appending(path: "fettle/models/all-MiniLM-L6-v2"))
    front.environment["HOME"] = "/dev/null/nobody"
    front.environment["XDG_CACHE_HOME"] = nil
    let installed = try front.run("model", "install")
    #expect(installed.output == "all-MiniLM-L6-v2 is installed already.\n", "\(installed.error)")
  }
}
