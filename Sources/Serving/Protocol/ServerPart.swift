/// Endpoints that belong together, and what they do between requests.
///
/// ```swift
/// struct Files: ServerPart {
///   var routes: [Route] {
///     [Route(.get, "/v1/files/:id") { request, context in try .json(file(request[parameter: "id"])) }]
///   }
/// }
/// ```
public protocol ServerPart: Sendable {
  var routes: [Route] { get }

  /// Runs beside the server, in a task that is cancelled when the server has answered its last request; the server waits for it.
  func run(_ context: ServerContext) async
}

extension ServerPart {
  public func run(_ context: ServerContext) async {}
}
