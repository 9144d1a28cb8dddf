import Foundation
import LoopbackClient
import Serving
import Testing
import Workbench

/// Kili's platform as its clients ask it.
@Suite struct KiliEndpointTests {
  private static let interface = """
    {"jobs": {"J": {"content": {"categories": {"FOG": {"name": "Fog"}, "SNOW": {"name": "Snow"}, "SUN": {"name": "Sun"}},
    "input": "radio"}, "instruction": "?", "mlTask": "CLASSIFICATION", "required": 1, "isChild": false}}}
    """

  /// The platform over no wire.
  private struct Platform {
    let bench: Bench
    let context: ServerContext
    private let router = Router(KiliEndpoints().routes)

    init() throws {
      bench = try Bench()
      context = bench.context()
    }

    func send(_ query: String, _ variables: [String: Any] = [:]) async throws -> [String: Any] {
      let body = try JSONSerialization.data(withJSONObject: ["query": query, "variables": variables])
      let response = await router.answer(
        .post, "/api/label/v2/graphql",
        headers: [("content-type", "application/json"), ("host", "127.0.0.1:9")],
        body: body, context)
      guard response.status == 200, case .bytes(let data) = response.body else { throw Fault.response }
      return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    /// The value of `data: …` in an answer without errors.
    func ask(_ query: String, _ variables: [String: Any] = [:], _ place: SourceLocation = #_sourceLocation)
      async throws -> Any
    {
      let answer = try await send(query, variables)
      try #require(answer["errors"] == nil, "\(answer)", sourceLocation: place)
      return try #require((answer["data"] as? [String: Any])?["data"], sourceLocation: place)
    }

    /// The message of an answer that is an error, which has to have `extensions`.
    func error(_ query: String, _ variables: [String: Any] = [:], _ place: SourceLocation = #_sourceLocation)
      async throws -> String
    {
      let answer = try await send(query, variables)
      let errors = try #require(answer["errors"] as? [[String: Any]], "\(answer)", sourceLocation: place)
      #expect(errors.count == 1 && answer["data"] == nil, sourceLocation: place)
      #expect((errors[0]["extensions"] as? [String: Any])?["code"] is String, sourceLocation: place)
      return try #require(errors[0]["message"] as? String, sourceLocation: place)
    }

    func get(_ method: ServerRequest.Method, _ target: String, body: String = "") async -> (Int, String) {
      let response = await router.answer(method, target, body: Data(body.utf8), context)
      guard case .bytes(let data) = response.body else { return (0, "") }
      return (response.status, String(decoding: data, as: UTF8.self))
    }

    func createProject(_ title: String = "Weather") async throws -> String {
      let data = ["title": title, "inputType": "TEXT", "jsonInterface": KiliEndpointTests.interface]
      let project = try await ask(
        "mutation ($d: CreateProjectData!) { data: createProject(data: $d) { id } }", ["d": data])
      return try #require((project as? [String: String])?["id"])
    }

    /// Uploads texts as a client does: their places, the texts, and then the assets.
    func append(_ texts: [String: String], to project: String) async throws -> Any {
      let ids = texts.keys.sorted()
      let paths = ids.map { "projects/\(project)/assets/\(project)-\($0)/content" }
      let answer = try await send(
        "query ($p: [String!]) { urls: createUploadBucketSignedUrls(filePaths: $p) }", ["p": paths])
      let urls = try #require((answer["data"] as? [String: [String]])?["urls"])
      for (url, id) in zip(urls, ids) {
        let end = try #require(url.range(of: "&id="))
        let target = url[..<end.lowerBound].replacingOccurrences(of: "http://127.0.0.1:9", with: "")
        #expect(await get(.put, target, body: texts[id] ?? "").0 == 200)
      }
      return try await ask(
        Self.appendAssets,
        [
          "w": ["id": project],
          "d": [
            "contentArray": urls, "externalIDArray": ids, "idArray": ids.map { "\(project)-\($0)" },
            "isHoneypotArray": ids.map { _ in false }, "jsonContentArray": ids.map { _ in "" },
            "jsonMetadataArray": ids.map { _ in "{\"a\": 1}" },
          ] as [String: Any],
        ])
    }

    static let appendAssets =
      "mutation ($d: AppendManyAssetsData!, $w: ProjectWhere!) { data: appendManyAssets(data: $d, where: $w) { id } }"
    static let appendLabels =
      "mutation ($d: AppendManyLabelsData!, $w: AssetWhere!) { data: appendManyLabels(data: $d, where: $w) { id } }"

    /// - Parameter labels: the external id, and then the category.
    func labels(_ type: String, _ labels: [(String, String)], _ project: String, _ more: [String: Any] = [:])
      -> [String: Any]
    {
      let rows = labels.map { id, category in
        more.merging([
          "assetID": "\(project)-\(id)",
          "jsonResponse": "{\"J\": {\"categories\": [{\"name\": \"\(category)\", \"confidence\": 80}]}}",
        ]) { _, own in own }
      }
      return [
        "d": ["labelType": type, "overwrite": false, "labelsData": rows] as [String: Any],
        "w": ["project": ["id": project]],
      ]
    }

    func count(_ filter: [String: Any], _ project: String) async throws -> Int? {
      try await ask(
        "query ($w: AssetWhere!) { data: countAssets(where: $w) }",
        ["w": filter.merging(["project": ["id": project]]) { own, _ in own }]) as? Int
    }

    enum Fault: Error { case response }
  }

  @Test func `a project is a data set at the prompt, its labels are its authors' and its models'`()
    async throws
  {
    let platform = try Platform()
    let project = try await platform.createProject()
    _ = try await platform.append(
      ["a": "Fog over the quay", "b": "Snow.\u{2028}\n", "c": "é ☀"], to: project)
    let given = platform.labels("INFERENCE", [("a", "FOG"), ("b", "SUN")], project, ["modelName": "curie"])
    _ = try await platform.ask(Platform.appendLabels, given)
    #expect(try await platform.count(["inferenceMarkLte": 1], project) == 0)
    _ = try await platform.ask(
      Platform.appendLabels, platform.labels("DEFAULT", [("a", "FOG"), ("b", "SNOW")], project))
    _ = try await platform.ask(
      Platform.appendLabels, platform.labels("DEFAULT", [("a", "SUN")], project, ["authorID": "ana@coast"]))
    #expect(try await platform.count(["inferenceMarkLte": 0.51], project) == 2)
    #expect(try await platform.count(["consensusMarkGte": 0.6], project) == 0)
    #expect(try await platform.count(["statusIn": ["TODO"]], project) == 1)
    #expect(try await platform.count(["label": ["authorIn": ["ana@coast"]]], project) == 1)
    #expect(
      try await platform.count(["label": ["typeIn": ["INFERENCE"]], "externalIdIn": ["b", "c"]], project) == 1
    )
    try platform.bench.workspace.read { bench throws in
      let dataset = try #require(try bench.dataset(named: "Weather"))
      #expect(dataset.assets == 3 && dataset.isProject)
      #expect(
        try bench.labels(of: dataset).map { "\($0.author) \($0.category) \($0.source)" }
          == ["me FOG person", "ana@coast SUN person", "me SNOW person"])
      let run = try #require(try bench.lastCompleteRun(dataset: dataset))
      #expect(run.model == "curie" && run.predictions == 2)
      #expect(try bench.predictions(of: run).map(\.prediction.confidence) == [0.8, 0.8])
      #expect(try bench.assets(of: dataset).map(\.text) == ["Fog over the quay", "Snow.\u{2028}\n", "é ☀"])
      #expect(try bench.interface()?.categories.map(\.key) == ["FOG", "SNOW", "SUN"])
      #expect(try bench.steps().isEmpty)
    }
    // What the prompt labels and predicts is there for clients, and another interface of the workspace takes nothing.
    try platform.bench.workspace.write { bench throws in
      let dataset = try #require(try bench.dataset(named: "Weather"))
      let third = try bench.assets(of: dataset)[2]
      try bench.insert(labels: [Label(asset: third.id, author: "bo", category: "SUN")])
      let change = try bench.set(interface: .define(names: ["A", "B"]))
      #expect(change.removedRuns.isEmpty && change.orphanedLabels.isEmpty)
    }
    let labels = try await platform.ask(
      """
      query ($w: LabelWhere!) { data: labels(where: $w, first: 100, skip: 0) {
        labelOf { externalId } labelType modelName inferenceMark jsonResponse author { email } } }
      """,
      ["w": ["project": ["id": project], "asset": ["project": ["id": project], "label": [:], "issue": [:]]]])
    let rows = try #require(labels as? [[String: Any]])
    #expect(
      rows.map { row in
        [
          (row["labelOf"] as? [String: String])?["externalId"], row["labelType"] as? String,
          (row["author"] as? [String: String])?["email"],
        ].compactMap(\.self).joined(separator: " ")
      } == [
        "a INFERENCE me@localhost", "a DEFAULT me@localhost", "a DEFAULT ana@coast",
        "b INFERENCE me@localhost",
        "b DEFAULT me@localhost", "c DEFAULT bo@localhost",
      ])
    // Kili's IoU: of three who choose FOG, FOG and SUN it is (2/3 + 1/3) / 2.
    #expect(rows[0]["inferenceMark"] as? Double == 0.5 && rows[3]["inferenceMark"] as? Double == 0.5)
    #expect(
      rows[0]["jsonResponse"] as? String == #"{"J": {"categories": [{"confidence": 80, "name": "FOG"}]}}"#)
  }

  @Test @Waiting func `a text is read as it was uploaded, and its head has its kind`() async throws {
    let server = try TestServer([KiliEndpoints()])
    defer { server.end() }
    let client = try RawClient(server.port)
    func send(_ query: String) throws -> [String: Any] {
      let body = try JSONSerialization.data(withJSONObject: ["query": query])
      let answer = try client.ask(
        "POST", "/api/label/v2/graphql", json: String(decoding: body, as: UTF8.self))
      return try #require(try answer.json["data"] as? [String: Any], "\(answer.text)")
    }
    let created = try send(
      "mutation { p: createProject(data: {title: \"\", inputType: \"TEXT\", jsonInterface: \"\"\"\(Self.interface)\"\"\"}) { id title } }"
    )
    let project = try #require((created["p"] as? [String: String])?["id"])
    let path = "projects/\(project)/assets/x/content"
    let urls = try send("{ u: createUploadBucketSignedUrls(filePaths: [\"\(path)\"]) }")
    let url = try #require((urls["u"] as? [String])?.first)
    #expect(url == "http://127.0.0.1/api/label/v2/upload?path=\(path)&id=\(path)")
    let text = "Fog, and “é”.\n"
    client.send(
      "PUT /api/label/v2/upload?path=\(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)"
    )
    #expect(try client.response().status == 200)
    _ = try send(
      "mutation { a: appendManyAssets(data: {contentArray: [\"\(url)\"], externalIDArray: [\"x y/z\"], idArray: [\"x\"]}, where: {id: \"\(project)\"}) { content } }"
    )
    let target = "/api/label/v2/files?id=\(path)"
    client.send("HEAD \(target) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    let head = try #require(client.wait(for: "\r\n\r\n"))
    #expect(head.contains("200 OK") && head.contains("content-type: text/plain; charset=utf-8"))
    #expect(head.contains("content-length: \(text.utf8.count)") && head.hasSuffix("\r\n\r\n"))
    let other = try RawClient(server.port)
    #expect(try other.ask("GET", target).text == text)
    #expect(try other.ask("GET", target + "x").status == 404)
    #expect(try other.ask("GET", "/api/label/v2/version").json["version"] as? String != nil)
  }

  @Test func `what is sent again is there once, and what differs is refused as a whole`() async throws {
    let platform = try Platform()
    let project = try await platform.createProject()
    _ = try await platform.append(["a": "Fog", "b": "Snow"], to: project)
    // Its answer got lost: the client sends all of it again.
    let again = try await platform.append(["a": "Fog", "b": "Snow"], to: project)
    #expect((again as? [[String: String]])?.map { $0["id"] } == ["\(project)-a", "\(project)-b"])
    let given = platform.labels("DEFAULT", [("a", "FOG"), ("a", "SUN"), ("b", "SNOW")], project)
    let first = try await platform.ask(Platform.appendLabels, given) as? [[String: String]]
    let second = try await platform.ask(Platform.appendLabels, given) as? [[String: String]]
    #expect(first?.count == 3 && first == second && first?[0] == first?[1])
    #expect(try await platform.count([:], project) == 2)
    let existing = try await platform.ask(
      "query ($p: ID!, $e: [String!]!) { data: filterExistingAssets(projectID: $p, externalIDs: $e) }",
      ["p": project, "e": ["z", "b", "a"]])
    #expect(existing as? [String] == ["b", "a"])
    // A new text beside one whose external id another asset has.
    let content = "x?path=projects/\(project)/assets/new/content"
    _ = await platform.get(
      .put, "/api/label/v2/upload?path=projects/\(project)/assets/new/content", body: "New")
    for (ids, externalIDs, words) in [
      (["new", "other"], ["c", "a"], "asset a already"), (["new", "new"], ["c", "d"], "id new already"),
      (["\(project)-a"], ["c"], "already"), (["../x"], ["c"], "can be no asset's id"),
      (["new"], [""], "external id"), (["new", "other"], ["c"], "has 1 members"),
    ] {
      let data = ["contentArray": ids.map { _ in content }, "externalIDArray": externalIDs, "idArray": ids]
      let message = try await platform.error(Platform.appendAssets, ["d": data, "w": ["id": project]])
      #expect(message.contains(words), "\(message)")
    }
    #expect(try await platform.count([:], project) == 2)
    // Of a batch with a wrong label none is kept.
    let wrong = platform.labels("DEFAULT", [("b", "FOG"), ("a", "RAIN")], project)
    #expect(try await platform.error(Platform.appendLabels, wrong).contains("RAIN"))
    let label = try await platform.ask(
      "query ($w: AssetWhere!) { data: assets(where: $w, first: 9, skip: 0) { latestLabel { jsonResponse } } }",
      ["w": ["project": ["id": project], "externalIdStrictlyIn": ["b"]]])
    #expect("\(label)".contains("SNOW"))
  }

  @Test func `the newest label of a person is the latest, and a second project disturbs none`() async throws {
    let platform = try Platform()
    let project = try await platform.createProject()
    _ = try await platform.append(["a": "Fog"], to: project)
    for (author, category) in [("ana", "FOG"), ("bo", "SNOW"), ("ana", "SUN")] {
      _ = try await platform.ask(
        Platform.appendLabels, platform.labels("DEFAULT", [("a", category)], project, ["authorID": author]))
      try await Task.sleep(for: .milliseconds(3))
    }
    _ = try await platform.ask(
      Platform.appendLabels, platform.labels("INFERENCE", [("a", "FOG")], project, ["modelName": "m"]))
    let other = try await platform.createProject()
    _ = try await platform.append(["a": "Other"], to: other)
    let query = """
      query ($w: AssetWhere!) { data: assets(where: $w, first: 1, skip: 0) {
        latestLabel { labelType jsonResponse author { id } } labels { id } inferenceMark content project { title } } }
      """
    let mine = "\(try await platform.ask(query, ["w": ["project": ["id": project]]]))"
    #expect(mine.contains("SUN") && mine.contains("ana") && mine.contains("DEFAULT"))
    let theirs = "\(try await platform.ask(query, ["w": ["project": ["id": other]]]))"
    #expect(!theirs.contains("SUN") && theirs.contains("projects/\(other)/assets/\(other)-a/content"))
    #expect(try platform.bench.workspace.read { try $0.datasets().map(\.name) } == ["Weather", "Weather-2"])
    // It goes with its data set.
    try platform.bench.workspace.write { try $0.remove(dataset: #require(try $0.dataset(named: "Weather"))) }
    #expect(try await platform.error(query, ["w": ["project": ["id": project]]]).contains("no project"))
    #expect(try await platform.ask("{ data: countProjects(where: {}) }") as? Int == 1)
  }

  @Test(arguments: [
    ("{ data: countAssets(where: {}) }", "of which project"),
    ("{ data: countAssets(where: {project: {id: \"x\"}}) }", "no project x"),
    ("{ data: assets(where: {project: {id: \"x\"}}, first: 501, skip: 0) { id } }", "no project"),
    ("{ data: projects(where: {}, first: 501, skip: 0) { id } }", "up to 500"),
    ("{ data: projects(where: {tagIds: [\"t\"]}, first: 1, skip: 0) { id } }", "ProjectWhere.tagIds"),
    ("{ data: createUploadBucketSignedUrls(filePaths: [\"../../etc/passwd\"]) }", "uploaded to projects/"),
    ("{ data: honeypots }", "Cannot query field \"honeypots\""),
    ("mutation { data: deleteProject(where: {id: 1}) { id } }", "Cannot query field \"deleteProject\""),
    (
      "mutation { data: createProject(data: {title: \"t\", inputType: \"IMAGE\", jsonInterface: \"{}\"}) { id } }",
      "IMAGE"
    ),
    (
      "mutation { data: createProject(data: {title: \"t\", inputType: \"TEXT\", jsonInterface: \"{\"}) { id } }",
      "not JSON"
    ),
    ("mutation { data: createProject(data: {title: \"t\", inputType: \"TEXT\"}) { id } }", "jsonInterface"),
  ])
  func `what there is not is told by its name`(query: String, words: String) async throws {
    let platform = try Platform()
    let message = try await platform.error(query)
    #expect(message.contains(words), "\(message)")
    #expect(try platform.bench.workspace.read { try $0.datasets().isEmpty })
  }

  @Test @Waiting func `a key is asked for where the server has one, and a wrong one is told in GraphQL`()
    throws
  {
    let server = try TestServer([KiliEndpoints()], token: "a-long-token")
    defer { server.end() }
    let client = try RawClient(server.port)
    let viewer = #"{"query": "{ viewer { id email } }"}"#
    let path = "/api/label/v2/graphql"
    let right = try client.ask(
      "POST", path, json: viewer, headers: ["Authorization: X-API-Key: a-long-token"])
    #expect(right.status == 200 && right.text == #"{"data":{"viewer":{"id":"me","email":"me@localhost"}}}"#)
    for headers in [["Authorization: X-API-Key: a-long-toke"], ["Authorization: Bearer other"], []] {
      let wrong = try client.ask("POST", path, json: viewer, headers: headers)
      // Another status is tried again for minutes; and a client takes an answer with these words in it for a good key.
      #expect(wrong.status == 200 && wrong.text.contains("\"errors\"") && !wrong.text.contains("email"))
    }
    #expect(try client.ask("GET", "/api/label/v2/files?id=x").status == 401)
    let page = try client.ask(
      "POST", path, json: viewer, headers: ["Authorization: X-API-Key: a-long-token", "Origin: http://there"])
    #expect(page.text.contains("web pages") && !page.text.contains("\"data\""))
  }

  @Test @Waiting func `a compressed body is read, and one that would fill the memory is not`() throws {
    let server = try TestServer([KiliEndpoints()])
    defer { server.end() }
    func send(_ body: Data, encoding: String = "gzip", type: String = "application/json") throws
      -> RawClient.Response
    {
      let client = try RawClient(server.port)
      client.send(
        "POST /api/label/v2/graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: \(type)\r\nContent-Encoding: \(encoding)\r\nContent-Length: \(body.count)\r\n\r\n"
      )
      client.send(body)
      return try client.response()
    }
    // {"query":"{viewer{id}}"}, by gzip.
    let small = try #require(
      Data(base64Encoded: "H4sIAAAAAAACA6tWKixNLapUslKqLstMLU8tqs5Mqa1VqgUAFQi++BgAAAA="))
    #expect(try send(small).text == #"{"data":{"viewer":{"id":"me"}}}"#)
    for broken in [small.dropLast(4), small + Data([1]), Data("{}".utf8), Data()] {
      #expect(try send(Data(broken)).text.contains("not what gzip makes"))
    }
    #expect(try send(small, encoding: "br").text.contains("not by br"))
    #expect(try send(small, type: "text/plain").text.contains("application/json"))
    // Thirty megabytes of blanks, in thirty kilobytes.
    #expect(try send(try gzip(Data(repeating: 0x20, count: 30 << 20))).text.contains("Send less at once"))
  }

  private func gzip(_ data: Data) throws -> Data {
    let process = Process()
    let (input, output) = (FileManager.default.temporaryDirectory.appending(path: UUID().uuidString), Pipe())
    try data.write(to: input)
    defer { try? FileManager.default.removeItem(at: input) }
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["gzip", "-c", input.path]
    process.standardOutput = output
    try process.run()
    let compressed = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return compressed
  }
}
