import Foundation
import NIOCore
import NIOHTTP1

/// What a request has to be for the server to answer it at all.
struct Doorkeeper: Sendable {
  /// What every request must bear; nil on loopback, where any key will do.
  var token: String?

  /// Any page that a browser shows can send requests to this machine: those bear an Origin, or a Host that is no loopback's.
  /// - Throws: `APIError` 400, 401 or 403.
  func check(_ head: HTTPRequestHead) throws {
    let hosts = head.headers["host"]
    guard hosts.count == 1 || hosts.isEmpty && head.version != .http1_1 else {
      throw Self.ambiguous("A request has one Host header.")
    }
    guard head.headers["origin"].isEmpty else {
      throw APIError(403, "This server answers programs, not web pages: a request with an Origin is refused.")
    }
    guard let token else {
      guard hosts.allSatisfy(Self.isLoopback) else {
        throw APIError(
          403,
          "This server answers to 127.0.0.1, localhost and [::1] alone, and the Host header names another.")
      }
      return
    }
    let given = head.headers["authorization"].first ?? ""
    // As clients of OpenAI say it, and as Kili's do.
    guard Self.isSame(given, "Bearer \(token)") || Self.isSame(given, "X-API-Key: \(token)") else {
      throw APIError(
        401, "The API key is not the token that this server was started with.", code: "invalid_api_key")
    }
  }

  /// What another reader could take for another request: behind it nothing is read.
  static func ambiguous(_ message: String) -> APIError { .invalid(message, code: ambiguousCode) }
  static let ambiguousCode = "ambiguous_request"

  static func isLoopback(_ host: String) -> Bool {
    let names = ["localhost", "127.0.0.1", "[::1]"]
    let host = host.lowercased()
    guard let name = names.first(where: host.hasPrefix) else { return false }
    let rest = host.dropFirst(name.count)
    return rest.isEmpty || rest.first == ":" && rest.dropFirst().allSatisfy { $0.isASCII && $0.isNumber }
  }

  /// Takes as long whatever is the same of them.
  private static func isSame(_ one: String, _ other: String) -> Bool {
    let (one, other) = (Array(one.utf8), Array(other.utf8))
    guard one.count == other.count else { return false }
    return zip(one, other).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }
}

/// From a request to its answer: shared by all connections.
struct Answering: Sendable {
  let router: Router
  let context: ServerContext
  let doorkeeper: Doorkeeper
  let limits: ServerLimits

  /// A request whose headers are there.
  struct Beginning: Sendable {
    var request: ServerRequest
    var route: Route
  }

  /// - Throws: `APIError`.
  func begin(_ head: HTTPRequestHead, id: String) throws -> Beginning {
    let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let path = parts.first ?? ""
    let found = Result {
      guard path.hasPrefix("/") else {
        throw Doorkeeper.ambiguous("The request's path does not begin with a slash.")
      }
      let decoded = try Router.parts(ofPath: path)
      return (path: decoded, found: try router.find(head.method.rawValue, decoded))
    }
    do {
      try doorkeeper.check(head)
    } catch {
      throw APIError(error).told(in: (try? found.get().found.route.form) ?? .openAI)
    }
    let (decoded, (route, parameters)) = try found.get()
    let request = ServerRequest(
      method: route.method, path: decoded, parameters: parameters,
      query: try parts.count > 1 ? Router.items(ofQuery: parts[1]) : [],
      headers: ServerRequest.Headers(head.headers.map { (name: $0.name, value: $0.value) }), id: id)
    return Beginning(request: request, route: route)
  }

  func answer(_ beginning: Beginning) async -> ServerResponse {
    do {
      return try await beginning.route.handler(beginning.request, context)
    } catch {
      return self.error(error, beginning.request).told(in: beginning.route.form).response
    }
  }

  /// What the client is told; what it is not told goes into the log.
  func error(_ error: any Error, _ request: ServerRequest) -> APIError {
    let told = APIError(error)
    if told.status >= 500, !(error is CancellationError) {
      let path = "/" + request.path.joined(separator: "/")
      context.log("\(request.method.rawValue) \(path) failed (\(request.id)): \(error)")
    }
    return told
  }
}
