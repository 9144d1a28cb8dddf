import Encoder
import Foundation
import Tasks
import Workbench

/// An error in the form that clients of this protocol read: `{"error": {message, type, param, code}}`.
public struct APIError: Error, Sendable {
  /// Clients try 408, 409, 429 and everything from 500 on again; one of 2023 tries 409 for ever, so no completion gives it.
  public var status: Int
  public var message: String
  public var type: String
  /// The member of the request that it is about.
  public var param: String?
  /// A stable word, for programs.
  public var code: String?
  /// `retry-after` say.
  public var headers: [(name: String, value: String)]
  var form = Form.openAI

  /// What clients read an error in.
  public enum Form: Sendable {
    /// `{"error": {message, type, param, code}}` under a status of its own.
    case openAI
    /// `{"errors": [{message, extensions: {code}}]}` under 200: a client of Kili's tries other statuses again, for minutes.
    case graphQL
  }

  public init(
    _ status: Int, _ message: String, type: String? = nil, param: String? = nil, code: String? = nil,
    headers: [(name: String, value: String)] = []
  ) {
    (self.status, self.message, self.param, self.code) = (status, message, param, code)
    self.type = type ?? (status >= 500 ? "server_error" : "invalid_request_error")
    self.headers = headers
  }

  /// A request that says something wrong.
  public static func invalid(_ message: String, param: String? = nil, code: String? = nil) -> APIError {
    APIError(400, message, param: param, code: code)
  }

  public static func missing(_ param: String) -> APIError {
    invalid("You must provide a \(param) parameter.", param: param, code: "missing_required_parameter")
  }

  /// What the request names and is not there: a file, a job.
  public static func notFound(_ what: String, param: String? = "id") -> APIError {
    APIError(404, "There is no \(what) here.", param: param, code: "not_found")
  }

  public static func noModel(_ name: String, nearest: String? = nil) -> APIError {
    let hint = nearest.map { " Did you mean \($0)?" } ?? " See GET /v1/models."
    return APIError(
      404, "The model `\(name)` does not exist.\(hint)", param: "model", code: "model_not_found")
  }

  /// More is asked at once than the server takes.
  public static func busy(_ message: String, seconds: Int = 1) -> APIError {
    APIError(
      429, message, type: "rate_limit_error", code: "rate_limit_exceeded",
      headers: [("retry-after", String(seconds))])
  }

  var body: Body {
    Body(error: Body.Inner(message: message, type: type, param: .init(param), code: .init(code)))
  }

  struct Body: Encodable {
    struct Inner: Encodable {
      let message: String
      let type: String
      let param: Nullable<String>
      let code: Nullable<String>
    }
    let error: Inner
  }

  func told(in form: Form) -> APIError {
    var error = self
    error.form = form
    return error
  }

  var response: ServerResponse {
    if form == .graphQL {
      let code = (code ?? (status == 401 ? "unauthenticated" : "refused")).uppercased()
      return GraphQLError(message, code: code).response
    }
    let data =
      (try? JSON.data(body)) ?? Data(#"{"error":{"message":"","type":"","param":null,"code":null}}"#.utf8)
    return ServerResponse(
      status: status, headers: [("content-type", "application/json")] + headers, body: .bytes(data))
  }
}

extension APIError {
  /// Where a body is not the JSON that is asked for.
  init(_ error: DecodingError) {
    switch error {
    case .keyNotFound(let key, let context):
      let name = Self.name(context.codingPath + [key])
      self = .missing(name)
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      let name = Self.name(context.codingPath)
      self =
        name.isEmpty
        ? .invalid("The body has to be a JSON object.")
        : .invalid("\(name) is not of the type that it has to be.", param: name)
    case .dataCorrupted(let context):
      let name = Self.name(context.codingPath)
      self =
        name.isEmpty
        ? .invalid("The body is no JSON.")
        : .invalid("\(name): \(context.debugDescription)", param: name)
    @unknown default: self = .invalid("The body cannot be read.")
    }
  }

  /// `messages.0.content`
  private static func name(_ path: [any CodingKey]) -> String {
    path.map { $0.intValue.map(String.init) ?? $0.stringValue.snakeCase }.joined(separator: ".")
  }

  /// What any error is to a client. One that nobody expected says nothing of the machine's inside.
  init(_ error: any Error) {
    switch error {
    case let error as APIError: self = error
    case TaskError.unknownModel(let name, let nearest): self = .noModel(name, nearest: nearest)
    case let error as TaskError: self = .init(400, error.description, code: error.code)
    case let error as ModelError: self = .init(400, error.description)
    case let error as WorkspaceError: self = .init(503, error.description)
    case is CancellationError: self = .init(503, "The server is ending.", code: "server_ending")
    default: self = .init(500, "The server could not answer. Its log says why.")
    }
  }
}

extension String {
  /// `maxTokens` as JSON calls it here: `max_tokens`.
  fileprivate var snakeCase: String {
    reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
  }
}
