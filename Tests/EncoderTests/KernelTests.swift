import CKernels
import Encoder
import Foundation
import Testing

/// Each C kernel against the plain Swift that explains it, on shapes that are no multiples of a vector; and the plain Swift
/// against finite differences.
@Suite struct KernelTests {
  /// Numbers between -2 and 2, the same in each run.
  private func numbers(_ count: Int, _ seed: UInt64) -> [Float] {
    var state = seed &+ 1
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(state >> 40) * 0x1p-22 - 2
    }
  }

  private func expectClose(
    _ ours: [Float], _ plain: [Float], within tolerance: Float = 2e-6, _ name: String = "",
    at location: SourceLocation = #_sourceLocation
  ) {
    #expect(ours.count == plain.count, sourceLocation: location)
    let worst = zip(ours, plain).map { abs($0 - $1) / max(1, abs($1)) }.max() ?? 0
    #expect(worst <= tolerance, "\(name)", sourceLocation: location)
  }

  private static let shapes = [
    (1, 1), (1, 15), (3, 16), (2, 17), (5, 24), (7, 63), (4, 64), (3, 80), (9, 385),
  ]

  @Test("Products with packed matrices", arguments: [fettle_bits_4, fettle_bits_8], [0, 1])
  func packed(_ bits: fettle_bits, _ hasMinimum: Int32) {
    let bytes = bits == fettle_bits_8 ? 34 : hasMinimum == 1 ? 20 : 18
    for (rows, inputs, outputs) in [(1, 32, 16), (2, 96, 48), (3, 416, 16), (5, 576, 80), (11, 1152, 32)] {
      let blocks = outputs * inputs / 32
      var file = [UInt8]()
      for (block, scale) in numbers(blocks, 30).enumerated() {
        for part in 0..<(bytes == 20 ? 2 : 1) {
          withUnsafeBytes(of: Float16(scale * Float(part + 1)).bitPattern) { file += $0 }
        }
        file += (0..<bytes - (bytes == 20 ? 4 : 2)).map { UInt8(truncatingIfNeeded: $0 * 37 + block * 11) }
      }
      var matrix = [Float](repeating: 0, count: outputs * inputs)
      switch bytes {
      case 34: fettle_decode_q8_0(file, &matrix, blocks)
      case 20: fettle_decode_q4_1(file, &matrix, blocks)
      default: fettle_decode_q4_0(file, &matrix, blocks)
      }
      var packed = [Float](repeating: 0, count: fettle_packed_bytes(bits, inputs, outputs) / 4)
      fettle_pack(bits, hasMinimum, file, &packed, inputs, outputs)
      let x = numbers(rows * inputs, 31)
      let before = numbers(rows * (outputs + 3), 32)
      for adding in [0, 1] as [Int32] {
        var y = before
        fettle_multiply_packed(bits, packed, x, &y, outputs + 3, rows, inputs, outputs, adding)
        for row in 0..<rows {
          for column in 0..<outputs + 3 {
            let place = row * (outputs + 3) + column
            guard column < outputs else {
              #expect(y[place] == before[place])
              continue
            }
            var sum = adding == 1 ? Double(before[place]) : 0
            var size = abs(sum)
            for k in 0..<inputs {
              let product = Double(x[row * inputs + k]) * Double(matrix[column * inputs + k])
              sum += product
              size += abs(product)
            }
            #expect(abs(Double(y[place]) - sum) <= 1e-6 * max(1, size))
          }
        }
      }
    }
  }

  @Test("Attention of some rows is that of all, to the last bit", arguments: [1, 5, 16, 33, 70])
  func attentionRows(_ length: Int) {
    let (heads, size) = (3, 20)
    let projections = numbers(length * 3 * heads * size, 33)
    var whole = [Float](repeating: 0, count: length * heads * size)
    var probabilities = [Float](repeating: 0, count: fettle_attention_probabilities(length, heads))
    var scratch = [Float](repeating: 0, count: fettle_attention_scratch(length, size))
    fettle_attention_forward(projections, &whole, &probabilities, &scratch, length, heads, size)
    for cut in [0, 1, length / 2, length] {
      var parts = [Float](repeating: 0, count: whole.count)
      for rows in [0..<cut, cut..<length] where !rows.isEmpty {
        fettle_attention_rows(
          projections, &parts, &scratch, length, rows.lowerBound, rows.count, heads, size)
      }
      #expect(parts == whole)
    }
  }

  @Test("Adding a bias", arguments: shapes) func addBias(_ rows: Int, _ columns: Int) {
    var x = numbers(rows * columns, 1)
    let bias = numbers(columns, 2)
    let plain = Reference.addBias(x, bias)
    fettle_add_bias(&x, bias, rows, columns)
    #expect(x == plain)
  }

  @Test("GELU", arguments: shapes) func gelu(_ rows: Int, _ columns: Int) {
    // Wide enough for both ends, where the polynomial is cut off.
    var x = numbers(rows * columns, 3).map { $0 * 5 }
    let bias = numbers(columns, 4)
    let sum = Reference.addBias(x, bias)
    var y = [Float](repeating: 0, count: x.count)
    fettle_gelu_forward(&x, bias, &y, rows, columns)
    #expect(x == sum)
    expectClose(y, Reference.gelu(sum), within: 3e-6)

    var gradient = numbers(x.count, 5)
    let plain = Reference.geluBackward(x, gradient: gradient)
    fettle_gelu_backward(x, &gradient, gradient.count)
    expectClose(gradient, plain, within: 5e-6)
  }

  @Test("GELU's gradient is its slope") func geluSlope() {
    for x in numbers(50, 6).map({ $0 * 2 }) {
      let step: Float = 1e-2
      let slope = (Reference.gelu([x + step])[0] - Reference.gelu([x - step])[0]) / (2 * step)
      #expect(abs(slope - Reference.geluBackward([x], gradient: [1])[0]) < 1e-3)
    }
  }

  @Test("Layer norm", arguments: shapes, [true, false]) func layerNorm(_ shape: (Int, Int), _ hasBias: Bool) {
    let (rows, columns) = shape
    let x = numbers(rows * columns, 7)
    let residual = numbers(rows * columns, 8)
    let inputBias = numbers(columns, 9)
    let weight = numbers(columns, 10)
    let bias = numbers(columns, 11)
    let sum = zip(hasBias ? Reference.addBias(x, inputBias) : x, residual).map { $0 + (hasBias ? $1 : 0) }
    var y = x
    var xhat = x
    var rstd = [Float](repeating: 0, count: rows)
    fettle_layer_norm_forward(
      x, hasBias ? inputBias : nil, hasBias ? residual : nil, weight, bias, &y, &xhat, &rstd, rows, columns,
      1e-3
    )
    let plain = Reference.layerNorm(sum, weight: weight, bias: bias, epsilon: 1e-3)
    expectClose(y, plain.y, within: 1e-5)
    expectClose(xhat, plain.xhat, within: 1e-5)
    expectClose(rstd, plain.rstd, within: 1e-5)

    var gradient = numbers(rows * columns, 12)
    var weightGradient = numbers(columns, 13)
    var biasGradient = numbers(columns, 14)
    let expected = Reference.layerNormBackward(plain, weight: weight, gradient: gradient)
    let weightSum = zip(weightGradient, expected.weight).map { $0 + $1 }
    let biasSum = zip(biasGradient, expected.bias).map { $0 + $1 }
    fettle_layer_norm_backward(&gradient, xhat, rstd, weight, &weightGradient, &biasGradient, rows, columns)
    expectClose(gradient, expected.x, within: 1e-4)
    expectClose(weightGradient, weightSum, within: 1e-5)
    expectClose(biasGradient, biasSum, within: 1e-5)
  }

  @Test("Layer norm's gradient is its slope") func layerNormSlope() {
    let weight = numbers(7, 15)
    let bias = numbers(7, 16)
    let x = numbers(14, 17)
    let above = numbers(14, 18)
    func loss(_ x: [Float]) -> Double {
      zip(Reference.layerNorm(x, weight: weight, bias: bias, epsilon: 1e-5).y, above).reduce(0) {
        $0 + Double($1.0 * $1.1)
      }
    }
    let forward = Reference.layerNorm(x, weight: weight, bias: bias, epsilon: 1e-5)
    let gradient = Reference.layerNormBackward(forward, weight: weight, gradient: above).x
    expectClose(slopes(loss, x), gradient, within: 5e-3)
  }

  @Test("Transposing a matrix", arguments: shapes) func transpose(_ rows: Int, _ columns: Int) {
    let x = numbers(rows * columns, 14)
    // As a part of a taller matrix, of which the rest must stay as it is.
    let tall = rows + 3
    var y = [Float](repeating: 7, count: columns * tall)
    fettle_transpose(x, columns, &y, tall, rows, columns)
    let plain = Reference.transposed(x, columns: columns)
    var expected: [Float] = []
    for column in 0..<columns {
      expected += plain[(column * rows)..<((column + 1) * rows)]
      expected += [7, 7, 7]
    }
    #expect(y == expected)
  }

  @Test("Column sums", arguments: shapes) func columnSums(_ rows: Int, _ columns: Int) {
    let x = numbers(rows * columns, 19)
    var sums = numbers(columns, 20)
    let plain = zip(sums, Reference.columnSums(x, columns: columns)).map { $0 + $1 }
    fettle_add_column_sums(x, &sums, rows, columns)
    expectClose(sums, plain, within: 1e-5)
  }

  private static let texts = [
    (1, 1, 1), (2, 3, 8), (5, 2, 16), (16, 1, 20), (17, 3, 32), (33, 2, 7), (40, 2, 64),
  ]

  @Test("Attention", arguments: texts) func attention(_ length: Int, _ heads: Int, _ size: Int) {
    let hidden = heads * size
    let plain = Reference.Attention(
      length: length, heads: heads, headSize: size, projections: numbers(length * 3 * hidden, 21))
    var context = [Float](repeating: .nan, count: length * hidden)
    var probabilities = [Float](repeating: .nan, count: fettle_attention_probabilities(length, heads))
    var scratch = [Float](repeating: .nan, count: fettle_attention_scratch(length, size))
    fettle_attention_forward(plain.projections, &context, &probabilities, &scratch, length, heads, size)
    expectClose(context, plain.forward(), within: 1e-5)

    let above = numbers(length * hidden, 22)
    var gradient = [Float](repeating: .nan, count: length * 3 * hidden)
    scratch = scratch.map { _ in .nan }
    fettle_attention_backward(
      plain.projections, probabilities, above, &gradient, &scratch, length, heads, size)
    expectClose(gradient, plain.backward(gradient: above), within: 2e-5)
  }

  @Test("Attention's gradient is its slope") func attentionSlope() {
    let x = numbers(4 * 3 * 6, 23)
    let above = numbers(4 * 6, 24)
    func attention(_ x: [Float]) -> Reference.Attention {
      Reference.Attention(length: 4, heads: 2, headSize: 3, projections: x)
    }
    func loss(_ x: [Float]) -> Double {
      zip(attention(x).forward(), above).reduce(0) { $0 + Double($1.0 * $1.1) }
    }
    expectClose(slopes(loss, x), attention(x).backward(gradient: above), within: 5e-3)
  }

  @Test("Sum of squares", arguments: [1, 15, 16, 17, 4095, 4097, 10_000]) func squares(_ count: Int) {
    let x = numbers(count, 25)
    let plain = x.reduce(0.0) { $0 + Double($1) * Double($1) }
    #expect(abs(fettle_sum_of_squares(x, count) - plain) <= 1e-5 * plain)
  }

  @Test("AdamW", arguments: [1, 16, 23, 100]) func adamW(_ count: Int) {
    var weights = numbers(count, 26)
    var plain = weights
    var moments = [(first: Float, second: Float)](repeating: (0, 0), count: count)
    var first = [Float](repeating: 0, count: count)
    var second = first
    for step in 1...5 {
      let gradient = numbers(count, 100 + UInt64(step))
      fettle_adamw(
        &weights, gradient, &first, &second, count, 0.5, 1e-2, 0.9, 0.999, 1e-8, 0.1,
        1 - pow(0.9, Float(step)),
        1 - pow(0.999, Float(step)))
      for i in 0..<count {
        Reference.adamW(
          weight: &plain[i], gradient: gradient[i] * 0.5, moments: &moments[i], learningRate: 1e-2,
          beta1: 0.9,
          beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1, step: step)
      }
    }
    expectClose(weights, plain, within: 1e-5)
  }

  @Test("Rounding to bf16") func rounding() {
    let edges: [Float] = [
      0, -0.0, 1, -1, .infinity, -.infinity, .nan, .greatestFiniteMagnitude, .leastNonzeroMagnitude,
      Float(bitPattern: 0x3f80_8000), Float(bitPattern: 0x3f81_8000), Float(bitPattern: 0x3f80_8001),
    ]
    let x = edges + numbers(1001, 27)
    var y = [UInt16](repeating: 0, count: x.count)
    fettle_round_to_bf16(x, &y, x.count)
    #expect(y == x.map(Reference.roundedToBFloat16))
  }

  /// The slope of `loss` along each number of x, from two points beside it.
  private func slopes(_ loss: ([Float]) -> Double, _ x: [Float]) -> [Float] {
    x.indices.map { i in
      let step: Float = 1e-2
      var up = x
      var down = x
      up[i] += step
      down[i] -= step
      return Float((loss(up) - loss(down)) / Double(2 * step))
    }
  }
}
