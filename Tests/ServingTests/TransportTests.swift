import Foundation
import LoopbackClient
import Serving
import Synchronization
import Testing

/// The server as rude, slow and broken clients find it.
@Waiting @Suite struct TransportTests {
  /// Endpoints that say what they were given.
  private struct Echo: ServerPart {
    /// Whether the stream was left by its client.
    let left: Left

    final class Left: Sendable {
      let count = Atomic<Int>(0)
    }

    private struct Said: Encodable {
      let path: [String]
      let query: [String]
      let bytes: Int
    }

    private struct Number: Encodable {
      let number: Int
    }

    var routes: [Route] {
      let left = left
      return [
        Route(.get, "/v1/things/:id") { request, _ in
          try .json(
            Said(path: request.path, query: request.query.map { "\($0.name)=\($0.value)" }, bytes: 0))
        },
        Route(.post, "/v1/things", maximumBody: 1000) { request, _ in
          try .json(Said(path: request.path, query: [], bytes: request.body.count))
        },
        Route(.get, "/v1/slow") { _, _ in
          try await Task.sleep(for: .milliseconds(700))
          return try .json(Number(number: 1))
        },
        Route(.get, "/v1/broken") { _, _ in throw CocoaError(.fileNoSuchFile) },
        Route(.get, "/v1/stream") { request, _ in
          let count = request[query: "count"].flatMap { Int($0) } ?? 3
          return .events { sink in
            do {
              for number in 0..<count { try await sink.send(Number(number: number)) }
              try await sink.done()
            } catch {
              left.count.add(1, ordering: .relaxed)
              throw error
            }
          }
        },
        Route(.get, "/v1/torn") { _, _ in
          .events { sink in
            try await sink.send(Number(number: 0))
            throw APIError(500, "It broke.", code: "broke")
          }
        },
      ]
    }
  }

  private let left = Echo.Left()

  private func server(_ limits: ServerLimits = ServerLimits(), token: String? = nil) throws -> TestServer {
    try TestServer([Echo(left: left)], limits: limits, token: token)
  }

  // MARK: - Good requests

  @Test("Parts of paths are decoded one by one, and a query's blanks are plus signs")
  func paths() throws {
    let server = try server()
    defer { server.end() }
    let client = try RawClient(server.port)
    var said = try client.ask("GET", "/v1/things/ft:a%2Fb%20c%C3%A9?metadata%5Bk%5D=v+w&after=x").json
    #expect(said["path"] as? [String] == ["v1", "things", "ft:a/b cé"])
    #expect(said["query"] as? [String] == ["metadata[k]=v w", "after=x"])
    said = try client.ask("GET", "/v1/things/plain").json
    #expect(said["query"] as? [String] == [])
  }

  @Test("One connection serves many requests, in one write each, and every answer has its own request id")
  func keepAlive() throws {
    let server = try server()
    defer { server.end() }
    let client = try RawClient(server.port)
    let answers = try (0..<20).map { _ in try client.ask("POST", "/v1/things", json: "{}") }
    #expect(answers.allSatisfy { $0.status == 200 })
    #expect(Set(answers.map { $0.headers["x-request-id"] ?? "" }).count == 20)
    // Pipelined: both are answered, in order.
    client.send(
      "GET /v1/things/a HTTP/1.1\r\nHost: localhost\r\n\r\nGET /v1/things/b HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    #expect(try client.response().text.contains("\"a\""))
    #expect(try client.response().text.contains("\"b\""))
  }

  @Test("A client of HTTP/1.0, one that closes, and one that asks before it sends a body")
  func otherClients() throws {
    let server = try server()
    defer { server.end() }
    var client = try RawClient(server.port)
    client.send("GET /v1/things/a HTTP/1.0\r\n\r\n")
    #expect(client.rest().contains("connection: close"))
    client = try RawClient(server.port)
    client.send("GET /v1/stream HTTP/1.0\r\n\r\n")
    let stream = client.rest()
    #expect(stream.hasSuffix("data: {\"number\":2}\n\ndata: [DONE]\n\n") && !stream.contains("chunked"))
    client = try RawClient(server.port)
    client.send("GET /v1/things/a HTTP/1.1\r\nHost: [::1]:1\r\nConnection: close\r\n\r\n")
    #expect(client.rest().contains("HTTP/1.1 200 OK"))
    client = try RawClient(server.port)
    client.send(
      "POST /v1/things HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    #expect(client.wait(for: "\r\n\r\n")?.hasPrefix("HTTP/1.1 100 Continue") == true)
    client.send("{}")
    #expect(client.wait(for: "bytes")?.contains("HTTP/1.1 200 OK") == true)
    client = try RawClient(server.port)
    client.send(
      "POST /v1/things HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    #expect(try client.response().json["bytes"] as? Int == 5)
  }

  // MARK: - Refused

  @Test("Web pages are refused: by their Origin, or by a Host that is not this machine's")
  func webPages() throws {
    let server = try server()
    defer { server.end() }
    for host in ["127.0.0.1", "127.0.0.1:8080", "LOCALHOST", "localhost:1", "[::1]"] {
      let client = try RawClient(server.port)
      client.send("GET /v1/things/a HTTP/1.1\r\nHost: \(host)\r\n\r\n")
      #expect(try client.response().status == 200, "\(host)")
    }
    for host in [
      "example.org", "127.0.0.1.example.org", "localhost.example.org", "localhost:8080.example.org",
      "0.0.0.0", "",
    ] {
      let client = try RawClient(server.port)
      client.send("GET /v1/things/a HTTP/1.1\r\nHost: \(host)\r\n\r\n")
      #expect(try client.response().status == 403, "\(host)")
    }
    let client = try RawClient(server.port)
    for origin in ["http://127.0.0.1", "null", "https://example.org"] {
      let answer = try client.ask("POST", "/v1/things", json: "{}", headers: ["Origin: \(origin)"])
      #expect(answer.status == 403)
      #expect(try answer.error["type"] as? String == "invalid_request_error")
    }
  }

  @Test("With a token, each request has to bear it")
  func token() throws {
    let server = try server(token: "sesame-sesame")
    defer { server.end() }
    let client = try RawClient(server.port)
    for header in [
      [], ["Authorization: Bearer sesame"], ["Authorization: Bearer sesame-sesamE"],
      ["Authorization: sesame-sesame"],
    ] {
      #expect(try client.ask("GET", "/v1/things/a", headers: header).status == 401)
    }
    #expect(
      try client.ask("GET", "/v1/things/a", headers: ["Authorization: Bearer sesame-sesame"]).status == 200)
  }

  @Test("What is nowhere is 404, and another method 405 that says which")
  func nowhere() throws {
    let server = try server()
    defer { server.end() }
    let client = try RawClient(server.port)
    #expect(try client.ask("GET", "/v1/nothing").status == 404)
    #expect(try client.ask("GET", "/v1/things/").status == 405)
    let other = try client.ask("DELETE", "/v1/things/a")
    #expect(other.status == 405 && other.headers["allow"] == "GET")
    #expect(try client.ask("PATCH", "/v1/things/a").status == 405)
    #expect(try client.ask("GET", "/v1/things/%ff").status == 400)
    #expect(try client.ask("GET", "/v1/things/a?b=%C3").status == 400)
    // The connection is good for more.
    #expect(try client.ask("GET", "/v1/things/a").status == 200)
  }

  @Test("An error that nobody expected is 500, says nothing of the inside, and stands in the log")
  func unexpected() throws {
    let server = try server()
    defer { server.end() }
    let answer = try RawClient(server.port).ask("GET", "/v1/broken")
    #expect(answer.status == 500)
    #expect(try answer.error["type"] as? String == "server_error")
    #expect(!answer.text.contains("Cocoa"))
    let id = try #require(answer.headers["x-request-id"])
    #expect(server.log.contains { $0.contains(id) && $0.contains("/v1/broken") })
  }

  @Test("A body that is too large is 413 before it is read, and the client reads the answer")
  func oversized() throws {
    let server = try server()
    defer { server.end() }
    var client = try RawClient(server.port)
    client.send("POST /v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30000000\r\n\r\n")
    var answer = try client.response()
    #expect(answer.status == 413 && answer.headers["connection"] == "close")
    #expect(try answer.error["code"] as? String == "body_too_large")
    // One that sends all the same.
    client = try RawClient(server.port)
    client.send("POST /v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n")
    client.send(Data(repeating: 97, count: 3_000_000))
    answer = try client.response()
    #expect(answer.status == 413)
    // One that does not say how long it is.
    client = try RawClient(server.port)
    client.send("POST /v1/things HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in 0..<20 where client.send("64\r\n" + String(repeating: "a", count: 100) + "\r\n") {}
    #expect(try client.response().status == 413)
    client = try RawClient(server.port)
    #expect(try client.ask("POST", "/v1/things", json: String(repeating: "a", count: 1000)).status == 200)
    #expect(try client.ask("POST", "/v1/things", json: String(repeating: "a", count: 1001)).status == 413)
  }

  @Test("Headers that are too long or too many are 431")
  func longHeaders() throws {
    let server = try server()
    defer { server.end() }
    for headers in [
      "X: " + String(repeating: "a", count: 40_000),
      (0..<5000).map { "X-\($0): aaaaaaaa" }.joined(separator: "\r\n"),
      (0..<200).map { "X-\($0): a" }.joined(separator: "\r\n"),
    ] {
      let client = try RawClient(server.port)
      client.send("GET /v1/things/a HTTP/1.1\r\nHost: localhost\r\n\(headers)\r\n\r\n")
      #expect(try client.response().status == 431)
    }
    let client = try RawClient(server.port)
    #expect(
      try client.ask("GET", "/v1/things/a", headers: ["X: " + String(repeating: "a", count: 20_000)]).status
        == 200)
  }

  @Test(
    "Requests that two readers could read in two ways are refused, and the connection ends",
    arguments: [
      "POST /v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
      "POST /v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST /v1/things HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
      "POST /v1/things HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, identity\r\n\r\n",
      "POST /v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5\r\n\r\nabcde",
      "POST /v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5 5\r\n\r\nabcde",
      "POST /v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\nabcde",
      "POST /v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
      "GET /v1/things/a HTTP/1.1\r\nHost: localhost\r\nHost: example.org\r\n\r\n",
      "GET /v1/things/a HTTP/1.1\r\n\r\n",
      "GET /v1/things/a HTTP/1.1\r\nHost : localhost\r\n\r\n",
      "GET /v1/things/a HTTP/1.1\r\nHost: localhost\r\n folded: a\r\n\r\n",
      "GET /v1/things/a HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n",
      "GET /v1/things/a\u{1} HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "GET /v1/things/a HTTP/9.9\r\nHost: localhost\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}",
      "hello\r\n\r\n",
      "GET http://localhost/v1/things/a HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "POST /v1/things HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    ])
  func ambiguous(request: String) throws {
    let server = try server()
    defer { server.end() }
    let client = try RawClient(server.port)
    client.send(request)
    let answer = try client.response()
    #expect(answer.status == 400, "\(answer.text)")
    #expect(try answer.error["message"] is String)
    #expect(answer.headers["x-request-id"] != nil)
    let other = try RawClient(server.port)
    #expect(try other.ask("GET", "/v1/things/a").status == 200)
  }

  // MARK: - Slow and broken clients

  @Test("A client that sends its headers or its body too slowly is left")
  func slowClients() throws {
    var limits = ServerLimits()
    (limits.idleSeconds, limits.headSeconds, limits.bodySeconds) = (2, 1, 1)
    let server = try server(limits)
    defer { server.end() }
    let known = "GET /v1/things/a HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for start in [
      "GET /v1/things/a HTTP/1.1\r\nHo", known + "GET /v1/thing",
      "POST /v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\na",
      "POST /v1/things HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na",
    ] {
      let client = try RawClient(server.port)
      client.send(start)
      let since = ContinuousClock.now
      // A byte now and then keeps nobody waiting longer.
      usleep(600_000)
      client.send("a")
      let said = client.rest()
      #expect(said.contains("HTTP/1.1 408 Request Timeout"), "\(start): \(said)")
      #expect(ContinuousClock.now - since < .seconds(5), "\(start)")
    }
    // One that is idle is left without a word, which it would take for the answer to its next request.
    for start in ["", known] {
      let client = try RawClient(server.port)
      client.send(start)
      if !start.isEmpty { #expect(try client.response().status == 200) }
      #expect(client.rest() == "")
    }
    #expect(try RawClient(server.port).ask("GET", "/v1/things/a").status == 200)
  }

  @Test("A client that is gone in mid-stream ends the work for it, and so does one that does not read")
  func goneInMidStream() throws {
    var limits = ServerLimits()
    limits.writeSeconds = 1
    let server = try server(limits)
    defer { server.end() }
    let gone = try RawClient(server.port)
    gone.send("GET /v1/stream?count=100000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(gone.wait(for: "{\"number\":9}") != nil)
    gone.close()
    // Reads nothing: what is on its way fills up, and the server waits no longer than it has to.
    let deaf = try RawClient(server.port)
    deaf.send("GET /v1/stream?count=100000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    let end = ContinuousClock.now + .seconds(60)
    while left.count.load(ordering: .relaxed) < 2, ContinuousClock.now < end { usleep(20_000) }
    let total = left.count.load(ordering: .relaxed)
    #expect(total == 2)
    #expect(try RawClient(server.port).ask("GET", "/v1/things/a").status == 200)
  }

  @Test("A stream that breaks off tells the error, and ends without its last chunk")
  func tornStream() throws {
    let server = try server()
    defer { server.end() }
    let client = try RawClient(server.port)
    client.send("GET /v1/torn HTTP/1.1\r\nHost: localhost\r\n\r\n")
    let all = client.rest()
    #expect(all.contains("data: {\"number\":0}"))
    #expect(all.contains("\"code\":\"broke\""))
    #expect(!all.contains("\r\n0\r\n") && !all.contains("[DONE]"))
  }

  @Test("A thousand connections at once are all answered")
  func manyConnections() throws {
    let server = try server()
    defer { server.end() }
    let clients = try (0..<1000).map { _ in try RawClient(server.port) }
    for (number, client) in clients.enumerated() {
      client.send("GET /v1/things/n\(number) HTTP/1.1\r\nHost: localhost\r\n\r\n")
    }
    for (number, client) in clients.enumerated() {
      #expect(try client.response().text.contains("\"n\(number)\""))
    }
  }

  // MARK: - The end

  @Test("To end, it answers what is under way, closes what is idle, and takes nothing new")
  func ending() throws {
    let server = try server()
    let idle = try RawClient(server.port)
    #expect(try idle.ask("GET", "/v1/things/a").status == 200)
    let busy = try RawClient(server.port)
    busy.send("GET /v1/slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
    usleep(100_000)
    let isOver = Flag()
    let thread = Thread { isOver.value.store(server.end(), ordering: .releasing) }
    thread.start()
    let answer = try busy.response()
    #expect(answer.status == 200 && answer.headers["connection"] == "close")
    #expect(idle.rest() == "")
    let end = ContinuousClock.now + .seconds(60)
    while !isOver.value.load(ordering: .acquiring), ContinuousClock.now < end { usleep(10_000) }
    let hasEnded = isOver.value.load(ordering: .acquiring)
    #expect(hasEnded)
    #expect(throws: (any Error).self) { try RawClient(server.port) }
  }

  private final class Flag: Sendable {
    let value = Atomic<Bool>(false)
  }

  @Test("It waits no longer for a request than it may")
  func boundedEnding() throws {
    var limits = ServerLimits()
    limits.endSeconds = 1
    let server = try server(limits)
    let client = try RawClient(server.port)
    client.send("GET /v1/stream?count=100000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(client.wait(for: "{\"number\":9}") != nil)
    #expect(server.end(within: 15))
  }

  @Test("A port that is taken is said so")
  func takenPort() throws {
    let server = try server()
    defer { server.end() }
    let other = Server(
      port: server.port,
      context: try ServerContext(library: TestServer.emptyLibrary(), log: ServerLog { _ in }), parts: [])
    let error = #expect(throws: ServerError.self) { try other.run(ready: { _ in }, isCancelled: { true }) }
    #expect(error?.code == "address-in-use")
  }
}
