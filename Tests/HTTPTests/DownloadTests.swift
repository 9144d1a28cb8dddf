import Foundation
import HTTP
import Synchronization
import Testing

/// A folder of its own that goes with the test.
struct Folder: ~Copyable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "fettle-http-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  var file: URL { url.appending(path: "file") }
  var part: URL { url.appending(path: "file.part") }

  var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted() }
}

/// Bytes without a period that a wrong offset could hide in; more than a socket's buffers hold.
let body = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* $0 / 251) })

extension Download {
  /// Of `body`.
  init(_ address: String, to file: URL) { self.init(address, to: file, size: Int64(body.count)) }
}

@Suite("A download")
struct DownloadTests {
  @Test("brings the file, says who asks, and reports how far it is")
  func whole() throws {
    let server = try Server { $1.serve(body, to: $0) }
    let folder = try Folder()
    try Data("an older file".utf8).write(to: folder.file)
    var reports: [(received: Int64, total: Int64?)] = []
    try Download(server.address(), to: folder.file).run(progress: { reports.append(($0, $1)) })
    #expect(try Data(contentsOf: folder.file) == body)
    #expect(folder.names == ["file"])
    #expect(server.requests.first?.headers["user-agent"] == "fettle/0.1.0")
    #expect(server.requests.first?.headers["range"] == nil)
    #expect(reports.last?.received == Int64(body.count))
    #expect(reports.allSatisfy { $0.total == Int64(body.count) })
    #expect(zip(reports, reports.dropFirst()).allSatisfy { $0.received < $1.received })
  }

  @Test("goes on where the connection was cut")
  func cutAndResumed() throws {
    let server = try Server { request, connection in
      if request.rangeStart != nil { return connection.serve(body, to: request) }
      connection.sendHead("200 OK", ["Content-Length": "\(body.count)"])
      connection.send(body.prefix(1_000_003))
    }
    let folder = try Folder()
    let download = Download(server.address(), to: folder.file)
    #expect(
      throws: HTTPError.connectionLost(host: "127.0.0.1", received: 1_000_003, total: Int64(body.count))
    ) {
      try download.run()
    }
    #expect(folder.names == ["file.part"])
    var first: Int64?
    try download.run(progress: { received, _ in first = first ?? received })
    #expect(server.requests.map(\.rangeStart) == [nil, 1_000_003])
    #expect(try #require(first) > 1_000_003)
    #expect(try Data(contentsOf: folder.file) == body)
    #expect(folder.names == ["file"])
  }

  @Test("starts over at a server without ranges")
  func withoutRanges() throws {
    let server = try Server { _, connection in
      connection.sendHead("200 OK", ["Content-Length": "\(body.count)"])
      connection.send(body)
    }
    let folder = try Folder()
    try body.prefix(500).write(to: folder.part)
    try Download(server.address(), to: folder.file).run()
    #expect(server.requests.map(\.rangeStart) == [500])
    #expect(try Data(contentsOf: folder.file) == body)
  }

  @Test("starts over where the server sends another part than was asked for")
  func wrongPart() throws {
    let server = try Server { request, connection in
      guard request.rangeStart != nil else { return connection.serve(body, to: request) }
      connection.sendHead(
        "206 Partial Content",
        ["Content-Length": "10", "Content-Range": "bytes 100-109/\(body.count)"])
      connection.send(body[100..<110])
    }
    let folder = try Folder()
    try body.prefix(500).write(to: folder.part)
    try Download(server.address(), to: folder.file).run()
    #expect(server.requests.map(\.rangeStart) == [500, nil])
    #expect(try Data(contentsOf: folder.file) == body)
  }

  @Test("takes no redirect's word for where a part begins")
  func partWithoutPlace() throws {
    let server = try Server { request, connection in
      guard request.rangeStart != nil else { return connection.serve(body, to: request) }
      if request.target == "/file" {
        connection.sendHead(
          "302 Found",
          ["Location": "/there", "Content-Range": "bytes 500-509/\(body.count)", "Content-Length": "0"])
      } else {
        connection.sendHead("206 Partial Content", ["Content-Length": "10"])
        connection.send(body.prefix(10))
      }
    }
    let folder = try Folder()
    try body.prefix(500).write(to: folder.part)
    try Download(server.address(), to: folder.file).run()
    #expect(server.requests.map(\.target) == ["/file", "/there", "/file"])
    #expect(try Data(contentsOf: folder.file) == body)
  }

  @Test("does not take a part of the rest for all of it")
  func shortPart() throws {
    let server = try Server { request, connection in
      guard let start = request.rangeStart else { return connection.serve(body, to: request) }
      connection.sendHead(
        "206 Partial Content",
        ["Content-Length": "10", "Content-Range": "bytes \(start)-\(start + 9)/\(body.count)"])
      connection.send(body[start..<(start + 10)])
    }
    let folder = try Folder()
    try body.dropLast(15).write(to: folder.part)
    let download = Download(server.address(), to: folder.file)
    let total = Int64(body.count)
    #expect(throws: HTTPError.connectionLost(host: "127.0.0.1", received: total - 5, total: total)) {
      try download.run()
    }
    #expect(try Data(contentsOf: folder.part) == body.dropLast(5))
    #expect(folder.names == ["file.part"])
  }

  @Test("takes a part that is whole already without asking anybody, and drops one that is too long")
  func partBeyondTheEnd() throws {
    let server = try Server { $1.serve(body, to: $0) }
    let folder = try Folder()
    try body.write(to: folder.part)
    try Download(server.address(), to: folder.file).run()
    #expect(server.requests.isEmpty)
    #expect(try Data(contentsOf: folder.file) == body)

    try (body + Data([1, 2, 3])).write(to: folder.part)
    try Download(server.address(), to: folder.file).run()
    #expect(server.requests.map(\.rangeStart) == [nil])
    #expect(try Data(contentsOf: folder.file) == body)
    #expect(folder.names == ["file"])
  }

  @Test("brings an empty file, one of unknown length, and one in chunks")
  func unusualLengths() throws {
    let server = try Server { request, connection in
      switch request.target {
      case "/empty": connection.serve(Data(), to: request)
      case "/unknown":
        connection.sendHead("200 OK")
        connection.send(body)
      default:
        connection.sendHead("200 OK", ["Transfer-Encoding": "chunked"])
        connection.send("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
      }
    }
    let folder = try Folder()
    try Download(server.address("/empty"), to: folder.file, size: 0).run()
    #expect(try Data(contentsOf: folder.file).isEmpty)
    var totals: Set<Int64?> = []
    try Download(server.address("/unknown"), to: folder.file).run(progress: { totals.insert($1) })
    #expect(try Data(contentsOf: folder.file) == body)
    #expect(totals.contains(nil))
    try Download(server.address("/chunks"), to: folder.file, size: 11).run()
    #expect(try String(contentsOf: folder.file, encoding: .utf8) == "hello world")
  }

  @Test("follows a redirect, and resumes through it")
  func redirect() throws {
    let server = try Server { request, connection in
      guard request.target == "/here" else { return connection.serve(body, to: request) }
      connection.sendHead(
        "302 Found", ["Location": "/there", "Content-Range": "bytes 0-0/1", "Content-Length": "0"])
    }
    let folder = try Folder()
    try body.prefix(500).write(to: folder.part)
    try Download(server.address("/here"), to: folder.file).run()
    #expect(server.requests.map(\.target) == ["/here", "/there"])
    #expect(try Data(contentsOf: folder.file) == body)
  }

  @Test("stops when it is told to, keeps what came and goes on later")
  func cancelled() throws {
    let server = try Server { request, connection in
      guard request.rangeStart == nil else { return connection.serve(body, to: request) }
      connection.sendHead("200 OK", ["Content-Length": "\(body.count)"])
      connection.send(body.prefix(100_000))
      connection.waitForClient()
    }
    let folder = try Folder()
    let download = Download(server.address(), to: folder.file)
    var received: Int64 = 0
    #expect(throws: HTTPError.cancelled) {
      try download.run(progress: { now, _ in received = now }, isCancelled: { received == 100_000 })
    }
    #expect(try Data(contentsOf: folder.part) == body.prefix(100_000))
    try download.run()
    #expect(try Data(contentsOf: folder.file) == body)
    #expect(throws: HTTPError.cancelled) { try download.run(isCancelled: { true }) }
    #expect(folder.names == ["file"])
  }

  @Test("leaves the partial file to the process that holds it")
  func busy() throws {
    let server = try Server { $1.serve(body, to: $0) }
    let folder = try Folder()
    let download = Download(server.address(), to: folder.file)
    var second: HTTPError?
    try download.run(progress: { _, _ in
      if second == nil { second = #expect(throws: HTTPError.self) { try download.run() } }
    })
    #expect(second == .busy(file: folder.file.path))
    #expect(try Data(contentsOf: folder.file) == body)
  }

  @Test("goes through the environment's proxy")
  func proxy() async {
    await #expect(processExitsWith: .success) {
      let proxy = try Server { $1.serve(Data($0.target.utf8), to: $0) }
      setenv("http_proxy", proxy.address(""), 1)
      unsetenv("no_proxy")
      unsetenv("NO_PROXY")
      let folder = try Folder()
      let address = "http://models.invalid/file"
      try Download(address, to: folder.file, size: Int64(address.utf8.count)).run()
      #expect(try String(contentsOf: folder.file, encoding: .utf8) == address)
    }
  }
}
