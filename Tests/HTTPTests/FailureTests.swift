import Foundation
import HTTP
import Testing

@Suite("A download that fails")
struct FailureTests {
  @Test("names the status", arguments: [(404, "not there"), (503, "trouble of its own"), (429, "too many")])
  func status(status: Int, words: String) throws {
    let server = try Server { _, connection in
      connection.sendHead("\(status) No", ["Content-Length": "9"])
      connection.send("an excuse")
    }
    let folder = try Folder()
    let error = #expect(throws: HTTPError.self) { try Download(server.address(), to: folder.file).run() }
    #expect(error == .status(status, address: server.address()))
    #expect(error?.code == "http-status")
    #expect(error?.description.contains("\(status)") == true)
    #expect(error?.description.contains(words) == true)
    #expect(folder.names.isEmpty)
  }

  @Test("keeps what came before when the server refuses")
  func statusOnResume() throws {
    let server = try Server { _, connection in connection.sendHead("404 Not Found", ["Content-Length": "0"]) }
    let folder = try Folder()
    try body.prefix(500).write(to: folder.part)
    #expect(throws: HTTPError.status(404, address: server.address())) {
      try Download(server.address(), to: folder.file).run()
    }
    #expect(try Data(contentsOf: folder.part) == body.prefix(500))
  }

  @Test("says that nothing is listening")
  func nothingListening() throws {
    let server = try Server { _, _ in }
    let address = server.address()
    server.stop()
    let folder = try Folder()
    let error = #expect(throws: HTTPError.self) { try Download(address, to: folder.file).run() }
    #expect(error?.code == "cannot-connect")
    #expect(error?.detail?.isEmpty == false)
    #expect(error?.description.contains("127.0.0.1 cannot be reached") == true)
    #expect(folder.names.isEmpty)
  }

  @Test(
    "refuses to be sent to a file or in a circle",
    arguments: ["file:///etc/passwd", "ftp://127.0.0.1/x", "/file"])
  func redirect(target: String) throws {
    let server = try Server { _, connection in
      connection.sendHead("302 Found", ["Location": target, "Content-Length": "0"])
    }
    let folder = try Folder()
    #expect(throws: HTTPError.badRedirect(host: "127.0.0.1")) {
      try Download(server.address(), to: folder.file).run()
    }
    #expect(folder.names.isEmpty)
  }

  @Test(
    "fetches over http and https alone",
    arguments: ["file:///etc/passwd", "ftp://example.org/x", "model", "", "http://"])
  func address(address: String) throws {
    let folder = try Folder()
    #expect(throws: HTTPError.badAddress(address)) { try Download(address, to: folder.file).run() }
    #expect(folder.names.isEmpty)
  }

  @Test("gives up on a server that says nothing, and keeps what came before")
  func stalled() throws {
    let server = try Server { _, connection in connection.waitForClient() }
    let folder = try Folder()
    try body.prefix(500).write(to: folder.part)
    var download = Download(server.address(), to: folder.file)
    download.stallTimeout = 1
    #expect(throws: HTTPError.stalled(host: "127.0.0.1", seconds: 1)) { try download.run() }
    #expect(try Data(contentsOf: folder.part) == body.prefix(500))
  }

  @Test("gives up on a server that never agrees on a connection")
  func connecting() throws {
    // A server that keeps silent where an encrypted connection would begin.
    let server = try Server { _, connection in connection.waitForClient() }
    let folder = try Folder()
    var download = Download(server.address(scheme: "https"), to: folder.file)
    download.connectTimeout = 0.5
    #expect(throws: HTTPError.connectingTookTooLong(host: "127.0.0.1", seconds: 0.5)) { try download.run() }
    #expect(folder.names.isEmpty)
  }

  @Test("trusts no server without a certificate")
  func notEncrypted() throws {
    let server = try Server(greeting: "HTTP/1.1 400 Bad Request\r\n\r\n") { _, _ in }
    let folder = try Folder()
    let error = #expect(throws: HTTPError.self) {
      try Download(server.address(scheme: "https"), to: folder.file).run()
    }
    #expect(error?.code == "not-trusted")
  }

  @Test("takes no more than the file has from whoever answers, and keeps none of it", .timeLimit(.minutes(1)))
  func endless() throws {
    let server = try Server { request, connection in
      switch request.target {
      case "/said": connection.sendHead("200 OK", ["Content-Length": "\(body.count + 1)"])
      case "/short": connection.sendHead("200 OK", ["Content-Length": "612"])
      default: connection.sendHead("200 OK")
      }
      // A page for whoever has to log in first, and on and on.
      let page = Data(repeating: UInt8(ascii: "x"), count: 100_000)
      for _ in 0..<1_000 { connection.send(page) }
    }
    let folder = try Folder()
    for place in ["/endless", "/said", "/short"] {
      let error = #expect(throws: HTTPError.otherFile(host: "127.0.0.1", expected: Int64(body.count))) {
        try Download(server.address(place), to: folder.file).run()
      }
      #expect(error?.description.contains("is another file") == true)
      #expect(folder.names.isEmpty, "\(place)")
    }
    // What came of the right file before is not lost to a wrong one of another size.
    try body.prefix(500).write(to: folder.part)
    #expect(throws: HTTPError.self) { try Download(server.address("/short"), to: folder.file).run() }
    #expect(try Data(contentsOf: folder.part) == body.prefix(500))
  }

  @Test("says that what answers is no web server")
  func garbage() throws {
    let server = try Server(greeting: "220 mail.invalid ESMTP ready\r\n") { _, _ in }
    let folder = try Folder()
    let error = #expect(throws: HTTPError.notHTTP(host: "127.0.0.1")) {
      try Download(server.address(), to: folder.file).run()
    }
    #expect(error?.description.contains("is no web server") == true)
    #expect(folder.names.isEmpty)
  }

  @Test("says that the disk is full")
  func diskFull() throws {
    let server = try Server { $1.serve(body, to: $0) }
    let folder = try Folder()
    // The kernel's own full disk.
    try FileManager.default.createSymbolicLink(atPath: folder.part.path, withDestinationPath: "/dev/full")
    #expect(throws: HTTPError.diskFull(file: folder.part.path)) {
      try Download(server.address(), to: folder.file).run()
    }
  }

  @Test("says where it cannot write")
  func cannotWrite() throws {
    let folder = try Folder()
    let file = folder.url.appending(path: "missing/file")
    let error = #expect(throws: HTTPError.self) { try Download("http://127.0.0.1:1/", to: file).run() }
    #expect(error?.code == "cannot-write")
    #expect(error?.description.contains(file.path) == true)
  }
}
