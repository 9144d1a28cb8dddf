import Foundation
import Serving
import Synchronization
import Tasks
import Testing
import Workbench

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
  func end(within seconds: Double = 30) -> Bool {
    isToEnd.value.store(true, ordering: .releasing)
    let isOver = ended.wait(timeout: .now() + seconds) == .success
    if isOver { ended.signal() }
    try? FileManager.default.removeItem(at: folder)
    return isOver
  }
}

/// A connection that sends what it is told to, right or wrong.
final class RawClient {
  private let descriptor: Int32
  private var received = Data()

  init(_ port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(result == 0, "errno \(errno)")
    var patience = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close() }

  private var isOpen = true

  func close() {
    if isOpen { Glibc.close(descriptor) }
    isOpen = false
  }

  /// - Returns: whether all of it was taken.
  @discardableResult
  func send(_ text: String) -> Bool { send(Data(text.utf8)) }

  @discardableResult
  func send(_ data: Data) -> Bool {
    var rest = data
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL.rawValue))
      }
      if sent <= 0 { return false }
      rest = rest.dropFirst(sent)
    }
    return true
  }

  /// Reads more; false at the end of the connection, or after twenty seconds without anything.
  private func read() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    if count > 0 { received.append(contentsOf: buffer[..<count]) }
    return count > 0
  }

  /// All that comes up to the connection's end.
  func rest() -> String {
    while read() {}
    defer { received = Data() }
    return String(decoding: received, as: UTF8.self)
  }

  /// What has come once `text` is among it; nil where the connection ends before.
  func wait(for text: String) -> String? {
    while received.range(of: Data(text.utf8)) == nil { if !read() { return nil } }
    return String(decoding: received, as: UTF8.self)
  }

  struct Response {
    var status: Int
    var headers: [String: String]
    var body: Data

    var text: String { String(decoding: body, as: UTF8.self) }

    var json: [String: Any] {
      get throws { try #require(try JSONSerialization.jsonObject(with: body) as? [String: Any]) }
    }

    /// The inner object of an error.
    var error: [String: Any] { get throws { try #require(try json["error"] as? [String: Any]) } }
  }

  /// The next answer; one without a length is read to its last chunk.
  func response() throws -> Response {
    let end = Data("\r\n\r\n".utf8)
    while received.range(of: end) == nil { try #require(read(), "no answer") }
    let range = try #require(received.range(of: end))
    let head = String(decoding: received[..<range.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
    received = Data(received[range.upperBound...])
    let status = try #require(head[0].split(separator: " ").dropFirst().first.flatMap { Int($0) }, "\(head)")
    let fields = head.dropFirst().map { line -> (String, String) in
      let parts = line.split(separator: ":", maxSplits: 1)
      return (parts[0].lowercased(), parts[1].trimmingCharacters(in: .whitespaces))
    }
    var response = Response(
      status: status, headers: Dictionary(fields, uniquingKeysWith: { "\($0), \($1)" }), body: Data())
    if let length = response.headers["content-length"].flatMap({ Int($0) }) {
      while received.count < length { try #require(read(), "the answer was cut") }
      response.body = received.prefix(length)
      received = Data(received.dropFirst(length))
    } else if response.headers["transfer-encoding"] == "chunked" {
      while true {
        let line = Data("\r\n".utf8)
        while received.range(of: line) == nil { try #require(read(), "the answer was cut") }
        let end = try #require(received.range(of: line))
        let size = try #require(Int(String(decoding: received[..<end.lowerBound], as: UTF8.self), radix: 16))
        while received.count < end.upperBound - received.startIndex + size + 2 {
          try #require(read(), "the answer was cut")
        }
        response.body.append(received[end.upperBound..<end.upperBound + size])
        received = Data(received[(end.upperBound + size + 2)...])
        if size == 0 { break }
      }
    }
    return response
  }

  /// Asks as a well-behaved client does.
  func ask(_ method: String, _ path: String, json: String? = nil, headers: [String] = []) throws -> Response {
    var lines = ["\(method) \(path) HTTP/1.1", "Host: 127.0.0.1"] + headers
    if let json { lines += ["Content-Type: application/json", "Content-Length: \(json.utf8.count)"] }
    send(lines.joined(separator: "\r\n") + "\r\n\r\n" + (json ?? ""))
    return try response()
  }
}
