import CKernels
import Foundation

/// The optimizer: AdamW (Loshchilov & Hutter 2019), with the gradient's length clipped. Its moments stand for what may learn alone.
final class AdamW {
  private let moments: (Floats, Floats)
  /// The number of the layout that the moments begin with.
  private let start: Int
  /// Steps that a section has learned in, by where it begins: the moments of one that joins later are as young.
  private var steps: [Int: Int] = [:]

  private static let beta1: Float = 0.9
  private static let beta2: Float = 0.999
  private static let epsilon: Float = 1e-8

  /// - Parameter learned: the stretch of a layout that may learn.
  init(_ learned: Range<Int>) {
    start = learned.lowerBound
    moments = (Floats(count: learned.count), Floats(count: learned.count))
  }

  /// Changes the sections whose `rate` is more than 0.
  ///
  /// - Parameters:
  ///   - gradients: laid out as the parameters are.
  ///   - clipping: the longest gradient, over all sections but the head's, that is taken as it is; 0: all are.
  func step(
    _ parameters: ParameterStore, _ gradients: FloatPointer, clipping: Float, weightDecay: Float,
    pool: ThreadPool, rate: (ParameterLayout.Section) -> Float
  ) throws {
    let learning = parameters.layout.sections.filter { rate($0) > 0 }
    let scale = try clip(gradients, learning.filter { $0.kind != .head }, to: clipping, pool)
    for section in learning { steps[section.start, default: 0] += 1 }
    let slices = learning.flatMap(\.slices)
    let rates = slices.map { rate($0.section) }
    let corrections = slices.map { slice in
      let steps = Double(steps[slice.section.start, default: 1])
      return (Float(1 - pow(Double(AdamW.beta1), steps)), Float(1 - pow(Double(AdamW.beta2), steps)))
    }
    try pool.run(slices.count) { task, _ in
      let slice = slices[task]
      fettle_adamw(
        parameters[slice.start], gradients + slice.start, moments.0.base + (slice.start - start),
        moments.1.base + (slice.start - start), slice.count, slice.section.kind == .head ? 1 : scale,
        rates[task], AdamW.beta1, AdamW.beta2, AdamW.epsilon, weightDecay, corrections[task].0,
        corrections[task].1)
      parameters.prepare(slice)
    }
  }

  /// What shortens the gradient of `sections` to at most `longest`, in its Euclidean norm.
  private func clip(
    _ gradients: FloatPointer, _ sections: [ParameterLayout.Section], to longest: Float, _ pool: ThreadPool
  ) throws -> Float {
    guard longest > 0 else { return 1 }
    let parts = sections.flatMap { section in
      stride(from: 0, to: section.count, by: 1 << 16).map {
        (start: section.start + $0, count: min(1 << 16, section.count - $0))
      }
    }
    var squares = [Double](repeating: 0, count: parts.count)
    try squares.withUnsafeMutableBufferPointer { squares in
      try pool.run(parts.count) { task, _ in
        squares[task] = fettle_sum_of_squares(gradients + parts[task].start, parts[task].count)
      }
    }
    return min(1, longest / Float(squares.reduce(0, +).squareRoot() + 1e-6))
  }
}
