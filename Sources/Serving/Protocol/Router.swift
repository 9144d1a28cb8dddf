import Foundation

/// A method and a path, and what answers there.
public struct Route: Sendable {
  public typealias Handler = @Sendable (ServerRequest, ServerContext) async throws -> ServerResponse

  let method: ServerRequest.Method
  /// `v1`, `models`, `:id`: a part that begins with a colon takes any.
  let pattern: [String]
  /// Bytes that a body may have; a longer one is refused with 413 before it is read.
  let maximumBody: Int
  /// How its errors are told.
  let form: APIError.Form
  let handler: Handler

  /// - Parameters:
  ///   - path: `/v1/models/:id`. A written part goes before one that takes any.
  ///   - handler: what it throws is answered as an `APIError`.
  public init(
    _ method: ServerRequest.Method, _ path: String, maximumBody: Int = 4 << 20,
    form: APIError.Form = .openAI, _ handler: @escaping Handler
  ) {
    self.method = method
    pattern = path.split(separator: "/").map(String.init)
    self.maximumBody = maximumBody
    self.form = form
    self.handler = handler
  }

  /// What stands in the places that the pattern names; nil where the path is another.
  fileprivate func match(_ path: [String]) -> [String: String]? {
    guard path.count == pattern.count else { return nil }
    var found: [String: String] = [:]
    for (part, wanted) in zip(path, pattern) {
      if wanted.hasPrefix(":") {
        guard !part.isEmpty else { return nil }
        found[String(wanted.dropFirst())] = part
      } else if part != wanted {
        return nil
      }
    }
    return found
  }
}

/// All that a server answers.
public struct Router: Sendable {
  private let routes: [Route]

  public init(_ routes: [Route]) {
    // Those with fewer open places first.
    self.routes = routes.enumerated().sorted { one, other in
      let counts = [one, other].map { $0.element.pattern.count { $0.hasPrefix(":") } }
      return (counts[0], one.offset) < (counts[1], other.offset)
    }.map(\.element)
  }

  /// - Throws: `APIError` 404, or 405 where the path takes another method.
  func find(_ method: String, _ path: [String]) throws -> (route: Route, parameters: [String: String]) {
    var methods: [String] = []
    for route in routes {
      guard let parameters = route.match(path) else { continue }
      if route.method.rawValue == method { return (route, parameters) }
      methods.append(route.method.rawValue)
    }
    let shown = "/" + path.joined(separator: "/")
    guard methods.isEmpty else {
      throw APIError(
        405, "\(shown) takes \(methods.joined(separator: " and ")), not \(method).",
        headers: [("allow", methods.joined(separator: ", "))])
    }
    throw APIError(404, "There is nothing at \(method) \(shown).", code: "unknown_url")
  }

  /// A path's parts, percent-decoded one by one, so that a name may have a slash.
  /// - Throws: `APIError` where they are no UTF-8.
  static func parts(ofPath path: Substring) throws -> [String] {
    try path.split(separator: "/").map { part in
      guard let decoded = part.removingPercentEncoding else {
        throw APIError.invalid("The path is not percent-encoded UTF-8.")
      }
      return decoded
    }
  }

  /// - Throws: `APIError` where it is no UTF-8.
  static func items(ofQuery query: Substring) throws -> [(name: String, value: String)] {
    try query.split(separator: "&").map { item in
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
        $0.replacingOccurrences(of: "+", with: " ").removingPercentEncoding
      }
      guard let name = parts[0], let value = parts.count > 1 ? parts[1] : "" else {
        throw APIError.invalid("The query is not percent-encoded UTF-8.")
      }
      return (name, value)
    }
  }
}
