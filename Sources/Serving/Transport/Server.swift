import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An HTTP/1.1 server on one address.
public struct Server: Sendable {
  private let host: String
  private let port: Int
  private let context: ServerContext
  private let parts: [any ServerPart]
  private let answering: Answering
  private let limits: ServerLimits

  /// - Parameters:
  ///   - port: 0 for one that the system chooses.
  ///   - token: what every request must bear, as `Authorization: Bearer TOKEN`; nil where any key will do, which is for loopback.
  public init(
    host: String = "127.0.0.1", port: Int, token: String? = nil, limits: ServerLimits = ServerLimits(),
    context: ServerContext, parts: [any ServerPart]
  ) {
    (self.host, self.port, self.context, self.parts, self.limits) = (host, port, context, parts, limits)
    answering = Answering(
      router: Router(parts.flatMap(\.routes)), context: context, doorkeeper: Doorkeeper(token: token),
      limits: limits)
  }

  /// Whether an address is one that only this machine reaches.
  public static func isLoopback(_ host: String) -> Bool {
    ["localhost", "::1"].contains(host.lowercased()) || IPv4.isLoopback(host)
  }

  private enum IPv4 {
    static func isLoopback(_ host: String) -> Bool {
      guard case .v4? = try? SocketAddress(ipAddress: host, port: 0) else { return false }
      return host.hasPrefix("127.")
    }
  }

  /// Serves until it is to end, and returns when the requests under way are answered, or have had their time.
  ///
  /// - Parameters:
  ///   - ready: called with the server's address once it can be asked: `http://127.0.0.1:8080`.
  ///   - isCancelled: whether it is to end; asked ten times a second.
  /// - Throws: `ServerError` where it cannot have the address.
  public func run(ready: (_ address: String) -> Void, isCancelled: () -> Bool) throws {
    let most = allowConnections()
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    defer { try? group.syncShutdownGracefully() }
    let connections = Connections()
    let channel: any Channel
    do {
      channel = try bootstrap(group, connections, most).bind(host: host, port: port).wait()
    } catch {
      throw ServerError(host: host, port: port, reason: error)
    }
    let work = parts.map { part in Task { [context] in await part.run(context) } }
    ready("http://\(host.contains(":") ? "[\(host)]" : host):\(channel.localAddress?.port ?? port)")
    while !isCancelled() { usleep(100_000) }
    try? channel.close().wait()
    connections.end()
    let end = ContinuousClock.now + .seconds(limits.endSeconds)
    while !connections.isEmpty, ContinuousClock.now < end { usleep(20_000) }
    connections.close()
    let ended = DispatchSemaphore(value: 0)
    Task {
      for task in work {
        task.cancel()
        await task.value
      }
      ended.signal()
    }
    ended.wait()
  }

  /// A connection is an open file, of which a process often may have a thousand until it asks for more.
  /// - Returns: how many connections there may be, so that files are left for the work.
  private func allowConnections() -> Int {
    let others = 128
    var files = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 else {
      return limits.connections
    }
    files.rlim_cur = min(files.rlim_max, max(files.rlim_cur, rlim_t(limits.connections + others)))
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
    return min(limits.connections, max(16, Int(clamping: files.rlim_cur) - others))
  }

  private func bootstrap(
    _ group: MultiThreadedEventLoopGroup, _ connections: Connections, _ most: Int
  ) -> ServerBootstrap {
    ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { [answering, limits] channel in
        channel.eventLoop.makeCompletedFuture {
          guard connections.insert(channel, most) else {
            throw ChannelError.operationUnsupported
          }
          var decoding = NIOHTTPDecoderLimitConfiguration()
          decoding.maxHeaderFieldSize = limits.headerBytes
          decoding.maxHeaderListSize = limits.headerBytes
          decoding.maxHeaderFieldCount = limits.headerFields
          // Who does not read answers is read no further, so that they do not pile up.
          try channel.pipeline.syncOperations.addHandlers(BackPressureHandler(), Connection.Arrivals())
          try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withErrorHandling: false, withEncoderConfiguration: .init(),
            withDecoderLimitConfiguration: decoding)
          try channel.pipeline.syncOperations.addHandler(Connection(answering))
        }
      }
  }
}

/// The connections that are open.
private final class Connections: Sendable {
  private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

  /// - Returns: whether there is room for it.
  func insert(_ channel: any Channel, _ most: Int) -> Bool {
    let id = ObjectIdentifier(channel)
    let hasRoom = channels.withLock { channels in
      guard channels.count < most else { return false }
      channels[id] = channel
      return true
    }
    if hasRoom { channel.closeFuture.whenComplete { _ in self.channels.withLock { $0[id] = nil } } }
    return hasRoom
  }

  var isEmpty: Bool { channels.withLock { $0.isEmpty } }

  func end() {
    for channel in channels.withLock({ Array($0.values) }) {
      channel.pipeline.fireUserInboundEventTriggered(Connection.Ending())
    }
  }

  func close() {
    for channel in channels.withLock({ Array($0.values) }) { channel.close(promise: nil) }
  }
}

/// Why a server cannot begin.
public struct ServerError: Error, CustomStringConvertible {
  public let description: String
  /// A stable word, for programs.
  public let code: String

  init(host: String, port: Int, reason: any Error) {
    switch (reason as? IOError)?.errnoCode {
    case EADDRINUSE:
      code = "address-in-use"
      description =
        "Another program serves on \(host):\(port) already. End that one, or take another port: --port 0 takes one that is free."
    case EACCES:
      code = "address-denied"
      description = "Port \(port) is kept for the system. Take one from 1024 on: --port 8080"
    default:
      code = "no-such-address"
      description = "This machine cannot serve on \(host):\(port). Is \(host) one of its own addresses?"
    }
  }
}
