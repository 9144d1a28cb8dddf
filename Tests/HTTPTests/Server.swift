import Foundation
import Synchronization

/// A web server on loopback that does what a test wants of it, misbehaviour included.
final class Server: Sendable {
  struct Request: Sendable {
    /// `/file`, or the whole address where the client takes the server for a proxy.
    var target: String
    /// By lower-case name.
    var headers: [String: String]

    /// The offset that `Range: bytes=N-` asks for.
    var rangeStart: Int? {
      headers["range"].flatMap { Int($0.dropFirst("bytes=".count).dropLast()) }
    }
  }

  /// One client's connection; closed when the handler returns.
  struct Connection {
    fileprivate var descriptor: CInt

    func send(_ text: String) { send(Data(text.utf8)) }

    func send(_ data: Data) {
      data.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
        var rest = bytes
        while !rest.isEmpty {
          let sent = Glibc.send(descriptor, rest.baseAddress, rest.count, CInt(MSG_NOSIGNAL))
          if sent <= 0 { return }
          rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(sent))
        }
      }
    }

    /// Returns when the client has closed its end.
    func waitForClient() {
      var byte: UInt8 = 0
      while recv(descriptor, &byte, 1, 0) > 0 {}
    }
  }

  let port: UInt16
  private let listener: CInt
  private let log: Log

  private final class Log: Sendable {
    let requests = Mutex<[Request]>([])
  }

  var requests: [Request] { log.requests.withLock { $0 } }

  func address(_ path: String = "/file", scheme: String = "http") -> String {
    "\(scheme)://127.0.0.1:\(port)\(path)"
  }

  /// Serves until `stop`, or else until the tests end.
  ///
  /// - Parameter greeting: what a client is sent before it has asked for anything.
  init(greeting: String = "", _ handler: @escaping @Sendable (Request, Connection) -> Void) throws {
    let log = Log()
    self.log = log
    listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) == 0 && listen(listener, 16) == 0
          && getsockname(listener, $0, &length) == 0
      }
    }
    guard isBound else { throw POSIXError(.EADDRNOTAVAIL) }
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread {
      while true {
        let client = accept(listener, nil, nil)
        guard client >= 0 else {
          close(listener)
          return
        }
        Thread.detachNewThread {
          Connection(descriptor: client).send(greeting)
          if let request = Server.readRequest(client) {
            log.requests.withLock { $0.append(request) }
            handler(request, Connection(descriptor: client))
          }
          shutdown(client, CInt(SHUT_RDWR))
          close(client)
        }
      }
    }
  }

  /// The thread that accepts closes the socket: closed here, its number could be another server's by the time that the
  /// thread looks.
  func stop() { shutdown(listener, CInt(SHUT_RDWR)) }

  private static func readRequest(_ client: CInt) -> Request? {
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
      guard bytes.count < 65_536, recv(client, &byte, 1, 0) == 1 else { return nil }
      bytes.append(byte)
    }
    let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
    let words = lines[0].split(separator: " ")
    guard words.count == 3 else { return nil }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 { headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
    }
    return Request(target: String(words[1]), headers: headers)
  }
}

extension Server.Connection {
  func sendHead(_ status: String, _ headers: [String: String] = [:]) {
    let lines = headers.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\r\n" }
    send("HTTP/1.1 \(status)\r\nConnection: close\r\n\(lines.joined())\r\n")
  }

  /// Serves `body` as a server does that knows ranges.
  func serve(_ body: Data, to request: Server.Request) {
    guard let start = request.rangeStart else {
      sendHead("200 OK", ["Content-Length": "\(body.count)"])
      return send(body)
    }
    guard start < body.count else {
      return sendHead(
        "416 Range Not Satisfiable", ["Content-Range": "bytes */\(body.count)", "Content-Length": "0"])
    }
    sendHead(
      "206 Partial Content",
      [
        "Content-Length": "\(body.count - start)",
        "Content-Range": "bytes \(start)-\(body.count - 1)/\(body.count)",
      ])
    send(body.dropFirst(start))
  }
}
