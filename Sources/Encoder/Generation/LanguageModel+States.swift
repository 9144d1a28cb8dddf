import Basics
import Synchronization

extension LanguageModel {
  /// The state of each prompt's last token, behind the final norm, `[prompts][hidden]`: what a head can be fitted to.
  /// - Parameters:
  ///   - prefix: tokens that all prompts begin with, read once; the prompts are without them.
  ///   - progress: is told how many prompts are done.
  /// - Throws: `ModelError`, `CancellationError`, `AddressSpace.Shortage`.
  package func lastStates(
    of prompts: [[Int32]], after prefix: [Int32] = [],
    isCancelled: @Sendable () -> Bool = { false }, progress: @Sendable (_ done: Int) -> Void = { _ in }
  ) throws -> [[Float]] {
    for prompt in prompts { try check(prefix + prompt, and: 0) }
    let (prompts, prefix) = split(prompts, after: prefix)
    return try work(after: prefix, isCancelled) { beginning, workplaces in
      let longest = prompts.map(\.count).max() ?? 0
      try AddressSpace.require(
        pool.count * KeyValueCache.bytes(model.shape, capacity: longest + Self.rowsAtOnce))
      let groups = group(prompts.map { min($0.count, Self.rowsAtOnce) })
      let found = Mutex([[Float]](repeating: [], count: prompts.count))
      let done = Mutex(0)
      try pool.run(groups.count) { task, worker in
        if isCancelled() { throw CancellationError() }
        let group = groups[task]
        let states = try lastStates(
          of: Array(prompts[group]), beginning, workplaces[worker], isCancelled)
        found.withLock { $0.replaceSubrange(group, with: states) }
        done.withLock { count in
          count += group.count
          progress(count)
        }
      }
      return found.withLock { $0 }
    }
  }

  private func lastStates(
    of prompts: [[Int32]], _ beginning: KeyValueCache?, _ workplace: Workplace,
    _ isCancelled: @Sendable () -> Bool
  ) throws -> [[Float]] {
    let caches = prompts.map { KeyValueCache(model.shape, capacity: $0.count, after: beginning) }
    var packed = PackedTexts()
    for (prompt, cache) in zip(prompts, caches) {
      // What of a prompt has no room in a pass is read before.
      let last = Array(prompt.suffix(Self.rowsAtOnce))
      try read(prompt.dropLast(last.count), cache, workplace, isCancelled)
      packed.append(last)
    }
    let states = try forward(packed, caches, workplace)
    let hidden = model.shape.hiddenSize
    return packed.ranges.map { range in
      Array(UnsafeBufferPointer(start: states + (range.upperBound - 1) * hidden, count: hidden))
    }
  }
}
