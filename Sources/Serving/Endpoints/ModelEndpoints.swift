import Foundation
import Workbench

/// `/v1/models`
public struct ModelEndpoints: ServerPart {
  public init() {}

  private struct Model: Encodable {
    let id: String
    var object = "model"
    let created: Int
    let ownedBy: String

    init(_ entry: ServedModels.Entry, as name: String? = nil) {
      (id, created, ownedBy) = (name ?? entry.name, entry.created, entry.isTuned ? "workspace" : "fettle")
    }
  }

  private struct List: Encodable {
    var object = "list"
    let data: [Model]
  }

  private struct Deleted: Encodable {
    let id: String
    var object = "model"
    var deleted = true
  }

  public var routes: [Route] {
    [
      Route(.get, "/v1/models") { _, context in
        try .json(List(data: try await context.offThread { try context.models.list().map { Model($0) } }))
      },
      Route(.get, "/v1/models/:id") { request, context in
        let name = request[parameter: "id"]
        return try await context.offThread {
          // A name of 2023 is listed nowhere and there all the same.
          let found = try context.models.find(name).name
          let entries = try context.models.list()
          guard let entry = entries.first(where: { $0.name == found }) ?? entries.first else {
            throw APIError.noModel(name)
          }
          return try .json(Model(entry, as: name))
        }
      },
      Route(.delete, "/v1/models/:id") { request, context in
        let name = request[parameter: "id"]
        return try await context.offThread {
          guard case .tuned(let model, _) = try context.models.find(name) else {
            throw APIError(
              403, "\(name) was not tuned here: only a tuned model can be deleted.", param: "model",
              code: "model_not_tuned")
          }
          try context.workspace.write { workbench in
            if let child = try workbench.models().first(where: { $0.base == model.name }) {
              throw APIError.invalid(
                "\(child.name) stands on \(name). Delete that one first.", param: "model",
                code: "model_in_use")
            }
            try workbench.remove(model: model)
          }
          context.sayNotRecorded()
          context.workspace.removeFiles(of: model)
          context.models.forget()
          return try .json(Deleted(id: name))
        }
      },
    ]
  }
}
