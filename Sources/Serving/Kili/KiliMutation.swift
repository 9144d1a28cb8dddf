import Basics
import Foundation
import Workbench

/// What is changed on the platform: all of a request, or nothing.
struct KiliMutation: GraphQLObject {
  let platform: KiliPlatform
  let graphQLType = GraphQLSchema.mutation

  /// Texts or labels of a request.
  private static let longestBatch = 10_000

  init(_ platform: KiliPlatform) { self.platform = platform }

  func value(of field: String, _ arguments: [String: GraphQLValue]) throws -> GraphQLResult {
    let given = KiliInput("Mutation.\(field)", arguments)
    let data = KiliInput(Self.types[field] ?? field, try given.object("data").rest)
    switch field {
    case "createProject": return .object(try createProject(data))
    case "appendManyAssets": return .objects(try appendAssets(data, where: given.object("where")))
    case "appendManyLabels": return .objects(try appendLabels(data, where: given.object("where")))
    default: return .null
    }
  }

  private static let types = [
    "createProject": "CreateProjectData", "appendManyAssets": "AppendManyAssetsData",
    "appendManyLabels": "AppendManyLabelsData",
  ]

  // MARK: - Projects

  private func createProject(_ given: KiliInput) throws -> KiliProject {
    var data = given
    let title = try data.take(string: "title") ?? ""
    let description = try data.take(string: "description") ?? ""
    let kind = try data.take(string: "inputType") ?? ""
    guard kind == "TEXT" else {
      throw GraphQLError("fettle has projects of texts: inputType is TEXT, and not \(kind.excerpt()).")
    }
    guard let interface = try data.take(string: "jsonInterface") else {
      throw GraphQLError("A project needs an interface, jsonInterface.")
    }
    if try data.take(list: "complianceTags")?.isEmpty == false { throw notServed("complianceTags", of: data) }
    if try data.take(bool: "pixelLabeling") == true { throw notServed("pixelLabeling", of: data) }
    try data.finish()
    do {
      let project = try platform.workbench.insertProject(
        id: ObjectID.make("c"), title: title, description: description, interface: interface)
      return try platform.project(project.id)
    } catch let error as InterfaceError {
      throw GraphQLError(error.description, code: error.code.uppercased().replacing("-", with: "_"))
    }
  }

  private func notServed(_ name: String, of data: KiliInput) -> GraphQLError {
    GraphQLError("fettle has nothing for \(data.type).\(name). Leave it out.", code: "NOT_SERVED")
  }

  // MARK: - Texts

  /// A text whose ids are both there already, with each other, was stored by a request whose answer got lost.
  private func appendAssets(_ given: KiliInput, where filter: KiliInput) throws -> [KiliAsset] {
    let project = try platform.project(filter.string("id") ?? "")
    var data = given
    let contents = try data.take(strings: "contentArray") ?? []
    let count = contents.count
    guard (1...Self.longestBatch).contains(count) else {
      throw GraphQLError("contentArray has \(count) texts: a request has 1 to \(Self.longestBatch).")
    }
    func same<Value>(_ name: String, _ values: [Value]?) throws -> [Value]? {
      guard let values, values.count != count else { return values }
      throw GraphQLError("\(name) has \(values.count) members, and contentArray \(count).")
    }
    let ids =
      try same("idArray", data.take(strings: "idArray")) ?? contents.map { _ in ObjectID.make("c") }
    let externalIDs = try same("externalIDArray", data.take(strings: "externalIDArray")) ?? ids
    let metadata =
      try same("jsonMetadataArray", data.take(strings: "jsonMetadataArray")) ?? contents.map { _ in "{}" }
    if try data.take(strings: "jsonContentArray")?.contains(where: { !$0.isEmpty }) == true {
      throw notServed("jsonContentArray", of: data)
    }
    if try data.take(list: "isHoneypotArray")?.contains(.bool(true)) == true {
      throw GraphQLError(
        "fettle marks no asset as a honeypot. Whoever's labels are right is named at its prompt: kpi --honeypot AUTHOR.",
        code: "NOT_SERVED")
    }
    try data.finish()
    let there = Dictionary(
      try project.assets().map { ($0.asset.externalID, $0.asset.id) }, uniquingKeysWith: { first, _ in first }
    )
    var (new, seen, uploads): ([NewProjectAsset], Set<String>, [String]) = ([], [], [])
    for index in 0..<count {
      let (id, externalID) = (ids[index], externalIDs[index])
      let shown = externalID.excerpt()
      guard KiliUpload.isName(id) else { throw GraphQLError("\(id.excerpt()) can be no asset's id.") }
      guard (1...1000).contains(externalID.utf8.count), !externalID.contains("\0") else {
        throw GraphQLError("An external id has 1 to 1000 bytes: \(shown) has not.")
      }
      if there[externalID] == id { continue }
      guard there[externalID] == nil, seen.insert(externalID).inserted else {
        throw GraphQLError(
          "The project has an asset \(shown) already. Ask filterExistingAssets which are there.",
          code: "ALREADY_EXISTS")
      }
      guard try platform.workbench.project(ofAsset: id) == nil, seen.insert("id " + id).inserted else {
        throw GraphQLError("There is an asset with the id \(id) already.", code: "ALREADY_EXISTS")
      }
      let path = try upload(named: contents[index], of: externalID)
      guard let text = try platform.workbench.upload(at: path) else {
        throw GraphQLError.notFound(
          "The text of \(shown) was not uploaded. Ask createUploadBucketSignedUrls for a place, and put it there."
        )
      }
      guard !text.allSatisfy(\.isWhitespace) else { throw GraphQLError("The text of \(shown) is empty.") }
      guard let object = try? JSONDecoder().decode(GraphQLValue.self, from: Data(metadata[index].utf8)),
        case .object = object
      else { throw GraphQLError("jsonMetadataArray: that of \(shown) is no JSON object.") }
      new.append(NewProjectAsset(id: id, externalID: externalID, text: text, metadata: metadata[index]))
      uploads.append(path)
    }
    try platform.workbench.insert(assets: new, into: project.project)
    for path in uploads { try platform.workbench.remove(upload: path) }
    project.forget()
    let byID = Dictionary(
      try project.assets().map { ($0.asset.id, $0) }, uniquingKeysWith: { first, _ in first })
    return ids.compactMap { byID[$0] }
  }

  /// The place that an address of `createUploadBucketSignedUrls` has in it.
  private func upload(named content: String, of externalID: String) throws -> String {
    let query = content.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
    let items = (try? Router.items(ofQuery: query)) ?? []
    guard let path = items.first(where: { $0.name == "path" })?.value, let place = KiliUpload(path) else {
      throw GraphQLError(
        "The content of \(externalID.excerpt()) is no address that createUploadBucketSignedUrls gave. fettle fetches nothing from elsewhere: upload the text."
      )
    }
    return place.path
  }

  // MARK: - Labels

  private func appendLabels(_ given: KiliInput, where filter: KiliInput) throws -> [KiliLabel] {
    var data = given
    let type = try data.take(string: "labelType") ?? ""
    // There is one label of an author or a model for each text, so that a second takes its place anyway.
    _ = data.take("overwrite")
    let rows = try data.take(list: "labelsData") ?? []
    try data.finish()
    guard ["DEFAULT", "INFERENCE"].contains(type) else {
      throw GraphQLError(
        "fettle keeps DEFAULT labels, which people give, and INFERENCE labels, which models give: \(type.excerpt()) has no place here.",
        code: "NOT_SERVED")
    }
    guard (1...Self.longestBatch).contains(rows.count) else {
      throw GraphQLError("labelsData has \(rows.count) labels: a request has 1 to \(Self.longestBatch).")
    }
    let project = try project(of: rows, where: filter)
    let assets = Dictionary(
      try project.assets().map { ($0.asset.id, $0) }, uniquingKeysWith: { first, _ in first })
    var (labels, predictions): ([Label], [String: [Prediction]]) = ([], [:])
    var order: [(asset: KiliAsset, who: String)] = []
    var models: [String] = []
    for (index, row) in rows.enumerated() {
      guard case .object(let members) = row else { continue }
      let label = KiliInput("labelsData[\(index)]", members)
      let id = try label.string("assetID") ?? ""
      guard let asset = assets[id] else {
        throw GraphQLError.notFound("\(label.type): the project has no asset \(id.excerpt()).")
      }
      let choice = try choice(label, project)
      if type == "DEFAULT" {
        let author = try author(label)
        labels.append(Label(asset: asset.asset.asset, author: author, category: choice.category))
        order.append((asset, author))
      } else {
        let model = try model(label, project)
        if predictions[model] == nil { models.append(model) }
        predictions[model, default: []].append(
          Prediction(asset: asset.asset.asset, category: choice.category, confidence: choice.confidence))
        order.append((asset, model))
      }
    }
    try platform.workbench.insert(labels: labels)
    for model in models {
      _ = try platform.workbench.insert(given: predictions[model] ?? [], of: model, over: project.dataset)
    }
    project.forget()
    return try order.compactMap { asset, who in
      try asset.labels().last {
        switch $0.kind {
        case .given(let label): type == "DEFAULT" && label.label.author == who
        case .inference(let inference): type == "INFERENCE" && inference.run.model == who
        }
      }
    }
  }

  private func project(of rows: [GraphQLValue], where filter: KiliInput) throws -> KiliProject {
    var filter = filter
    var own = try filter.take(object: "project")
    if let id = try own?.take(string: "id") { return try platform.project(id) }
    guard case .object(let first)? = rows.first, case .string(let asset)? = first["assetID"],
      let project = try platform.workbench.project(ofAsset: asset)
    else { throw GraphQLError.notFound("The first label's asset is in no project of this workspace.") }
    return try platform.project(project.id)
  }

  /// The one category that a label names: `{"CLASSIFICATION_JOB": {"categories": [{"name": "SPORTS", "confidence": 100}]}}`.
  private func choice(_ label: KiliInput, _ project: KiliProject) throws -> (
    category: String, confidence: Double?
  ) {
    let text = try label.string("jsonResponse") ?? ""
    let job = project.interface.job
    func fail(_ reason: String) -> GraphQLError { GraphQLError("\(label.type).jsonResponse \(reason)") }
    guard case .object(let jobs)? = try? JSONDecoder().decode(GraphQLValue.self, from: Data(text.utf8)) else {
      throw fail("is no JSON object.")
    }
    if let other = jobs.keys.sorted().first(where: { $0 != job }) {
      throw fail("has the job \(other.excerpt()), and the project's interface has \(job.excerpt()) alone.")
    }
    guard case .object(let answer)? = jobs[job], case .list(let categories)? = answer["categories"],
      categories.count == 1, case .object(let category) = categories[0],
      case .string(let name)? = category["name"]
    else { throw fail("has to name one category of \(job.excerpt()): {\"categories\": [{\"name\": …}]}.") }
    guard project.interface.categories.contains(where: { $0.key == name }) else {
      let near = project.interface.category(name) ?? project.interface.nearest(to: name)
      throw fail(
        "names \(name.excerpt()), which is no category of the project."
          + (near.map { " Did you mean \($0.key)?" } ?? ""))
    }
    let confidence: Double?
    switch category["confidence"] {
    case .int(let number)? where (0...100).contains(number): confidence = Double(number) / 100
    case .double(let number)? where (0...100).contains(number): confidence = number / 100
    case nil, .null?: confidence = nil
    default: throw fail("has a confidence that is not from 0 to 100.")
    }
    return (name, confidence)
  }

  private func author(_ label: KiliInput) throws -> String {
    guard let id = try label.string("authorID") else { return KiliUser.viewer.name }
    let name = id.trimmingCharacters(in: .whitespaces)
    guard (1...200).contains(name.utf8.count), !name.contains("\0"), name.lowercased() != Label.fileAuthor
    else {
      throw GraphQLError("\(label.type): nobody can be called \(id.excerpt()).")
    }
    return name
  }

  private func model(_ label: KiliInput, _ project: KiliProject) throws -> String {
    let name = try label.string("modelName")?.trimmingCharacters(in: .whitespaces) ?? ""
    guard (1...200).contains(name.utf8.count), !name.contains("\0") else {
      throw GraphQLError("\(label.type): an INFERENCE label says which model gave it, modelName.")
    }
    if let run = try platform.workbench.predictionRun(dataset: project.dataset, model: name),
      run.signature != PredictionRun.given
    {
      throw GraphQLError(
        "\(name) has predicted \(project.dataset.name) at fettle's prompt: these labels need another modelName.",
        code: "ALREADY_EXISTS")
    }
    return name
  }
}
