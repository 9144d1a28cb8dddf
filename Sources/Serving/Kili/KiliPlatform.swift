import Basics
import Foundation
import Scoring
import Workbench

/// The workspace as the platform has it, for one transaction.
///
/// A project is a data set. A DEFAULT label is its author's label for an asset, an INFERENCE label a model's prediction: of each there is
/// one, and another takes its place.
final class KiliPlatform {
  let workbench: Workbench
  /// What all addresses begin with: `http://127.0.0.1:8080/api/label/v2`.
  let address: String
  private var known: [String: KiliProject] = [:]

  init(workbench: Workbench, address: String) { (self.workbench, self.address) = (workbench, address) }

  func projects() throws -> [KiliProject] {
    try workbench.projects().map { project in
      let found = try known[project.id] ?? KiliProject(project, self)
      known[project.id] = found
      return found
    }
  }

  /// - Throws: `GraphQLError`.
  func project(_ id: String) throws -> KiliProject {
    if let found = known[id] { return found }
    guard let project = try workbench.project(id) else {
      throw GraphQLError.notFound(
        "There is no project \(id.excerpt()) in this workspace. If it was here, its data set has been removed, or the session set aside."
      )
    }
    let found = try KiliProject(project, self)
    known[id] = found
    return found
  }
}

/// A project with its texts and labels, read when they are asked for.
final class KiliProject: GraphQLObject {
  let platform: KiliPlatform
  let project: Project
  let dataset: Dataset
  let interface: Interface
  let graphQLType = "Project"

  init(_ project: Project, _ platform: KiliPlatform) throws {
    (self.project, self.platform) = (project, platform)
    dataset = try platform.workbench.dataset(of: project)
    interface = try project.categories
  }

  private var read:
    (assets: [ProjectAsset]?, labels: [Int: [DatedLabel]]?, inferences: [Int: [KiliInference]]?)

  func assets() throws -> [KiliAsset] {
    let assets = try read.assets ?? platform.workbench.assets(of: project)
    read.assets = assets
    return assets.map { KiliAsset(asset: $0, project: self) }
  }

  /// DEFAULT labels in the order they were first given, by the asset's number.
  func labels(of asset: Int) throws -> [DatedLabel] {
    let labels =
      try read.labels ?? Dictionary(grouping: platform.workbench.datedLabels(of: dataset)) { $0.label.asset }
    read.labels = labels
    return labels[asset] ?? []
  }

  /// INFERENCE labels, that of the model that predicted last at the end.
  func inferences(of asset: Int) throws -> [KiliInference] {
    if let inferences = read.inferences { return inferences[asset] ?? [] }
    var inferences: [Int: [KiliInference]] = [:]
    for run in try platform.workbench.completeRuns(dataset: dataset) {
      for choice in try platform.workbench.choices(of: run) {
        inferences[choice.asset, default: []].append(KiliInference(run: run, prediction: choice))
      }
    }
    read.inferences = inferences
    return inferences[asset] ?? []
  }

  /// To be called when something was written.
  func forget() { read = (nil, nil, nil) }

  /// A category as a label has it.
  func response(_ category: String, confidence: Double?) -> String {
    let confidence = confidence.map { Int(($0 * 100).rounded()) } ?? 100
    return
      "{\(interface.job.jsonQuoted): {\"categories\": [{\"confidence\": \(confidence), \"name\": \(category.jsonQuoted)}]}}"
  }

  func value(of field: String, _ arguments: [String: GraphQLValue]) throws -> GraphQLResult {
    switch field {
    case "id": .string(project.id)
    case "title": .string(project.title)
    case "description": .string(project.description)
    case "inputType": .string("TEXT")
    case "jsonInterface": .string(project.interface)
    case "archived": .bool(false)
    case "dataConnections": .list([])
    case "workflowVersion": .string("V1")
    case "numberOfAssets": .int(dataset.assets)
    case "consensusMark": .double(try assets().compactMap { try $0.consensus() }.mean)
    case "consensusTotCoverage", "reviewCoverage": .int(0)
    case "minConsensusSize": .int(1)
    case "roles": .objects([KiliRole(user: KiliUser.viewer)])
    default: .null
    }
  }
}

struct KiliInference {
  let run: PredictionRun
  let prediction: Prediction
}

struct KiliAsset: GraphQLObject {
  let asset: ProjectAsset
  let project: KiliProject
  let graphQLType = "Asset"

  /// Predictions first, then what people said of the text.
  func labels() throws -> [KiliLabel] {
    try project.inferences(of: asset.asset).map { KiliLabel(.inference($0), of: self) }
      + project.labels(of: asset.asset).map { KiliLabel(.given($0), of: self) }
  }

  /// The newest DEFAULT label, whatever models have said since.
  func latest() throws -> KiliLabel? {
    try project.labels(of: asset.asset).max { ($0.given ?? 0, $0.id) < ($1.given ?? 0, $1.id) }
      .map { KiliLabel(.given($0), of: self) }
  }

  /// A model's choice beside those that count of the people's; nil without any.
  func agreement(with prediction: Prediction) throws -> IntersectionOverUnion? {
    let deciding = try project.labels(of: asset.asset).map(\.label).deciding
    return deciding.isEmpty ? nil : IntersectionOverUnion([prediction.category] + deciding.map(\.category))
  }

  /// Of the model that predicted last, as `kpi` has it.
  func inference() throws -> IntersectionOverUnion? {
    try project.inferences(of: asset.asset).last.flatMap { try agreement(with: $0.prediction) }
  }

  /// All readers, as `kpi --consensus` has it.
  func consensus() throws -> IntersectionOverUnion? {
    let labels = try project.labels(of: asset.asset)
    return labels.count < 2 ? nil : IntersectionOverUnion(labels.map(\.label.category))
  }

  func status() throws -> String { try project.labels(of: asset.asset).isEmpty ? "TODO" : "LABELED" }

  func value(of field: String, _ arguments: [String: GraphQLValue]) throws -> GraphQLResult {
    switch field {
    case "id": return .string(asset.id)
    case "externalId": return .string(asset.externalID)
    case "content":
      let place = KiliUpload(project: project.project.id, asset: asset.id)
      return .string("\(project.platform.address)/files?id=\(place.path)")
    case "jsonContent": return .string("")
    case "jsonMetadata": return .string(asset.metadata)
    case "status": return .string(try status())
    case "createdAt": return .string(KiliDate.text(asset.created))
    case "isHoneypot", "skipped": return .bool(false)
    case "latestLabel": return .object(try latest())
    case "latestLabels": return .objects([try latest()].compactMap(\.self))
    case "labels": return .objects(try labels())
    case "inferenceMark": return .double(try inference()?.value)
    case "consensusMark": return .double(try consensus()?.value)
    case "project": return .object(project)
    default: return .null
    }
  }
}

struct KiliLabel: GraphQLObject {
  enum Kind {
    case given(DatedLabel)
    case inference(KiliInference)
  }

  let kind: Kind
  let asset: KiliAsset
  let graphQLType = "Label"

  init(_ kind: Kind, of asset: KiliAsset) { (self.kind, self.asset) = (kind, asset) }

  var id: String {
    switch kind {
    case .given(let label): "label-\(label.id)"
    case .inference(let inference): "inference-\(inference.run.id)-\(inference.prediction.asset)"
    }
  }

  var type: String { if case .given = kind { "DEFAULT" } else { "INFERENCE" } }

  var author: KiliUser {
    switch kind {
    case .given(let label): KiliUser(name: label.label.author)
    case .inference: .viewer
    }
  }

  func value(of field: String, _ arguments: [String: GraphQLValue]) throws -> GraphQLResult {
    switch (field, kind) {
    case ("id", _): .string(id)
    case ("assetId", _): .string(asset.asset.id)
    case ("labelOf", _): .object(asset)
    case ("labelType", _): .string(type)
    case ("author", _): .object(author)
    case ("createdAt", .given(let label)): .string(label.given.map(KiliDate.text))
    case ("modelName", .inference(let inference)): .string(inference.run.model)
    case ("jsonResponse", .given(let label)):
      .string(asset.project.response(label.label.category, confidence: nil))
    case ("jsonResponse", .inference(let inference)):
      .string(
        asset.project.response(inference.prediction.category, confidence: inference.prediction.confidence))
    case ("isLatestLabelForUser", _), ("isLastForStep", _): .bool(true)
    case ("isSentBackToQueue", _): .bool(false)
    case ("inferenceMark", .inference(let inference)):
      .double(try asset.agreement(with: inference.prediction)?.value)
    case ("consensusMark", .given): .double(try asset.consensus()?.value)
    default: .null
    }
  }
}

/// Who labels: the author of labels at the prompt, under the same name.
struct KiliUser: GraphQLObject {
  let name: String
  let graphQLType = "User"

  /// Who has the key: what a person at the prompt is called who gives no name.
  static let viewer = KiliUser(name: "me")

  var email: String { name.contains("@") ? name : "\(name)@localhost" }

  func value(of field: String, _ arguments: [String: GraphQLValue]) -> GraphQLResult {
    switch field {
    case "id", "firstname": .string(name)
    case "email": .string(email)
    case "lastname": .string("")
    default: .null
    }
  }
}

struct KiliRole: GraphQLObject {
  let user: KiliUser
  let graphQLType = "ProjectUser"

  func value(of field: String, _ arguments: [String: GraphQLValue]) -> GraphQLResult {
    switch field {
    case "id": .string("role-\(user.name)")
    case "role": .string("ADMIN")
    case "user": .object(user)
    default: .null
    }
  }
}

/// An object of a few fields that never change.
struct KiliConstant: GraphQLObject {
  let graphQLType: String
  let fields: [String: GraphQLResult]

  static var organization: KiliConstant {
    KiliConstant(
      graphQLType: "Organization",
      fields: [
        "id": .string("workspace"), "name": .string("workspace"),
        "license": .object(KiliConstant(graphQLType: "License", fields: ["uploadLocalData": .bool(true)])),
      ])
  }

  /// A key does not expire here; clients want a date.
  static var apiKey: KiliConstant {
    KiliConstant(
      graphQLType: "ApiKey",
      fields: ["id": .string("key"), "expiryDate": .string("2099-01-01T00:00:00.000Z")])
  }

  func value(of field: String, _ arguments: [String: GraphQLValue]) -> GraphQLResult {
    fields[field] ?? .null
  }
}

enum KiliDate {
  /// `2026-11-28T10:32:55.000Z`
  static func text(_ milliseconds: Int) -> String {
    Date(timeIntervalSince1970: Double(milliseconds) / 1000)
      .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }
}
