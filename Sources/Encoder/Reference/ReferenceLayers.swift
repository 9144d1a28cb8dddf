import Foundation

/// The C kernels once more as plain Swift: slow, and meant to be read. The tests hold the kernels to these, and these to finite
/// differences. Matrices are arrays, row after row.
package enum Reference {
  /// y = x + bias for every row. x: `[rows, columns]`.
  package static func addBias(_ x: [Float], _ bias: [Float]) -> [Float] {
    x.indices.map { x[$0] + bias[$0 % bias.count] }
  }

  /// The share of the normal distribution that lies below x.
  package static func normalShare(_ x: Double) -> Double { (1 + erf(x / 2.0.squareRoot())) / 2 }

  /// GELU (Hendrycks & Gimpel 2016), the exact one: x times the share of the normal distribution below x.
  package static func gelu(_ x: [Float]) -> [Float] {
    x.map { Float(Double($0) * normalShare(Double($0))) }
  }

  /// The gradient of x from that of gelu(x).
  package static func geluBackward(_ x: [Float], gradient: [Float]) -> [Float] {
    zip(x, gradient).map { x, gradient in
      let x = Double(x)
      let density = exp(-x * x / 2) / (2 * Double.pi).squareRoot()
      return Float(Double(gradient) * (normalShare(x) + x * density))
    }
  }

  /// What a layer norm gives, and keeps.
  package struct LayerNormOutput {
    /// `[rows, columns]`.
    package var y: [Float]
    /// Mean 0 and variance 1 in each row, before weight and bias: `[rows, columns]`.
    package var xhat: [Float]
    /// One over each row's standard deviation: `[rows]`.
    package var rstd: [Float]
  }

  /// Layer norm (Ba, Kiros & Hinton 2016) of x: `[rows, columns]`.
  package static func layerNorm(_ x: [Float], weight: [Float], bias: [Float], epsilon: Float)
    -> LayerNormOutput
  {
    let columns = weight.count
    var result = LayerNormOutput(y: [], xhat: [], rstd: [])
    for row in stride(from: 0, to: x.count, by: columns) {
      let numbers = x[row..<row + columns].map(Double.init)
      let mean = numbers.reduce(0, +) / Double(columns)
      let variance = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(columns)
      let rstd = 1 / (variance + Double(epsilon)).squareRoot()
      let xhat = numbers.map { Float(($0 - mean) * rstd) }
      result.xhat += xhat
      result.rstd.append(Float(rstd))
      result.y += xhat.indices.map { xhat[$0] * weight[$0] + bias[$0] }
    }
    return result
  }

  /// The gradients of x, weight and bias from that of y.
  package static func layerNormBackward(
    _ forward: LayerNormOutput, weight: [Float], gradient: [Float]
  ) -> (x: [Float], weight: [Float], bias: [Float]) {
    let columns = weight.count
    var x = gradient
    var weightGradient = [Float](repeating: 0, count: columns)
    var biasGradient = [Float](repeating: 0, count: columns)
    for (number, row) in stride(from: 0, to: gradient.count, by: columns).enumerated() {
      var mean = 0.0
      var slope = 0.0
      for i in 0..<columns {
        let xhat = forward.xhat[row + i]
        weightGradient[i] += gradient[row + i] * xhat
        biasGradient[i] += gradient[row + i]
        mean += Double(gradient[row + i] * weight[i]) / Double(columns)
        slope += Double(gradient[row + i] * weight[i] * xhat) / Double(columns)
      }
      for i in 0..<columns {
        let centred = Double(gradient[row + i] * weight[i]) - mean - Double(forward.xhat[row + i]) * slope
        x[row + i] = Float(centred) * forward.rstd[number]
      }
    }
    return (x, weightGradient, biasGradient)
  }

  /// The sum of each column. x: `[rows, columns]`.
  package static func columnSums(_ x: [Float], columns: Int) -> [Float] {
    (0..<columns).map { column in
      Float(stride(from: column, to: x.count, by: columns).reduce(0.0) { $0 + Double(x[$1]) })
    }
  }

  /// One step of AdamW (Loshchilov & Hutter 2019), as PyTorch writes it; `step` counts from 1.
  package static func adamW(
    weight: inout Float, gradient: Float, moments: inout (first: Float, second: Float), learningRate: Float,
    beta1: Float, beta2: Float, epsilon: Float, weightDecay: Float, step: Int
  ) {
    weight *= 1 - learningRate * weightDecay
    moments.first = beta1 * moments.first + (1 - beta1) * gradient
    moments.second = beta2 * moments.second + (1 - beta2) * gradient * gradient
    let first = moments.first / (1 - pow(beta1, Float(step)))
    let second = moments.second / (1 - pow(beta2, Float(step)))
    weight -= learningRate * first / (second.squareRoot() + epsilon)
  }

  /// y[c, r] = x[r, c]. x: `[rows, columns]`.
  package static func transposed(_ x: [Float], columns: Int) -> [Float] {
    (0..<columns).flatMap { column in stride(from: column, to: x.count, by: columns).map { x[$0] } }
  }

  /// The nearest number that the upper half of an f32's bits can hold; of two equally near the even one.
  package static func roundedToBFloat16(_ x: Float) -> UInt16 {
    if x.isNaN { return UInt16(x.bitPattern >> 16) | 0x40 }
    let lower = x.bitPattern & 0xffff
    var upper = x.bitPattern >> 16
    if lower > 0x8000 || (lower == 0x8000 && upper & 1 == 1) { upper += 1 }
    return UInt16(upper)
  }
}
