import Foundation
import LoopbackClient
import Serving
import Synchronization
import Tasks
import Testing
import Workbench

/// A thread of their own for tests that wait: on the threads that tests have, the server in this process could not answer meanwhile.
@globalActor actor Waiting {
  static let shared = Waiting()
  private let thread = OwnThread()
  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  private final class OwnThread: SerialExecutor {
    private let queue = DispatchQueue(label: "waiting")

    func enqueue(_ job: consuming ExecutorJob) {
      let job = UnownedJob(job)
      queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
  }
}

/// A server in this process, on a port of its own, over a workspace of its own.
final class TestServer: Sendable {
  let port: Int
  let folder: URL
  private let isToEnd: Flag
  private let ended: DispatchSemaphore
  private let lines: Lines

  private final class Flag: Sendable {
    let value = Atomic<Bool>(false)
  }

  private final class Lines: Sendable {
    let all = Mutex<[String]>([])
  }

  init(
    _ parts: [any ServerPart], limits: ServerLimits = ServerLimits(), token: String? = nil,
    models: [String] = []
  ) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "fettle-serving-\(UUID().uuidString)")
    self.folder = folder
    let cache = ModelCache(environment: ["HOME": folder.path, "XDG_CACHE_HOME": folder.path])
    for name in models {
      let own = cache.folder.appending(path: name)
      try FileManager.default.createDirectory(at: cache.folder, withIntermediateDirectories: true)
      try FileManager.default.copyItem(at: Self.reference(name), to: own)
    }
    if models.contains("tiny-bert") {
      try Data("tiny-bert".utf8).write(to: cache.folder.appending(path: "embedded"))
    }
    let workspace = try Workspace.open(folder.appending(path: ".fettle"), holding: .unitOfWork)
    let lines = Lines()
    let log = ServerLog { line in lines.all.withLock { $0.append(line) } }
    let server = Server(
      port: 0, token: token, limits: limits,
      context: ServerContext(library: ModelLibrary(workspace, cache), log: log), parts: parts)
    let (flag, ended) = (Flag(), DispatchSemaphore(value: 0))
    let ready = DispatchSemaphore(value: 0)
    let found = Box()
    let thread = Thread {
      do {
        try server.run(
          ready: { address in
            found.text.withLock { $0 = address }
            ready.signal()
          }, isCancelled: { flag.value.load(ordering: .acquiring) })
      } catch {
        found.text.withLock { $0 = "\(error)" }
        ready.signal()
      }
      ended.signal()
    }
    thread.start()
    ready.wait()
    (isToEnd, self.ended, self.lines) = (flag, ended, lines)
    let text = found.text.withLock { $0 }
    port = try #require(text.split(separator: ":").last.flatMap { Int($0) }, "\(text)")
  }

  private final class Box: Sendable {
    let text = Mutex("")
  }

  private static func reference(_ name: String) -> URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "EncoderTests/Reference/\(name)")
  }

  static func emptyLibrary() throws -> ModelLibrary {
    let folder = FileManager.default.temporaryDirectory.appending(path: "fettle-serving-\(UUID().uuidString)")
    let cache = ModelCache(environment: ["HOME": folder.path, "XDG_CACHE_HOME": folder.path])
    return ModelLibrary(try Workspace.open(folder, isTemporary: true), cache)
  }

  var log: [String] { lines.all.withLock { $0 } }

  /// - Returns: whether it has ended within so many seconds.
  @discardableResult
  func end(within seconds: Double = 120) -> Bool {
    isToEnd.value.store(true, ordering: .releasing)
    let isOver = ended.wait(timeout: .now() + seconds) == .success
    if isOver { ended.signal() }
    try? FileManager.default.removeItem(at: folder)
    return isOver
  }
}
