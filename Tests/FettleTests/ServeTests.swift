import Foundation
import LoopbackClient
import PseudoTerminal
import Testing

/// `serve`, as a person starts it and programs ask it.
@Suite struct ServeTests {
  /// A server under way, and where it is.
  private struct Running {
    let process: Front.Running
    let port: Int

    init(_ front: Front, _ arguments: [String] = ["serve", "--port", "0"]) throws {
      process = try front.start(arguments)
      let end = Date.now.addingTimeInterval(30)
      while !process.errorsSoFar.contains("\n"), Date.now < end { usleep(5000) }
      let line = try #require(process.errorsSoFar.split(separator: "\n").first)
      port = try #require(
        line.firstMatch(of: #/^Serving on http://[0-9.]+:(\d+)$/#).flatMap { Int($0.1) }, "\(line)")
    }

    func ask(_ method: String, _ path: String, json: String? = nil, headers: [String] = []) throws
      -> RawClient.Response
    {
      try RawClient(port).ask(method, path, json: json, headers: headers)
    }

    var models: [String] {
      get throws {
        let data = try #require(try ask("GET", "/v1/models").json["data"] as? [[String: Any]])
        return data.compactMap { $0["id"] as? String }
      }
    }

    func classify(_ text: String, by model: String) throws -> String {
      let body = "{\"model\": \"\(model)\", \"messages\": [{\"role\": \"user\", \"content\": \"\(text)\"}]}"
      let choices = try #require(
        try ask("POST", "/v1/chat/completions", json: body).json["choices"] as? [[String: Any]])
      return try #require((choices.first?["message"] as? [String: Any])?["content"] as? String)
    }

    /// Its exit status, asked to end by a signal.
    func end(_ signal: Int32 = SIGTERM) -> Front.Outcome {
      kill(process.process.processIdentifier, signal)
      return process.wait()
    }
  }

  @Test("It says where it serves, in one line, and ends with 0 on a signal", arguments: [SIGTERM, SIGINT])
  func beginningAndEnd(signal: Int32) throws {
    let front = try Front()
    let server = try Running(front)
    #expect(try server.models == ["base"])
    let outcome = server.end(signal)
    #expect(outcome.status == 0 && outcome.output == "", "\(outcome)")
    #expect(outcome.error == "Serving on http://127.0.0.1:\(server.port)\n")
  }

  @Test("A request under way is answered before it ends, and a client that hangs does not keep it")
  func requestUnderWay() throws {
    let front = try Front()
    let server = try Running(front)
    let half = try RawClient(server.port)
    half.send(
      "POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 51\r\n\r\n{\"model\": \"base\", \"input\": "
    )
    usleep(50_000)
    kill(server.process.process.processIdentifier, SIGTERM)
    usleep(300_000)
    half.send("\"news of the day\"      }")
    let answer = try half.response()
    #expect(answer.status == 200 && answer.headers["connection"] == "close")
    #expect(server.process.wait().status == 0)
  }

  @Test("What is tuned beside it is served at once, by its name, and classifies as the prompt does")
  func tunedBeside() throws {
    let front = try Front()
    try front.writeLetters()
    let server = try Running(front)
    let body = "{\"model\": \"base\", \"messages\": [{\"role\": \"user\", \"content\": \"z y x\"}]}"
    let refused = try server.ask("POST", "/v1/chat/completions", json: body)
    #expect(refused.status == 400 && refused.text.contains("no interface"), "\(refused.text)")
    try front.lines(
      "load letters.csv", "interface define --from letters", "label simulate",
      "finetune --method linear --name quick")
    #expect(try server.models == ["base", "quick"])
    for text in ["z y x", "news of the a"] {
      let expected =
        try object(front.run("--json", "classify", "--model", "quick", text).lines[0])["category"] as? String
      #expect(try server.classify(text, by: "quick") == expected)
    }
    #expect(try server.ask("DELETE", "/v1/models/quick").json["deleted"] as? Bool == true)
    #expect(try server.models == ["base"])
    #expect(server.end().status == 0)
  }

  @Test("It keeps nobody from setting the session aside, and goes on with the one that takes its place")
  func newSession() throws {
    let front = try Front()
    try front.writeLetters()
    try front.lines(
      "load letters.csv", "interface define --from letters", "label simulate",
      "finetune --method linear --name quick")
    let server = try Running(front)
    #expect(try server.models == ["base", "quick"])
    let outcome = try front.run("session", "new")
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(try server.models == ["base"])
    #expect(
      try server.ask(
        "POST", "/v1/chat/completions",
        json: "{\"model\": \"quick\", \"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}"
      ).status == 404)
    #expect(server.end().status == 0)
  }

  @Test("What it answers is no part of the document, which replays")
  func document() throws {
    let front = try Front()
    try front.writeLetters()
    try front.lines(
      "load letters.csv", "interface define --from letters", "label simulate",
      "finetune --method linear --name quick")
    let before = try front.read(".fettle/session.md")
    let server = try Running(front)
    _ = try server.classify("z y x", by: "quick")
    #expect(server.end().status == 0)
    #expect(try front.read(".fettle/session.md") == before)
    let replayed = try front.run("replay", ".fettle/session.md")
    #expect(replayed.status == 0, "\(replayed.error)")
  }

  @Test("At the prompt it serves until Ctrl-C, and the prompt goes on")
  func atThePrompt() throws {
    let front = try Front()
    let terminal = try front.prompt()
    terminal.type("serve --port 0\n")
    try terminal.waitForScreen("the address") { $0.text.contains("Serving on http://127.0.0.1:") }
    let port = try #require(terminal.screen.text.firstMatch(of: #/127\.0\.0\.1:(\d+)/#).flatMap { Int($0.1) })
    #expect(try RawClient(port).ask("GET", "/v1/models").status == 200)
    terminal.type("\u{3}")
    try terminal.waitForPrompt()
    terminal.type("status\n")
    try terminal.waitForScreen("an answer") { $0.text.contains("tuned models") }
    try terminal.waitForPrompt()
  }

  @Test("In a replay it is refused")
  func replay() throws {
    let front = try Front()
    try front.write("```fettle\nfettle> serve --port 0\n```\n", to: "lesson.md")
    let outcome = try front.run("replay", "lesson.md")
    #expect(outcome.status == 1)
    #expect((outcome.output + outcome.error).contains("not for documents"), "\(outcome)")
  }

  @Test("Another address needs a token, and says what it opens")
  func otherAddresses() throws {
    var front = try Front()
    for arguments in [
      ["--host", "0.0.0.0"], ["--host", "0.0.0.0", "--token-env", "NOBODY_SET"], ["--port", "70000"],
    ] {
      let outcome = try front.run(["serve"] + arguments)
      #expect(outcome.status == 2, "\(arguments) \(outcome)")
    }
    front.environment["FETTLE_TOKEN"] = "short"
    #expect(try front.run("serve", "--host", "0.0.0.0", "--token-env", "FETTLE_TOKEN").status == 2)
    front.environment["FETTLE_TOKEN"] = "sesame-sesame"
    let server = try Running(
      front, ["serve", "--port", "0", "--host", "0.0.0.0", "--token-env", "FETTLE_TOKEN"])
    #expect(try server.ask("GET", "/v1/models").status == 401)
    #expect(
      try server.ask("GET", "/v1/models", headers: ["Authorization: Bearer sesame-sesame"]).status == 200)
    let outcome = server.end()
    #expect(outcome.status == 0 && outcome.error.contains("token in FETTLE_TOKEN"), "\(outcome)")
    #expect(!outcome.error.contains("sesame"))
  }

  @Test("A port that another program has is said so")
  func takenPort() throws {
    let front = try Front()
    let server = try Running(front)
    let outcome = try front.run("serve", "--port", "\(server.port)")
    #expect(
      outcome.status == 1 && outcome.error.contains("Another program serves on 127.0.0.1:\(server.port)"))
    #expect(server.end().status == 0)
  }
}
