import Encoder
import Foundation
import Synchronization

/// Has language models write: texts of all requests that ask one model are gone on with together.
///
/// A model that is asked has a thread of its own until its last text has ended.
final class Writers: Sendable {
  /// Texts that may wait or be written at once, of all models.
  private let most: Int
  private let state = Mutex(State())

  private struct State {
    var models: [ObjectIdentifier: Orders] = [:]
    /// Texts that have not ended.
    var count = 0
    /// The last order's number.
    var number = 0
  }

  /// What one model's thread is to do next.
  private struct Orders {
    var new: [Order] = []
    var abandoned: Set<Int> = []
  }

  private struct Order: Sendable {
    let number: Int
    let prompt: [Int32]
    let wishes: TextBatch.Wishes
    let tell: AsyncThrowingStream<TextBatch.Event, any Error>.Continuation
  }

  init(most: Int) { self.most = most }

  /// What the model does with one prompt, as it comes; whoever stops listening stops the writing.
  ///
  /// - Throws: `APIError` where too much waits already.
  func write(_ prompt: [Int32], by model: LanguageModel, _ wishes: TextBatch.Wishes) throws
    -> AsyncThrowingStream<TextBatch.Event, any Error>
  {
    let (stream, tell) = AsyncThrowingStream<TextBatch.Event, any Error>.makeStream()
    let id = ObjectIdentifier(model)
    let (number, isFirst) = try state.withLock { state in
      guard state.count < most else {
        throw APIError.busy("\(most) texts are waiting to be written. Try again.")
      }
      state.count += 1
      state.number += 1
      let isFirst = state.models[id] == nil
      state.models[id, default: Orders()].new.append(
        Order(number: state.number, prompt: prompt, wishes: wishes, tell: tell))
      return (state.number, isFirst)
    }
    tell.onTermination = { [weak self] reason in
      guard case .cancelled = reason else { return }
      _ = self?.state.withLock { $0.models[id]?.abandoned.insert(number) }
    }
    if isFirst { ServerContext.queue.async { self.work(model) } }
    return stream
  }

  /// One model's thread.
  private func work(_ model: LanguageModel) {
    let batch = TextBatch(model)
    /// By the batch's numbers.
    var listeners: [Int: Order] = [:]
    while let orders = take(model, isIdle: batch.isEmpty) {
      for order in orders.new {
        do {
          listeners[try batch.add(order.prompt, order.wishes)] = order
        } catch {
          end(order, throwing: error)
        }
      }
      for (number, order) in listeners where orders.abandoned.contains(order.number) {
        batch.remove(number)
        listeners[number] = nil
        end(order)
      }
      do {
        for (number, event) in try batch.step() {
          guard let order = listeners[number] else { continue }
          order.tell.yield(event)
          if case .ended = event {
            listeners[number] = nil
            end(order)
          }
        }
      } catch {
        for order in listeners.values { end(order, throwing: error) }
        listeners = [:]
      }
    }
  }

  private func end(_ order: Order, throwing error: (any Error)? = nil) {
    state.withLock { $0.count -= 1 }
    order.tell.finish(throwing: error)
  }

  /// What is new; nil where there is nothing and nothing is left, which ends the thread.
  private func take(_ model: LanguageModel, isIdle: Bool) -> Orders? {
    let id = ObjectIdentifier(model)
    return state.withLock { state in
      guard let orders = state.models[id] else { return nil }
      if isIdle, orders.new.isEmpty {
        state.models[id] = nil
        return nil
      }
      state.models[id]?.new = []
      state.models[id]?.abandoned = []
      return orders
    }
  }
}

/// Does the same thing to texts of many requests at once: what comes while one batch is computed makes up the next.
///
/// A group of texts that may stand in one batch has a thread of its own while there is work for it.
final class Batcher<Group: Hashable & Sendable, Input: Sendable, Output: Sendable>: Sendable {
  typealias Work = @Sendable ([Input]) throws -> [Output]

  /// Inputs of a batch at most, if they are not one request's.
  private let batch: Int
  /// Inputs that may wait at once.
  private let most: Int
  private let state = Mutex(State())

  private struct State {
    var waiting: [Group: [Order]] = [:]
    var count = 0
  }

  private struct Order: Sendable {
    let inputs: [Input]
    let done: CheckedContinuation<[Output], any Error>
  }

  init(batch: Int, most: Int) { (self.batch, self.most) = (batch, most) }

  /// - Parameter work: what is done with a batch of this group; that of the first who asks is done for all.
  /// - Throws: what `work` throws; `APIError` where too much waits already.
  func run(_ inputs: [Input], in group: Group, _ work: @escaping Work) async throws -> [Output] {
    if inputs.isEmpty { return [] }
    return try await withCheckedThrowingContinuation { continuation in
      let isFirst: Bool? = state.withLock { state in
        guard state.count < most else { return nil }
        state.count += inputs.count
        defer { state.waiting[group, default: []].append(Order(inputs: inputs, done: continuation)) }
        return state.waiting[group] == nil
      }
      guard let isFirst else {
        continuation.resume(throwing: APIError.busy("\(most) texts are waiting to be read. Try again."))
        return
      }
      guard isFirst else { return }
      ServerContext.queue.async { self.work(group, work) }
    }
  }

  private func work(_ group: Group, _ work: Work) {
    while let orders = take(group) {
      let result = Result { try work(orders.flatMap(\.inputs)) }
      var start = 0
      for order in orders {
        let range = start..<start + order.inputs.count
        start = range.upperBound
        order.done.resume(with: result.map { Array($0[range]) })
      }
    }
  }

  private func take(_ group: Group) -> [Order]? {
    state.withLock { state in
      guard let waiting = state.waiting[group], !waiting.isEmpty else {
        state.waiting[group] = nil
        return nil
      }
      var count = 0
      let taken = waiting.prefix { order in
        defer { count += order.inputs.count }
        return count == 0 || count + order.inputs.count <= batch
      }
      state.waiting[group] = Array(waiting.dropFirst(taken.count))
      state.count -= taken.reduce(0) { $0 + $1.inputs.count }
      return Array(taken)
    }
  }
}
