import Foundation
import Serving
import Testing
import Workbench

/// Files as a client uploads, lists and deletes them.
@Suite struct FileEndpointTests {
  private static let line = #"{"prompt": "a", "completion": "b"}"#

  private func post(_ service: Service, _ body: Data, type: String = "multipart/form-data; boundary=b0") async
    -> ServerResponse
  {
    await service.answer(.post, "/v1/files", type: type, body)
  }

  private func fault(_ service: Service, _ response: ServerResponse, status: Int = 400) throws -> String {
    let error = try service.object(response, status: status)["error"] as? [String: Any]
    return try #require(error?["message"] as? String)
  }

  @Test func `a file is kept to the byte, under a name that does no harm, and outlives the server`()
    async throws
  {
    let bench = try Bench()
    let service = Service(bench)
    // A boundary's beginning within the content is content.
    let content = Data((Self.line + "\r\n--b\r\n").utf8)
    let refused = try fault(service, await post(service, service.form(content)))
    #expect(refused.contains("Line 2"))
    let good = Data((Self.line + "\r\n\r\n").utf8)
    for (given, kept) in [
      ("../../v %22é%22\u{202E}.jsonl", "v \"é\"\\u{202e}.jsonl"), ("C:\\data\\", "data"), ("..", "upload"),
      ("", "upload"),
    ] {
      let file = try service.object(await post(service, service.form(good, name: given)))
      #expect(file["filename"] as? String == kept)
      #expect(file["bytes"] as? Int == good.count && file["object"] as? String == "file")
      #expect(file["status"] as? String == "processed" && file["purpose"] as? String == "fine-tune")
      let id = try #require(file["id"] as? String)
      #expect(id.wholeMatch(of: /file-[0-9a-f]{32}/) != nil)
    }
    await service.end()
    let later = Service(bench)
    let list = try await later.json(.get, "/v1/files")
    let files = try #require(list["data"] as? [[String: Any]])
    #expect(files.count == 4 && list["has_more"] as? Bool == false)
    let id = try #require(files[0]["id"] as? String)
    guard case .bytes(let data) = await later.answer(.get, "/v1/files/\(id)/content").body else {
      Issue.record("no bytes")
      return
    }
    #expect(data == good)
    let deleted = try await later.json(.delete, "/v1/files/\(id)")
    #expect(deleted["deleted"] as? Bool == true && deleted["id"] as? String == id)
    for target in ["/v1/files/\(id)", "/v1/files/\(id)/content"] {
      _ = try await later.error(.get, target, status: 404)
    }
    _ = try await later.error(.delete, "/v1/files/\(id)", status: 404)
    await later.end()
    // Nothing of this is a step of the session.
    #expect(try bench.workspace.read { try $0.steps().isEmpty })
  }

  @Test func `a list goes page by page, in either order, and by purpose`() async throws {
    let service = Service(try Bench())
    var ids: [String] = []
    for number in 0..<5 { ids.append(try await service.upload(Self.line, name: "\(number).jsonl")) }
    for (order, expected) in [("asc", ids), ("desc", ids.reversed())] {
      var seen: [String] = []
      var after = ""
      repeat {
        let page = try await service.json(.get, "/v1/files?limit=2&order=\(order)\(after)")
        let data = try #require(page["data"] as? [[String: Any]]).compactMap { $0["id"] as? String }
        #expect(page["first_id"] as? String == data.first && page["last_id"] as? String == data.last)
        seen += data
        guard page["has_more"] as? Bool == true else { break }
        after = "&after=\(data.last ?? "")"
      } while seen.count < 10
      #expect(seen == expected)
    }
    let none = try await service.json(.get, "/v1/files?purpose=batch")
    #expect((none["data"] as? [Any])?.isEmpty == true)
    for wrong in ["limit=0", "limit=x", "order=up", "after=file-none"] {
      _ = try await service.error(.get, "/v1/files?\(wrong)")
    }
    await service.end()
  }

  @Test func `a file may go by itself, and is gone then`() async throws {
    let bench = try Bench()
    let service = Service(bench)
    func expiry(_ anchor: String, _ seconds: String) -> String {
      "--b0\r\nContent-Disposition: form-data; name=\"expires_after[anchor]\"\r\n\r\n\(anchor)\r\n"
        + "--b0\r\nContent-Disposition: form-data; name=\"expires_after[seconds]\"\r\n\r\n\(seconds)\r\n"
    }
    let line = Data(Self.line.utf8)
    let file = try service.object(
      await post(service, service.form(line, more: expiry("created_at", "3600"))))
    let created = try #require(file["created_at"] as? Int)
    #expect(file["expires_at"] as? Int == created + 3600)
    for (anchor, seconds) in [("now", "3600"), ("created_at", "60"), ("created_at", "long")] {
      let response = await post(service, service.form(line, more: expiry(anchor, seconds)))
      _ = try service.object(response, status: 400)
    }
    try bench.workspace.write { workbench in
      try workbench.insert(
        file: StoredFile(id: "file-old", name: "old", purpose: "fine-tune", bytes: 0, created: 1, expires: 2),
        content: line)
    }
    _ = try await service.error(.get, "/v1/files/file-old", status: 404)
    let left = try await service.json(.get, "/v1/files")["data"] as? [Any]
    #expect(left?.count == 1)
    let job = try await service.error(
      .post, "/v1/fine_tuning/jobs", ["model": "tiny-llama", "training_file": "file-old"])
    #expect(job["param"] as? String == "training_file" && job["code"] as? String == "file_not_found")
    await service.end()
  }

  @Test func `what nobody can train on is refused at once, and nothing is kept of it`() async throws {
    let service = Service(try Bench())
    let response = await post(service, service.form(Data("{\"prompt\": \"a\"}".utf8)))
    let error = try service.object(response, status: 400)["error"] as? [String: Any]
    #expect(error?["param"] as? String == "file" && error?["code"] as? String == "invalid_training_file")
    #expect((error?["message"] as? String)?.contains("Line 1: It has no completion.") == true)
    let purpose = try fault(
      service, await post(service, service.form(Data(Self.line.utf8), purpose: "other")))
    #expect(purpose.contains("fine-tune"))
    #expect((try await service.json(.get, "/v1/files")["data"] as? [Any])?.isEmpty == true)
    await service.end()
  }

  @Test(arguments: [
    "", "--b0--\r\n", "--b1\r\n", "x--b0\r\n",
    "--b0\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nfine-tune",
    "--b0\r\n\r\nfine-tune\r\n--b0--", "--b0\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b0--",
    "--b0\r\nContent-Disposition: attachment; name=\"file\"\r\n\r\nx\r\n--b0--",
    "--b0\r\nContent-Disposition: form-data; name=\"file\r\n\r\nx\r\n--b0--",
    "--b0\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n\r\n--b0x",
    "--b0\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\na\r\n--b0\r\n"
      + "Content-Disposition: form-data; name=\"purpose\"\r\n\r\nb\r\n--b0--",
  ]) func `a body that is no form is refused`(body: String) async throws {
    let service = Service(try Bench())
    _ = try service.object(await post(service, Data(body.utf8)), status: 400)
    for type in ["", "multipart/form-data", "text/plain; boundary=b0", "multipart/form-data; boundary=\"\""] {
      let whole = service.form(Data(Self.line.utf8))
      _ = try service.object(await post(service, whole, type: type), status: 400)
    }
    let quoted = await post(
      service, service.form(Data(Self.line.utf8)), type: "Multipart/Form-Data; charset=x; boundary=\"b0\"")
    _ = try service.object(quoted)
    await service.end()
  }

  @Test func `an empty file has its place in a form, and a name may be written in any of three ways`()
    async throws
  {
    let service = Service(try Bench())
    let empty = try fault(service, await post(service, service.form(Data())))
    #expect(empty.contains("no examples"))
    for (field, name) in [
      (#"filename="a\"b.jsonl""#, "a\"b.jsonl"), (#"filename="x"; filename*=UTF-8''caf%C3%A9"#, "café"),
      ("filename=plain", "plain"),
    ] {
      let body = """
        --b0\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n--b0\r
        Content-Disposition: form-data; name="file"; \(field)\r\n\r\n\(Self.line)\r\n--b0--\r\n
        """
      let file = try service.object(await post(service, Data(body.utf8)))
      #expect(file["filename"] as? String == name)
    }
    await service.end()
  }
}
