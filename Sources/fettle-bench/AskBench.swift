import ArgumentParser
import Foundation

/// Asks a server over connections that stay open, any server alike, and times its answers.
struct AskBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ask", abstract: "Requests over connections that stay open, and how long a server took.")

  @Option(help: "The server's port on 127.0.0.1.")
  var port: UInt16

  @Option(help: "What is asked.")
  var path: String

  @Option(help: "Connections, each of which asks again once it is answered.")
  var connections = 1

  @Option(help: "Seconds in which requests begin.")
  var seconds = 5.0

  @Option(help: "Requests; as many as fit into the seconds unless given.")
  var requests: Int?

  @Option(help: "The server's process, whose memory is told.")
  var process: Int?

  @Argument(help: "A file with a request's JSON a line, sent in turn.")
  var bodies: String

  func run() throws {
    let lines = try String(contentsOfFile: bodies, encoding: .utf8).split(separator: "\n").map(String.init)
    guard !lines.isEmpty else { throw ValidationError("\(bodies) is empty.") }
    let client = try Client(port: port, path: path, bodies: lines)
    let before = try process.map(residentMegabytes)
    let took = try fettle_bench.seconds {
      try client.ask(
        connections, until: .now + .seconds(requests == nil ? seconds : 3600), most: requests ?? .max)
    }
    let times = client.times.sorted()
    func share(_ part: Double) -> Double {
      times.isEmpty ? 0 : rounded(times[min(times.count - 1, Int(Double(times.count) * part))] * 1000)
    }
    var row: [String: any Sendable] = [
      "benchmark": "ask", "connections": connections, "requests": client.begun, "answered": times.count,
      "lost": client.begun - times.count, "seconds": rounded(took),
      "requests_per_second": rounded(Double(times.count) / took), "p50_ms": share(0.5), "p99_ms": share(0.99),
      "most_ms": share(1), "written": client.written,
      "written_per_request": rounded(Double(client.written) / Double(max(times.count, 1))),
    ]
    if let process, let before {
      row["resident_mb_before"] = before
      row["resident_mb_after"] = try residentMegabytes(process)
    }
    try printRow(row)
  }
}

/// The memory that a process has now, in megabytes, as Linux counts it.
private func residentMegabytes(_ process: Int) throws -> Double {
  let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
  let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
  guard let kilobytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Double($0) })
  else { throw ValidationError("Process \(process) is gone.") }
  return rounded(kilobytes / 1024, 10)
}

/// Many connections on one thread, so that little of the machine is taken from the server.
private final class Client {
  /// Seconds of each answer with status 200.
  private(set) var times: [Double] = []
  private(set) var begun = 0
  /// Tokens that answers say they have.
  private(set) var written = 0

  private let port: UInt16
  private let requests: [[UInt8]]
  private var next = 0

  private struct Connection {
    var socket: Int32
    var received: [UInt8] = []
    /// Bytes of the answer and its head, once the head is there.
    var length: Int?
    var since = ContinuousClock.now
  }

  init(port: UInt16, path: String, bodies: [String]) throws {
    self.port = port
    requests = bodies.map { body in
      Array(
        """
        POST \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nAuthorization: Bearer any\r\nAccept: application/json\r\n\
        Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)
        """.utf8)
    }
  }

  func ask(_ count: Int, until end: ContinuousClock.Instant, most: Int) throws {
    var connections: [Int32: Connection] = [:]
    defer { for socket in connections.keys { close(socket) } }
    for _ in 0..<min(count, most) {
      let socket = try connect()
      connections[socket] = Connection(socket: socket)
    }
    var watched = connections.keys.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    for socket in Array(connections.keys) where !begin(&connections, socket) { drop(&connections, socket) }
    while !connections.isEmpty {
      let ready = poll(&watched, nfds_t(watched.count), 120_000)
      if ready == 0 { return }
      for place in watched.indices where watched[place].revents != 0 {
        let socket = watched[place].fd
        guard let isDone = receive(&connections, socket) else {
          drop(&connections, socket)
          continue
        }
        guard isDone else { continue }
        if begun >= most || .now >= end || !begin(&connections, socket) { drop(&connections, socket) }
      }
      if connections.count < watched.count { watched.removeAll { connections[$0.fd] == nil } }
    }
  }

  private func connect() throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard descriptor >= 0, result == 0 else {
      throw ValidationError("Nothing answers on port \(port): \(String(cString: strerror(errno)))")
    }
    return descriptor
  }

  private func drop(_ connections: inout [Int32: Connection], _ socket: Int32) {
    connections[socket] = nil
    close(socket)
  }

  /// - Returns: whether the request could be sent.
  private func begin(_ connections: inout [Int32: Connection], _ socket: Int32) -> Bool {
    let request = requests[next]
    next = (next + 1) % requests.count
    begun += 1
    connections[socket]?.since = .now
    var sent = 0
    while sent < request.count {
      let count = request.withUnsafeBytes {
        send(socket, $0.baseAddress! + sent, request.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  /// - Returns: whether the answer is there; nil where the connection is of no more use.
  private func receive(_ connections: inout [Int32: Connection], _ socket: Int32) -> Bool? {
    guard var connection = connections[socket] else { return nil }
    connections[socket] = nil
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
    guard count > 0 else { return nil }
    connection.received += buffer[..<count]
    if connection.length == nil { connection.length = Self.length(connection.received) }
    var isDone = false
    if let length = connection.length, connection.received.count >= length {
      let text = String(decoding: connection.received, as: UTF8.self)
      guard length > 0, text.hasPrefix("HTTP/1.1 200") else {
        say("An answer was: \(text.prefix(300))")
        return nil
      }
      let parts = connection.since.duration(to: .now).components
      times.append(Double(parts.seconds) + Double(parts.attoseconds) * 1e-18)
      written += Self.completionTokens(text)
      connection.received.removeAll(keepingCapacity: true)
      connection.length = nil
      isDone = true
    }
    connections[socket] = connection
    return isDone
  }

  /// Of an answer with its head; nil before the head is whole, 0 where it does not say its body's length.
  private static func length(_ received: [UInt8]) -> Int? {
    let text = String(decoding: received, as: UTF8.self)
    guard let end = text.range(of: "\r\n\r\n") else { return nil }
    let head = text[..<end.lowerBound].lowercased()
    guard let field = head.range(of: "content-length:"),
      let length = Int(head[field.upperBound...].prefix { $0 != "\r\n" }.trimmingCharacters(in: .whitespaces))
    else { return 0 }
    return text[..<end.upperBound].utf8.count + length
  }

  private static func completionTokens(_ text: String) -> Int {
    guard let name = text.range(of: "\"completion_tokens\":") else { return 0 }
    return Int(text[name.upperBound...].drop { $0 == " " }.prefix { $0.isNumber }) ?? 0
  }
}
