import Basics
import Foundation
import HTTP
import Tasks
import Testing

/// Models that are fetched, from a hub on loopback.
@Suite("A model of the hub")
struct ModelFetchTests {
  private static let reference = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "EncoderTests/Reference")

  /// A hub that has one small GGUF file.
  private final class Hub: Sendable {
    let contents: Data
    let server: Server
    let model: HubModel

    /// - Parameter sent: what the hub sends in the file's place.
    init(sending sent: Data? = nil) throws {
      let contents = try Data(contentsOf: reference.appending(path: "tiny-llama/model-q4_1.gguf"))
      self.contents = contents
      server = try Server { $1.serve(sent ?? contents, to: $0) }
      model = HubModel(
        name: "small", address: server.address("/"),
        files: [
          .init("tiny.gguf", size: Int64(contents.count), digest: contents.sha256)
        ], card: ModelCard(source: "hub/small", licence: "mit", language: "en"),
        otherwise: "make language-model, or --from FILE")
    }
  }

  private func cache(_ folder: URL) -> ModelCache {
    ModelCache(environment: ["XDG_CACHE_HOME": folder.path], threads: 1)
  }

  @Test("is fetched once, is whole, and keeps what is known of it")
  func fetched() throws {
    let hub = try Hub()
    let folder = try Folder()
    let cache = cache(folder.url)
    let first = try ModelInstallation(cache).fetch(hub.model)
    #expect(first.bytes == hub.contents.count && !first.wasThere && !first.isInitial)
    let file = folder.url.appending(path: "fettle/models/small/tiny.gguf")
    #expect(try Data(contentsOf: file) == hub.contents)
    #expect(hub.server.requests.map(\.target) == ["/tiny.gguf"])
    let installed = try #require(cache.installed.first)
    #expect(installed.name == "small" && installed.isGenerative && cache.encoders.isEmpty)
    #expect(installed.facts.card == ModelCard(source: "hub/small", licence: "mit", language: "en"))
    #expect(cache.languageModels == [installed] && cache.initial == nil)
    // What a GGUF file is, its digest says.
    #expect(try cache.reference(to: installed).digest == hub.contents.sha256)
    #expect(try ModelInstallation(cache).fetch(hub.model).wasThere)
    #expect(hub.server.requests.count == 1)
  }

  @Test("that comes as another is thrown away")
  func changed() throws {
    var other = try Hub().contents
    other[other.count - 1] ^= 1
    let hub = try Hub(sending: other)
    let folder = try Folder()
    let error = #expect(throws: TaskError.self) {
      try ModelInstallation(cache(folder.url)).fetch(hub.model)
    }
    #expect(error?.code == "model-digest" && "\(error, default: "")".contains("make language-model"))
    #expect(cache(folder.url).installed.isEmpty)
  }

  @Test("that the hub does not have is had elsewhere")
  func missing() throws {
    let server = try Server { $1.sendHead("404 Not Found", ["Content-Length": "0"]) }
    let folder = try Folder()
    let model = HubModel(
      name: "small", address: server.address("/"), files: [.init("tiny.gguf", size: 10, digest: "")],
      card: ModelCard(), otherwise: "make language-model, or --from FILE")
    let error = #expect(throws: TaskError.self) { try ModelInstallation(cache(folder.url)).fetch(model) }
    #expect(error?.code == "http-status" && "\(error, default: "")".contains("make language-model"))
  }
}

extension Data {
  fileprivate var sha256: String {
    var hash = SHA256()
    hash.update(self)
    return hash.finalize().hexadecimal
  }
}
