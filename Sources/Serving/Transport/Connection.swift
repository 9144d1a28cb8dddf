import Foundation
import NIOCore
import NIOHTTP1

/// One client's connection: requests one after another, each answered before the next is read.
///
/// Everything happens on the connection's event loop, but for the task in which a request is answered.
final class Connection: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  /// Told when the server is to end.
  struct Ending: Sendable {}

  /// Tells it of bytes before they are read as a request: one that has begun has less time than a connection that is idle.
  final class Arrivals: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    struct Arrival: Sendable {}

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      context.fireUserInboundEventTriggered(Arrival())
      context.fireChannelRead(data)
    }
  }

  private let answering: Answering
  private var state: State = .waiting
  private var isEnding = false
  /// Whether a part of the next request's headers is there.
  private var hasBegun = false
  /// Whether the client took too long for it.
  private var isLate = false
  private var deadline: Scheduled<Void>?
  /// What has come of the request's body. Not within the state, whose copies would each copy it as it grows.
  private var body = Data()

  private enum State {
    case waiting
    case reading(Reading)
    case answering(Task<Void, Never>)
    /// All is said, and what still comes is thrown away: a client that is still sending would not read the answer otherwise.
    case leaving
  }

  private struct Reading {
    var id: String
    var head: HTTPRequestHead
    var beginning: Result<Answering.Beginning, APIError>
    var maximum: Int
  }

  init(_ answering: Answering) { self.answering = answering }

  // MARK: - Reading

  func channelActive(context: ChannelHandlerContext) {
    wait(context, seconds: answering.limits.idleSeconds)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch (Self.unwrapInboundIn(data), state) {
    case (.head(let head), .waiting): begin(head, context)
    case (.body(let buffer), .reading(let reading)):
      if body.count + buffer.readableBytes > reading.maximum {
        refuse(tooLarge(reading.maximum), reading, context)
      } else {
        buffer.withUnsafeReadableBytes { body.append(contentsOf: $0) }
      }
    case (.end, .reading(let reading)): answer(reading, context)
    default: break
    }
  }

  private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    hasBegun = false
    let id = ServerRequest.newID()
    var beginning: Result<Answering.Beginning, APIError>
    do {
      beginning = .success(try answering.begin(head, id: id))
    } catch {
      beginning = .failure(APIError(error))
    }
    // What is refused anyway is read to its end where it is short: the connection can be used again.
    let maximum =
      if case .success(let beginning) = beginning { beginning.route.maximumBody } else { 64 << 10 }
    let reading = Reading(id: id, head: head, beginning: beginning, maximum: maximum)
    if case .failure(let error) = beginning, error.code == Doorkeeper.ambiguousCode {
      return refuse(error, reading, context)
    }
    let length = head.headers["content-length"].first.flatMap { Int($0) } ?? 0
    if length > maximum {
      if case .failure(let error) = beginning { return refuse(error, reading, context) }
      return refuse(tooLarge(maximum), reading, context)
    }
    if head.headers["expect"].contains(where: { $0.lowercased() == "100-continue" }) {
      if case .failure(let error) = beginning { return refuse(error, reading, context) }
      write(.head(HTTPResponseHead(version: head.version, status: .continue)), context)
      context.flush()
    }
    state = .reading(reading)
    wait(context, seconds: answering.limits.bodySeconds + max(length, 0) / (64 << 10))
  }

  private func tooLarge(_ maximum: Int) -> APIError {
    APIError(413, "The body is larger than the \(maximum) bytes that are taken here.", code: "body_too_large")
  }

  private static let tooSlow = APIError(
    408, "The request did not come to its end in time.", code: "request_timeout")

  /// Answers before the request has come to its end, and closes.
  private func refuse(_ error: APIError, _ reading: Reading, _ context: ChannelHandlerContext) {
    _ = takeBody()
    let form = (try? reading.beginning.get().route.form) ?? error.form
    send(error.told(in: form).response, reading.id, reading.head, isLast: true, context)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let error = error as? HTTPParserError else {
      context.close(promise: nil)
      return
    }
    // The decoder closes the connection when this returns.
    switch state {
    case .answering, .leaving: break
    case .waiting, .reading:
      let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")
      send(refusal(of: error).response, ServerRequest.newID(), head, isLast: true, context)
    }
  }

  private func refusal(of error: HTTPParserError) -> APIError {
    if isLate { return Self.tooSlow }
    if error == .headerOverflow {
      return APIError(431, "The headers are longer than this server takes.", code: "headers_too_large")
    }
    return .invalid("This is no HTTP/1.1 request: \(error.debugDescription).")
  }

  private func takeBody() -> Data {
    defer { body = Data() }
    return body
  }

  // MARK: - Answering

  private func answer(_ reading: Reading, _ context: ChannelHandlerContext) {
    deadline?.cancel()
    let body = takeBody()
    switch reading.beginning {
    case .failure(let error):
      send(error.response, reading.id, reading.head, isLast: false, context)
    case .success(var beginning):
      beginning.request.body = body
      let answering = answering
      let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
      let (head, channel, limits) = (reading.head, context.channel, answering.limits)
      let ready = beginning
      let work: @Sendable () async -> Void = {
        let response = await answering.answer(ready)
        let id = ready.request.id
        guard case .events(let events) = response.body else {
          channel.eventLoop.execute {
            let (connection, context) = bound.value
            connection.send(response, id, head, isLast: false, context)
          }
          return
        }
        let isWhole: Bool
        do {
          try await Self.write(head: response, id, head, to: channel, limits)
          isWhole = await Self.stream(events, answering, ready.request, to: channel, limits)
        } catch {
          isWhole = false
        }
        channel.eventLoop.execute {
          let (connection, context) = bound.value
          connection.finish(head, isWhole: isWhole, context)
        }
      }
      // Somebody waits for it.
      state = .answering(Task(priority: .userInitiated, operation: work))
    }
  }

  /// - Returns: whether all of it was written.
  private static func stream(
    _ events: @Sendable (EventSink) async throws -> Void, _ answering: Answering, _ request: ServerRequest,
    to channel: any Channel, _ limits: ServerLimits
  ) async -> Bool {
    let sink = EventSink { data in
      try await write(.body(.byteBuffer(ByteBuffer(bytes: data))), to: channel, limits)
    }
    do {
      try await events(sink)
      return true
    } catch {
      let told = answering.error(error, request)
      if !Task.isCancelled { try? await sink.send(told.body) }
      return false
    }
  }

  private static func write(
    head response: ServerResponse, _ id: String, _ head: HTTPRequestHead, to channel: any Channel,
    _ limits: ServerLimits
  ) async throws {
    var headers = HTTPHeaders(response.headers.map { ($0.name, $0.value) })
    headers.replaceOrAdd(name: "x-request-id", value: id)
    // A client of HTTP/1.0 knows a stream's end by the connection's.
    if !head.isKeepAlive || head.version != .http1_1 {
      headers.replaceOrAdd(name: "connection", value: "close")
    }
    let status = HTTPResponseStatus(statusCode: response.status)
    try await write(
      .head(HTTPResponseHead(version: head.version, status: status, headers: headers)), to: channel, limits)
  }

  /// Returns once the system has taken it; a client that does not read for too long is left.
  private static func write(
    _ part: HTTPServerResponsePart, to channel: any Channel, _ limits: ServerLimits
  ) async throws {
    try Task.checkCancellation()
    let written: EventLoopFuture<Void> = channel.writeAndFlush(part)
    let patience = channel.eventLoop.scheduleTask(in: .seconds(Int64(limits.writeSeconds))) {
      channel.close(promise: nil)
    }
    defer { patience.cancel() }
    do {
      try await written.get()
    } catch {
      throw CancellationError()
    }
  }

  /// Head and body in one write.
  private func send(
    _ response: ServerResponse, _ id: String, _ head: HTTPRequestHead, isLast: Bool,
    _ context: ChannelHandlerContext
  ) {
    guard context.channel.isActive else { return }
    guard case .bytes(let data) = response.body else { return }
    let closes = isLast || isEnding || !head.isKeepAlive
    var headers = HTTPHeaders(response.headers.map { ($0.name, $0.value) })
    headers.replaceOrAdd(name: "content-length", value: String(data.count))
    headers.replaceOrAdd(name: "x-request-id", value: id)
    if closes {
      headers.replaceOrAdd(name: "connection", value: "close")
    } else if head.version != .http1_1 {
      headers.replaceOrAdd(name: "connection", value: "keep-alive")
    }
    let status = HTTPResponseStatus(statusCode: response.status)
    write(.head(HTTPResponseHead(version: head.version, status: status, headers: headers)), context)
    if head.method != .HEAD { write(.body(.byteBuffer(ByteBuffer(bytes: data))), context) }
    state = closes ? .leaving : .waiting
    write(.end(nil), context)
    context.flush()
    if closes { leave(context) } else { wait(context, seconds: answering.limits.idleSeconds) }
  }

  /// Ends a stream; one that broke off without its last chunk, so that the client knows.
  private func finish(_ head: HTTPRequestHead, isWhole: Bool, _ context: ChannelHandlerContext) {
    guard context.channel.isActive else { return }
    guard isWhole else { return context.close(promise: nil) }
    let closes = isEnding || !head.isKeepAlive || head.version != .http1_1
    state = closes ? .leaving : .waiting
    write(.end(nil), context)
    context.flush()
    if closes { leave(context) } else { wait(context, seconds: answering.limits.idleSeconds) }
  }

  private func write(_ part: HTTPServerResponsePart, _ context: ChannelHandlerContext) {
    context.write(Self.wrapOutboundOut(part), promise: nil)
  }

  // MARK: - Leaving

  /// The client reads the answer to its end, and then the connection's.
  private func leave(_ context: ChannelHandlerContext) {
    state = .leaving
    context.close(mode: .output, promise: nil)
    wait(context, seconds: 2)
  }

  /// Ends the connection in so many seconds, unless something happens.
  private func wait(_ context: ChannelHandlerContext, seconds: Int) {
    deadline?.cancel()
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    deadline = context.eventLoop.scheduleTask(in: .seconds(Int64(seconds))) {
      let (connection, context) = bound.value
      connection.timeOut(context)
    }
  }

  /// A client that has sent a part of its request is told; one that was idle would take an answer for that to its next.
  private func timeOut(_ context: ChannelHandlerContext) {
    switch state {
    case .reading(let reading): refuse(Self.tooSlow, reading, context)
    case .waiting where hasBegun && !isLate:
      isLate = true
      // Only what cannot be read may be answered before its headers are there.
      context.pipeline.fireErrorCaught(HTTPParserError.invalidEOFState)
    case .waiting, .answering, .leaving: context.close(promise: nil)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    deadline?.cancel()
    if case .answering(let task) = state { task.cancel() }
    state = .leaving
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case is Ending:
      isEnding = true
      if case .waiting = state { context.close(promise: nil) }
    case is Arrivals.Arrival:
      guard case .waiting = state, !hasBegun else { return }
      hasBegun = true
      wait(context, seconds: answering.limits.headSeconds)
    default: context.fireUserInboundEventTriggered(event)
    }
  }
}
