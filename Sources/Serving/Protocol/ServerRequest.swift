import Foundation

/// One request, read to its end: what every endpoint is given.
public struct ServerRequest: Sendable {
  public var method: Method
  /// The path's parts, percent-decoded one by one: `/v1/models/ft:a%2Fb` is `["v1", "models", "ft:a/b"]`.
  public var path: [String]
  /// What stands in the places that the route names: `["id": "ft:a/b"]`.
  public var parameters: [String: String]
  /// In the order they came in; `+` is a blank.
  public var query: [(name: String, value: String)]
  public var headers: Headers
  public var body: Data
  /// What the answer is marked with, `x-request-id`.
  public var id: String

  public enum Method: String, Sendable, CaseIterable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
  }

  /// Headers, whose names have no case.
  public struct Headers: Sendable {
    private let fields: [String: [String]]

    public init(_ fields: some Sequence<(name: String, value: String)>) {
      self.fields = Dictionary(grouping: fields) { $0.name.lowercased() }.mapValues { $0.map(\.value) }
    }

    /// The first of that name; nil where there is none.
    public subscript(name: String) -> String? { fields[name.lowercased()]?.first }

    public func all(_ name: String) -> [String] { fields[name.lowercased()] ?? [] }
  }

  public init(
    method: Method, path: [String], parameters: [String: String] = [:],
    query: [(name: String, value: String)] = [], headers: Headers = Headers([]), body: Data = Data(),
    id: String = ServerRequest.newID()
  ) {
    (self.method, self.path, self.parameters) = (method, path, parameters)
    (self.query, self.headers, self.body, self.id) = (query, headers, body, id)
  }

  public static func newID() -> String { ObjectID.make("req_") }

  /// A value of the query; nil where there is none.
  public subscript(query name: String) -> String? { query.first { $0.name == name }?.value }

  /// What the route names; the route has it, so that it is there.
  public subscript(parameter name: String) -> String { parameters[name] ?? "" }

  private var isJSON: Bool { (try? JSONSerialization.jsonObject(with: body)) != nil }

  /// The body as JSON, whose `max_tokens` is `maxTokens` here; members that the type does not name are ignored, and null is absent.
  ///
  /// - Throws: `APIError` with the member that is not as it should be.
  public func json<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
    do {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      return try decoder.decode(type, from: body)
    } catch DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty && isJSON {
      // The decoder says of such a number that all of it is no JSON.
      throw APIError.invalid("A number in the body is too large, or has a fraction where it has to be whole.")
    } catch let error as DecodingError {
      throw APIError(error)
    }
  }
}

/// Numbers for new objects, as hosted services give them: `file-` and 32 hexadecimal digits.
public enum ObjectID {
  public static func make(_ prefix: String) -> String {
    var random = SystemRandomNumberGenerator()
    let digits = (0..<2).map { _ in
      let digits = String(random.next(), radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }
    return prefix + digits.joined()
  }
}
