import Basics
import Scoring
import Workbench

/// What is asked of the platform.
struct KiliQuery: GraphQLObject {
  let platform: KiliPlatform
  let graphQLType = GraphQLSchema.query

  /// Objects of a page, at most.
  private static let longestPage = 500

  init(_ platform: KiliPlatform) { self.platform = platform }

  func value(of field: String, _ arguments: [String: GraphQLValue]) throws -> GraphQLResult {
    let given = KiliInput("Query.\(field)", arguments)
    switch field {
    case "viewer": return .object(KiliUser.viewer)
    case "apiKeys": return try page([KiliConstant.apiKey], given)
    case "organizations": return try page([KiliConstant.organization], given)
    case "countOrganizations": return .int(1)
    case "projects": return try page(projects(given), given)
    case "countProjects": return .int(try projects(given).count)
    case "filterExistingAssets":
      let wanted = try given.strings("externalIDs") ?? []
      let there = Set(try platform.project(given.string("projectID") ?? "").assets().map(\.asset.externalID))
      return .list(wanted.filter(there.contains).map { .string($0) })
    case "createUploadBucketSignedUrls":
      return .list(try (given.strings("filePaths") ?? []).map { .string(try address(forUpload: $0)) })
    case "assets": return try page(assets(given.object("where")), given)
    case "countAssets": return .int(try assets(given.object("where")).count)
    case "labels": return try page(labels(given.object("where")), given)
    case "countLabels": return .int(try labels(given.object("where")).count)
    default: return .null
    }
  }

  private func page(_ all: [some GraphQLObject], _ given: KiliInput) throws -> GraphQLResult {
    let (first, skip) = (try given.int("first") ?? 0, try given.int("skip") ?? 0)
    guard (0...Self.longestPage).contains(first) else {
      throw GraphQLError("A page has up to \(Self.longestPage) objects: first is \(first).")
    }
    guard skip >= 0 else { throw GraphQLError("skip counts from 0: it is \(skip).") }
    return .objects(Array(all.dropFirst(skip).prefix(first)))
  }

  /// Clients put the text to what stands before the first `&id=`, and give the whole to appendManyAssets.
  private func address(forUpload path: String) throws -> String {
    guard let place = KiliUpload(path) else {
      throw GraphQLError(
        "Texts are uploaded to projects/PROJECT/assets/ASSET/content, and not to \(path.excerpt()).")
    }
    _ = try platform.project(place.project)
    return "\(platform.address)/upload?path=\(path)&id=\(path)"
  }

  // MARK: - Filters

  private func projects(_ given: KiliInput) throws -> [KiliProject] {
    var filter = try given.object("where")
    let ids = try filter.take(strings: "idIn").map(Set.init)
    let id = try filter.take(string: "id")
    let search = try filter.take(string: "searchQuery")?.lowercased().replacing("%", with: "")
    let gone = try ["archived", "deleted"].map { try filter.take(bool: $0) }
    _ = filter.take("shouldRelaunchKpiComputation")
    try filter.finish()
    return try platform.projects().filter { project in
      (id ?? project.project.id) == project.project.id && ids?.contains(project.project.id) ?? true
        && search.map { project.project.title.lowercased().contains($0) } ?? true && !gone.contains(true)
    }
  }

  /// The project that a filter is about; it has to name one.
  private func project(_ filter: inout KiliInput) throws -> KiliProject? {
    guard var project = try filter.take(object: "project") else { return nil }
    let id = try project.take(string: "id")
    try project.finish()
    return try id.map(platform.project)
  }

  private func assets(_ given: KiliInput, of other: KiliProject? = nil) throws -> [KiliAsset] {
    var filter = given
    guard let project = try project(&filter) ?? other else {
      throw GraphQLError("\(given.type) has to say of which project: project: {id}.")
    }
    var tests: [(KiliAsset) throws -> Bool] = []
    if let id = try filter.take(string: "id") { tests.append { $0.asset.id == id } }
    if let ids = try filter.take(strings: "idIn").map(Set.init) { tests.append { ids.contains($0.asset.id) } }
    if let ids = try filter.take(strings: "idNotIn").map(Set.init) {
      tests.append { !ids.contains($0.asset.id) }
    }
    if let ids = try filter.take(strings: "externalIdStrictlyIn").map(Set.init) {
      tests.append { ids.contains($0.asset.externalID) }
    }
    if let parts = try filter.take(strings: "externalIdIn") {
      tests.append { asset in parts.contains { asset.asset.externalID.contains($0) } }
    }
    if let states = try filter.take(strings: "statusIn") { tests.append { states.contains(try $0.status()) } }
    if let isSkipped = try filter.take(bool: "skipped"), isSkipped { tests.append { _ in false } }
    // One that has no mark is neither above nor below.
    func compare(_ name: String, _ mark: @escaping (KiliAsset) throws -> IntersectionOverUnion?) throws {
      if let least = try filter.take(double: name + "Gte") {
        tests.append { try mark($0)?.value.map { $0 >= least } ?? false }
      }
      if let most = try filter.take(double: name + "Lte") {
        tests.append { try mark($0)?.value.map { $0 <= most } ?? false }
      }
    }
    try compare("inferenceMark") { try $0.inference() }
    try compare("consensusMark") { try $0.consensus() }
    if var label = try filter.take(object: "label"), let isWanted = try labels(&label) {
      tests.append { try $0.labels().contains(where: isWanted) }
    }
    if let issue = try filter.take(object: "issue") { try issue.finish() }
    try filter.finish()
    return try project.assets().filter { asset in try tests.allSatisfy { try $0(asset) } }
  }

  /// What a label has to be; nil where it may be any.
  private func labels(_ filter: inout KiliInput) throws -> ((KiliLabel) -> Bool)? {
    var tests: [(KiliLabel) -> Bool] = []
    if let types = try filter.take(strings: "typeIn") { tests.append { types.contains($0.type) } }
    // By their addresses, or by their ids.
    for name in ["authorIn", "labelerIn"] {
      guard let people = try filter.take(strings: name) else { continue }
      tests.append { people.contains($0.author.name) || people.contains($0.author.email) }
    }
    try filter.finish()
    return tests.isEmpty ? nil : { label in tests.allSatisfy { $0(label) } }
  }

  private func labels(_ given: KiliInput) throws -> [KiliLabel] {
    var filter = given
    let project = try project(&filter)
    let ids = try (filter.take(strings: "idIn") ?? filter.take(string: "id").map { [$0] }).map(Set.init)
    let wanted = try filter.take(object: "asset") ?? KiliInput("AssetWhere", [:])
    let isWanted = try labels(&filter)
    return try assets(wanted, of: project).flatMap { try $0.labels() }
      .filter { (isWanted?($0) ?? true) && ids?.contains($0.id) ?? true }
  }
}

/// An object of input, whose members are taken out one by one, so that what is left is known to be left out.
struct KiliInput {
  /// For errors.
  let type: String
  private var members: [String: GraphQLValue]
  /// What was not taken.
  var rest: [String: GraphQLValue] { members }

  private static let types = [
    "project": "ProjectWhere", "label": "LabelInAssetWhere", "issue": "IssueWhere", "asset": "AssetWhere",
  ]

  init(_ type: String, _ members: [String: GraphQLValue]) { (self.type, self.members) = (type, members) }

  /// Nil for one that is not there, or null.
  mutating func take(_ name: String) -> GraphQLValue? {
    guard let value = members.removeValue(forKey: name), value != .null else { return nil }
    return value
  }

  mutating func take(string name: String) throws -> String? {
    guard let value = take(name) else { return nil }
    guard case .string(let string) = value else { throw wrong(name) }
    return string
  }

  mutating func take(bool name: String) throws -> Bool? {
    guard let value = take(name) else { return nil }
    guard case .bool(let bool) = value else { throw wrong(name) }
    return bool
  }

  mutating func take(int name: String) throws -> Int? {
    guard let value = take(name) else { return nil }
    guard case .int(let number) = value else { throw wrong(name) }
    return number
  }

  mutating func take(double name: String) throws -> Double? {
    switch take(name) {
    case nil: return nil
    case .int(let number)?: return Double(number)
    case .double(let number)?: return number
    default: throw wrong(name)
    }
  }

  mutating func take(list name: String) throws -> [GraphQLValue]? {
    guard let value = take(name) else { return nil }
    guard case .list(let values) = value else { throw wrong(name) }
    return values
  }

  mutating func take(strings name: String) throws -> [String]? {
    try take(list: name)?.map {
      guard case .string(let string) = $0 else { throw wrong(name) }
      return string
    }
  }

  mutating func take(object name: String) throws -> KiliInput? {
    guard let value = take(name) else { return nil }
    guard case .object(let members) = value else { throw wrong(name) }
    return KiliInput(Self.types[name] ?? "\(type).\(name)", members)
  }

  func string(_ name: String) throws -> String? {
    var copy = self
    return try copy.take(string: name)
  }
  func strings(_ name: String) throws -> [String]? {
    var copy = self
    return try copy.take(strings: name)
  }
  func int(_ name: String) throws -> Int? {
    var copy = self
    return try copy.take(int: name)
  }

  func object(_ name: String) throws -> KiliInput {
    var copy = self
    let names = [
      "labels": "LabelWhere", "countLabels": "LabelWhere", "assets": "AssetWhere",
      "countAssets": "AssetWhere",
    ]
    let members = try copy.take(object: name)?.members ?? [:]
    let known = names.first { type.hasSuffix(".\($0.key)") }?.value
    return KiliInput(known ?? (type.hasSuffix("rojects") ? "ProjectWhere" : "\(type).\(name)"), members)
  }

  private func wrong(_ name: String) -> GraphQLError { GraphQLError("\(type).\(name) is of another type.") }

  /// - Throws: `GraphQLError` where something is left that would have said more.
  func finish() throws {
    let left = members.filter { $0.value != .null && $0.value != .object([:]) }.keys.sorted()
    guard left.isEmpty else {
      throw GraphQLError(
        "fettle has nothing for \(left.map { "\(type).\($0)" }.joined(separator: ", ")). Leave it out.",
        code: "NOT_SERVED")
    }
  }
}
