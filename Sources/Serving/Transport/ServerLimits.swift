/// How much of everything a server takes, so that no client can take all of it.
public struct ServerLimits: Sendable {
  /// Bytes of all headers of a request.
  public var headerBytes = 32 << 10
  public var headerFields = 100
  /// Connections at once, or as many as the system gives open files for; one more is closed.
  public var connections = 4096
  /// Seconds from a connection's last answer, or its beginning, to its next request.
  public var idleSeconds = 60
  /// Seconds from the first byte of a request to the end of its headers.
  public var headSeconds = 15
  /// Seconds that a body may take, besides one for each 64 kilobytes.
  public var bodySeconds = 30
  /// Seconds that a client may leave an answer unread.
  public var writeSeconds = 60
  /// Seconds that requests under way have, once the server is to end.
  public var endSeconds = 20

  public init() {}
}
