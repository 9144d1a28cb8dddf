import Foundation

extension Router {
  /// Answers a request that came over no wire.
  ///
  /// - Parameter target: a path, with a query or without.
  package func answer(
    _ method: ServerRequest.Method, _ target: String, headers: [(name: String, value: String)] = [],
    body: Data = Data(), _ context: ServerContext
  ) async -> ServerResponse {
    do {
      let parts = target.split(separator: "?", maxSplits: 1)
      let path = try Self.parts(ofPath: parts[0])
      let (route, parameters) = try find(method.rawValue, path)
      guard body.count <= route.maximumBody else { throw APIError(413, "The body is too long.") }
      let request = ServerRequest(
        method: method, path: path, parameters: parameters,
        query: try parts.count > 1 ? Self.items(ofQuery: parts[1]) : [],
        headers: ServerRequest.Headers(headers), body: body)
      return try await route.handler(request, context)
    } catch {
      return APIError(error).response
    }
  }
}
