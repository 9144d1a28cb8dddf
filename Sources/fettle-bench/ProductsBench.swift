import ArgumentParser
import COneDNN
import Encoder
import Foundation

/// The limit: oneDNN's bare products of the shapes that a model's layers have, with all cores.
struct ProductsBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "products", abstract: "oneDNN's own matrix products, of a model's shapes.")

  @Option(help: "The folder of the pre-trained model.")
  var model: String

  @Option(help: "f32 or bf16; both unless given.")
  var precision: Precision?

  @Option(help: "Rows (tokens) of the left matrix, a comma between two; the fastest counts.")
  var rows = "256,1024,2048"

  @Option(help: "Times to run each; the fastest counts.")
  var runs = 40

  func run() throws {
    let shapes = try ProductShapes(try PretrainedModel.load(folder: URL(fileURLWithPath: model)))
    let products = try BareProducts()
    for precision in try precision.map({ [try $0.resolved()] }) ?? [Precision.f32, .bf16]
    where (try? precision.resolved()) != nil {
      var best = (rows: 0, speed: 0.0)
      for rows in rows.split(separator: ",").compactMap({ Int($0) }) {
        let seconds = try shapes.ofLayer.reduce(0) { sum, shape in
          sum
            + (try products.fastest(
              runs, rows: rows, k: shape.k, columns: shape.columns, isRounded: precision == .bf16))
        }
        let speed = Double(rows) * shapes.operationsPerToken / Double(shapes.layers) / seconds
        if speed > best.speed { best = (rows, speed) }
      }
      try printRow([
        "benchmark": "products", "precision": precision.rawValue, "rows": best.rows,
        "gigaflops": Int(best.speed / 1e9),
        "megaflop_per_token": rounded(shapes.operationsPerToken / 1e6),
        "tokens_per_second": Int(best.speed / shapes.operationsPerToken),
      ])
    }
  }
}

/// Products with as many threads as oneDNN takes by itself.
private struct BareProducts {
  private var engine: dnnl_engine_t?
  private var stream: dnnl_stream_t?

  init() throws {
    guard onednn_start(&engine, &stream) == 0 else { throw ValidationError("oneDNN does not start") }
  }

  /// Seconds of the fastest of `runs`.
  func fastest(_ runs: Int, rows: Int, k: Int, columns: Int, isRounded: Bool) throws -> Double {
    var product = onednn_product(
      rows: rows, columns: columns, k: k, a_stride: k, b_stride: columns, c_stride: columns,
      transposes_a: false, transposes_b: false, is_bf16: isRounded, is_adding: false)
    var primitive: dnnl_primitive_t?
    var scratchBytes = 0
    guard onednn_prepare(engine, &product, &primitive, &scratchBytes) == 0, let primitive else {
      throw ValidationError("oneDNN has no product \(rows) x \(k) x \(columns)")
    }
    defer { dnnl_primitive_destroy(primitive) }
    let sizes = [rows * k * 4, k * columns * 4, rows * columns * 4, scratchBytes + 4]
    let memory = sizes.map { size in
      let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
      memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
      return memory
    }
    defer { for part in memory { part.deallocate() } }
    return try (0..<max(runs, 1)).map { _ in
      try seconds {
        let status = onednn_run(
          engine, stream, primitive, &product, memory[0], memory[1], memory[2], memory[3], scratchBytes)
        guard status == 0, dnnl_stream_wait(stream) == dnnl_success else {
          throw ValidationError("oneDNN failed (\(status))")
        }
      }
    }.min() ?? 0
  }
}
