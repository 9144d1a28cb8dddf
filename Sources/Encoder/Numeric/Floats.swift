import Basics
import Foundation

/// Memory for f32 numbers, zero at first, aligned for whole vectors. A class, because training hands parts of one such block to
/// several threads; who writes where is settled by the task each of them has, never by this type.
final class Floats: @unchecked Sendable {
  let base: UnsafeMutablePointer<Float>
  let count: Int
  private let memory: UnsafeMutableRawPointer?

  /// Blocks from this many bytes on are asked for in huge pages.
  private static let large = 4 << 20
  private static let hugePage = 2 << 20

  init(count: Int) {
    self.count = count
    let bytes = max(count, 1) * 4
    let isLarge = bytes >= Floats.large
    let alignment = isLarge ? Floats.hugePage : 64
    // calloc and not a cleared allocation: the system gives large blocks as zero pages, which cost nothing until touched.
    memory = calloc(bytes + alignment, 1)
    guard let memory else { AddressSpace.end() }
    let start = memory.alignedUp(toMultipleOf: alignment)
    // A page of 4 kB takes the system longer to give than a pass over its numbers takes, and two threads that touch new pages
    // wait for each other.
    if isLarge { madvise(start, bytes, MADV_HUGEPAGE) }
    base = start.bindMemory(to: Float.self, capacity: max(count, 1))
  }

  convenience init(_ numbers: [Float]) {
    self.init(count: numbers.count)
    base.update(from: numbers, count: numbers.count)
  }

  deinit { free(memory) }

  var buffer: UnsafeBufferPointer<Float> { UnsafeBufferPointer(start: base, count: count) }
  var array: [Float] { Array(buffer) }
}
