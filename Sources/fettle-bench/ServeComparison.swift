import ArgumentParser
import Foundation

/// `fettle serve` beside the servers that a user would take instead, all asked by the same client (`fettle-bench ask`) with the same
/// requests, in turns. A server that is not being asked has nothing to do.
extension Comparison {
  /// Requests a second of chat, completions and embeddings, and the time of a classification.
  func serving(_ table: inout RatioTable, _ languageModel: String?, seconds: Double) throws {
    let scratch = try ScratchFolder()
    let requests = try ServedRequests(material, in: scratch)
    let fettle = try served(in: scratch)
    if let languageModel {
      let peer = try peers?.serve("llama-cpp", languageModel, scratch)
      for (work, file, path) in [
        ("chat", requests.chat, "/v1/chat/completions"),
        ("completions", requests.completions, "/v1/completions"),
      ] {
        try compare(
          &table, work, [("fettle", fettle)] + (peer.map { [("llama-cpp-python", $0)] } ?? []), path, file,
          seconds)
      }
    }
    var servers = [("fettle", fettle)]
    for name in ["alone", "threads", "batched"] {
      if let peer = try peers?.serve("embeddings-\(name)", model, scratch) { servers.append((name, peer)) }
    }
    try compare(&table, "embeddings", servers, "/v1/embeddings", requests.embeddings, seconds)
    try classification(&table, fettle, requests, seconds)
    table.note(
      "serve: one client process asks all servers, over 1 and 64 connections that stay open, in turns, at temperature 0: \(ServedRequests.chatTokens) "
        + "tokens written in a chat, \(ServedRequests.completionTokens) in a completion, each prompt with an instruction before its text. "
        + "llama-cpp-python has the same GGUF and all cores. Embeddings beside FastAPI and PyTorch: alone answers one request after "
        + "another, threads in FastAPI's threads, batched computes together what waits.")
  }

  /// Whether anything is lost over a thousand connections, and what memory a hundred thousand requests leave behind.
  func endurance(_ table: inout RatioTable, requests count: Int) throws {
    let scratch = try ScratchFolder()
    let requests = try ServedRequests(material, in: scratch)
    let fettle = try served(in: scratch)
    say("1,000 connections")
    for (work, path, file) in [
      ("embeddings", "/v1/embeddings", requests.embeddings),
      ("classifications", "/v1/chat/completions", requests.classifications),
    ] {
      let answer = try ask(fettle, path, file, connections: 1000, ["--requests", "4000"])
      table.add(
        "4,000 \(work) over 1,000 connections", "\(grouped(try answer.value("lost"))) lost", nil, ratio: nil,
        aim: "0 lost")
    }
    say("\(grouped(Double(count))) embeddings")
    let short = ["--requests", "\(max(count / 20, 1))"]
    let start = try ask(fettle, "/v1/embeddings", requests.short, connections: 64, short)
    let answer = try ask(
      fettle, "/v1/embeddings", requests.short, connections: 64, ["--requests", "\(count)"])
    let (before, after) = (try start.value("resident_mb_after"), try answer.value("resident_mb_after"))
    table.add(
      "memory after \(grouped(Double(count))) embeddings", String(format: "%.1f MB", after),
      String(format: "before: %.1f MB", before), ratio: before / after,
      aim: "flat, \(grouped(try answer.value("lost"))) lost")
  }

  /// A workspace with a tuned encoder, and its server.
  private func served(in scratch: ScratchFolder) throws -> ServerProcess {
    let fettle = try Own.fettle()
    let workspace = scratch.path("workspace")
    let lines = [
      "load \(material.train)", "interface define --from train", "label simulate",
      "finetune --method linear --dataset train --name \(ServedRequests.tuned)",
    ]
    _ = try Child(fettle, ["--workspace", workspace] + lines.flatMap { ["-c", $0] }).succeeded(
      "fettle finetune")
    return try ServerProcess(
      "fettle", fettle, ["--workspace", workspace, "serve", "--port", "0"], scratch: scratch)
  }

  private func compare(
    _ table: inout RatioTable, _ work: String, _ servers: [(name: String, server: ServerProcess)],
    _ path: String, _ file: String, _ seconds: Double
  ) throws {
    for connections in [1, 64] {
      var contest = Contest()
      for (name, server) in servers {
        contest.enter("\(work), \(connections): \(name)") {
          try ask(server, path, file, connections: connections, ["--seconds", "\(seconds)"])
        }
      }
      try contest.hold(rounds: rounds)
      let names = servers.map { "\(work), \(connections): \($0.name)" }
      func shown(_ name: String, _ rate: Double) throws -> String {
        let tokens = try contest.median(name, "written_per_request")
        return String(format: "%.1f a second", rate)
          + (tokens > 0 ? String(format: ", %.1f tokens", tokens) : "")
      }
      let own = try contest.median(names[0], "requests_per_second")
      let peer = try contest.best(Array(names.dropFirst()), "requests_per_second")
      table.add(
        "\(work), \(connections) connection\(connections > 1 ? "s" : "")", try shown(names[0], own),
        try peer.map { "\($0.name.split(separator: ": ")[1]): \(try shown($0.name, $0.value))" },
        ratio: peer.map { own / $0.value }, aim: "over 1")
    }
  }

  private func classification(
    _ table: inout RatioTable, _ fettle: ServerProcess, _ requests: ServedRequests, _ seconds: Double
  ) throws {
    var contest = Contest()
    for connections in [1, 64] {
      contest.enter("\(connections)") {
        try ask(
          fettle, "/v1/chat/completions", requests.classifications, connections: connections,
          ["--seconds", "\(seconds)"])
      }
    }
    try contest.hold(rounds: rounds)
    for (name, aim) in [("p50", "3 ms or less"), ("p99", "10 ms or less")] {
      table.add(
        "classification, 1 connection, \(name)",
        String(format: "%.1f ms", try contest.median("1", "\(name)_ms")), nil, ratio: nil, aim: aim)
    }
    table.add(
      "classification, 64 connections",
      String(format: "%.0f a second", try contest.median("64", "requests_per_second")), nil, ratio: nil,
      aim: "500 a second")
  }

  private func ask(
    _ server: ServerProcess, _ path: String, _ file: String, connections: Int, _ options: [String]
  ) throws -> Answer {
    try bench(
      [
        "ask", "--port", "\(server.port)", "--process", "\(server.process)", "--path", path, "--connections",
        "\(connections)",
      ]
        + options + [file])
  }
}

/// What servers are asked, a file of JSON lines each.
private struct ServedRequests {
  static let tuned = "tuned"
  static let chatTokens = 16
  static let completionTokens = 10

  let chat: String
  let completions: String
  let embeddings: String
  let classifications: String
  /// The first words of each text, for embeddings.
  let short: String

  init(_ material: Material, in scratch: ScratchFolder) throws {
    let data = try LabelledTexts([material.test]).drawn(400)
    let names = Set(data.categories).sorted().joined(separator: ", ").replacingOccurrences(
      of: "&", with: "AND")
    let instruction = "Classify the text of the following message as exactly one of the following: \(names)."
    func write(_ name: String, _ body: (String) -> [String: Any]) throws -> String {
      let lines = try data.texts.map {
        String(
          decoding: try JSONSerialization.data(withJSONObject: body($0), options: .sortedKeys), as: UTF8.self)
      }
      try lines.joined(separator: "\n").write(toFile: scratch.path(name), atomically: true, encoding: .utf8)
      return scratch.path(name)
    }
    func message(_ content: String) -> [String: String] { ["role": "user", "content": content] }
    // llama-cpp-python puts one of the template's before a chat that has none, and so would read more.
    let system = ["role": "system", "content": "You tell people what texts are about."]
    // What is asked for is long, so that both sides write as many tokens as they may.
    chat = try write("chat.jsonl") {
      [
        "model": "smollm2", "max_tokens": Self.chatTokens, "temperature": 0,
        "messages": [
          system, message("Tell in a long sentence what the following message is about.\nmessage: \($0)"),
        ],
      ]
    }
    completions = try write("completions.jsonl") {
      [
        "model": "smollm2", "max_tokens": Self.completionTokens, "temperature": 0,
        "prompt": "\(instruction)\nmessage: \($0)\ncategory:",
      ]
    }
    embeddings = try write("embeddings.jsonl") {
      ["model": "base", "input": $0, "encoding_format": "base64"]
    }
    classifications = try write("classifications.jsonl") {
      ["model": Self.tuned, "temperature": 0, "messages": [message($0)]]
    }
    short = try write("short.jsonl") {
      [
        "model": "base", "input": $0.split(separator: " ").prefix(5).joined(separator: " "),
        "encoding_format": "base64",
      ]
    }
  }
}
