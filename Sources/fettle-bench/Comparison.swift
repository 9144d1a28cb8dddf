import ArgumentParser
import Encoder
import Foundation

/// The works that are compared, a method each.
struct Comparison {
  let model: String
  let material: Material
  let peers: Peers?
  let rounds: Int
  let epochs: Int
  let batch: Int

  // MARK: fine-tuning

  func fineTuning(_ table: inout RatioTable) throws {
    var contest = Contest()
    for precision in [Precision.auto, .f32] {
      contest.enter("fettle \(precision)") { try fineTune(precision) }
    }
    if let peers {
      for precision in ["bf16", "f32"] {
        contest.enter("PyTorch \(precision)") {
          try peers.run([
            "finetune", model, material.train, "--epochs", "\(epochs)", "--batch", "\(batch)", "--precision",
            precision,
          ])
        }
      }
    }
    try contest.hold(rounds: rounds)
    let rate = "tokens_per_second"
    let best = try contest.best(["PyTorch f32", "PyTorch bf16"], rate)
    let plain = try contest.best(["PyTorch f32"], rate)
    try addRates(
      to: &table, "full fine-tuning, auto", contest.median("fettle auto", rate), best, aim: "2 or more")
    try addRates(
      to: &table, "full fine-tuning, f32", contest.median("fettle f32", rate), plain, aim: "3 or more")
    let memory = contest.peakMegabytes("fettle auto")
    let other = [plain, best].compactMap(\.self).map { contest.peakMegabytes($0.name) }.min()
    table.add(
      "full fine-tuning, peak memory", "\(grouped(memory)) MB", other.map { "\(grouped($0)) MB" },
      ratio: other.map { $0 / memory }, aim: "2 or more")
    let whole = try contest.median("fettle auto", "tokens") / contest.median("fettle auto", "seconds")
    table.note(
      "Full fine-tuning: \(epochs) epochs, batches of \(batch). Tokens a second are of the epochs, as of PyTorch's; "
        + "with fettle's start from the linear head they are \(grouped(whole)).")
  }

  private func fineTune(_ precision: Precision, threads: Int? = nil, epochs: Int? = nil) throws -> Answer {
    let threads = threads.map { ["--threads", "\($0)"] } ?? []
    return try bench(
      ["finetune", "--model", model, "--batch", "\(batch)", "--epochs", "\(epochs ?? self.epochs)"] + threads
        + [material.train], precision)
  }

  func threads(_ table: inout RatioTable) throws {
    var contest = Contest()
    for count in [1, 2] {
      contest.enter("full, \(count) threads") { try fineTune(.auto, threads: count, epochs: min(epochs, 2)) }
      contest.enter("embed, \(count) threads") {
        try bench(["embed", "--model", model, "--threads", "\(count)", material.train, material.test], .auto)
      }
    }
    try contest.hold(rounds: rounds)
    for (name, work) in [("full", "full fine-tuning"), ("embed", "embedding")] {
      let one = try contest.median("\(name), 1 threads", "tokens_per_second")
      let two = try contest.median("\(name), 2 threads", "tokens_per_second")
      table.add(
        "\(work), two threads against one", "\(grouped(two)) tokens/s", "\(grouped(one)) tokens/s",
        ratio: two / one,
        aim: "1.8 or more")
    }
  }

  // MARK: embedding

  func embedding(_ table: inout RatioTable) throws {
    var contest = Contest()
    for precision in [Precision.auto, .f32] {
      contest.enter("fettle \(precision)") {
        try bench(["embed", "--model", model, material.train, material.test], precision)
      }
    }
    for precision in [Precision.f32, .bf16] where (try? precision.resolved()) == precision {
      contest.enter("oneDNN \(precision)") {
        try bench(["products", "--model", model], precision)
      }
    }
    let names = ["pytorch-f32", "pytorch-bf16", "onnxruntime"]
    if let peers {
      for name in names {
        contest.enter(name) {
          try peers.run(["embed", model, material.train, material.test, "--peer", name])
        }
      }
    }
    try contest.hold(rounds: rounds)
    let rate = "tokens_per_second"
    try addRates(
      to: &table, "embedding, auto", contest.median("fettle auto", rate), contest.best(names, rate),
      aim: "1.5 or more")
    try addRates(
      to: &table, "embedding, f32", contest.median("fettle f32", rate),
      contest.best(["pytorch-f32", "onnxruntime"], rate), aim: "")
    for precision in [Precision.auto, .f32] {
      let limit = "oneDNN \(try precision.resolved())"
      let speed = try contest.median("fettle \(precision)", rate)
      let limited = try contest.median(limit, rate)
      table.add(
        "embedding, \(precision), share of oneDNN's products", "\(grouped(speed)) tokens/s",
        "\(limit): \(grouped(limited)) tokens/s (\(grouped(try contest.median(limit, "gigaflops"))) GFLOP/s)",
        ratio: speed / limited, aim: "0.50 or more")
    }
    table.note(
      "The share counts the layers' weight matrices alone, forward, as a multiplication and an addition each; attention's own "
        + "products and all that is done element by element fall to fettle. oneDNN: bare products of these shapes, all cores."
    )
  }

  // MARK: linear, WordPiece

  func linear(_ table: inout RatioTable) throws {
    let scratch = try ScratchFolder()
    let features = scratch.path("features.f32")
    var contest = Contest()
    contest.enter("fettle") {
      try bench(["linear", "--model", model, "--save", features, material.train], .f32)
    }
    if let peers {
      contest.enter("scikit-learn") { try peers.run(["linear", features, material.train]) }
    }
    try contest.hold(rounds: rounds)
    let own = try contest.median("fettle", "seconds")
    let other = contest.has("scikit-learn") ? try contest.median("scikit-learn", "seconds") : nil
    table.add(
      "linear, features kept", String(format: "%.3f s", own), other.map { String(format: "%.3f s", $0) },
      ratio: other.map { $0 / own }, aim: "1 or more")
    table.note(
      "linear: fettle chooses its penalty among seven by ten-fold cross-validation; scikit-learn's LogisticRegression fits once."
    )
  }

  func wordPiece(_ table: inout RatioTable) throws {
    var contest = Contest()
    contest.enter("fettle") { try bench(["wordpiece", "--model", model, material.train, material.test]) }
    if let peers {
      contest.enter("tokenizers") { try peers.run(["tokenize", model, material.train, material.test]) }
    }
    try contest.hold(rounds: rounds)
    try addRates(
      to: &table, "WordPiece, one thread", contest.median("fettle", "tokens_per_second"),
      contest.best(["tokenizers"], "tokens_per_second"), aim: "1 or more")
  }

  // MARK: help

  private func addRates(
    to table: inout RatioTable, _ work: String, _ own: Double, _ peer: (name: String, value: Double)?,
    aim: String
  ) {
    table.add(
      work, "\(grouped(own)) tokens/s", peer.map { "\($0.name): \(grouped($0.value)) tokens/s" },
      ratio: peer.map { own / $0.value }, aim: aim)
  }

  /// A benchmark of this program, in a process of its own.
  func bench(_ arguments: [String], _ precision: Precision? = nil) throws -> Answer {
    let options = precision.map { ["--precision", $0.rawValue] } ?? []
    let child = try Child(Own.bench.path, [arguments[0]] + options + arguments.dropFirst())
    return try Answer(try child.succeeded("fettle-bench \(arguments[0])"))
  }
}
