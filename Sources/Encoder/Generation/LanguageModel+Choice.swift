import Basics
import Foundation
import Synchronization

extension LanguageModel {
  /// Tokens of a completion that ``logProbabilities(of:after:prefix:isCancelled:progress:)`` takes.
  package static let longestCompletion = Branches.nodesAtOnce

  /// The logarithm, in nats, of each completion's probability after each prompt: `[prompts][completions]`, each the sum of its
  /// tokens' log-probabilities. What completions begin with alike is read once, and their last tokens are not read at all.
  /// - Parameters:
  ///   - prefix: tokens that all prompts begin with, read once; the prompts are without them.
  ///   - progress: is told how many prompts are done.
  /// - Throws: `ModelError`, `CancellationError`, `AddressSpace.Shortage`.
  package func logProbabilities(
    of completions: [[Int32]], after prompts: [[Int32]], prefix: [Int32] = [],
    isCancelled: @Sendable () -> Bool = { false }, progress: @Sendable (_ done: Int) -> Void = { _ in }
  ) throws -> [[Double]] {
    let longest = completions.map(\.count).max() ?? 0
    guard longest <= Branches.nodesAtOnce else {
      throw ModelError.textTooLong(tokens: longest, maximum: Branches.nodesAtOnce)
    }
    for prompt in prompts { try check(prefix + prompt, and: longest) }
    for completion in completions { try check(known: completion) }
    let (prompts, prefix) = split(prompts, after: prefix)
    let branches = Branches.divide(completions)
    let nodes = branches.map(\.tree.count).max() ?? 0
    return try work(after: prefix, isCancelled) { beginning, workplaces in
      let longest = prompts.map(\.count).max() ?? 0
      try AddressSpace.require(
        pool.count * KeyValueCache.bytes(model.shape, capacity: longest + nodes + Self.rowsAtOnce))
      let groups = group(prompts.map { min($0.count, Self.rowsAtOnce - nodes) + nodes })
      let sums = Mutex([[Double]](repeating: [], count: prompts.count))
      let done = Mutex(0)
      try pool.run(groups.count) { task, worker in
        if isCancelled() { throw CancellationError() }
        let group = groups[task]
        let found = try measure(
          of: completions.count, branches, after: Array(prompts[group]), beginning, workplaces[worker],
          isCancelled)
        sums.withLock { $0.replaceSubrange(group, with: found) }
        done.withLock { count in
          count += group.count
          progress(count)
        }
      }
      return sums.withLock { $0 }
    }
  }

  /// Neighbours whose rows fit a pass together, and not all of them for one thread.
  func group(_ rows: [Int]) -> [Range<Int>] {
    let share = (rows.count + pool.count - 1) / max(pool.count, 1)
    var groups: [Range<Int>] = []
    var start = 0
    var sum = 0
    for (number, count) in rows.enumerated() {
      if number > start, sum + count > Self.rowsAtOnce || number - start >= share {
        groups.append(start..<number)
        (start, sum) = (number, 0)
      }
      sum += count
    }
    if start < rows.count { groups.append(start..<rows.count) }
    return groups
  }

  private func measure(
    of count: Int, _ branches: [Branches], after prompts: [[Int32]], _ beginning: KeyValueCache?,
    _ workplace: Workplace, _ isCancelled: @Sendable () -> Bool
  ) throws -> [[Double]] {
    let nodes = branches.map(\.tree.count).max() ?? 0
    let caches = prompts.map {
      KeyValueCache(model.shape, capacity: $0.count + nodes, after: beginning)
    }
    var sums = prompts.map { _ in [Double](repeating: 0, count: count) }
    // What of a prompt has no room beside the tree is read before.
    var next = prompts
    for (text, prompt) in prompts.enumerated() {
      next[text] = prompt.suffix(Self.rowsAtOnce - nodes)
      try read(prompt.dropLast(next[text].count), caches[text], workplace, isCancelled)
    }
    for branch in branches {
      if isCancelled() { throw CancellationError() }
      var packed = PackedTexts()
      for prompt in next { packed.append(prompt + branch.tree.words) }
      let states = try forward(packed, caches, tree: branch.tree, workplace)
      // Of each text the prompt's last state, and then the tree's.
      let ofText = 1 + branch.tree.count
      let rows = packed.ranges.flatMap { Array($0.suffix(ofText)) }
      var steps = [[Double]](repeating: [], count: rows.count)
      for start in stride(from: 0, to: rows.count, by: OutputLayer.statesAtOnce) {
        let part = start..<min(start + OutputLayer.statesAtOnce, rows.count)
        var logits = part.map { branch.ways[$0 % ofText].map { _ in Float(0) } }
        let forecasts = try workplace.output.read(states, Array(rows[part]), wantsSums: true) { found in
          for (state, row) in part.enumerated() {
            for (way, word) in branch.ways[row % ofText].enumerated() where found.words.contains(word) {
              logits[state][way] = found(word, state)
            }
          }
        }
        for (state, row) in part.enumerated() {
          steps[row] = logits[state].map { forecasts[state].logProbability(ofLogit: $0) }
        }
      }
      for text in prompts.indices {
        for (completion, path) in branch.paths {
          sums[text][completion] = path.reduce(0) { $0 + steps[text * ofText + $1.state][$1.way] }
        }
        // The next branches go on from the prompt, whose last state is wanted again.
        caches[text].count -= ofText
        next[text] = [next[text][next[text].count - 1]]
      }
    }
    return sums
  }
}

/// Some of the completions, as a tree that is read in one go.
struct Branches {
  /// Tokens of a tree at most; the other half of a pass is for prompts.
  static let nodesAtOnce = LanguageModel.rowsAtOnce / 2

  /// All tokens but those that a completion ends with, if nothing goes on from them.
  private(set) var tree = TokenTree()
  /// The words whose logits are wanted: after the prompt, then after each node.
  private(set) var ways: [[Int]] = [[]]
  /// Completions, and where each of their tokens stands in `ways`.
  private(set) var paths: [(completion: Int, path: [(state: Int, way: Int)])] = []

  /// Completions that begin alike come into one tree, if it holds them. Each has at most `nodesAtOnce` tokens.
  static func divide(_ completions: [[Int32]]) -> [Branches] {
    let order = completions.indices.sorted { completions[$0].lexicographicallyPrecedes(completions[$1]) }
    var all: [Branches] = []
    for number in order where !completions[number].isEmpty {
      var last = all.last ?? Branches()
      last.append(completions[number], number)
      if last.tree.count > nodesAtOnce {
        last = Branches()
        last.append(completions[number], number)
        all.append(last)
      } else if all.isEmpty {
        all.append(last)
      } else {
        all[all.count - 1] = last
      }
    }
    return all
  }

  private mutating func append(_ completion: [Int32], _ number: Int) {
    var path: [(state: Int, way: Int)] = []
    var state = 0
    for (place, word) in completion.enumerated() {
      let way: Int
      if let known = ways[state].firstIndex(of: Int(word)) {
        way = known
      } else {
        way = ways[state].count
        ways[state].append(Int(word))
      }
      path.append((state, way))
      if place + 1 < completion.count {
        state = child(of: state, word)
      }
    }
    paths.append((number, path))
  }

  private mutating func child(of state: Int, _ word: Int32) -> Int {
    for node in 0..<tree.count where tree.parents[node] == Int32(state - 1) && tree.words[node] == word {
      return node + 1
    }
    ways.append([])
    return tree.append(word, after: state - 1) + 1
  }
}
