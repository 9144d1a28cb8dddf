import Basics
import Foundation
import Workbench

/// Kili's platform: its GraphQL, and where texts are uploaded and read.
public struct KiliEndpoints: ServerPart {
  private static let root = "/api/label/v2"
  /// Bytes of a request, once it is no longer compressed; clients send batches of up to ten megabytes.
  private static let longest = 16 << 20
  /// Bytes of a text.
  private static let longestText = 4 << 20

  public init() {}

  public var routes: [Route] {
    [
      Route(.post, Self.root + "/graphql", maximumBody: Self.longest, form: .graphQL) { request, context in
        try await context.offThread { try Self.answer(request, context) }
      },
      Route(.get, Self.root + "/version") { _, _ in try .json(["version": KiliSchema.version]) },
      Route(.put, Self.root + "/upload", maximumBody: Self.longestText) { request, context in
        try await context.offThread { try Self.upload(request, context) }
      },
      Route(.get, Self.root + "/files") { request, context in
        try await context.offThread { try Self.content(request, context) }
      },
      Route(.head, Self.root + "/files") { request, context in
        try await context.offThread { try Self.content(request, context) }
      },
    ]
  }

  // MARK: - GraphQL

  private struct Envelope: Decodable {
    let query: String?
    let operationName: String?
    let variables: [String: GraphQLValue]?
  }

  private static func answer(_ request: ServerRequest, _ context: ServerContext) throws -> ServerResponse {
    do {
      let body = try Self.body(of: request)
      guard let envelope = try? JSONDecoder().decode(Envelope.self, from: body), let query = envelope.query
      else {
        throw GraphQLError(
          "The body has to be a JSON object with the document as query, and perhaps variables.",
          code: "BAD_REQUEST")
      }
      let prepared = try GraphQLRequest(
        query, operation: envelope.operationName, variables: envelope.variables ?? [:], KiliSchema.schema)
      let base = "http://\(request.headers["host"] ?? "127.0.0.1")\(root)"
      func answered(_ workbench: Workbench) throws -> String {
        let platform = KiliPlatform(workbench: workbench, address: base)
        return try prepared.answer(prepared.isMutation ? KiliMutation(platform) : KiliQuery(platform))
      }
      let json =
        try prepared.isMutation ? context.workspace.write(answered) : context.workspace.read(answered)
      return .bytes(Data(json.utf8), type: "application/json")
    } catch let error as GraphQLError {
      return error.response
    } catch let error as WorkspaceError {
      return GraphQLError(error.description, code: code(error.code)).response
    } catch {
      // Nothing of the request is in it: a key may stand there.
      context.log("POST \(root)/graphql failed (\(request.id)): \(error)")
      return GraphQLError(
        "The server could not answer. Its log says why.", code: "INTERNAL_SERVER_ERROR"
      ).response
    }
  }

  private static func code(_ word: String) -> String { word.uppercased().replacing("-", with: "_") }

  /// - Throws: `GraphQLError`.
  private static func body(of request: ServerRequest) throws -> Data {
    let type = request.headers["content-type"]?.lowercased() ?? ""
    guard type.split(separator: ";").first?.trimmingCharacters(in: .whitespaces) == "application/json" else {
      throw GraphQLError("The body has to be application/json.", code: "BAD_REQUEST")
    }
    switch request.headers["content-encoding"]?.lowercased() {
    case nil, "identity": return request.body
    case "gzip":
      do throws(Inflate.Fault) {
        return try Inflate.gzip(request.body, longest: longest)
      } catch {
        throw GraphQLError(
          error.isTooLong
            ? "The body is longer than the \(Bytes(longest)) that are taken here. Send less at once."
            : "The body is not what gzip makes.",
          code: error.isTooLong ? "BODY_TOO_LARGE" : "BAD_REQUEST")
      }
    case let other?:
      throw GraphQLError(
        "Bodies are compressed by gzip here, or not at all, and not by \(other.excerpt()).",
        code: "BAD_REQUEST")
    }
  }

  // MARK: - Texts

  private static func upload(_ request: ServerRequest, _ context: ServerContext) throws -> ServerResponse {
    guard let place = request[query: "path"].flatMap(KiliUpload.init) else {
      throw APIError.invalid("Texts are uploaded where createUploadBucketSignedUrls says.", param: "path")
    }
    guard let text = String(validating: request.body, as: UTF8.self) else {
      throw APIError.invalid("The text is not UTF-8.")
    }
    try context.workspace.writeWithoutWaiting { workbench in
      guard try workbench.project(place.project) != nil else {
        throw APIError.notFound("project \(place.project.excerpt())", param: "path")
      }
      try workbench.insert(upload: text, at: place.path)
    }
    return .bytes(Data(), type: "text/plain")
  }

  private static func content(_ request: ServerRequest, _ context: ServerContext) throws -> ServerResponse {
    let place = request[query: "id"].flatMap(KiliUpload.init)
    guard let place, let text = try context.workspace.read({ try $0.text(ofProjectAsset: place.asset) })
    else {
      throw APIError.notFound("such text")
    }
    return .bytes(Data(text.utf8), type: "text/plain; charset=utf-8")
  }
}

/// Where a text is uploaded: `projects/PROJECT/assets/ASSET/content`.
struct KiliUpload {
  let project: String
  let asset: String
  var path: String { "projects/\(project)/assets/\(asset)/content" }

  /// Nil for another path.
  init?(_ path: String) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 5, parts[0] == "projects", parts[2] == "assets", parts[4] == "content",
      Self.isName(parts[1]), Self.isName(parts[3])
    else { return nil }
    (project, asset) = (parts[1], parts[3])
  }

  init(project: String, asset: String) { (self.project, self.asset) = (project, asset) }

  /// Whether it can be an id: what stands in an address as it is.
  static func isName(_ name: String) -> Bool {
    (1...100).contains(name.utf8.count)
      && name.utf8.allSatisfy {
        UnicodeScalar($0).properties.isAlphabetic && $0 < 0x80 || (0x30...0x39).contains($0) || $0 == 0x2D
          || $0 == 0x5F
      }
  }
}
