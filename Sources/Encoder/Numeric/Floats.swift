import Basics
import Foundation

/// Memory for f32 numbers, zero at first, aligned for whole vectors. A class, because training hands parts of one such block to
/// several threads; who writes where is settled by the task each of them has, never by this type.
final class Floats: @unchecked Sendable {
  /// Good for as long as this lives: where nothing else holds it, `withExtendedLifetime` has to.
  let base: UnsafeMutablePointer<Float>
  let count: Int
  private let memory: UnsafeMutableRawPointer
  /// Of memory that is the system's; 0 where it is the allocator's.
  private let mapped: Int

  /// Blocks from this many bytes on are asked of the system and go back to it at once. The allocator, which does the same at first,
  /// keeps ever larger ones once some were freed, with others between them.
  private static let large = 256 << 10
  /// Blocks from this many bytes on are asked for in huge pages.
  private static let huge = 4 << 20
  private static let hugePage = 2 << 20

  init(count: Int) {
    self.count = count
    let bytes = max(count, 1) * 4
    let isHuge = bytes >= Floats.huge
    let alignment = isHuge ? Floats.hugePage : 64
    mapped = bytes >= Floats.large ? bytes + alignment : 0
    // The system gives zero pages, which cost nothing until touched.
    let given =
      mapped > 0
      ? mmap(nil, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      : calloc(bytes + alignment, 1)
    guard let given, given != MAP_FAILED else { AddressSpace.end() }
    memory = given
    let start = memory.alignedUp(toMultipleOf: alignment)
    // A page of 4 kB takes the system longer to give than a pass over its numbers takes, and two threads that touch new pages
    // wait for each other.
    if isHuge { madvise(start, bytes, MADV_HUGEPAGE) }
    base = start.bindMemory(to: Float.self, capacity: max(count, 1))
  }

  convenience init(_ numbers: [Float]) {
    self.init(count: numbers.count)
    base.update(from: numbers, count: numbers.count)
  }

  deinit {
    if mapped > 0 { munmap(memory, mapped) } else { free(memory) }
  }

  var buffer: UnsafeBufferPointer<Float> { UnsafeBufferPointer(start: base, count: count) }
  var array: [Float] { Array(buffer) }
}
