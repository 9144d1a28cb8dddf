import Foundation

/// Memory for f32 numbers, zero at first, aligned for whole vectors. A class, because training hands parts of one such block to
/// several threads; who writes where is settled by the task each of them has, never by this type.
final class Floats: @unchecked Sendable {
  let base: UnsafeMutablePointer<Float>
  let count: Int
  private let memory: UnsafeMutableRawPointer?

  init(count: Int) {
    self.count = count
    // calloc and not a cleared allocation: the system gives large blocks as zero pages, which cost nothing until touched.
    memory = calloc(max(count, 1) * 4 + 64, 1)
    guard let memory else { preconditionFailure("out of memory") }
    base = memory.alignedUp(toMultipleOf: 64).bindMemory(to: Float.self, capacity: max(count, 1))
  }

  convenience init(_ numbers: [Float]) {
    self.init(count: numbers.count)
    base.update(from: numbers, count: numbers.count)
  }

  deinit { free(memory) }

  var buffer: UnsafeBufferPointer<Float> { UnsafeBufferPointer(start: base, count: count) }
  var array: [Float] { Array(buffer) }
}
