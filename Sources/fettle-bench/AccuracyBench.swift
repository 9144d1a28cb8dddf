import ArgumentParser
import Foundation

/// How often each method is right on texts that it has not seen, beside PyTorch and scikit-learn on the same texts: fettle as a
/// learner uses it, with its own defaults.
struct AccuracyBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accuracy", abstract: "Accuracy on the test file, beside the peers', over several seeds.")

  @OptionGroup var peers: PeerOptions

  @Option(help: "A run for each.")
  var seeds = "42,43,44"

  @Option(help: "fettle's methods.")
  var methods = "linear,full,gradual,adapter"

  @Option(help: "PyTorch's precisions.")
  var precisions = "f32,bf16"

  func run() throws {
    let material = try peers.material(forAccuracy: true)
    let python = try peers.find()
    var accuracies: [(name: String, values: [Double])] = []
    func keep(_ name: String, _ value: Double) {
      if let place = accuracies.firstIndex(where: { $0.name == name }) {
        accuracies[place].values.append(value)
      } else {
        accuracies.append((name, [value]))
      }
    }
    for seed in words(seeds) {
      let workspace = try Learner(material, seed: seed)
      for method in words(methods) {
        say("seed \(seed): fettle \(method)")
        keep("fettle \(method)", try workspace.accuracy(of: method))
      }
      for precision in words(precisions) {
        guard let python else { break }
        say("seed \(seed): PyTorch full \(precision)")
        let answer = try python.run([
          "finetune", peers.model, material.train, material.test, "--precision", precision, "--seed", seed,
        ])
        keep("PyTorch full \(precision)", try answer.value("accuracy"))
      }
    }
    if let python {
      say("scikit-learn")
      let scratch = try ScratchFolder()
      let features = scratch.path("features.f32")
      _ = try Child(
        Own.bench.path,
        ["embed", "--model", peers.model, "--runs", "1", "--save", features, material.train, material.test]
      ).succeeded("fettle-bench embed")
      let answer = try python.run(["linear", features, material.train, material.test, "--runs", "1"])
      keep("scikit-learn linear", try answer.value("accuracy"))
    }
    draw(accuracies)
  }

  private func words(_ list: String) -> [String] { list.split(separator: ",").map(String.init) }

  private func draw(_ accuracies: [(name: String, values: [Double])]) {
    func shown(_ value: Double) -> String { String(format: "%.4f", value) }
    var rows = [["who", "mean", "spread", "seeds \(seeds)"]]
    for (name, values) in accuracies {
      let mean = values.reduce(0, +) / Double(values.count)
      let spread = (values.max() ?? mean) - (values.min() ?? mean)
      rows.append([
        name, shown(mean), values.count > 1 ? shown(spread) : "–", values.map(shown).joined(separator: " "),
      ])
    }
    print(drawTable(rows).joined(separator: "\n"))
    print("- The spread is from the least to the greatest. scikit-learn's fit knows no seed.")
  }
}

/// Someone who works through the tutorial with these files, in a workspace of their own.
private struct Learner {
  private let scratch = try? ScratchFolder()
  private let fettle: String
  private let material: Material
  private let workspace: String

  init(_ material: Material, seed: String) throws {
    guard let scratch else { throw ValidationError("The temporary folder cannot be written.") }
    self.material = material
    fettle = try Own.fettle()
    workspace = scratch.path("workspace")
    try run(
      ["--seed", seed], ["load \(material.train)", "interface define --from train", "label simulate"])
  }

  func accuracy(of method: String) throws -> Double {
    let child = try run(
      ["--json"],
      [
        "finetune --method \(method) --dataset train --name \(method)", "load \(material.test)",
        "predict --model \(method) --dataset test", "kpi --model \(method) --dataset test",
      ])
    return try Answer(child).value("accuracy")
  }

  @discardableResult private func run(_ options: [String], _ lines: [String]) throws -> Child {
    try Child(fettle, ["--workspace", workspace] + options + lines.flatMap { ["-c", $0] })
      .succeeded("fettle \(lines.joined(separator: "; "))")
  }
}
