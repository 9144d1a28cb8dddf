import Foundation
import Serving
import Synchronization
import Tasks
import Testing
import Workbench

/// A workspace with tiny models, and endpoints that are asked over no wire.
final class Bench: Sendable {
  static let reference = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "EncoderTests/Reference")

  let folder: URL
  let workspace: Workspace
  let library: ModelLibrary
  private let lines = Mutex<[String]>([])

  var log: [String] { lines.withLock { $0 } }

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "fettle-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let cache = ModelCache(
      environment: ["XDG_CACHE_HOME": folder.appending(path: "cache").path], threads: 1)
    for name in ["tiny-bert", "tiny-llama"] {
      _ = try ModelInstallation(cache).copy(from: Self.reference.appending(path: name), shownAs: name)
    }
    workspace = try Workspace.open(folder.appending(path: ".fettle"), holding: .unitOfWork)
    library = ModelLibrary(workspace, cache)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func context() -> ServerContext {
    ServerContext(library: library, log: ServerLog { [self] line in lines.withLock { $0.append(line) } })
  }
}

/// The endpoints of files and jobs, at work until they are told to end.
final class Service: Sendable {
  let context: ServerContext
  private let router: Router
  private let work: Task<Void, Never>

  init(_ bench: Bench) {
    let context = bench.context()
    let parts: [any ServerPart] = [FileEndpoints(), FineTuningEndpoints(context)]
    self.context = context
    router = Router(parts.flatMap(\.routes))
    work = Task { for part in parts { await part.run(context) } }
  }

  /// Ends as a server does that is told to.
  func end() async {
    work.cancel()
    await work.value
  }

  func answer(
    _ method: ServerRequest.Method, _ target: String, type: String = "application/json", _ body: Data = Data()
  ) async -> ServerResponse {
    await router.answer(method, target, headers: [("Content-Type", type)], body: body, context)
  }

  /// The JSON of an answer that is as it should be.
  func json(
    _ method: ServerRequest.Method, _ target: String, _ body: [String: Any]? = nil, status: Int = 200,
    _ place: SourceLocation = #_sourceLocation
  ) async throws -> [String: Any] {
    let data = try body.map { try JSONSerialization.data(withJSONObject: $0) }
    let response = await answer(method, target, data ?? Data())
    return try object(response, status: status, place)
  }

  /// The error that a request gets.
  func error(
    _ method: ServerRequest.Method, _ target: String, _ body: [String: Any]? = nil, status: Int = 400,
    _ place: SourceLocation = #_sourceLocation
  ) async throws -> [String: Any] {
    let answer = try await json(method, target, body, status: status, place)
    return try #require(answer["error"] as? [String: Any], sourceLocation: place)
  }

  func object(_ response: ServerResponse, status: Int = 200, _ place: SourceLocation = #_sourceLocation)
    throws
    -> [String: Any]
  {
    guard case .bytes(let data) = response.body else { throw Unexpected.stream }
    try #require(
      response.status == status, "\(String(decoding: data, as: UTF8.self))", sourceLocation: place)
    return try #require(
      JSONSerialization.jsonObject(with: data) as? [String: Any], sourceLocation: place)
  }

  enum Unexpected: Error { case stream, nothing, late }

  func form(_ content: Data, name: String = "news.jsonl", purpose: String = "fine-tune", more: String = "")
    -> Data
  {
    let head = """
      --b0\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n\(purpose)\r\n\(more)--b0\r
      Content-Disposition: form-data; name="file"; filename="\(name)"\r
      Content-Type: application/octet-stream\r\n\r\n
      """
    return Data(head.utf8) + content + Data("\r\n--b0--\r\n".utf8)
  }

  /// - Returns: the file's id.
  func upload(_ text: String, name: String = "news.jsonl", _ place: SourceLocation = #_sourceLocation)
    async throws
    -> String
  {
    let response = await answer(
      .post, "/v1/files", type: "multipart/form-data; boundary=b0", form(Data(text.utf8), name: name))
    return try #require(object(response, place)["id"] as? String, sourceLocation: place)
  }

  /// Waits until a job has ended, by the protocol of today.
  func finish(_ id: String, _ place: SourceLocation = #_sourceLocation) async throws -> [String: Any] {
    for _ in 0..<600 {
      let job = try await json(.get, "/v1/fine_tuning/jobs/\(id)", nil, status: 200, place)
      if ["succeeded", "failed", "cancelled"].contains(job["status"] as? String) { return job }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw Unexpected.late
  }

  func wait(for id: String, to reach: String) async throws {
    for _ in 0..<600 {
      let status = try await json(.get, "/v1/fine_tuning/jobs/\(id)")["status"] as? String
      if status == reach { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw Unexpected.late
  }

  /// The messages of a job's events, the oldest first.
  func messages(_ id: String) async throws -> [String] {
    let events =
      try await json(.get, "/v1/fine_tuning/jobs/\(id)/events?limit=100")["data"] as? [[String: Any]]
    return (events ?? []).reversed().compactMap { $0["message"] as? String }
  }

  /// What a stream of events holds.
  func stream(_ target: String) async throws -> [String] {
    let response = await answer(.get, target)
    guard case .events(let write) = response.body else { throw Unexpected.nothing }
    let sink = Sink()
    try await write(EventSink { data in sink.data.withLock { $0 += data } })
    return String(decoding: sink.data.withLock { $0 }, as: UTF8.self).components(separatedBy: "\n\n")
      .filter { !$0.isEmpty }
  }

  private final class Sink: Sendable {
    let data = Mutex(Data())
  }
}
