import Encoder

extension Comparison {
  /// LoRA on the tutorial's prompts and completions.
  func teaching(_ table: inout RatioTable, _ file: String, examples: Int) throws {
    var contest = Contest()
    for precision in [Precision.auto, .f32] {
      contest.enter("fettle \(precision)") {
        try bench(
          [
            "finetune-language", "--model", file, "--epochs", "1", "--examples", "\(examples)",
            material.train,
          ],
          precision)
      }
    }
    for precision in [Precision.f32, .bf16] where (try? precision.resolved()) == precision {
      contest.enter("oneDNN \(precision)") { try bench(["products", "--model", file], precision) }
    }
    let names = ["peft f32", "peft bf16"]
    if let peers {
      for (name, precision) in zip(names, ["f32", "bf16"]) {
        contest.enter(name) {
          try peers.run([
            "finetune-language", file, material.train, "--examples", "\(examples)", "--precision", precision,
          ])
        }
      }
    }
    try contest.hold(rounds: rounds)
    let rate = "tokens_per_second"
    let own = try contest.median("fettle auto", rate)
    let peer = try contest.best(names, rate)
    table.add(
      "LoRA of a language model, auto", "\(grouped(own)) tokens/s",
      peer.map { "\($0.name): \(grouped($0.value)) tokens/s" }, ratio: peer.map { own / $0.value },
      aim: "2 or more")
    let computed = try contest.median("fettle auto", "computed_tokens_per_second")
    table.add(
      "LoRA of a language model, tokens computed", "\(grouped(computed)) tokens/s",
      peer.map { "\($0.name): \(grouped($0.value)) tokens/s" }, ratio: peer.map { computed / $0.value },
      aim: "")
    let memory = contest.peakMegabytes("fettle auto")
    let other = peer.map { contest.peakMegabytes($0.name) }
    table.add(
      "LoRA of a language model, peak memory", "\(grouped(memory)) MB", other.map { "\(grouped($0)) MB" },
      ratio: other.map { $0 / memory }, aim: "2 or more")
    for precision in [Precision.auto, .f32] {
      let limit = "oneDNN \(try precision.resolved())"
      let speed = try contest.median("fettle \(precision)", "gigaflops")
      let limited = try contest.median(limit, "gigaflops")
      table.add(
        "LoRA of a language model, \(precision), share of oneDNN's products", "\(grouped(speed)) GFLOP/s",
        "\(limit): \(grouped(limited)) GFLOP/s", ratio: speed / limited, aim: "0.50 or more")
    }
    table.note(
      "LoRA: rank 8 on all seven projections, one epoch of \(examples) texts in batches of 8, the tutorial's prompt as plain text. "
        + "Tokens are those of whole prompts and completions; fettle computes the instruction once a batch, peft with each text. "
        + "The share counts the frozen matrices' products, forward and back, and the output matrix's.")
  }
}
