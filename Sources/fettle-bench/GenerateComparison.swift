import Encoder

extension Comparison {
  /// A language model's answers to the tutorial's prompt, and its choice among the categories' names.
  func generating(_ table: inout RatioTable, _ file: String, predictions: Int) throws {
    func generate(_ precision: Precision, _ way: GenerateBench.Way) throws -> Answer {
      try bench(
        ["generate", "--model", file, "--way", way.rawValue, "--texts", "\(predictions)", material.test],
        precision)
    }
    var contest = Contest()
    contest.enter("fettle") { try generate(.f32, .free) }
    contest.enter("choice") { try generate(.f32, .choice) }
    contest.enter("oneDNN") { try bench(["products", "--model", file], .f32) }
    let transformers = ["transformers-f32", "transformers-bf16"]
    if let peers {
      for name in transformers + ["llama-cpp"] {
        contest.enter(name) {
          try peers.run(["generate", file, material.test, "--peer", name, "--texts", "\(predictions)"])
        }
      }
    }
    try contest.hold(rounds: rounds)
    let rate = "predictions_per_second"
    let own = try contest.median("fettle", rate)
    for (work, names) in [("beside transformers", transformers), ("beside llama.cpp", ["llama-cpp"])] {
      let peer = try contest.best(names, rate)
      table.add(
        "answers of a language model, \(work)", predictionRate(own),
        peer.map { "\($0.name): \(predictionRate($0.value))" }, ratio: peer.map { own / $0.value },
        aim: "2 or more")
    }
    let memory = contest.peakMegabytes("fettle")
    let other = contest.has("transformers-bf16") ? contest.peakMegabytes("transformers-bf16") : nil
    table.add(
      "answers of a language model, peak memory", "\(grouped(memory)) MB",
      other.map { "transformers-bf16: \(grouped($0)) MB" }, ratio: other.map { $0 / memory }, aim: "")
    let limit = try contest.median("oneDNN", "gigaflops")
    for (name, work) in [("fettle", "answers"), ("choice", "choice among names")] {
      let speed = try contest.median(name, "gigaflops")
      table.add(
        "\(work) of a language model, share of oneDNN's products",
        "\(grouped(speed)) GFLOP/s, \(predictionRate(try contest.median(name, rate)))",
        "oneDNN f32: \(grouped(limit)) GFLOP/s", ratio: speed / limit, aim: "0.50 or more")
    }
    table.note(
      "Language model: \(predictions) predictions of at most ten tokens with the tutorial's prompt as plain text, from token ids. fettle "
        + "reads the instruction once, as llama.cpp does; transformers reads it with each text, in batches of 25 of like length."
    )
  }

  private func predictionRate(_ value: Double) -> String { "\((value * 10).rounded() / 10) a second" }
}
