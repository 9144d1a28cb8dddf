import Foundation

/// What an endpoint answers.
public struct ServerResponse: Sendable {
  public var status: Int
  /// Besides the length and `x-request-id`, which the server adds.
  public var headers: [(name: String, value: String)]
  public var body: Body

  public enum Body: Sendable {
    case bytes(Data)
    /// Written while the endpoint computes. It is run in a task that is cancelled when the client is gone or the server ends; `send`
    /// throws then, and waits while the client does not read. What it throws ends the stream without its last chunk, so that no
    /// client takes half an answer for a whole one; an `APIError` is told as an event first.
    case events(@Sendable (EventSink) async throws -> Void)
  }

  public init(status: Int = 200, headers: [(name: String, value: String)] = [], body: Body) {
    (self.status, self.headers, self.body) = (status, headers, body)
  }

  /// What is `createdAt` here is `created_at` there; the keys of dictionaries stay as they are.
  /// - Throws: `EncodingError`, for a number that is not finite.
  public static func json(_ value: some Encodable, status: Int = 200) throws -> ServerResponse {
    ServerResponse(
      status: status, headers: [("content-type", "application/json")], body: .bytes(try JSON.data(value)))
  }

  public static func bytes(_ data: Data, type: String = "application/octet-stream") -> ServerResponse {
    ServerResponse(headers: [("content-type", type)], body: .bytes(data))
  }

  /// Server-sent events.
  public static func events(_ write: @escaping @Sendable (EventSink) async throws -> Void) -> ServerResponse {
    ServerResponse(
      headers: [("content-type", "text/event-stream"), ("cache-control", "no-cache")],
      body: .events(write))
  }
}

/// Where an endpoint writes its events.
public struct EventSink: Sendable {
  private let write: @Sendable (Data) async throws -> Void

  public init(write: @escaping @Sendable (Data) async throws -> Void) { self.write = write }

  /// One event, `data: {…}`.
  /// - Throws: `CancellationError` where nobody listens any more.
  public func send(_ value: some Encodable) async throws {
    try await write(Data("data: ".utf8) + JSON.data(value) + Data("\n\n".utf8))
  }

  /// `data: [DONE]`, with which every stream ends.
  public func done() async throws { try await write(Data("data: [DONE]\n\n".utf8)) }

  /// A line that clients skip: it shows that the server is still there. To be sent at least every ten minutes.
  public func comment(_ text: String) async throws { try await write(Data(": \(text)\n\n".utf8)) }
}

/// JSON as it goes over the wire: the same bytes for the same value.
enum JSON {
  static func data(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return try encoder.encode(value)
  }
}

/// A member that is there even where it says nothing: `"logprobs": null`.
public struct Nullable<Value: Encodable & Sendable>: Encodable, Sendable {
  public var value: Value?

  public init(_ value: Value?) { self.value = value }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let value { try container.encode(value) } else { try container.encodeNil() }
  }
}
