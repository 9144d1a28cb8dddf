import COneDNN
import Foundation

/// Threads that stay together for as long as a model is used, and share out numbered tasks among themselves.
///
/// Not Swift's own pool: two loops that compute there without a pause keep everything else in the program waiting. Which thread
/// does which task depends on the moment, so a task must not care: it writes only what is its own, and reads nothing that
/// another task of the same run writes.
final class ThreadPool: Sendable {
  /// Threads, the caller's own included.
  let count: Int
  private let state: State

  init(threads: Int?) {
    let count = max(1, threads ?? ProcessInfo.processInfo.activeProcessorCount)
    self.count = count
    let state = State()
    self.state = state
    for worker in 1..<max(count, 1) {
      let thread = Thread {
        onednn_use_one_thread()
        state.work(as: worker)
      }
      thread.name = "encoder-\(worker)"
      thread.stackSize = 4 << 20
      thread.start()
    }
  }

  deinit { state.close() }

  /// Does the tasks `0 ..< tasks`, on as many threads as there are, and returns when all are done. `worker` is the number of the
  /// thread that does a task, from 0, for scratch memory. The first error ends the run.
  func run(_ tasks: Int, _ body: (_ task: Int, _ worker: Int) throws -> Void) throws {
    onednn_use_one_thread()
    try withoutActuallyEscaping(body) { body in
      try state.run(tasks, helpers: count - 1, body)
    }
  }

  /// What the threads look at: the tasks of the run in progress.
  /// Sendable unchecked: all of it is read and written under `condition`.
  private final class State: @unchecked Sendable {
    private let condition = NSCondition()
    private var body: ((Int, Int) throws -> Void)?
    private var next = 0
    private var tasks = 0
    private var active = 0
    private var failure: (any Error)?
    private var isClosed = false

    func close() {
      condition.lock()
      isClosed = true
      condition.broadcast()
      condition.unlock()
    }

    func run(_ tasks: Int, helpers: Int, _ body: @escaping (Int, Int) throws -> Void) throws {
      condition.lock()
      self.body = body
      self.tasks = tasks
      next = 0
      failure = nil
      if helpers > 0, tasks > 1 { condition.broadcast() }
      doTasks(as: 0)
      while active > 0 { condition.wait() }
      self.body = nil
      let failure = failure
      condition.unlock()
      if let failure { throw failure }
    }

    func work(as worker: Int) {
      condition.lock()
      while !isClosed {
        doTasks(as: worker)
        condition.wait()
      }
      condition.unlock()
    }

    /// Takes one task after another until none is left. Called and left with the lock held.
    private func doTasks(as worker: Int) {
      while let body, next < tasks, failure == nil {
        let task = next
        next += 1
        active += 1
        condition.unlock()
        let result = Result { try body(task, worker) }
        condition.lock()
        active -= 1
        if case .failure(let error) = result, failure == nil { failure = error }
        if active == 0, next >= tasks || failure != nil { condition.broadcast() }
      }
    }
  }
}
