import ArgumentParser
import COneDNN
import Encoder
import Foundation

/// The limit: oneDNN's bare products of the shapes that the encoder's layers have, with all cores.
struct ProductsBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "products", abstract: "oneDNN's own matrix products, of the encoder's shapes.")

  @OptionGroup var model: ModelOptions

  @Option(help: "Rows (tokens) of the left matrix, a comma between two; the fastest counts.")
  var rows = "256,1024,2048"

  @Option(help: "Times to run each; the fastest counts.")
  var runs = 40

  @Option(help: "f32 or bf16; both unless given.")
  var only: Precision?

  func run() throws {
    let configuration = try model.load().configuration
    for precision in [Precision.f32, .bf16] where only == nil || only == precision {
      guard (try? precision.resolved()) == precision else { continue }
      var best: (rows: Int, speed: Double)?
      for rows in rows.split(separator: ",").compactMap({ Int($0) }) {
        var seconds = 0.0
        var operations = 0.0
        for (inner, columns) in configuration.products {
          let time = onednn_fastest_product(precision == .bf16, rows, columns, inner, Int32(runs))
          guard time > 0 else { throw ValidationError("oneDNN has no product in \(precision.rawValue)") }
          seconds += time
          operations += 2 * Double(rows * inner * columns)
        }
        if operations / seconds > best?.speed ?? 0 { best = (rows, operations / seconds) }
      }
      guard let best else { throw ValidationError("--rows takes numbers with commas between") }
      try printRow([
        "benchmark": "products", "precision": precision.rawValue, "rows": best.rows,
        "gigaflops": Int(best.speed / 1e9),
        "megaflop_per_token": rounded(configuration.operationsPerToken / 1e6),
        "tokens_per_second": Int(best.speed / configuration.operationsPerToken),
      ])
    }
  }
}

extension BERTConfiguration {
  /// The matrix products of one layer, `[rows, inner] x [inner, columns]`: queries, keys and values; the attention's output; up;
  /// down.
  var products: [(inner: Int, columns: Int)] {
    [
      (hiddenSize, 3 * hiddenSize), (hiddenSize, hiddenSize), (hiddenSize, intermediateSize),
      (intermediateSize, hiddenSize),
    ]
  }

  /// Of the layers' weight matrices, forward, a multiplication and an addition each. Attention's own products are not counted,
  /// nor anything element by element.
  var operationsPerToken: Double {
    Double(layers) * products.reduce(0) { $0 + 2 * Double($1.inner * $1.columns) }
  }
}
