import Foundation
import Serving
import Tasks
import Testing
import Workbench

/// Trainings that clients order, by tiny models.
@Suite struct JobTests {
  private static let jobs = "/v1/fine_tuning/jobs"

  /// Texts of two kinds, which letters tell apart.
  private static func prompts(_ count: Int = 12, before: String = "", after: String = "") -> String {
    lines(count) { text, kind in ["prompt": before + text + after, "completion": " \(kind)[END]"] }
  }

  private static func chats(_ count: Int = 12, system: String? = nil) -> String {
    lines(count) { text, kind in
      let messages = [
        ["role": "user", "content": "Which kind?\nmessage: \(text)\nkind:"],
        ["role": "assistant", "content": kind],
      ]
      return ["messages": (system.map { [["role": "system", "content": $0]] } ?? []) + messages]
    }
  }

  private static func lines(_ count: Int, _ line: (_ text: String, _ kind: String) -> [String: Any]) -> String
  {
    (0..<count).map { number in
      let letter = String(UnicodeScalar(UInt8(97 + number % 26)))
      let object =
        number % 2 == 0 ? line("news of the \(letter)", "WORLD") : line("z y x \(letter)", "SPORTS")
      let data = (try? JSONSerialization.data(withJSONObject: object)) ?? Data()
      return String(decoding: data, as: UTF8.self) + "\n"
    }.joined()
  }

  private func order(
    _ service: Service, _ more: [String: Any] = [:], model: String = "tiny-llama", file: String
  )
    async throws -> String
  {
    var body: [String: Any] = ["model": model, "training_file": file, "hyperparameters": ["n_epochs": 1]]
    body.merge(more) { $1 }
    let job = try await service.json(.post, Self.jobs, body)
    return try #require(job["id"] as? String)
  }

  /// Trains for as long as it is let.
  private static let long = ["hyperparameters": ["n_epochs": 50, "batch_size": 1]]
  private static let much = 400

  // MARK: - One job

  @Test func `a file of prompts and completions becomes a model that the workspace has`() async throws {
    let bench = try Bench()
    let service = Service(bench)
    let file = try await service.upload(Self.prompts(after: "[PROMPT_STOP]"))
    let check = try await service.upload(Self.prompts(4, after: "[PROMPT_STOP]"))
    let created = try await service.json(
      .post, Self.jobs,
      [
        "model": "tiny-llama", "training_file": file, "validation_file": check, "seed": 7,
        "suffix": "my news!",
        "metadata": ["class": "3b"], "integrations": NSNull(),
        "method": [
          "type": "supervised",
          "supervised": [
            "hyperparameters": ["n_epochs": 2, "batch_size": "auto", "learning_rate_multiplier": 0.5]
          ],
        ],
      ])
    let id = try #require(created["id"] as? String)
    #expect(id.wholeMatch(of: /ftjob-[0-9a-f]{32}/) != nil && created["seed"] as? Int == 7)
    #expect(created["status"] as? String == "validating_files")
    let job = try await service.finish(id)
    #expect(job["status"] as? String == "succeeded", "\(job)")
    let parameters = try #require(job["hyperparameters"] as? [String: Any])
    #expect(parameters["n_epochs"] as? Int == 2 && parameters["batch_size"] as? Int == 8)
    #expect(parameters["learning_rate_multiplier"] as? Double == 0.5)
    let method = (job["method"] as? [String: Any])?["supervised"] as? [String: Any]
    #expect((method?["hyperparameters"] as? [String: Any])?["n_epochs"] as? Int == 2)
    #expect(try #require(job["trained_tokens"] as? Int) > 0 && job["error"] is NSNull)
    let name = try #require(job["fine_tuned_model"] as? String)
    #expect(name == "tiny-llama.my-news--" + id.suffix(8))

    // The workspace has it, and the prompt can ask it.
    let model = try #require(try bench.workspace.read { try $0.model(named: name) })
    #expect(model.base == "tiny-llama" && model.method == "adapter" && model.dataset == "news.jsonl")
    #expect(model.categories == ["WORLD", "SPORTS"] && model.examples == 12)
    let taught = try #require(try model.lesson)
    #expect(
      taught.prompt.template == "{text}[PROMPT_STOP]" && taught.answers == [" WORLD[END]", " SPORTS[END]"])
    let selection = try bench.workspace.read { try bench.library.model(named: name + "+decide", $0) }
    let outcome = try bench.library.classifier(for: selection).classify(
      ["news of the b"], isCancelled: { false })
    #expect(model.categories.contains(try #require(outcome.first).category))
    #expect(try bench.workspace.read { try $0.trainingTexts(of: name) }.contains(TextDigest("news of the a")))
    #expect(try bench.workspace.read { try $0.steps().isEmpty }, "a job is no step of the session")
    #expect(bench.log.contains { $0.contains(id) })
    #expect(bench.log.count { $0.contains("not recorded") } == 1)

    // Events, the newest first, page by page.
    let messages = try await service.messages(id)
    #expect(messages.first == "Created fine-tune: \(id)")
    #expect(messages.contains("Completed epoch 2/2") && messages.contains("Uploaded model: \(name)"))
    #expect(messages.last?.hasPrefix("Training hours billed:") == true)
    #expect(messages.dropLast().last == "Fine-tune succeeded")
    var paged: [[String: Any]] = []
    var after = ""
    while paged.count < 100 {
      let page = try await service.json(.get, "\(Self.jobs)/\(id)/events?limit=2\(after)")
      let data = try #require(page["data"] as? [[String: Any]])
      paged += data
      guard page["has_more"] as? Bool == true, let last = data.last?["id"] as? String else { break }
      after = "&after=\(last)"
    }
    #expect(paged.reversed().compactMap { $0["message"] as? String } == messages)
    let metrics = paged.filter { $0["type"] as? String == "metrics" }.compactMap {
      $0["data"] as? [String: Any]
    }
    #expect(
      metrics.count == 3 && metrics.allSatisfy { $0["valid_loss"] is Double && $0["train_loss"] is Double })

    let checkpoints = try await service.json(.get, "\(Self.jobs)/\(id)/checkpoints")
    let checkpoint = try #require((checkpoints["data"] as? [[String: Any]])?.first)
    #expect(checkpoint["fine_tuned_model_checkpoint"] as? String == name)
    #expect(checkpoint["step_number"] as? Int == 4 && checkpoint["fine_tuning_job_id"] as? String == id)
    let results = try #require(job["result_files"] as? [String])
    guard case .bytes(let csv) = await service.answer(.get, "/v1/files/\(results[0])/content").body else {
      Issue.record("no bytes")
      return
    }
    #expect(String(decoding: csv, as: UTF8.self).split(separator: "\n").count == 3)
    await service.end()
  }

  @Test func `a language model learns to write a file's answers, and where they end`() async throws {
    let bench = try Bench()
    let service = Service(bench)
    let file = try await service.upload(Self.prompts(26, after: "\n"))
    let options: [String: Any] = [
      "hyperparameters": ["n_epochs": 40, "batch_size": 4, "learning_rate_multiplier": 5],
      "validation_file": file,
    ]
    let job = try await service.finish(try await order(service, options, file: file))
    #expect(job["status"] as? String == "succeeded", "\(job)")
    let name = try #require(job["fine_tuned_model"] as? String)
    let model = try #require(try bench.workspace.read { try $0.model(named: name) })
    #expect(try #require(model.heldOutAccuracy) > 0.9)
    let selection = try bench.workspace.read { try bench.library.model(named: name, $0) }
    let outcomes = try bench.library.classifier(for: selection)
      .classify(["news of the q", "z y x q"], isCancelled: { false })
    #expect(outcomes.map(\.answer) == [" WORLD[END]", " SPORTS[END]"])
    #expect(outcomes.map(\.category) == ["WORLD", "SPORTS"])
    await service.end()
  }

  @Test func `a tuned model is trained on by its name, and a chat file teaches the chat's form`() async throws
  {
    let bench = try Bench()
    let service = Service(bench)
    let first = try await service.finish(
      try await order(service, file: try await service.upload(Self.chats(system: "Be brief."))))
    let tuned = try #require(first["fine_tuned_model"] as? String, "\(first)")
    let taught = try #require(try bench.workspace.read { try $0.model(named: tuned)?.lesson })
    #expect(taught.prompt.isChat && taught.prompt.system == "Be brief.")
    #expect(taught.prompt.template == "Which kind?\nmessage: {text}\nkind:")
    let second = try await service.finish(
      try await order(service, model: tuned, file: try await service.upload(Self.chats())))
    let next = try #require(second["fine_tuned_model"] as? String, "\(second)")
    #expect(second["model"] as? String == tuned && next != tuned)
    #expect(try bench.workspace.read { try $0.model(named: next)?.base } == tuned)
    await service.end()
  }

  @Test
  func `an encoder learns the answers from what a file's prompts do not share, and gives them to the letter`()
    async throws
  {
    let bench = try Bench()
    let service = Service(bench)
    let file = try await service.upload(Self.chats(40))
    let check = try await service.upload(Self.chats(10))
    let options: [String: Any] = [
      "validation_file": check, "hyperparameters": ["n_epochs": 20, "learning_rate_multiplier": 5],
    ]
    let job = try await service.finish(try await order(service, options, model: "base", file: file))
    let name = try #require(job["fine_tuned_model"] as? String, "\(job)")
    let model = try #require(try bench.workspace.read { try $0.model(named: name) })
    let lesson = try #require(model.fileLesson)
    #expect(lesson.frame.before == "Which kind?\nmessage: " && lesson.frame.after == "\nkind:")
    #expect(
      model.taught == nil && model.heldOutAccuracy == nil && lesson.answers.answers == ["WORLD", "SPORTS"])
    let events = try await service.messages(try #require(job["id"] as? String))
    #expect(
      events.contains { $0.hasPrefix("Validation: loss ") && $0.hasSuffix("accuracy 1.0000") }, "\(events)")
    let classifier = try bench.library.classifier(for: .tuned(model))
    let framed = "Which kind?\nmessage: news of the q\nkind:"
    let outcomes = try classifier.classify([framed, "news of the q", "z y x q"], isCancelled: { false })
    #expect(outcomes.map(\.category) == ["WORLD", "WORLD", "SPORTS"])
    #expect(outcomes[0] == outcomes[1], "the frame is not read")
    // And on: the head that knows the answers learns more.
    let again = try await service.finish(try await order(service, model: name, file: file))
    let next = try #require(again["fine_tuned_model"] as? String, "\(again)")
    #expect(try bench.workspace.read { try $0.model(named: next)?.base } == name)
    await service.end()
  }

  // MARK: - What is refused

  @Test func `an order that cannot be is refused with the member that is wrong`() async throws {
    let service = Service(try Bench())
    let file = try await service.upload(Self.prompts())
    func param(_ more: [String: Any], status: Int = 400) async throws -> String? {
      var body: [String: Any] = ["model": "tiny-llama", "training_file": file]
      body.merge(more) { $1 }
      return try await service.error(.post, Self.jobs, body, status: status)["param"] as? String
    }
    #expect(try await param(["model": "nobody"], status: 404) == "model")
    #expect(try await param(["training_file": "file-none"]) == "training_file")
    #expect(try await param(["validation_file": "file-none"]) == "validation_file")
    #expect(try await param(["training_file": NSNull()]) == "training_file")
    #expect(try await param(["method": ["type": "dpo"]]) == "method.type")
    #expect(try await param(["hyperparameters": ["n_epochs": 51]]) == "hyperparameters.n_epochs")
    #expect(try await param(["hyperparameters": ["n_epochs": "many"]]) == "hyperparameters.n_epochs")
    #expect(try await param(["hyperparameters": ["batch_size": 0]]) == "hyperparameters.batch_size")
    #expect(
      try await param(["hyperparameters": ["learning_rate_multiplier": 0]])
        == "hyperparameters.learning_rate_multiplier")
    #expect(try await param(["seed": -1]) == "seed")
    #expect(try await param(["suffix": String(repeating: "x", count: 65)]) == "suffix")
    #expect(try await param(["metadata": ["k": String(repeating: "x", count: 513)]]) == "metadata")
    #expect(try await param(["integrations": [["type": "wandb"]]]) == "integrations")
    let jobs = try await service.json(.get, Self.jobs)
    #expect((jobs["data"] as? [Any])?.isEmpty == true && jobs["has_more"] as? Bool == false)
    for path in ["", "/events", "/checkpoints"] {
      let error = try await service.error(.get, "\(Self.jobs)/ftjob-none\(path)", status: 404)
      #expect(error["code"] as? String == "fine_tune_not_found")
    }
    await service.end()
  }

  @Test func `a file that does not suit the model fails its job with the line`() async throws {
    let service = Service(try Bench())
    func fault(_ file: String, model: String, _ more: [String: Any] = [:]) async throws -> [String: Any] {
      let job = try await service.finish(
        try await order(service, more, model: model, file: try await service.upload(file)))
      #expect(job["status"] as? String == "failed" && job["fine_tuned_model"] is NSNull)
      let last = try await service.messages(try #require(job["id"] as? String)).last
      #expect(last?.hasPrefix("Training hours billed:") == true)
      return try #require(job["error"] as? [String: Any], "\(job)")
    }
    let long =
      Self.prompts(2) + #"{"prompt": "\#(String(repeating: "a b ", count: 300))", "completion": "x"}"#
    let tooLong = try await fault(long, model: "tiny-llama")
    #expect(
      tooLong["code"] as? String == "invalid_training_file" && tooLong["param"] as? String == "training_file")
    #expect((tooLong["message"] as? String)?.hasPrefix("Line 3: ") == true)
    let one = try await fault(
      Self.lines(3) { text, _ in ["prompt": text, "completion": "x"] }, model: "base")
    #expect((one["message"] as? String)?.contains("the same") == true)
    let many = (0...1000).map { #"{"prompt": "a \#($0)", "completion": "x \#($0)"}"# }.joined(separator: "\n")
    let tooMany = try await fault(many, model: "base")
    #expect((tooMany["message"] as? String)?.contains("more than 1000") == true)
    let other = try await service.upload(#"{"prompt": "news", "completion": " MUSIC[END]"}"#)
    let stranger = try await fault(Self.prompts(), model: "base", ["validation_file": other])
    #expect(stranger["param"] as? String == "validation_file")
    #expect((stranger["message"] as? String)?.contains("Line 1") == true)
    await service.end()
  }

  // MARK: - Several jobs

  @Test
  func `one job trains and the others wait in their order; whoever is cancelled stands in nobody's way`()
    async throws
  {
    let bench = try Bench()
    let service = Service(bench)
    let big = try await service.upload(Self.prompts(Self.much))
    let small = try await service.upload(Self.prompts())
    let first = try await order(service, Self.long, file: big)
    try await service.wait(for: first, to: "running")
    let others = [
      try await order(service, ["metadata": ["n": "1"]], file: small), try await order(service, file: small),
      try await order(service, ["metadata": ["n": "3"]], file: small),
    ]
    for other in others { try await service.wait(for: other, to: "queued") }
    let paused = try await service.error(.post, "\(Self.jobs)/\(first)/pause")
    #expect(paused["code"] as? String == "invalid_status")
    _ = try await service.error(.post, "\(Self.jobs)/\(first)/resume")
    // The prompt can write meanwhile.
    try bench.workspace.write { try $0.set("seed", to: "7") }
    let waiting = try await service.json(.post, "\(Self.jobs)/\(others[1])/cancel")
    #expect(waiting["status"] as? String == "cancelled" && waiting["finished_at"] is Int)
    let running = try await service.json(.post, "\(Self.jobs)/\(first)/cancel")
    #expect(running["status"] as? String == "cancelled")
    let again = try await service.error(.post, "\(Self.jobs)/\(first)/cancel")
    #expect(again["code"] as? String == "invalid_status")
    var started: [Int] = []
    for other in [others[0], others[2]] {
      let job = try await service.finish(other)
      #expect(job["status"] as? String == "succeeded", "\(job)")
      started.append(try #require(job["finished_at"] as? Int))
    }
    #expect(started[0] <= started[1])
    let models = try bench.workspace.read { try $0.models().map(\.name) }
    #expect(models.map { $0.suffix(8) } == [others[0].suffix(8), others[2].suffix(8)])
    #expect(try await service.messages(first).last?.hasPrefix("Training hours billed:") == true)

    let list = try await service.json(.get, "\(Self.jobs)?limit=3")
    let ids = try #require(list["data"] as? [[String: Any]]).compactMap { $0["id"] as? String }
    #expect(ids == others.reversed() && list["has_more"] as? Bool == true)
    let rest = try await service.json(.get, "\(Self.jobs)?limit=3&after=\(others[0])")
    #expect((rest["data"] as? [[String: Any]])?.first?["id"] as? String == first)
    #expect(rest["has_more"] as? Bool == false)
    let marked = try await service.json(.get, "\(Self.jobs)?metadata%5Bn%5D=3")
    #expect((marked["data"] as? [[String: Any]])?.compactMap { $0["id"] as? String } == [others[2]])
    let folders = try FileManager.default.contentsOfDirectory(atPath: bench.workspace.modelsFolder.path)
    #expect(folders.count == 2, "what was cancelled leaves no files")
    await service.end()
  }

  @Test func `a server that ends hands its jobs to the next one`() async throws {
    let bench = try Bench()
    let service = Service(bench)
    let done = try await order(service, file: try await service.upload(Self.prompts()))
    let model = try #require(try await service.finish(done)["fine_tuned_model"] as? String)
    let running = try await order(service, Self.long, file: try await service.upload(Self.prompts(Self.much)))
    try await service.wait(for: running, to: "running")
    let waiting = try await order(service, file: try await service.upload(Self.prompts()))
    // A second one takes no jobs meanwhile, and knows them.
    let second = Service(bench)
    try await Task.sleep(for: .milliseconds(200))
    let file = try await second.upload(Self.prompts())
    let refused = try await second.error(
      .post, Self.jobs, ["model": "tiny-llama", "training_file": file])
    #expect(refused["code"] as? String == "other_server")
    #expect(try await second.json(.get, "\(Self.jobs)/\(running)")["status"] as? String == "running")
    await service.end()
    // The second takes them over.
    try await second.wait(for: running, to: "running")
    #expect(try await second.messages(running).contains { $0.contains("next one begins this again") })
    _ = try await second.json(.post, "\(Self.jobs)/\(running)/cancel")
    #expect(try await second.finish(waiting)["status"] as? String == "succeeded")
    let kept = try await second.json(.get, "\(Self.jobs)/\(done)")
    #expect(kept["status"] as? String == "succeeded" && kept["fine_tuned_model"] as? String == model)
    await second.end()
  }

  @Test func `a job whose server was killed begins again, and fails where that happens twice`() async throws {
    let bench = try Bench()
    let service = Service(bench)
    let file = try await service.upload(Self.prompts())
    let id = try await order(service, file: file)
    let model = try #require(try await service.finish(id)["fine_tuned_model"] as? String)
    await service.end()
    // As a kill leaves it: running, with the model's row gone and its folder there.
    func kill(starts: Int) throws {
      try bench.workspace.write { workbench in
        if let tuned = try workbench.model(named: model) { try workbench.remove(model: tuned) }
        var job = try #require(try workbench.job(id))
        var object = try #require(JSONSerialization.jsonObject(with: Data(job.json.utf8)) as? [String: Any])
        (object["status"], object["starts"], object["finished"]) = ("running", starts, nil)
        (object["tunedModel"], object["trainedTokens"]) = (nil, nil)
        job.status = "running"
        job.json = String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
        try workbench.update(job: job)
      }
    }
    try kill(starts: 1)
    let next = Service(bench)
    try await Task.sleep(for: .milliseconds(100))
    let job = try await next.finish(id)
    #expect(job["status"] as? String == "succeeded" && job["fine_tuned_model"] as? String == model)
    #expect(try await next.messages(id).contains { $0.contains("It begins again") })
    #expect(try bench.workspace.read { try $0.model(named: model) } != nil)
    await next.end()
    try kill(starts: 2)
    let last = Service(bench)
    let failed = try await last.finish(id)
    #expect(failed["status"] as? String == "failed")
    #expect((failed["error"] as? [String: Any])?["code"] as? String == "server_ended")
    await last.end()
  }

  // MARK: - 2023

  @Test func `the protocol of 2023 orders, follows to the end and trains on`() async throws {
    let bench = try Bench()
    let service = Service(bench)
    let file = try await service.upload(Self.prompts(), name: "kili-fine-tune1.jsonl")
    let job = try await service.json(
      .post, "/v1/fine-tunes", ["training_file": file, "model": "curie", "n_epochs": 2])
    let id = try #require(job["id"] as? String)
    #expect(id.wholeMatch(of: /ft-[0-9a-f]{32}/) != nil)
    #expect(job["object"] as? String == "fine-tune" && job["status"] as? String == "pending")
    #expect(job["fine_tuned_model"] is NSNull && job["model"] as? String == "curie")
    #expect((job["training_files"] as? [[String: Any]])?.first?["id"] as? String == file)

    let events = try await service.stream("/v1/fine-tunes/\(id)/events?stream=true")
    #expect(events.last == "data: [DONE]" && events.count < 1000)
    #expect(events.dropLast().last?.contains("Training hours billed:") == true)
    #expect(events.first?.contains("Created fine-tune: \(id)") == true)
    #expect(events.allSatisfy { $0.hasPrefix("data: ") || $0.hasPrefix(": ") })
    // Once more: all is there already.
    #expect(
      try await service.stream("/v1/fine-tunes/\(id)/events?stream=true")
        == events.filter { $0.hasPrefix("data") })

    let done = try await service.json(.get, "/v1/fine-tunes/\(id)")
    #expect(done["status"] as? String == "succeeded", "\(done)")
    let model = try #require(done["fine_tuned_model"] as? String)
    #expect(model == "curie.\(id)")
    let parameters = try #require(done["hyperparams"] as? [String: Any])
    #expect(parameters["n_epochs"] as? Int == 2 && parameters["batch_size"] as? Int == 8)
    #expect((done["result_files"] as? [[String: Any]])?.count == 1 && done["updated_at"] is Int)
    let plain = try await service.json(.get, "/v1/fine-tunes/\(id)/events")
    #expect((plain["data"] as? [Any])?.count == events.filter { $0.hasPrefix("data: {") }.count)
    #expect((try await service.json(.get, "/v1/fine-tunes")["data"] as? [[String: Any]])?.count == 1)
    #expect(bench.log.contains { $0.contains("curie is tiny-llama here") })

    let second = try await service.json(.post, "/v1/fine-tunes", ["training_file": file, "model": model])
    #expect(second["model"] as? String == model && second["fine_tuned_model"] is NSNull)
    let next = try #require(second["id"] as? String)
    _ = try await service.stream("/v1/fine-tunes/\(next)/events?stream=true")
    let tuned = try await service.json(.get, "/v1/fine-tunes/\(next)")
    #expect(tuned["fine_tuned_model"] as? String == "curie.\(next)", "\(tuned)")

    let big = try await service.upload(Self.prompts(Self.much))
    let third = try await service.json(
      .post, "/v1/fine-tunes", ["training_file": big, "n_epochs": 50, "batch_size": 1])
    let last = try #require(third["id"] as? String)
    try await service.wait(for: last, to: "running")
    async let followed = service.stream("/v1/fine-tunes/\(last)/events?stream=true")
    let cancelled = try await service.json(.post, "/v1/fine-tunes/\(last)/cancel")
    #expect(cancelled["status"] as? String == "cancelled")
    let rest = try await followed
    #expect(rest.last == "data: [DONE]" && rest.dropLast().last?.contains("Training hours billed:") == true)
    _ = try await service.error(.get, "/v1/fine-tunes/ft-none/events?stream=true", status: 404)
    await service.end()
  }
}
