import Foundation

/// A connection that sends what it is told to, right or wrong.
public final class RawClient {
  private let descriptor: Int32
  private var received = Data()

  public init(_ port: Int) throws {
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
    guard result == 0 else { throw ClientError("connect: errno \(errno)") }
    // In a test run the server's answers wait behind hundreds of tests for a thread.
    var patience = timeval(tv_sec: 600, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close() }

  private var isOpen = true

  public func close() {
    if isOpen { Glibc.close(descriptor) }
    isOpen = false
  }

  /// - Returns: whether all of it was taken.
  @discardableResult
  public func send(_ text: String) -> Bool { send(Data(text.utf8)) }

  @discardableResult
  public func send(_ data: Data) -> Bool {
    var rest = data
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if sent <= 0 { return false }
      rest = rest.dropFirst(sent)
    }
    return true
  }

  /// Reads more; false at the end of the connection, or after ten minutes without anything.
  private func read() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    if count > 0 { received.append(contentsOf: buffer[..<count]) }
    return count > 0
  }

  /// - Throws: `ClientError` where nothing more comes.
  private func more() throws {
    guard read() else { throw ClientError("the answer was cut") }
  }

  /// All that comes up to the connection's end.
  public func rest() -> String {
    while read() {}
    defer { received = Data() }
    return String(decoding: received, as: UTF8.self)
  }

  /// What has come once `text` is among it; nil where the connection ends before.
  public func wait(for text: String) -> String? {
    while received.range(of: Data(text.utf8)) == nil { if !read() { return nil } }
    return String(decoding: received, as: UTF8.self)
  }

  public struct Response {
    public var status: Int
    public var headers: [String: String]
    public var body: Data

    public var text: String { String(decoding: body, as: UTF8.self) }

    public var json: [String: Any] {
      get throws {
        guard let object = try JSONSerialization.jsonObject(with: body) as? [String: Any] else {
          throw ClientError("no object: \(text)")
        }
        return object
      }
    }

    /// The inner object of an error.
    public var error: [String: Any] {
      get throws {
        guard let error = try json["error"] as? [String: Any] else { throw ClientError("no error: \(text)") }
        return error
      }
    }
  }

  /// The next answer; one without a length is read to its last chunk.
  /// - Parameter hasBody: false for the answer to HEAD, whose length is that of what it leaves out.
  public func response(hasBody: Bool = true) throws -> Response {
    let end = Data("\r\n\r\n".utf8)
    while received.range(of: end) == nil { try more() }
    guard let range = received.range(of: end) else { throw ClientError("no answer") }
    let head = String(decoding: received[..<range.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
    received = Data(received[range.upperBound...])
    guard let status = head[0].split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
      throw ClientError("no status: \(head)")
    }
    let fields = head.dropFirst().map { line -> (String, String) in
      let parts = line.split(separator: ":", maxSplits: 1)
      return (parts[0].lowercased(), parts[1].trimmingCharacters(in: .whitespaces))
    }
    var response = Response(
      status: status, headers: Dictionary(fields, uniquingKeysWith: { "\($0), \($1)" }), body: Data())
    guard hasBody else { return response }
    if let length = response.headers["content-length"].flatMap({ Int($0) }) {
      while received.count < length { try more() }
      response.body = received.prefix(length)
      received = Data(received.dropFirst(length))
    } else if response.headers["transfer-encoding"] == "chunked" {
      while true {
        let line = Data("\r\n".utf8)
        while received.range(of: line) == nil { try more() }
        guard let end = received.range(of: line),
          let size = Int(String(decoding: received[..<end.lowerBound], as: UTF8.self), radix: 16)
        else { throw ClientError("no chunk") }
        while received.count < end.upperBound - received.startIndex + size + 2 {
          try more()
        }
        response.body.append(received[end.upperBound..<end.upperBound + size])
        received = Data(received[(end.upperBound + size + 2)...])
        if size == 0 { break }
      }
    }
    return response
  }

  /// Asks as a well-behaved client does.
  public func ask(_ method: String, _ path: String, json: String? = nil, headers: [String] = []) throws
    -> Response
  {
    var lines = ["\(method) \(path) HTTP/1.1", "Host: 127.0.0.1"] + headers
    if let json { lines += ["Content-Type: application/json", "Content-Length: \(json.utf8.count)"] }
    send(lines.joined(separator: "\r\n") + "\r\n\r\n" + (json ?? ""))
    return try response()
  }
}

/// What a server did not do.
public struct ClientError: Error, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}
