import Basics
import Foundation
import Workbench

/// Files that clients upload to train on, and those that trainings leave: kept in the workspace, and set aside with it.
public struct FileEndpoints: ServerPart {
  /// Bytes of a file; a little more of a body.
  private static let longest = 64 << 20

  public init() {}

  public var routes: [Route] {
    [
      Route(.post, "/v1/files", maximumBody: Self.longest + (1 << 16)) { request, context in
        try await context.offThread { try .json(Self.upload(request, context)) }
      },
      Route(.get, "/v1/files") { request, context in
        try await context.offThread { try .json(Self.list(request, context)) }
      },
      Route(.get, "/v1/files/:id") { request, context in
        try await context.offThread {
          try .json(FileObject(Self.find(request[parameter: "id"], context.workspace)))
        }
      },
      Route(.get, "/v1/files/:id/content") { request, context in
        try await context.offThread {
          let file = try Self.find(request[parameter: "id"], context.workspace)
          guard let content = try context.workspace.read({ try $0.content(ofFile: file.id) }) else {
            throw APIError.notFound("file \(file.id)")
          }
          return .bytes(content)
        }
      },
      Route(.delete, "/v1/files/:id") { request, context in
        try await context.offThread {
          let file = try Self.find(request[parameter: "id"], context.workspace)
          try context.workspace.write { try $0.remove(file: file.id) }
          context.sayNotRecorded()
          return try .json(Deleted(id: file.id))
        }
      },
    ]
  }

  private struct Deleted: Encodable {
    let id: String
    let object = "file"
    let deleted = true
  }

  // MARK: -

  /// A file that has not expired.
  /// - Throws: `APIError`.
  static func find(_ id: String, _ workspace: Workspace, param: String = "id") throws -> StoredFile {
    guard let file = try workspace.read({ try $0.file(id) }), !file.isExpired else {
      throw APIError.notFound("file \(id.excerpt(100))", param: param)
    }
    return file
  }

  private static func upload(_ request: ServerRequest, _ context: ServerContext) throws -> FileObject {
    let form = try MultipartForm(request.body, contentType: request.headers["content-type"])
    guard let purpose = try form.text("purpose") else { throw APIError.missing("purpose") }
    guard purpose == "fine-tune" else {
      throw APIError.invalid(
        "\(purpose.excerpt()) is no purpose that files have here. They are uploaded to train on: fine-tune.",
        param: "purpose")
    }
    guard let part = form["file"] else { throw APIError.missing("file") }
    guard part.content.count <= longest else {
      throw APIError(413, "A file may have \(Bytes(longest)).", param: "file", code: "file_too_large")
    }
    let expires = try expiry(form)
    do throws(TrainingMaterial.Fault) {
      _ = try TrainingMaterial(part.content)
    } catch {
      throw APIError.invalid(
        "The file cannot be trained on. \(error)", param: "file", code: "invalid_training_file")
    }
    let now = Int(Date().timeIntervalSince1970)
    let file = StoredFile(
      id: ObjectID.make("file-"), name: name(part.fileName), purpose: purpose, bytes: part.content.count,
      created: now, expires: expires.map { now + $0 })
    try context.workspace.write { workbench in
      try workbench.removeFiles(expiredBy: now)
      try workbench.insert(file: file, content: part.content)
    }
    context.sayNotRecorded()
    return FileObject(file)
  }

  /// Seconds after which the file goes; nil for one that stays.
  private static func expiry(_ form: MultipartForm) throws -> Int? {
    let names = ["expires_after[anchor]", "expires_after[seconds]"]
    guard names.contains(where: { form[$0] != nil }) else { return nil }
    guard try form.text(names[0]) == "created_at" else {
      throw APIError.invalid("The anchor has to be created_at.", param: names[0])
    }
    guard let seconds = try form.text(names[1]).flatMap({ Int($0) }), (3600...2_592_000).contains(seconds)
    else { throw APIError.invalid("The seconds have to be from 3600 to 2592000.", param: names[1]) }
    return seconds
  }

  /// Of a path the last part, without what nobody sees.
  private static func name(_ given: String?) -> String {
    let last = (given ?? "").split { $0 == "/" || $0 == "\\" }.last.map(String.init) ?? ""
    let name = String(last.visible.prefix(200)).trimmingCharacters(in: .whitespaces)
    return ["", ".", ".."].contains(name) ? "upload" : name
  }

  private static func list(_ request: ServerRequest, _ context: ServerContext) throws -> FileList {
    let purpose = request[query: "purpose"]
    let isAscending: Bool
    switch request[query: "order"] {
    case "asc": isAscending = true
    case "desc", nil: isAscending = false
    default: throw APIError.invalid("order is asc or desc.", param: "order")
    }
    var files = try context.workspace.read { try $0.files() }
      .filter { !$0.isExpired && (purpose == nil || $0.purpose == purpose) }
    if !isAscending { files.reverse() }
    let page = try Page(files, request, limit: 10_000, most: 10_000) { $0.id }
    return FileList(data: page.items.map { FileObject($0) }, hasMore: page.hasMore)
  }

  private struct FileList: Encodable {
    let object = "list"
    let data: [FileObject]
    let firstID: String
    let lastID: String
    let hasMore: Bool

    init(data: [FileObject], hasMore: Bool) {
      (self.data, self.hasMore) = (data, hasMore)
      // The description knows no null here.
      (firstID, lastID) = (data.first?.id ?? "", data.last?.id ?? "")
    }

    enum CodingKeys: String, CodingKey {
      case object, data
      case firstID = "first_id"
      case lastID = "last_id"
      case hasMore = "has_more"
    }
  }
}

extension StoredFile {
  var isExpired: Bool { expires.map { Double($0) <= Date().timeIntervalSince1970 } ?? false }
}

/// A file as clients know it.
struct FileObject: Encodable {
  let id: String
  let object = "file"
  let bytes: Int
  let createdAt: Int
  let filename: String
  let purpose: String
  let status = "processed"
  let expiresAt: Int?

  init(_ file: StoredFile) {
    (id, bytes, createdAt, filename) = (file.id, file.bytes, file.created, file.name)
    (purpose, expiresAt) = (file.purpose, file.expires)
  }

  enum CodingKeys: String, CodingKey {
    case id, object, bytes, filename, purpose, status
    case createdAt = "created_at"
    case expiresAt = "expires_at"
  }
}

/// The part of a list that a request asks for, by `after` and `limit`.
struct Page<Item> {
  let items: [Item]
  let hasMore: Bool

  /// - Parameters:
  ///   - limit: what is given where nothing is asked for.
  ///   - most: of one page.
  /// - Throws: `APIError`.
  init(_ all: [Item], _ request: ServerRequest, limit: Int, most: Int, id: (Item) -> String) throws {
    var start = 0
    if let after = request[query: "after"], !after.isEmpty {
      guard let place = all.firstIndex(where: { id($0) == after }) else {
        throw APIError.invalid("The list has no \(after.excerpt(100)) to go on after.", param: "after")
      }
      start = place + 1
    }
    var count = limit
    if let wanted = request[query: "limit"] {
      guard let number = Int(wanted), (1...most).contains(number) else {
        throw APIError.invalid("limit is from 1 to \(most).", param: "limit")
      }
      count = number
    }
    items = Array(all[start...].prefix(count))
    hasMore = start + items.count < all.count
  }
}
